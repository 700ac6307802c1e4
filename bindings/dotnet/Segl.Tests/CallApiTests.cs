using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.Json;
using System.Threading;

namespace Segl.Tests
{
    internal static class CallApiTests
    {
        private const string Exchange = "altinn.exchange_token";
        private const string Person = "12345678901";

        public static void AltinnGivesATokenOfItsOwn()
        {
            using TokenClient client = Services.Client("services");
            string token = JsonDocument.Parse(client.CallApi(Exchange, "{}")).RootElement.GetProperty("token").GetString()!;
            Check.Equal(3, token.Split('.').Length);
            Check.That(token != client.Token().AccessToken, "a token of another issuer");
        }

        public static void KrrAnswersAboutPersons()
        {
            string person = Services.Get("SEGL_TEST_PERSON");
            using TokenClient client = Services.Client("services");
            JsonElement answer = JsonDocument.Parse(client.CallApi("krr.lookup", "{\"persons\":[\"" + person + "\",\"05848998356\"]}")).RootElement;
            JsonElement found = answer.GetProperty("persons")[0];
            Check.Equal(person, found.GetProperty("personidentifikator").GetString());
            Check.Equal("ola.nordmann@example.no", found.GetProperty("kontaktinformasjon").GetProperty("epostadresse").GetString());
            Check.Equal("05848998356", answer.GetProperty("missing")[0].GetString());
            SeglException wrong = Check.Fails(ErrorCode.InvalidArgument, () => client.CallApi("krr.lookup", "{\"persons\":[\"" + Person + "\"]}"));
            Check.That(!wrong.Message.Contains(Person), wrong.Message);
        }

        public static void KfrTakesAFilePartByPart()
        {
            string folder = Path.Combine(Services.Folder, Path.GetRandomFileName());
            Directory.CreateDirectory(folder);
            string file = Path.Combine(folder, "customers.csv");
            File.WriteAllText(file, "922203687#2019-11-08\n23079422568#2020-02-29\n05848998356\n");
            string batch = "{\"institution\":\"910753614\",\"file\":" + JsonSerializer.Serialize(file) + ",\"resume\":true,\"max_parts\":1,\"max_relations\":2,\"relations_per_second\":0}";
            var accepted = new List<int>();
            using TokenClient client = Services.Client("services");
            JsonElement answer;
            do
            {
                answer = JsonDocument.Parse(client.CallApi("kfr.batch", batch)).RootElement;
                accepted.Add(answer.GetProperty("relations_accepted").GetInt32());
                Check.Equal(3, answer.GetProperty("relations").GetInt32());
                Check.Equal(1, answer.GetProperty("correlation_ids").GetArrayLength());
            }
            while (!answer.GetProperty("done").GetBoolean());
            Check.Equal("2 3", string.Join(" ", accepted));
        }

        public static void TheAnswerIsJson()
        {
            var seen = new ConcurrentQueue<HttpRequest>();
            using TokenClient client = Client(Answering(200, "e30.e30.c2ln", seen));
            Check.Equal("e30.e30.c2ln", JsonDocument.Parse(client.CallApi(Exchange, "{}")).RootElement.GetProperty("token").GetString());
            HttpRequest sent = seen.Last();
            Check.Equal("GET https://altinn.example/authentication/api/v1/exchange/maskinporten", sent.Method + " " + sent.Url);
            Check.That(sent.Headers.Any(header => header.Value == "Bearer of-the-host"), "the token goes with it");
            TokenRequest other = TokenRequest.Default.WithScopes("a:b");
            Check.Contains("token", client.CallApiAsync(Exchange, "{}", other, TimeSpan.FromSeconds(20)).Result);
            client.CallApi(Exchange, "{}", other);
            Check.Equal(5, seen.Count);
        }

        public static void ARefusalHasItsNumber()
        {
            using TokenClient client = Client(Answering(403, "no", new ConcurrentQueue<HttpRequest>()));
            ApiException refusal = Check.Throws<ApiException>(() => client.CallApi(Exchange, "{}"));
            Check.Equal(ErrorCode.ApiForbidden, refusal.Code);
            Check.Equal(403, refusal.HttpStatus);
            Check.Contains(Exchange, refusal.Message);
        }

        public static void WhatIsWrongIsRefusedBeforeAnythingIsSent()
        {
            var seen = new ConcurrentQueue<HttpRequest>();
            using (TokenClient client = Client(Answering(200, "e30.e30.c2ln", seen)))
            {
                foreach (string input in new[] { "", "[]", "{", "{} {}", "\"" + Person + "\"", "{\"pid\":\"" + Person + "\"}" })
                {
                    SeglException wrong = Check.Fails(ErrorCode.InvalidArgument, () => client.CallApi(Exchange, input));
                    Check.That(!wrong.Message.Contains(Person), wrong.Message);
                }
                Check.Contains(Exchange, Check.Fails(ErrorCode.InvalidArgument, () => client.CallApi("altinn.nothing", "{}")).Message);
                foreach (string half in new[] { "{\"a\":\"\ud83d\"}", "\udd10" })
                {
                    Check.Equal("INVALID_UTF8", Check.Throws<UsageException>(() => client.CallApi(Exchange, half)).Name);
                    Check.Fails(ErrorCode.InvalidUtf8, () => client.CallApi(half, "{}"));
                    Check.Fails(ErrorCode.InvalidUtf8, () => client.Token(TokenRequest.Default.WithScopes(half)));
                }
                Check.Throws<ArgumentNullException>(() => client.CallApi(Exchange, null!));
                Check.Throws<ArgumentNullException>(() => client.CallApi(null!, "{}"));
            }
            using (TokenClient client = TransportTests.Make(Answering(200, "", seen)))
            {
                Check.Contains("services", Check.Fails(ErrorCode.Config, () => client.CallApi(Exchange, "{}")).ConfigPath!);
            }
            Check.Equal(0, seen.Count);
        }

        public static void ItsTimeIsBounded()
        {
            using var release = new ManualResetEventSlim();
            TokenClient client = Client(request =>
            {
                release.Wait();
                throw new InvalidOperationException("released");
            });
            using (client)
            {
                Check.Fails(ErrorCode.Timeout, () => client.CallApi(Exchange, "{}", timeout: TimeSpan.FromMilliseconds(200)));
                using var source = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
                Check.Throws<OperationCanceledException>(() => client.CallApiAsync(Exchange, "{}", cancellationToken: source.Token).GetAwaiter().GetResult());
                release.Set();
            }
            Check.Throws<ObjectDisposedException>(() => client.CallApi(Exchange, "{}"));
        }

        private static TokenClient Client(Func<HttpRequest, HttpResponse> send)
        {
            Config config = Config.FromJson(Services.FileJson);
            config.Services = new Dictionary<string, ServiceConfig> { ["altinn"] = new ServiceConfig { BaseUrl = "https://altinn.example" } };
            return TokenClient.Create(config, new TokenClientOptions { Transport = new TransportTests.Function(send) });
        }

        /// <summary>Gives tokens, and an answer of Altinn's.</summary>
        private static Func<HttpRequest, HttpResponse> Answering(int status, string body, ConcurrentQueue<HttpRequest> seen)
        {
            return request =>
            {
                seen.Enqueue(request);
                return request.Url.StartsWith("https://altinn.example/", StringComparison.Ordinal)
                    ? new HttpResponse(status, new[] { new KeyValuePair<string, string>("Content-Type", "text/plain") }, Encoding.UTF8.GetBytes(body))
                    : TransportTests.Answer("of-the-host");
            };
        }
    }
}
