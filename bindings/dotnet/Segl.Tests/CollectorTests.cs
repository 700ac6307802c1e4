using System;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Threading;

namespace Segl.Tests
{
    internal static class CollectorTests
    {
        public static void DroppedObjectsAreFreedByTheFinalizer()
        {
            WeakReference held = Drop();
            for (int i = 0; i < 20 && held.IsAlive; i++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
            Check.That(!held.IsAlive, "segl released the signer's callback, so the handles were freed");
        }

        public static void CollectionsDuringCalls()
        {
            using var stop = new CancellationTokenSource();
            var collector = new Thread(() =>
            {
                while (!stop.IsCancellationRequested)
                {
                    GC.Collect();
                    GC.WaitForPendingFinalizers();
                }
            });
            collector.Start();
            byte[] pem = Services.EcPem;
            for (int i = 0; i < 500; i++)
            {
                // Nothing but the call itself holds the object.
                Check.Equal(64, Signer.FromBytes(pem).Sign("ES256", new byte[10]).Length);
                using Signer signer = HostKeys.EcSigner();
                Check.Equal(64, signer.Sign("ES256", new byte[10]).Length);
            }
            stop.Cancel();
            collector.Join();
        }

        public static void AFinalizerThatDisposesDuringCalls()
        {
            using var begun = new ManualResetEventSlim();
            using TokenClient client = Services.Client("bank");
            Exception? failure = null;
            var user = new Thread(() =>
            {
                try
                {
                    while (true)
                    {
                        client.Token();
                        client.Assertion();
                        begun.Set();
                    }
                }
                catch (ObjectDisposedException)
                {
                }
                catch (Exception exception)
                {
                    failure = exception;
                }
            });
            user.Start();
            begun.Wait();
            DropOwner(client);
            while (user.IsAlive)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
            Check.That(failure is null, failure + "");
        }

        public static void MemoryStaysWhereItIs()
        {
            using TokenClient client = Services.Client("file");
            using Signer ec = Signer.FromBytes(Services.EcPem);
            using Signer host = HostKeys.EcSigner();
            using Validator validator = Validator.Create(ValidatorTests.Settings);
            string token = client.Token().AccessToken;
            using var cancel = new CancellationTokenSource();
            TokenRequest request = TokenRequest.Default.WithScopes("demo:konto.read");
            void Calls(int count)
            {
                for (int i = 0; i < count; i += 10)
                {
                    client.Token();
                    client.Token(request);
                    client.Token(withResponse: true);
                    client.Token(cancellationToken: cancel.Token);
                    client.Health();
                    validator.Check(token, "{\"supplier\":null}");
                    Check.Throws<ValidationException>(() => validator.Check(token, "{\"consumer\":\"974760673\"}"));
                    Check.Throws<UsageException>(() => client.CallApi("altinn.exchange_token", "{\"a\":1}"));
                    ec.Jws("{\"alg\":\"ES256\"}", new byte[200]);
                    host.Sign("ES256", new byte[200]);
                    Check.Throws<SeglException>(() => ec.Sign("RS256", new byte[1]));
                    Check.Throws<SeglException>(() => Signer.Open("file:/no/such/key"));
                    using Signer again = Signer.FromBytes(Services.EcPem);
                }
            }
            Calls(10000);
            long before = Resident();
            Calls(50000);
            long after = Resident();
            Check.That(after < before * 1.05, "resident memory grew from " + before / 1024 + " to " + after / 1024 + " KiB");
            Console.WriteLine(FormattableString.Invariant($"resident memory over 50,000 calls: {100.0 * (after - before) / before:+0.0;-0.0;0.0} % of {before >> 20} MiB"));
        }

        private static long Resident()
        {
            for (int i = 0; i < 3; i++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
            using Process process = Process.GetCurrentProcess();
            process.Refresh();
            return process.WorkingSet64;
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private static WeakReference Drop()
        {
            object held = new object();
            for (int i = 0; i < 100; i++)
            {
                Signer signer = Signer.FromCallback(Services.Get("SEGL_TEST_RSA_JWK"), (alg, message) => held.ToString() is null ? message : message);
                TokenClient.Create(Config.FromJson(Services.HostJson), new TokenClientOptions { Signer = signer });
            }
            return new WeakReference(held);
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private static void DropOwner(TokenClient client) => new Owner(client).ToString();

        private sealed class Owner
        {
            private readonly TokenClient _client;

            internal Owner(TokenClient client)
            {
                _client = client;
            }

            ~Owner()
            {
                _client.Dispose();
            }
        }
    }
}
