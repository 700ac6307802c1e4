using System;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Threading;
using Segl.Tests;

namespace Segl.Bench
{
    /// <summary>Prints "dotnet | WHAT | median_ns": the median over batches of the nanoseconds that a call takes.</summary>
    internal static class Program
    {
        private const int Batches = 15;
        private const double BatchSeconds = 0.1;

        private static readonly byte[] Claims = Encoding.UTF8.GetBytes("{\"iss\":\"7ea43b76-6b7d-49e8-af2b-4114ebb66c80\",\"aud\":\"https://test.maskinporten.no/\",\"scope\":\"lanekassen:lan/v1/saldoopplysninger\",\"iat\":1795275482,\"exp\":1795275602,\"jti\":\"5ba8e6d4-0f5d-4e0c-8b34-7f0c3fcbb8a1\"}");

        private static void Main()
        {
            Console.Error.WriteLine(RuntimeInformation.FrameworkDescription + " with segl " + SeglLibrary.Version);
            using TokenClient client = Services.Client("file");
            using TokenClient second = Services.Client("file");
            using var cancel = new CancellationTokenSource();
            client.Token();
            Measure("an empty call", () => SeglLibrary.AbiVersion == 0 ? null! : client);
            Measure("cached token by the C call alone", Floor.Call);
            Measure("cached token", () => client.Token());
            TokenRequest held = TokenRequest.Default.WithScopes("demo:konto.read");
            client.Token(held);
            Measure("cached token of a request", () => client.Token(held));
            Measure("cached token with a CancellationToken", () => client.Token(cancellationToken: cancel.Token));
            // A request that two clients use in turn holds the other's token, so each call makes a string.
            TokenRequest shared = TokenRequest.Default.WithScopes("demo:konto.read");
            second.Token(shared);
            bool turn = false;
            Measure("new token string", () => (turn = !turn) ? client.Token(shared) : second.Token(shared));

            using Signer ec = Signer.FromBytes(Services.EcPem);
            using ECDsa ownEc = HostKeys.Ec();
            Measure("ES256 JWT", () => ec.Jws("{\"alg\":\"ES256\",\"typ\":\"JWT\"}", Claims));
            Measure("ES256 JWT by .NET", () => Own("{\"alg\":\"ES256\",\"typ\":\"JWT\"}", input => ownEc.SignData(input, HashAlgorithmName.SHA256)));
            using Signer rsa = Signer.FromBytes(Services.RsaPem);
            using RSA ownRsa = HostKeys.Rsa();
            Measure("RS256 JWT", () => rsa.Jws("{\"alg\":\"RS256\",\"typ\":\"JWT\"}", Claims));
            Measure("RS256 JWT by .NET", () => Own("{\"alg\":\"RS256\",\"typ\":\"JWT\"}", input => ownRsa.SignData(input, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)));
        }

        private static string Own(string header, Func<byte[], byte[]> sign)
        {
            string input = Jwt.Encode(Encoding.UTF8.GetBytes(header)) + "." + Jwt.Encode(Claims);
            return input + "." + Jwt.Encode(sign(Encoding.ASCII.GetBytes(input)));
        }

        private static void Measure(string what, Func<object> call)
        {
            int calls = 1;
            while (Batch(call, calls) < BatchSeconds)
            {
                calls *= 2;
            }
            double median = Enumerable.Range(0, Batches).Select(batch => Batch(call, calls) / calls).OrderBy(time => time).ElementAt(Batches / 2);
            Console.WriteLine("dotnet | " + what + " | " + (median * 1e9).ToString("0", CultureInfo.InvariantCulture));
        }

        private static double Batch(Func<object> call, int calls)
        {
            var watch = Stopwatch.StartNew();
            for (int i = 0; i < calls; i++)
            {
                call();
            }
            return watch.Elapsed.TotalSeconds;
        }
    }
}
