using System;
using System.Threading;

namespace Segl.Tests
{
    internal static class DisposeTests
    {
        private const int Threads = 8;
        private const int Rounds = 10000;

        public static void TwiceAndUseAfterwards()
        {
            Signer signer = Signer.FromBytes(Services.EcPem);
            signer.Dispose();
            signer.Dispose();
            Check.Equal("Signer", Check.Throws<ObjectDisposedException>(() => signer.Sign("ES256", new byte[1])).ObjectName);
            Check.Throws<ObjectDisposedException>(() => signer.Describe());
            Check.Throws<ObjectDisposedException>(() => TokenClient.Create(Config.FromJson(Services.HostJson), new TokenClientOptions { Signer = signer }));
            TokenClient client = Services.Client("bank");
            Token token = client.Token();
            client.Dispose();
            client.Dispose();
            Check.Equal("TokenClient", Check.Throws<ObjectDisposedException>(() => client.Token()).ObjectName);
            Check.Throws<ObjectDisposedException>(() => client.Token(timeout: TimeSpan.FromSeconds(1)));
            Check.Throws<ObjectDisposedException>(() => client.Assertion());
            Check.Throws<ObjectDisposedException>(() => client.Reject(token));
            Check.Throws<ObjectDisposedException>(() => client.TokenAsync().GetAwaiter().GetResult());
            Check.That(token.AccessToken.Length > 20, "what was handed out stays");
        }

        public static void SignersWhileEightThreadsSign()
        {
            byte[] pem = Services.EcPem;
            Storm(() => Signer.FromBytes(pem), (signer, thread) =>
            {
                if (thread % 2 == 0)
                {
                    Check.Equal(64, signer.Sign("ES256", new byte[10]).Length);
                }
                else
                {
                    Check.That(signer.PublicJwk.Length > 20 && signer.Health().Length > 20, "JSON");
                }
            });
        }

        public static void ClientsWhileEightThreadsAskThem()
        {
            Config config = Config.FromJson("{\"profile\":\"generic\",\"issuer\":\"https://as.example\",\"audience\":\"https://as.example\",\"token_endpoint\":\"https://as.example/token\",\"client_id\":\"c\",\"scopes\":[\"s\"],\"kid\":\"k\"}");
            using Signer key = Signer.FromBytes(Services.EcPem);
            var transport = new Canned();
            TokenRequest request = TokenRequest.Default.WithScopes("t");
            Storm(() => TokenClient.Create(config, new TokenClientOptions { Signer = key, Transport = transport }), (client, thread) =>
            {
                switch (thread % 4)
                {
                    case 0:
                        Check.Equal("canned", client.Token().AccessToken);
                        break;
                    case 1:
                        Check.That(client.Health().Length > 20, "JSON");
                        client.Forget(request);
                        break;
                    case 2:
                        Check.Equal("canned", client.Token(request, TimeSpan.FromSeconds(10)).AccessToken);
                        break;
                    default:
                        Check.That(client.Assertion().Length > 20, "a JWT");
                        break;
                }
            });
        }

        /// <summary>Makes an object, has eight threads use it until it is disposed of, again and again.</summary>
        private static void Storm<T>(Func<T> make, Action<T, int> use)
            where T : class, IDisposable
        {
            T? shared = null;
            Exception? failure = null;
            long calls = 0;
            using var begin = new Barrier(Threads + 1);
            using var end = new Barrier(Threads + 1);
            var threads = new Thread[Threads];
            for (int i = 0; i < Threads; i++)
            {
                int number = i;
                threads[i] = new Thread(() =>
                {
                    for (int round = 0; round < Rounds; round++)
                    {
                        begin.SignalAndWait();
                        try
                        {
                            while (true)
                            {
                                use(shared!, number);
                                Interlocked.Increment(ref calls);
                            }
                        }
                        catch (ObjectDisposedException)
                        {
                        }
                        catch (Exception exception)
                        {
                            failure = exception;
                        }
                        end.SignalAndWait();
                    }
                });
                threads[i].Start();
            }
            var random = new Random(1);
            for (int round = 0; round < Rounds; round++)
            {
                shared = make();
                begin.SignalAndWait();
                Thread.SpinWait(random.Next(20000));
                shared.Dispose();
                end.SignalAndWait();
            }
            foreach (Thread thread in threads)
            {
                thread.Join();
            }
            if (failure != null)
            {
                throw new InvalidOperationException("a call failed", failure);
            }
            Check.That(calls > Rounds / 10, "calls went through: " + calls);
        }

        private sealed class Canned : IHttpTransport
        {
            public HttpResponse Send(HttpRequest request, TimeSpan timeout) => TransportTests.Answer("canned");
        }
    }
}
