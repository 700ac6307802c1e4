// An API that checks the access token of each request, and asks KRR about persons with a token of its own:
//
//     dotnet run -- segl.toml api agency 8080
//     curl -H "Authorization: Bearer $TOKEN" -d @persons.json http://127.0.0.1:8080/
using System;
using System.IO;
using System.Net;
using System.Text;
using System.Threading.Tasks;
using Segl;

internal sealed class Program
{
    private const int MostBytes = 64 * 1024;

    private readonly Validator _validator;
    private readonly TokenClient _client;

    private Program(string file, string validator, string client)
    {
        _validator = Validator.Open(file, validator);
        _client = TokenClient.Open(file, client);
    }

    private static async Task Main(string[] arguments)
    {
        var api = new Program(arguments[0], arguments[1], arguments[2]);
        using var listener = new HttpListener();
        listener.Prefixes.Add($"http://127.0.0.1:{arguments[3]}/");
        listener.Start();
        while (true)
        {
            HttpListenerContext context = await listener.GetContextAsync();
            _ = Task.Run(() => api.Handle(context));
        }
    }

    private void Handle(HttpListenerContext context)
    {
        using HttpListenerResponse response = context.Response;
        response.StatusCode = 500;
        try
        {
            if (MayAsk(context.Request, response))
            {
                LookUp(context.Request, response);
            }
        }
        catch (Exception failure)
        {
            Console.Error.WriteLine(failure);
        }
    }

    private void LookUp(HttpListenerRequest request, HttpListenerResponse response)
    {
        using var reader = new BinaryReader(request.InputStream);
        byte[] body = reader.ReadBytes(MostBytes + 1);
        if (body.Length > MostBytes)
        {
            response.StatusCode = 413;
            return;
        }
        try
        {
            string persons = Encoding.UTF8.GetString(body);
            byte[] found = Encoding.UTF8.GetBytes(_client.CallApi("krr.lookup", persons, timeout: TimeSpan.FromSeconds(20)));
            response.StatusCode = 200;
            response.ContentType = "application/json";
            response.OutputStream.Write(found, 0, found.Length);
        }
        catch (SeglException failure)
        {
            Console.Error.WriteLine($"{failure.Name} {failure.Message} trace id: {failure.TraceId}");
            response.StatusCode = failure.Code == ErrorCode.InvalidArgument ? 400 : 502;
        }
    }

    private bool MayAsk(HttpListenerRequest request, HttpListenerResponse response)
    {
        string? authorization = request.Headers["Authorization"];
        if (authorization is null || !authorization.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
        {
            response.StatusCode = 401;
            response.AddHeader("WWW-Authenticate", "Bearer");
            return false;
        }
        try
        {
            _validator.Check(authorization.Substring(7).Trim(), "{\"supplier\":null}", TimeSpan.FromSeconds(5));
            return true;
        }
        catch (SeglException refusal)
        {
            Console.Error.WriteLine($"{refusal.Name} {refusal.Message}");
            response.StatusCode = refusal.HttpStatus ?? 500;
            if (refusal.OAuthError is string error)
            {
                response.AddHeader("WWW-Authenticate", $"Bearer error=\"{error}\"");
            }
            return false;
        }
    }
}
