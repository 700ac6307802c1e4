using System;
using System.Linq;
using System.Security.Cryptography;
using System.Text;

namespace Segl.Tests
{
    internal static class CallbackTests
    {
        private static readonly byte[] Message = Encoding.UTF8.GetBytes("a message");

        public static void SignersOfDotNet()
        {
            using Signer rsa = HostKeys.RsaSigner();
            using Signer ec = HostKeys.EcSigner();
            Check.That(Jwt.Verify(Services.Get("SEGL_TEST_RSA_JWK"), "RS256", Message, rsa.Sign("RS256", Message)), "RSA");
            Check.That(Jwt.Verify(Services.Get("SEGL_TEST_EC_JWK"), "ES256", Message, ec.Sign("ES256", Message)), "EC");
            new Jwt(ec.Jws("{\"alg\":\"ES256\"}", Encoding.UTF8.GetBytes("{}")), Services.Get("SEGL_TEST_EC_JWK"));
        }

        public static void ATokenWithASignerOfDotNet()
        {
            TokenClient client, ofFile;
            using (Signer signer = HostKeys.RsaSigner())
            {
                var options = new TokenClientOptions { Signer = signer };
                client = TokenClient.Create(Config.FromJson(Services.HostJson), options);
                ofFile = Services.Client("host", options);
            }
            using (client)
            using (ofFile)
            {
                Check.That(client.Token().AccessToken.Length > 20, "a token, also after the signer was disposed of");
                Check.That(ofFile.Token().AccessToken.Length > 20, "a token of the file's client");
                new Jwt(client.Assertion(), Services.Get("SEGL_TEST_RSA_JWK"));
            }
        }

        public static void WhatTheyThrowIsTheCause()
        {
            var thrown = new InvalidOperationException("the vault is closed");
            using Signer signer = Signer.FromCallback(Services.Get("SEGL_TEST_EC_JWK"), (alg, message) => throw thrown);
            SeglException failure = Check.Fails(ErrorCode.CallbackFailed, () => signer.Sign("ES256", Message));
            Check.Contains("System.InvalidOperationException: the vault is closed", failure.Message);
            Check.That(ReferenceEquals(thrown, failure.InnerException), "the exception itself");
            SeglException next = Check.Fails(ErrorCode.Algorithm, () => signer.Sign("RS256", Message));
            Check.That(next.InnerException is null, "not the cause of another failure");
        }

        public static void WhatTheyThrowOnAThreadOfSegl()
        {
            using Signer signer = Signer.FromCallback(Services.Get("SEGL_TEST_RSA_JWK"), (alg, message) => throw new SeglException(ErrorCode.PinLocked, "locked, says the test"));
            using TokenClient client = TokenClient.Create(Config.FromJson(Services.HostJson), new TokenClientOptions { Signer = signer });
            SeglException failure = Check.Fails(ErrorCode.PinLocked, () => client.Token(timeout: TimeSpan.FromSeconds(5)));
            Check.That(failure is HsmException, "its class");
            Check.Contains("locked, says the test", failure.Message);
        }

        public static void ResultsThatAreNone()
        {
            byte[]? result = null;
            using Signer signer = Signer.FromCallback(Services.Get("SEGL_TEST_EC_JWK"), (alg, message) => result!);
            Check.Contains("null", Check.Fails(ErrorCode.CallbackFailed, () => signer.Sign("ES256", Message)).Message);
            result = new byte[1025];
            Check.Contains("1025", Check.Fails(ErrorCode.CallbackFailed, () => signer.Sign("ES256", Message)).Message);
            foreach (int length in new[] { 0, 1, 64, 1024 })
            {
                result = new byte[length];
                Check.Throws<SeglException>(() => signer.Sign("ES256", Message));
            }
        }

        public static void ExceptionsThatThrow()
        {
            using Signer signer = Signer.FromCallback(Services.Get("SEGL_TEST_EC_JWK"), (alg, message) => throw new BadException());
            Check.Contains("BadException", Check.Fails(ErrorCode.CallbackFailed, () => signer.Sign("ES256", Message)).Message);
            using Signer lone = Signer.FromCallback(Services.Get("SEGL_TEST_EC_JWK"), (alg, message) => throw new InvalidOperationException("\ud800 lone"));
            Check.Contains("lone", Check.Fails(ErrorCode.CallbackFailed, () => lone.Sign("ES256", Message)).Message);
        }

        public static void TheyMayCallSegl()
        {
            using Signer inner = Signer.FromBytes(Services.EcPem);
            Signer? self = null;
            using Signer outer = Signer.FromCallback(Services.Get("SEGL_TEST_EC_JWK"), (alg, message) =>
            {
                Check.Throws<SeglException>(() => inner.Sign("RS256", message));
                Check.That(self!.Describe().Length > 0, "itself too");
                return inner.Sign(alg, message);
            });
            self = outer;
            Check.That(Jwt.Verify(inner.PublicJwk, "ES256", Message, outer.Sign("ES256", Message)), "a signature");
        }

        public static void TheyMayDisposeOfThemselves()
        {
            ECDsa ec = HostKeys.Ec();
            Signer? self = null;
            self = Signer.FromCallback(Services.Get("SEGL_TEST_EC_JWK"), (alg, message) =>
            {
                self!.Dispose();
                return ec.SignData(message, HashAlgorithmName.SHA256);
            });
            Check.Equal(64, self.Sign("ES256", Message).Length);
            Check.Throws<ObjectDisposedException>(() => self.Sign("ES256", Message));
        }

        public static void TheyAreReleased()
        {
            WeakReference callback = Make();
            for (int i = 0; i < 10 && callback.IsAlive; i++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
            Check.That(!callback.IsAlive, "the callback's object is gone after its signer");
            Check.Fails(ErrorCode.KeyFormat, () => Signer.FromCallback("{}", (alg, message) => message));
        }

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        private static WeakReference Make()
        {
            object held = new object();
            using Signer signer = Signer.FromCallback(Services.Get("SEGL_TEST_EC_JWK"), (alg, message) => held.ToString()!.Select(c => (byte)c).ToArray());
            return new WeakReference(held);
        }

        private sealed class BadException : Exception
        {
            public override string Message => throw new InvalidOperationException("no message");
        }
    }
}
