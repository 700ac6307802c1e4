using System;
using System.Runtime.CompilerServices;
using System.Threading;

namespace Segl.Tests
{
    internal static class DisposeTests
    {
        private const int Threads = 8;
        private const int Rounds = 10000;
        private const int Batch = 100;

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
            // A handle that came to be another client's would give that one's token.
            var own = new ConditionalWeakTable<TokenClient, string>();
            int made = 0;
            TokenRequest request = TokenRequest.Default.WithScopes("t");
            TokenClient Make()
            {
                string token = "token " + Interlocked.Increment(ref made);
                TokenClient client = TokenClient.Create(config, new TokenClientOptions { Signer = key, Transport = new TransportTests.Function(asked => TransportTests.Answer(token)) });
                own.Add(client, token);
                return client;
            }
            Storm(Make, (client, thread) =>
            {
                own.TryGetValue(client, out string? token);
                switch (thread % 4)
                {
                    case 0:
                        Check.Equal(token, client.Token().AccessToken);
                        break;
                    case 1:
                        Check.That(client.Health().Length > 20, "JSON");
                        client.Forget(request);
                        break;
                    case 2:
                        Check.Equal(token, client.Token(request, TimeSpan.FromSeconds(10)).AccessToken);
                        break;
                    default:
                        Check.That(client.Assertion().Length > 20, "a JWT");
                        break;
                }
            });
        }

        /// <summary>Has eight threads use an object without a pause, while it is replaced by another and disposed of, again and again.</summary>
        /// <remarks>
        /// Each batch of objects is made while the threads wait, or the one that makes them gets a tenth of the processor; the first of a
        /// batch is made while they run. There are never more rounds than calls that went through.
        /// </remarks>
        private static void Storm<T>(Func<T> make, Action<T, int> use)
            where T : class, IDisposable
        {
            T shared = make();
            using var gate = new ManualResetEventSlim();
            bool end = false;
            Exception? failure = null;
            long calls = 0;
            long interrupted = 0;
            var threads = new Thread[Threads];
            for (int i = 0; i < Threads; i++)
            {
                int number = i;
                threads[i] = new Thread(() =>
                {
                    while (!Volatile.Read(ref end))
                    {
                        gate.Wait();
                        try
                        {
                            use(Volatile.Read(ref shared), number);
                            Interlocked.Increment(ref calls);
                        }
                        catch (ObjectDisposedException)
                        {
                            Interlocked.Increment(ref interrupted);
                        }
                        catch (Exception exception)
                        {
                            failure = exception;
                        }
                    }
                });
                threads[i].Start();
            }
            var next = new T?[Batch];
            for (int round = 0; round < Rounds && failure is null; round++)
            {
                int place = round % Batch;
                if (place == 0)
                {
                    gate.Reset();
                    for (int i = 1; i < Batch; i++)
                    {
                        next[i] = make();
                    }
                    gate.Set();
                    next[0] = make();
                }
                T old = shared;
                Volatile.Write(ref shared, next[place]!);
                old.Dispose();
                while (Interlocked.Read(ref calls) < round && failure is null)
                {
                    Thread.SpinWait(20);
                }
            }
            Volatile.Write(ref end, true);
            gate.Set();
            foreach (Thread thread in threads)
            {
                thread.Join();
            }
            shared.Dispose();
            if (failure != null)
            {
                throw new InvalidOperationException("a call failed", failure);
            }
            Check.That(calls >= Rounds && interrupted > 0, calls + " calls went through, " + interrupted + " came too late");
        }
    }
}
