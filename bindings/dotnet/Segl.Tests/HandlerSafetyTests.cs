using System;
using System.Linq;
using System.Net;
using System.Net.Http;
using System.Threading;
using System.Threading.Tasks;

namespace Segl.Tests
{
    /// <summary>Where <see cref="TokenHandler"/> must not send a token, and when not again.</summary>
    internal static class HandlerSafetyTests
    {
        public static void ARedirectIsFollowedWithoutTheToken()
        {
            using var stranger = new LocalServer("localhost", answer =>
            {
                answer.StatusCode = 401;
                answer.AddHeader("WWW-Authenticate", "DPoP error=\"use_dpop_nonce\"");
                answer.AddHeader("DPoP-Nonce", "of a stranger");
            });
            using var plain = new LocalServer("localhost", answer => answer.StatusCode = 401);
            foreach (var (name, target) in new[] { ("bank", plain), ("bank", stranger), ("dpop", plain), ("dpop", stranger) })
            {
                using TokenClient client = Services.Client(name);
                using var api = new LocalServer("127.0.0.1", answer => answer.Redirect(target.Url));
                ulong generation = client.Token().Generation;
                int before = target.Asked.Count;
                using (var http = new HttpClient(new TokenHandler(client, innerHandler: new HttpClientHandler())))
                using (HttpResponseMessage answer = http.GetAsync(api.Url).GetAwaiter().GetResult())
                {
                    Check.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
                }
                Check.That(api.Asked.Single().Headers["Authorization"] != null, "the API gets the token");
                Check.Equal(before + 1, target.Asked.Count);
                Check.That(target.Asked.All(request => request.Headers["Authorization"] is null), "nobody else does");
                Check.Equal(generation, client.Token().Generation);
            }
        }

        public static void AnInnerHandlerThatSendsElsewhereIsNotFollowed()
        {
            using TokenClient client = Services.Client("bank");
            client.Token();
            var elsewhere = new Uri("https://elsewhere.example/");
            var asked = new System.Collections.Generic.List<Uri>();
            using var http = new HttpClient(new TokenHandler(client, innerHandler: new Inner(request =>
            {
                asked.Add(request.RequestUri);
                request.RequestUri = elsewhere;
                return new HttpResponseMessage(HttpStatusCode.Unauthorized);
            })));
            Check.Equal(HttpStatusCode.Unauthorized, http.GetAsync(Services.Api).GetAwaiter().GetResult().StatusCode);
            Check.Equal(2, asked.Count);
            Check.That(asked.All(url => url == new Uri(Services.Api)), "to the URL of the request only");
        }

        public static void ATokenThatIsStillTheOneToUseIsNotSentTwice()
        {
            using TokenClient client = Services.Client("bank");
            int requests = 0;
            HttpContent? body = null;
            using var http = new HttpClient(new TokenHandler(client, innerHandler: new Inner(request =>
            {
                requests++;
                return new HttpResponseMessage(HttpStatusCode.Unauthorized) { Content = body = new StringContent("why") };
            })));
            Check.Equal(HttpStatusCode.Unauthorized, http.GetAsync(Services.Api).GetAwaiter().GetResult().StatusCode);
            Check.Equal(2, requests);
            // Within 10 seconds of a rejection the next one drops nothing.
            using HttpResponseMessage answer = http.GetAsync(Services.Api, HttpCompletionOption.ResponseHeadersRead).GetAwaiter().GetResult();
            Check.Equal(3, requests);
            Check.Equal("why", answer.Content.ReadAsStringAsync().GetAwaiter().GetResult());
        }

        public static void AWishForANonceWithoutOneIsNotRepeated()
        {
            using TokenClient client = Services.Client("dpop");
            foreach (var (challenge, nonce, expected) in new[]
            {
                ("DPoP error=\"use_dpop_nonce\"", "", 1),
                ("DPoP error=\"use_dpop_nonce\"", "\"no nonce\"", 1),
                ("DPoP error=use_dpop_nonce", "n-1", 4),
                ("Bearer error=\"use_dpop_nonce\"", "n-2", 2),
                ("DPoP error=\"invalid_token\", error_description=\"not use_dpop_nonce\"", "n-3", 1),
            })
            {
                int requests = 0;
                using var http = new HttpClient(new TokenHandler(client, innerHandler: new Inner(request =>
                {
                    requests++;
                    var answer = new HttpResponseMessage(HttpStatusCode.Unauthorized);
                    answer.Headers.TryAddWithoutValidation("WWW-Authenticate", challenge);
                    if (nonce.Length > 0)
                    {
                        answer.Headers.TryAddWithoutValidation("DPoP-Nonce", nonce);
                    }
                    return answer;
                })));
                http.GetAsync(Services.Get("SEGL_TEST_DPOP_API")).GetAwaiter().GetResult();
                Check.That(requests == expected, challenge + " " + nonce + ": " + requests + " requests");
            }
        }

        public static void TheSettingApisIsKeptTo()
        {
            string settings = Services.FileJson.Replace("{\"profile\"", "{\"apis\":[\"https://api.example/a/\"],\"profile\"");
            using TokenClient client = TokenClient.Create(Config.FromJson(settings));
            using TokenClient anywhere = Services.Client("file");
            int requests = 0;
            using var http = new HttpClient(new TokenHandler(client, innerHandler: new Inner(request =>
            {
                requests++;
                return new HttpResponseMessage(HttpStatusCode.OK);
            })));
            client.RequireAllowed("https://api.example/a/b?c=d");
            anywhere.RequireAllowed("https://other.example/");
            Check.Equal(HttpStatusCode.OK, http.GetAsync("https://api.example/a/b?c=d").GetAwaiter().GetResult().StatusCode);
            foreach (string url in new[] { "https://api.example/b", "https://api.example.evil/a/" })
            {
                Check.Fails(ErrorCode.ApiNotAllowed, () => client.RequireAllowed(url));
                Check.Fails(ErrorCode.ApiNotAllowed, () => http.GetAsync(url).GetAwaiter().GetResult());
            }
            Check.Fails(ErrorCode.Url, () => anywhere.RequireAllowed("http://api.example/a/"));
            Check.Equal(1, requests);
        }

        public static void UrlsThatAreNotForTokens()
        {
            using TokenClient client = Services.Client("dpop");
            int requests = 0;
            using var http = new HttpClient(new TokenHandler(client, innerHandler: new Inner(request =>
            {
                requests++;
                Check.That(request.Headers.GetValues("DPoP").Single().Length > 20, "a proof");
                return new HttpResponseMessage(HttpStatusCode.OK);
            })));
            foreach (string url in new[] { "http://127.0.0.1.example/", "http://localhost.example/", "https://user@api.example/", "https://user:pass@api.example/" })
            {
                Check.Fails(ErrorCode.Url, () => http.GetAsync(url).GetAwaiter().GetResult());
            }
            Check.Equal(0, requests);
            foreach (string url in new[] { "https://api.example/a?b=c#part", "http://127.0.0.2/", "http://[::1]:5/", "http://LOCALHOST/" })
            {
                Check.Equal(HttpStatusCode.OK, http.GetAsync(url).GetAwaiter().GetResult().StatusCode);
            }
            Check.Equal(4, requests);
        }

        public static void ManyRequestsAtATime()
        {
            using TokenClient client = Services.Client("dpop");
            int first = 0;
            using var http = new HttpClient(new TokenHandler(client, innerHandler: new Inner(request =>
            {
                bool refused = Interlocked.Increment(ref first) % 3 == 0;
                var answer = new HttpResponseMessage(refused ? HttpStatusCode.Unauthorized : HttpStatusCode.OK);
                if (refused)
                {
                    answer.Headers.TryAddWithoutValidation("WWW-Authenticate", "DPoP error=\"use_dpop_nonce\"");
                    answer.Headers.TryAddWithoutValidation("DPoP-Nonce", "nonce-" + first);
                }
                return answer;
            })));
            Task<HttpResponseMessage>[] answers = Enumerable.Range(0, 60).Select(i => http.GetAsync("https://api" + i + ".example/")).ToArray();
            Task.WaitAll(answers);
            Check.That(answers.Count(answer => answer.Result.StatusCode == HttpStatusCode.OK) >= 50, "most went through");
        }

        private sealed class Inner : HttpMessageHandler
        {
            private readonly Func<HttpRequestMessage, HttpResponseMessage> _answer;

            internal Inner(Func<HttpRequestMessage, HttpResponseMessage> answer)
            {
                _answer = answer;
            }

            protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(_answer(request));
        }
    }
}
