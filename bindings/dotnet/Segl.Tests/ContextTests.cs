using System;
using System.Net.Http;
using System.Threading;
using System.Threading.Tasks;

namespace Segl.Tests
{
    /// <summary>Callers that wait on the one thread that continuations come back to, as that of a user interface.</summary>
    internal static class ContextTests
    {
        public static void ATransportDoesNotNeedTheWaitingThread()
        {
            WithinSeconds(() =>
            {
                using var transport = new HttpClientTransport(new ComesBack(new HttpClientHandler()));
                Check.Equal(401, transport.Send(new HttpRequest("GET", Services.Api), TimeSpan.FromSeconds(60)).Status);
                using TokenClient client = Services.Client("file", new TokenClientOptions { Transport = transport });
                Check.Equal(200, client.Send(new HttpRequest("GET", Services.Api)).Status);
            });
        }

        public static void NorDoAsyncMethodsAndTheHandler()
        {
            WithinSeconds(() =>
            {
                using TokenClient client = Services.Client("dpop");
                Check.That(client.TokenAsync().Result.Dpop, "a token");
                Check.That(client.AssertionAsync().Result.Length > 20, "an assertion");
                using var http = new HttpClient(new TokenHandler(client, innerHandler: new HttpClientHandler()) { BufferContent = true });
                Check.That(http.PostAsync(Services.Get("SEGL_TEST_DPOP_API"), new StringContent("text")).Result.IsSuccessStatusCode, "an answer");
            });
        }

        public static void ContinuationsRunOnThePool()
        {
            using TokenClient client = Services.Client("bank");
            bool pooled = client.TokenAsync().ContinueWith(task => Thread.CurrentThread.IsThreadPoolThread, TaskContinuationOptions.ExecuteSynchronously).Result;
            Check.That(pooled, "not on a thread of segl");
        }

        /// <summary>Runs on a thread whose context runs nothing that is posted to it while the thread waits.</summary>
        private static void WithinSeconds(Action action)
        {
            Exception? failure = null;
            var thread = new Thread(() =>
            {
                SynchronizationContext.SetSynchronizationContext(new Busy());
                try
                {
                    action();
                }
                catch (Exception exception)
                {
                    failure = exception;
                }
            })
            { IsBackground = true };
            thread.Start();
            Check.That(thread.Join(TimeSpan.FromSeconds(20)), "it waits for its own thread");
            Check.That(failure is null, failure + "");
        }

        private sealed class Busy : SynchronizationContext
        {
            public override void Post(SendOrPostCallback d, object? state)
            {
            }
        }

        /// <summary>A handler as programs have them, without ConfigureAwait(false).</summary>
        private sealed class ComesBack : DelegatingHandler
        {
            internal ComesBack(HttpMessageHandler inner)
                : base(inner)
            {
            }

            protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
            {
                await Task.Delay(1);
                return await base.SendAsync(request, cancellationToken);
            }
        }
    }
}
