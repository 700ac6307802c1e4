// Gets an access token for a client that a configuration file names:
//
//     dotnet run -- segl.toml bank
using System;
using Segl;

internal static class Program
{
    private static int Main(string[] arguments)
    {
        string file = arguments.Length > 0 ? arguments[0] : "segl.toml";
        string name = arguments.Length > 1 ? arguments[1] : "bank";
        try
        {
            using TokenClient client = TokenClient.Open(file, name);
            Token token = client.Token();
            Console.WriteLine($"a token of {token.AccessToken.Length} bytes, valid until {token.ExpiresAt:u}");
            return 0;
        }
        catch (SeglException exception)
        {
            Console.Error.WriteLine($"{exception.Name}: {exception.Message}");
            return 1;
        }
    }
}
