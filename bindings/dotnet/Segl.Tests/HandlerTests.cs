using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Http;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

namespace Segl.Tests
{
    internal static class HandlerTests
    {
        public static void TheTokenIsOnRequests()
        {
            using TokenClient client = Services.Client("bank");
            var counter = new Counter();
            using var http = new HttpClient(new TokenHandler(client, innerHandler: counter));
            Check.Equal(HttpStatusCode.OK, Get(http, Services.Api));
            Check.Equal(HttpStatusCode.OK, Post(http, Services.Api, new StringContent("text")));
            Check.Equal(2, counter.Requests);
            Check.That(counter.Last!.Headers.Authorization!.ToString() == client.Token().Authorization, "its token");
        }

        public static void A401IsAnsweredOnce()
        {
            using TokenClient client = Services.Client("bank");
            var counter = new Counter();
            using var http = new HttpClient(new TokenHandler(client, innerHandler: counter));
            string first = client.Token().AccessToken;
            Services.Admin("api/reject", "{\"all\":true}");
            Check.Equal(HttpStatusCode.OK, Post(http, Services.Api, new StringContent("text")));
            Check.Equal(2, counter.Requests);
            Check.That(client.Token().AccessToken != first, "the rejected token is gone");

            // The token stays for 10 seconds after a rejection, so sending it again would be in vain.
            counter.Refuses = true;
            counter.Requests = 0;
            Check.Equal(HttpStatusCode.Unauthorized, Get(http, Services.Api));
            Check.Equal(1, counter.Requests);
        }

        public static void ABodyThatCannotBeSentAgainIsNot()
        {
            foreach (bool buffer in new[] { false, true })
            {
                using TokenClient client = Services.Client("file");
                client.Token();
                var counter = new Counter();
                using var http = new HttpClient(new TokenHandler(client, innerHandler: counter) { BufferContent = buffer });
                Services.Admin("api/reject", "{\"all\":true}");
                Check.Equal(buffer ? HttpStatusCode.OK : HttpStatusCode.Unauthorized, Post(http, Services.Api, new StreamContent(new OneWay(Encoding.UTF8.GetBytes("stream")))));
                Check.Equal(buffer ? 2 : 1, counter.Requests);
            }
        }

        public static void DpopProofsAndNonces()
        {
            using TokenClient client = Services.Client("dpop");
            var counter = new Counter();
            using var http = new HttpClient(new TokenHandler(client, innerHandler: counter));
            var proofs = new HashSet<string>();
            for (int i = 0; i < 3; i++)
            {
                Check.Equal(HttpStatusCode.OK, Get(http, Services.Get("SEGL_TEST_DPOP_API") + "?n=" + i));
                Check.That(proofs.Add(counter.Last!.Headers.GetValues("DPoP").Single()), "a proof of its own");
                Check.That(counter.Last.Headers.Authorization!.Scheme == "DPoP", "its scheme");
            }
            Check.That(counter.Requests >= 3, "requests");

            counter.Requests = 0;
            counter.WantsNonces = 2;
            Check.Equal(HttpStatusCode.OK, Get(http, Services.Get("SEGL_TEST_DPOP_API")));
            // Two with the test's own nonces, one in which the API wants another instead, and the last.
            Check.Equal(4, counter.Requests);
            counter.Requests = 0;
            counter.WantsNonces = 100;
            Check.Equal(HttpStatusCode.Unauthorized, Get(http, Services.Get("SEGL_TEST_DPOP_API")));
            Check.Equal(4, counter.Requests);
        }

        public static void WhereATokenDoesNotGo()
        {
            using TokenClient client = Services.Client("bank");
            var counter = new Counter();
            using var http = new HttpClient(new TokenHandler(client, innerHandler: counter));
            Check.Fails(ErrorCode.Url, () => Get(http, "http://api.example/"));
            Check.Equal(0, counter.Requests);
            using TokenClient refused = Services.Client("refused");
            using var without = new HttpClient(new TokenHandler(refused, innerHandler: counter));
            Check.Fails(ErrorCode.TokenClientUnknown, () => Get(without, Services.Api));
            Check.Throws<OperationCanceledException>(() => http.GetAsync(Services.Api, new CancellationToken(true)).GetAwaiter().GetResult());
        }

        private static HttpStatusCode Get(HttpClient http, string url)
        {
            using HttpResponseMessage answer = http.GetAsync(url).GetAwaiter().GetResult();
            return answer.StatusCode;
        }

        private static HttpStatusCode Post(HttpClient http, string url, HttpContent content)
        {
            using HttpResponseMessage answer = http.PostAsync(url, content).GetAwaiter().GetResult();
            return answer.StatusCode;
        }

        private sealed class Counter : DelegatingHandler
        {
            internal Counter()
                : base(new HttpClientHandler())
            {
            }

            internal int Requests { get; set; }

            internal bool Refuses { get; set; }

            internal int WantsNonces { get; set; }

            internal HttpRequestMessage? Last { get; private set; }

            protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
            {
                Requests++;
                Last = request;
                if (WantsNonces > 0)
                {
                    WantsNonces--;
                    var answer = new HttpResponseMessage(HttpStatusCode.Unauthorized);
                    answer.Headers.TryAddWithoutValidation("WWW-Authenticate", "DPoP error=\"use_dpop_nonce\", algs=\"ES256\"");
                    answer.Headers.TryAddWithoutValidation("DPoP-Nonce", "nonce-" + WantsNonces);
                    return answer;
                }
                return Refuses ? new HttpResponseMessage(HttpStatusCode.Unauthorized) : await base.SendAsync(request, cancellationToken);
            }
        }

        private sealed class OneWay : MemoryStream
        {
            internal OneWay(byte[] bytes)
                : base(bytes)
            {
            }

            public override bool CanSeek => false;
        }
    }
}
