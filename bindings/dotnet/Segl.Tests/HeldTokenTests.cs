using System;
using System.Threading;
using System.Threading.Tasks;

namespace Segl.Tests
{
    /// <summary>The token that a client or a request holds: nobody else's, none that was given up, and none afterwards.</summary>
    internal static class HeldTokenTests
    {
        private static readonly Config Settings = Config.FromJson("{\"profile\":\"generic\",\"issuer\":\"https://as.example\",\"audience\":\"https://as.example\",\"token_endpoint\":\"https://as.example/token\",\"client_id\":\"c\",\"scopes\":[\"s\"],\"kid\":\"k\"}");

        public static void AnUnchangedTokenMakesNothing()
        {
            using TokenClient client = Services.Client("file");
            using var cancel = new CancellationTokenSource();
            TokenRequest request = TokenRequest.Default.WithScopes("demo:konto.read");
            var calls = new Func<Token>[]
            {
                () => client.Token(),
                () => client.Token(request),
                () => client.Token(cancellationToken: cancel.Token),
                () => client.Token(request, TimeSpan.FromSeconds(9), cancellationToken: cancel.Token),
            };
            foreach (Func<Token> call in calls)
            {
                call();
                Token held = call();
                Check.That(held.FromCache && ReferenceEquals(held, call()), "the same object");
                long before = GC.GetAllocatedBytesForCurrentThread();
                for (int i = 0; i < 1000; i++)
                {
                    call();
                }
                long bytes = GC.GetAllocatedBytesForCurrentThread() - before;
                Check.That(bytes < 1000, bytes + " bytes for 1,000 calls, call " + Array.IndexOf(calls, call));
            }
            Task<Token> task = client.TokenAsync(cancellationToken: cancel.Token);
            Check.That(task.IsCompletedSuccessfully && ReferenceEquals(task.Result, client.Token()), "at once, without a thread");
        }

        public static void ACancelledCallGetsNothingFromTheCache()
        {
            using TokenClient client = Services.Client("file");
            client.Token();
            var cancelled = new CancellationToken(true);
            Check.That(Check.Throws<OperationCanceledException>(() => client.Token(cancellationToken: cancelled)).CancellationToken == cancelled, "it carries the token");
            Check.That(client.TokenAsync(cancellationToken: cancelled).IsCanceled, "a cancelled task");
            Check.Throws<ArgumentOutOfRangeException>(() => client.Token(timeout: TimeSpan.FromTicks(-1)));
            Check.Throws<ArgumentOutOfRangeException>(() => client.TokenAsync(timeout: TimeSpan.Zero).GetAwaiter().GetResult());
        }

        public static void ForgottenAndRejectedOnesAreGone()
        {
            int made = 0;
            using Signer key = Signer.FromBytes(Services.EcPem);
            using TokenClient client = Make(key, () => "t" + Interlocked.Increment(ref made));
            using var cancel = new CancellationTokenSource();
            TokenRequest request = TokenRequest.Default.WithScopes("t");
            var ask = new Func<Token>[] { () => client.Token(request), () => client.Token(request, cancellationToken: cancel.Token), () => client.TokenAsync(request, cancellationToken: cancel.Token).Result };
            for (int i = 0; i < 300; i++)
            {
                Token old = ask[i % 3]();
                client.Forget(request);
                Check.That(ask[(i + 1) % 3]().Generation > old.Generation, "another after it was forgotten");
            }
            Token last = ask[0]();
            client.Reject(last, request);
            Check.That(ask[1]().Generation > last.Generation, "another after it was rejected");
        }

        public static void ARequestThatTwoClientsShareGivesEachItsOwn()
        {
            using Signer key = Signer.FromBytes(Services.EcPem);
            using TokenClient one = Make(key, () => "one");
            using TokenClient two = Make(key, () => "two");
            using var cancel = new CancellationTokenSource();
            TokenRequest request = TokenRequest.Default.WithScopes("t");
            Parallel.For(0, 8, thread =>
            {
                for (int i = 0; i < 2000; i++)
                {
                    CancellationToken end = i % 2 == 0 ? default : cancel.Token;
                    bool first = (i + thread) % 3 == 0;
                    Check.Equal(first ? "one" : "two", (first ? one : two).Token(request, cancellationToken: end).AccessToken);
                    if (i % 100 == 0)
                    {
                        (first ? one : two).Forget(request);
                    }
                }
            });
        }

        public static void NoneAfterDisposalWhileAnotherCallRuns()
        {
            using var inside = new ManualResetEventSlim();
            using var go = new ManualResetEventSlim();
            using Signer key = Signer.FromBytes(Services.EcPem);
            bool hold = false;
            TokenClient client = Make(key, () =>
            {
                if (hold)
                {
                    inside.Set();
                    go.Wait();
                }
                return "t";
            });
            TokenRequest request = TokenRequest.Default.WithScopes("t");
            using var cancel = new CancellationTokenSource();
            client.Token();
            client.Token(request);
            hold = true;
            Task<Token> running = Task.Run(() => client.Token(TokenRequest.Default.WithScopes("another")));
            inside.Wait();
            client.Dispose();
            try
            {
                Check.Throws<ObjectDisposedException>(() => client.Token());
                Check.Throws<ObjectDisposedException>(() => client.Token(request));
                Check.Throws<ObjectDisposedException>(() => client.Token(request, cancellationToken: cancel.Token));
                Check.Throws<ObjectDisposedException>(() => client.TokenAsync(request).GetAwaiter().GetResult());
                Check.Throws<ObjectDisposedException>(() => client.Health());
            }
            finally
            {
                go.Set();
            }
            Check.Equal("t", running.GetAwaiter().GetResult().AccessToken);
        }

        internal static TokenClient Make(Signer key, Func<string> token)
        {
            return TokenClient.Create(Settings, new TokenClientOptions { Signer = key, Transport = new TransportTests.Function(request => TransportTests.Answer(token())) });
        }
    }
}
