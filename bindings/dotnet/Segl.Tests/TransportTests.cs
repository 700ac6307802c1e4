using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Linq;
using System.Net.Http;
using System.Text;
using System.Threading;

namespace Segl.Tests
{
    internal static class TransportTests
    {
        public static void HttpClientSends()
        {
            using var transport = new HttpClientTransport();
            using TokenClient client = Services.Client("file", new TokenClientOptions { Transport = transport });
            Token token = client.Token();
            Check.That(token.AccessToken.Length > 20, "a token");
            HttpResponse answer = client.Send(new HttpRequest("POST", Services.Api, new[] { new KeyValuePair<string, string>("Content-Type", "text/plain") }, Encoding.UTF8.GetBytes("æ")));
            Check.Equal(200, answer.Status);
            Check.Contains("json", answer.Header("content-type")!);
            Services.Admin("api/reject", "{\"all\":true}");
            Check.Equal(200, client.Send(new HttpRequest("GET", Services.Api)).Status);
        }

        public static void HttpClientWithDpop()
        {
            using var transport = new HttpClientTransport();
            using TokenClient client = Services.Client("dpop", new TokenClientOptions { Transport = transport });
            Check.That(client.Token().Dpop, "a DPoP token, with its nonces");
            Check.Equal(200, client.Send(new HttpRequest("GET", Services.Get("SEGL_TEST_DPOP_API"))).Status);
        }

        public static void WhatIsAskedAndAnswered()
        {
            var seen = new ConcurrentQueue<HttpRequest>();
            using TokenClient client = Make(request =>
            {
                seen.Enqueue(request);
                return Answer("a token of the test");
            });
            Token token = client.Token(withResponse: true);
            Check.Equal("a token of the test", token.AccessToken);
            HttpRequest asked = seen.Single();
            Check.Equal("POST", asked.Method);
            Check.That(Services.HostJson.Contains("\"" + asked.Url + "\""), asked.Url);
            Check.That(asked.Headers.Any(header => header.Key.Equals("Content-Type", StringComparison.OrdinalIgnoreCase) && header.Value.StartsWith("application/x-www-form-urlencoded")), "its type");
            Check.Contains("assertion=", Encoding.UTF8.GetString(asked.Body!));
        }

        public static void WhatTheyThrow()
        {
            int times = 0;
            using (TokenClient client = Make(request => throw new InvalidOperationException("no network today " + Interlocked.Increment(ref times))))
            {
                Check.Contains("System.InvalidOperationException: no network today 1", Check.Fails(ErrorCode.CallbackFailed, () => client.Token(timeout: TimeSpan.FromSeconds(3))).Message);
                Check.Equal(1, times);
            }
            using (TokenClient client = Make(request => Interlocked.Increment(ref times) < 3 ? throw new SeglException(ErrorCode.Network, "the line is cut") : Answer("after two tries")))
            {
                times = 0;
                Check.Equal("after two tries", client.Token().AccessToken);
                Check.Equal(3, times);
            }
            using (TokenClient client = Make(request => throw new SeglException(ErrorCode.Tls, "a stranger")))
            {
                Check.That(Check.Fails(ErrorCode.Tls, () => client.Token(timeout: TimeSpan.FromSeconds(3))) is NetworkException, "a NetworkException");
            }
        }

        public static void AnswersThatAreNone()
        {
            foreach (HttpResponse? answer in new[] { null, new HttpResponse(0), new HttpResponse(1000), new HttpResponse(-1), new HttpResponse(200, new[] { new KeyValuePair<string, string>("not a header\n", "x") }) })
            {
                using TokenClient client = Make(request => answer!);
                Check.Throws<SeglException>(() => client.Token(timeout: TimeSpan.FromSeconds(3)));
            }
            using TokenClient html = Make(request => new HttpResponse(200, null, Encoding.UTF8.GetBytes("<html>")));
            Check.Fails(ErrorCode.TokenBadResponse, () => html.Token(timeout: TimeSpan.FromSeconds(1)));
        }

        public static void TheyMayCallSegl()
        {
            using Signer signer = Signer.FromBytes(Services.EcPem);
            using var transport = new HttpClientTransport();
            using TokenClient client = Make(request =>
            {
                signer.Sign("ES256", new byte[1]);
                return transport.Send(request, TimeSpan.FromSeconds(5));
            });
            Check.That(client.Token().AccessToken.Length > 20, "a token");
        }

        public static void HttpClientFollowsNoRedirect()
        {
            using var elsewhere = new LocalServer("localhost", answer => answer.StatusCode = 200);
            using var endpoint = new LocalServer("127.0.0.1", answer =>
            {
                answer.RedirectLocation = elsewhere.Url;
                answer.StatusCode = 307;
                answer.AddHeader("Set-Cookie", "a=b");
            });
            foreach (HttpMessageHandler? handler in new HttpMessageHandler?[] { null, new HttpClientHandler(), new Outer(new Outer(new HttpClientHandler())), new SocketsHttpHandler(), new Outer(new SocketsHttpHandler()) })
            {
                using (handler)
                using (var transport = new HttpClientTransport(handler))
                {
                    using var again = new HttpClientTransport(handler);
                    Check.Equal(307, transport.Send(new HttpRequest("POST", endpoint.Url, null, new byte[] { 1 }), TimeSpan.FromSeconds(20)).Status);
                    Check.Equal(307, transport.Send(new HttpRequest("GET", endpoint.Url), TimeSpan.MaxValue).Status);
                    // A handler that was used already is fine when there is nothing to switch off.
                    new HttpClientTransport(handler).Dispose();
                }
            }
            Check.Equal(0, elsewhere.Asked.Count);
            Check.That(endpoint.Asked.Count == 10 && endpoint.Asked.All(request => request.Headers["Cookie"] is null), "no cookies");
        }

        private sealed class Outer : DelegatingHandler
        {
            internal Outer(HttpMessageHandler inner)
                : base(inner)
            {
            }
        }

        public static void HttpClientFails()
        {
            using var transport = new HttpClientTransport();
            SeglException unreachable = Check.Throws<SeglException>(() => transport.Send(new HttpRequest("GET", "http://127.0.0.1:1/"), TimeSpan.FromSeconds(5)));
            Check.Equal(ErrorCode.Network, unreachable.Code);
            using var small = new HttpClientTransport(maxResponseBytes: 10);
            Check.Equal(ErrorCode.ResponseTooLarge, Check.Throws<SeglException>(() => small.Send(new HttpRequest("GET", Services.Api), TimeSpan.FromSeconds(5))).Code);
            Services.Admin("outage", "{\"kind\":\"hang\",\"path\":\"" + new Uri(Services.Api).AbsolutePath + "\"}");
            try
            {
                Check.Equal(ErrorCode.Timeout, Check.Throws<SeglException>(() => transport.Send(new HttpRequest("GET", Services.Api), TimeSpan.FromMilliseconds(200))).Code);
            }
            finally
            {
                Services.EndOutages();
            }
        }

        internal static HttpResponse Answer(string token)
        {
            return new HttpResponse(200, new[] { new KeyValuePair<string, string>("Content-Type", "application/json") }, Encoding.UTF8.GetBytes("{\"access_token\":\"" + token + "\",\"token_type\":\"Bearer\",\"expires_in\":7200}"));
        }

        internal static TokenClient Make(Func<HttpRequest, HttpResponse> send)
        {
            return TokenClient.Create(Config.FromJson(Services.FileJson), new TokenClientOptions { Transport = new Function(send) });
        }

        internal sealed class Function : IHttpTransport
        {
            private readonly Func<HttpRequest, HttpResponse> _send;

            internal Function(Func<HttpRequest, HttpResponse> send)
            {
                _send = send;
            }

            public HttpResponse Send(HttpRequest request, TimeSpan timeout)
            {
                Check.That(timeout > TimeSpan.Zero, "a time");
                return _send(request);
            }
        }
    }
}
