using System;
using System.Threading;
using System.Threading.Tasks;

namespace Segl.Tests
{
    internal static class CancellationTests
    {
        public static void OneWhoGivesUpTakesNothingFromTheOthers()
        {
            using var inside = new ManualResetEventSlim();
            using var go = new ManualResetEventSlim();
            using Signer key = Signer.FromBytes(Services.EcPem);
            using TokenClient client = HeldTokenTests.Make(key, () =>
            {
                inside.Set();
                go.Wait();
                return "t";
            });
            using var cancel = new CancellationTokenSource();
            Task<Token> impatient = client.TokenAsync(cancellationToken: cancel.Token);
            inside.Wait();
            Task<Token> patient = client.TokenAsync();
            cancel.Cancel();
            OperationCanceledException end = Check.Throws<OperationCanceledException>(() => impatient.GetAwaiter().GetResult());
            Check.That(end.CancellationToken == cancel.Token && impatient.IsCanceled, "it carries the token");
            go.Set();
            Check.Equal("t", patient.GetAwaiter().GetResult().AccessToken);
            Check.Throws<OperationCanceledException>(() => client.Token(cancellationToken: cancel.Token));
        }

        public static void WhicheverComesFirstCancellationOrDeadline()
        {
            using var go = new ManualResetEventSlim();
            using Signer key = Signer.FromBytes(Services.EcPem);
            using TokenClient client = HeldTokenTests.Make(key, () =>
            {
                go.Wait();
                return "t";
            });
            int cancelled = 0;
            int late = 0;
            try
            {
                for (int i = 0; i < 60; i++)
                {
                    using var cancel = new CancellationTokenSource();
                    TokenRequest request = TokenRequest.Default.WithScopes("s" + i % 4);
                    cancel.CancelAfter(new[] { 1, 6, 100 }[i % 3]);
                    try
                    {
                        client.Token(request, TimeSpan.FromMilliseconds(6), cancellationToken: cancel.Token);
                        throw new InvalidOperationException("there is no token");
                    }
                    catch (OperationCanceledException exception)
                    {
                        Check.That(exception.CancellationToken == cancel.Token, "it carries the token");
                        cancelled++;
                    }
                    catch (SeglException exception)
                    {
                        Check.Equal(ErrorCode.Timeout, exception.Code);
                        late++;
                    }
                }
            }
            finally
            {
                go.Set();
            }
            Check.That(cancelled > 0 && late > 0, cancelled + " cancelled, " + late + " late");
        }

        public static void TooLateIsHarmless()
        {
            using Signer key = Signer.FromBytes(Services.EcPem);
            using TokenClient client = HeldTokenTests.Make(key, () => "t");
            for (int i = 0; i < 300; i++)
            {
                using var cancel = new CancellationTokenSource();
                using var begin = new Barrier(2);
                Task canceller = Task.Run(() =>
                {
                    begin.SignalAndWait();
                    cancel.Cancel();
                });
                client.Forget();
                begin.SignalAndWait();
                try
                {
                    Check.Equal("t", client.Token(cancellationToken: cancel.Token).AccessToken);
                }
                catch (OperationCanceledException)
                {
                }
                // What the cancelled token does to segl's is over when the call is, or this would throw.
                canceller.GetAwaiter().GetResult();
            }
            Check.Equal("t", client.Token().AccessToken);
        }
    }
}
