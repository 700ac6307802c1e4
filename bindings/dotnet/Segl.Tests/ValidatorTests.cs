using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;

namespace Segl.Tests
{
    internal static class ValidatorTests
    {
        private const string Person = "12345678901";
        private const string Scope = "demo:konto.read";

        private static readonly string Issuer = JsonDocument.Parse(Services.HostJson).RootElement.GetProperty("issuer").GetString()!;
        private static readonly string Metadata = Issuer + ".well-known/oauth-authorization-server";
        internal static readonly string Settings = "{\"issuer\":\"" + Issuer + "\",\"metadata\":\"" + Metadata + "\"}";
        private static readonly Lazy<string> Token = new Lazy<string>(() =>
        {
            using TokenClient client = Services.Client("file");
            return client.Token().AccessToken;
        });

        public static void ATokenSaysWhoseItIs()
        {
            using Validator validator = Validator.Create(Settings);
            string answer = validator.Check(Token.Value);
            JsonElement claims = JsonDocument.Parse(answer).RootElement;
            Check.Equal(Issuer, claims.GetProperty("issuer").GetString());
            Check.Equal("file", claims.GetProperty("client_id").GetString());
            Check.Equal(Scope, claims.GetProperty("scopes")[0].GetString());
            Check.Equal("910753614", claims.GetProperty("consumer").GetProperty("orgno").GetString());
            Check.Equal(answer, validator.Check(Token.Value, "{\"scopes\":[\"" + Scope + "\"],\"consumer\":\"910753614\",\"supplier\":null}"));
            using var source = new CancellationTokenSource();
            Check.Equal(answer, validator.CheckAsync(Token.Value, null, TimeSpan.FromSeconds(20), source.Token).Result);
        }

        public static void WhatIsNotMetHasItsNumber()
        {
            using Validator validator = Validator.Create(Settings);
            ValidationException scope = Refusal(validator, Token.Value, "{\"scopes\":[\"" + Scope + "\",\"demo:konto.write\"]}");
            Check.Equal(708, scope.Number);
            Check.That(scope.Code == ErrorCode.AccessTokenScope && scope.HttpStatus == 403 && scope.OAuthError == "insufficient_scope", scope.Name);
            Check.Contains("demo:konto.write", scope.Message);
            Check.Equal(ErrorCode.AccessTokenConsumer, Refusal(validator, Token.Value, "{\"consumer\":\"974760673\"}").Code);
            ValidationException consent = Refusal(validator, Token.Value, "{\"consent\":{\"from\":\"05848998356\",\"resources\":[\"bank-saldo\"]}}");
            Check.Equal(720, consent.Number);
            Check.That(consent.Code == ErrorCode.ConsentMissing && consent.HttpStatus == 403 && consent.OAuthError == "insufficient_scope", consent.Name);
            Check.That(!consent.Message.Contains("05848998356"), consent.Message);
            ValidationException malformed = Refusal(validator, "no token", null);
            Check.That(malformed.Code == ErrorCode.AccessTokenMalformed && malformed.HttpStatus == 401 && malformed.OAuthError == "invalid_token", malformed.Name);
            int end = Token.Value.LastIndexOf('.') + 1;
            string changed = Token.Value.Substring(0, end) + (Token.Value[end] == 'A' ? 'B' : 'A') + Token.Value.Substring(end + 1);
            Check.Equal(ErrorCode.AccessTokenSignature, Refusal(validator, changed, null).Code);
            using Validator other = Validator.Create("{\"environment\":\"test\"}", new TransportTests.Function(request => throw new SeglException(ErrorCode.Network, "the cable is cut")));
            Check.Equal(ErrorCode.JwksUnavailable, Refusal(other, Token.Value, null).Code);
        }

        public static void AFileNamesValidators()
        {
            string file = Path.Combine(Services.Folder, "validators.toml");
            File.WriteAllText(file, "[validators.own]\nissuer = '" + Issuer + "'\nmetadata = '" + Metadata + "'\n");
            using Validator validator = Validator.Open(file, "own");
            Check.Contains(Scope, validator.Check(Token.Value));
            Check.Contains("own", Check.Fails(ErrorCode.Config, () => Validator.Open(file, "other")).Message);
            Check.Fails(ErrorCode.Io, () => Validator.Open("/no/such/segl.toml", "own"));
        }

        public static void WhatIsWrongIsNamed()
        {
            Check.Contains("leeway", Check.Fails(ErrorCode.Config, () => Validator.Create("{\"issuer\":\"https://a.example\",\"leeway\":1}")).ConfigPath!);
            foreach (string text in new[] { "", "[]", "{}", "{" })
            {
                Check.Fails(ErrorCode.Config, () => Validator.Create(text));
            }
            using Validator validator = Validator.Create(Settings);
            foreach (string wanted in new[] { "", "[]", "{", "{\"pid\":\"" + Person + "\"}", "{\"person\":\"" + Person + "\"}" })
            {
                SeglException wrong = Check.Fails(ErrorCode.InvalidArgument, () => validator.Check(Token.Value, wanted));
                Check.That(!wrong.Message.Contains(Person), wrong.Message);
            }
            Check.Throws<ArgumentNullException>(() => validator.Check(null!));
            Check.Throws<ArgumentNullException>(() => Validator.Create(null!));
        }

        public static void KeysComeThroughTheProgramsTransportOnce()
        {
            int sent = 0;
            using var http = new HttpClientTransport();
            using Validator validator = Validator.Create(Settings, new TransportTests.Function(request =>
            {
                Interlocked.Increment(ref sent);
                return http.Send(request, TimeSpan.FromSeconds(20));
            }));
            Parallel.For(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i => Check.Contains(Scope, validator.Check(Token.Value)));
            Check.Equal(2, sent);
        }

        public static void ItsTimeIsBounded()
        {
            using var release = new ManualResetEventSlim();
            using Validator validator = Validator.Create(Settings, new TransportTests.Function(request =>
            {
                release.Wait();
                throw new InvalidOperationException("released");
            }));
            Check.Fails(ErrorCode.Timeout, () => validator.Check(Token.Value, timeout: TimeSpan.FromMilliseconds(200)));
            using var source = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
            Check.Throws<OperationCanceledException>(() => validator.CheckAsync(Token.Value, cancellationToken: source.Token).GetAwaiter().GetResult());
            release.Set();
        }

        public static void ACheckThatWaitsOutlivesItsValidator()
        {
            using var asked = new ManualResetEventSlim();
            using var release = new ManualResetEventSlim();
            Validator validator = Validator.Create(Settings, new TransportTests.Function(request =>
            {
                asked.Set();
                release.Wait();
                throw new InvalidOperationException("released");
            }));
            Task<string> check = validator.CheckAsync(Token.Value);
            asked.Wait();
            validator.Dispose();
            Check.Throws<ObjectDisposedException>(() => validator.Check(Token.Value));
            release.Set();
            Check.Fails(ErrorCode.JwksUnavailable, () => check.GetAwaiter().GetResult());
        }

        public static void DisposedInTheMidstOfChecks()
        {
            Validator shared = Validator.Create(Settings);
            int well = 0;
            Parallel.For(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i =>
            {
                Validator used = Volatile.Read(ref shared);
                Interlocked.Exchange(ref shared, Validator.Create(Settings)).Dispose();
                foreach (Validator each in new[] { used, Volatile.Read(ref shared) })
                {
                    try
                    {
                        Check.Contains(Scope, each.Check(Token.Value));
                        Interlocked.Increment(ref well);
                    }
                    catch (ObjectDisposedException)
                    {
                    }
                }
            });
            Check.That(well > 0, "some went through");
            shared.Dispose();
            shared.Dispose();
            Check.Equal("Validator", Check.Throws<ObjectDisposedException>(() => shared.Check(Token.Value)).ObjectName);
        }

        public static void DroppedOnesAreFreedByTheFinalizer()
        {
            WeakReference held = Drop();
            for (int i = 0; i < 20 && held.IsAlive; i++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
            Check.That(!held.IsAlive, "segl released the transport");
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private static WeakReference Drop()
        {
            object held = new object();
            for (int i = 0; i < 20; i++)
            {
                Validator.Create(Settings, new TransportTests.Function(request => throw new InvalidOperationException(held.ToString())));
            }
            return new WeakReference(held);
        }

        private static ValidationException Refusal(Validator validator, string token, string? requirements)
        {
            ValidationException refusal = Check.Throws<ValidationException>(() => validator.Check(token, requirements));
            Check.That(!refusal.Message.Contains(token), refusal.Message);
            return refusal;
        }
    }
}
