using System;
using System.Diagnostics;
using System.Linq;
using System.Reflection;
using System.Text.Json;
using System.Threading;

namespace Segl.Tests
{
    internal static class TokenTests
    {
        public static void ATokenOfAKeyInTheHsmAndTheSameObjectUntilThereIsAnother()
        {
            using TokenClient client = Services.Client("bank");
            Token first = client.Token();
            Check.That(!first.FromCache && !first.Dpop && first.Generation > 0, "a new Bearer token");
            Check.That(first.ExpiresAt > DateTimeOffset.UtcNow.AddMinutes(60), "valid for long");
            Check.Equal("Bearer " + first.AccessToken, first.Authorization);
            Check.Equal("[redacted]", first.ToString());
            Check.That(first.Response is null, "no response unless asked");
            Token second = client.Token();
            Check.That(second.FromCache && second.AccessToken == first.AccessToken && second.Generation == first.Generation, "from the cache");
            Check.That(ReferenceEquals(second, client.Token()), "the same object");
            Check.That(ReferenceEquals(second, client.Token(timeout: TimeSpan.FromSeconds(5))), "the same object within bounds");
            client.Forget();
            Check.That(client.Token().AccessToken != first.AccessToken, "another after it was forgotten");
        }

        public static void TheResponseWhenAsked()
        {
            using TokenClient client = Services.Client("file");
            Token token = client.Token(withResponse: true);
            Check.Equal(token.AccessToken, JsonDocument.Parse(token.Response!).RootElement.GetProperty("access_token").GetString());
            Check.That(client.Token().Response is null, "not held");
            Check.That(client.Token(withResponse: true).Response != null, "also from the cache");
        }

        public static void RequestsHoldTheirTokens()
        {
            using TokenClient client = Services.Client("bank");
            using TokenClient other = Services.Client("file");
            TokenRequest request = TokenRequest.Default.WithScopes("demo:konto.read").WithResource("https://api.example/");
            Token token = client.Token(request);
            Check.That(token.AccessToken != client.Token().AccessToken, "another token than without the resource");
            Check.That(ReferenceEquals(client.Token(request), client.Token(request)), "the same object");
            Check.That(other.Token(request).AccessToken != token.AccessToken, "another client has another token");
            Check.Equal(token.AccessToken, client.Token(request).AccessToken);
            client.Reject(token, request);
            Check.That(client.Token(request).AccessToken != token.AccessToken, "another after it was rejected");
        }

        public static void ARequestSaysWhatItSays()
        {
            TokenRequest request = TokenRequest.Default.WithScopes("a:b", "c:d").WithResource("r").WithConsumerOrg("910753614").WithPid("p\"\n").WithAuthorizationDetails("[{\"type\":\"t\"}]");
            Check.Equal("{\"scopes\":[\"a:b\",\"c:d\"],\"resource\":[\"r\"],\"consumer_org\":\"910753614\",\"pid\":\"p\\\"\\u000a\",\"authorization_details\":[{\"type\":\"t\"}]}", request.ToJson());
            Check.Equal("{\"consumer_org\":null}", TokenRequest.Default.WithoutConsumerOrg().ToJson());
            Check.That(TokenRequest.Default.WithoutConsumerOrg().HasNoConsumerOrg && !request.HasNoConsumerOrg && !TokenRequest.Default.HasNoConsumerOrg, "none is not left out");
            Check.Equal("TokenRequest(a:b c:d)", request.ToString());
            Check.Equal("{}", TokenRequest.Default.ToJson());
            Check.Throws<ArgumentException>(() => TokenRequest.Default.WithAuthorizationDetails("[{]"));
        }

        public static void ADebuggerDoesNotShowIt()
        {
            var hidden = typeof(Token).GetProperties().Where(property => property.PropertyType == typeof(string))
                .Concat(new[] { typeof(TokenRequest).GetProperty("Pid")!, typeof(HttpRequest).GetProperty("Headers")!, typeof(HttpRequest).GetProperty("Body")!, typeof(HttpResponse).GetProperty("Body")! })
                .ToArray();
            Check.Equal(7, hidden.Length);
            foreach (PropertyInfo property in hidden)
            {
                Check.That(property.GetCustomAttribute<DebuggerBrowsableAttribute>()?.State == DebuggerBrowsableState.Never, property.Name);
            }
        }

        public static void AsyncOnThePool()
        {
            using TokenClient client = Services.Client("bank");
            Token token = client.TokenAsync().GetAwaiter().GetResult();
            Check.Equal(token.AccessToken, client.Token().AccessToken);
            Check.That(client.AssertionAsync().GetAwaiter().GetResult().Length > 100, "an assertion");
        }

        public static void RefusalsHaveTheServicesWords()
        {
            using TokenClient client = Services.Client("refused");
            SeglException refusal = Check.Fails(ErrorCode.TokenClientUnknown, () => client.Token());
            Check.That(refusal is TokenException && !refusal.Retryable, "a TokenException");
            Check.That(refusal.ProviderCode!.StartsWith("MP-"), refusal.ProviderCode);
            Check.Equal("TOKEN_CLIENT_UNKNOWN", refusal.Name);
            Check.That(refusal.HttpStatus == 400 || refusal.HttpStatus == 401, "a status");
            Check.That(refusal.OAuthError != null && refusal.OAuthErrorDescription != null, "OAuth's words");
            Check.That(refusal.CkRv is null && refusal.ConfigPath is null, "nothing of other kinds");
        }

        public static void TimeoutsAndCancellation()
        {
            Services.Admin("outage", "{\"kind\":\"hang\"}");
            try
            {
                using TokenClient client = Services.Client("file");
                var watch = Stopwatch.StartNew();
                SeglException late = Check.Fails(ErrorCode.Timeout, () => client.Token(timeout: TimeSpan.FromMilliseconds(200)));
                Check.That(watch.ElapsedMilliseconds < 5000 && late is UsageException && late.Retryable, "in time");

                using var cancel = new CancellationTokenSource();
                cancel.CancelAfter(200);
                watch.Restart();
                OperationCanceledException end = Check.Throws<OperationCanceledException>(() => client.Token(cancellationToken: cancel.Token));
                Check.That(end.CancellationToken == cancel.Token && watch.ElapsedMilliseconds < 5000, "it carries the token");
                Check.That(end.InnerException is SeglException, "and the cause");

                using var cancelAsync = new CancellationTokenSource(200);
                var task = client.TokenAsync(cancellationToken: cancelAsync.Token);
                Check.Throws<OperationCanceledException>(() => task.GetAwaiter().GetResult());
                Check.That(task.IsCanceled, "a cancelled task");
                Check.Throws<OperationCanceledException>(() => client.Assertion(cancellationToken: new CancellationToken(true)));
                Check.Throws<ArgumentOutOfRangeException>(() => client.Token(timeout: TimeSpan.Zero));
            }
            finally
            {
                Services.EndOutages();
            }
        }

        public static void HealthCounts()
        {
            using TokenClient client = Services.Client("bank");
            client.Token();
            JsonElement health = JsonDocument.Parse(client.Health()).RootElement;
            Check.Equal(1, health.GetProperty("tokens").GetProperty("cached").GetInt32());
            Check.Equal("ready", health.GetProperty("keys")[0].GetProperty("state").GetString());
        }

        public static void RequestsToAnApi()
        {
            using TokenClient client = Services.Client("bank");
            var headers = new[] { new System.Collections.Generic.KeyValuePair<string, string>("Content-Type", "text/plain") };
            HttpResponse answer = client.Send(new HttpRequest("POST", Services.Api + "/things?a=%20b", headers, new byte[] { 0x61, 0xc3, 0xa6 }));
            Check.Equal(200, answer.Status);
            Check.Contains("application/json", answer.Header("Content-Type")!);
            Check.That(JsonDocument.Parse(answer.Body).RootElement.ValueKind == JsonValueKind.Object, "an object");
            Services.Admin("api/reject", "{\"all\":true}");
            Check.Equal(200, client.SendAsync(new HttpRequest("GET", Services.Api)).GetAwaiter().GetResult().Status);
            Check.Fails(ErrorCode.Url, () => client.Send(new HttpRequest("GET", "http://api.example/")));
            Check.Equal("GET https://api.example/x", new HttpRequest("GET", "https://api.example/x?secret").ToString());
        }
    }
}
