using System;
using System.Text;
using System.Text.Json;

namespace Segl.Tests
{
    internal static class SignerTests
    {
        private static readonly byte[] Message = Encoding.UTF8.GetBytes("a message");

        public static void KeysInTheHsm()
        {
            foreach (var (uri, alg) in new[] { (Services.Get("SEGL_TEST_RSA_KEY"), "RS256"), (Services.Get("SEGL_TEST_EC_KEY"), "ES256") })
            {
                using Signer signer = Signer.Open(uri);
                Check.That(Jwt.Verify(signer.PublicJwk, alg, Message, signer.Sign(alg, Message)), "a signature");
                Check.That(Jwt.Verify(signer.PublicJwk, alg, Array.Empty<byte>(), signer.SignAsync(alg, Array.Empty<byte>()).GetAwaiter().GetResult()), "one of nothing");
                var jwt = new Jwt(signer.Jws("{\"alg\":\"" + alg + "\",\"æ\":\"å\"}", Encoding.UTF8.GetBytes("{\"sub\":\"ø\"}")), signer.PublicJwk);
                Check.Equal("ø", jwt.Claims.GetProperty("sub").GetString());
                Check.Equal("å", jwt.Header.GetProperty("æ").GetString());
                signer.Probe();
                Check.Equal("pkcs11", JsonDocument.Parse(signer.Describe()).RootElement.GetProperty("kind").GetString());
                Check.Equal("ready", JsonDocument.Parse(signer.Health()).RootElement.GetProperty("state").GetString());
            }
        }

        public static void ThePin()
        {
            string uri = Services.Get("SEGL_TEST_EC_KEY_NO_PIN");
            using (Signer signer = Signer.Open(uri, Encoding.UTF8.GetBytes(Services.Get("SEGL_TEST_PIN"))))
            {
                Check.Equal(64, signer.Sign("ES256", Message).Length);
            }
            SeglException refused = Check.Throws<SeglException>(() => Signer.Open(uri, Encoding.UTF8.GetBytes("wrong pin")));
            Check.That(refused is HsmException && !refused.Message.Contains("wrong pin") && !refused.ToString().Contains("wrong pin"), "no PIN in the error");
        }

        public static void KeysInMemory()
        {
            using Signer rsa = Signer.FromBytes(Services.RsaPem);
            using Signer ec = Signer.FromBytes(Services.EcPem);
            Check.That(Jwt.Verify(Services.Get("SEGL_TEST_RSA_JWK"), "RS256", Message, rsa.Sign("RS256", Message)), "RSA");
            Check.That(Jwt.Verify(Services.Get("SEGL_TEST_EC_JWK"), "ES256", Message, ec.Sign("ES256", Message)), "EC");
            Check.Fails(ErrorCode.Algorithm, () => ec.Sign("RS256", Message));
            Check.Fails(ErrorCode.KeyFormat, () => Signer.FromBytes(Message));
            Check.Fails(ErrorCode.KeyFormat, () => Signer.FromBytes(Array.Empty<byte>()));
            Check.Fails(ErrorCode.KeyUri, () => Signer.Open(""));
            Check.Fails(ErrorCode.KeyUri, () => Signer.Open("nothing:of:the:kind"));
            Check.Throws<ArgumentNullException>(() => Signer.Open(null!));
        }

        public static void TextThatIsNoUnicode()
        {
            using Signer ec = Signer.FromBytes(Services.EcPem);
            Check.Throws<SeglException>(() => ec.Sign("\ud800", Message));
            Check.Throws<SeglException>(() => ec.Jws("\0", Message));
        }
    }
}
