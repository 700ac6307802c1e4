using System;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Segl.Tests
{
    /// <summary>A JWT, verified by .NET's own cryptography.</summary>
    internal sealed class Jwt
    {
        internal Jwt(string compact, string publicJwk)
        {
            string[] parts = compact.Split('.');
            Check.Equal(3, parts.Length);
            Header = JsonDocument.Parse(Decode(parts[0])).RootElement;
            Claims = JsonDocument.Parse(Decode(parts[1])).RootElement;
            Check.That(Verify(publicJwk, Header.GetProperty("alg").GetString()!, Encoding.ASCII.GetBytes(parts[0] + "." + parts[1]), Decode(parts[2])), "the signature does not verify");
        }

        internal JsonElement Header { get; }

        internal JsonElement Claims { get; }

        internal static bool Verify(string publicJwk, string alg, byte[] message, byte[] signature)
        {
            JsonElement jwk = JsonDocument.Parse(publicJwk).RootElement;
            byte[] Member(string name) => Decode(jwk.GetProperty(name).GetString()!);
            if (jwk.GetProperty("kty").GetString() == "RSA")
            {
                Check.Equal("RS256", alg);
                using var rsa = RSA.Create(new RSAParameters { Modulus = Member("n"), Exponent = Member("e") });
                return rsa.VerifyData(message, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            }
            Check.Equal("ES256", alg);
            using var ec = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = Member("x"), Y = Member("y") } });
            return ec.VerifyData(message, signature, HashAlgorithmName.SHA256);
        }

        internal static byte[] Decode(string base64Url)
        {
            string text = base64Url.Replace('-', '+').Replace('_', '/');
            return Convert.FromBase64String(text.PadRight((text.Length + 3) / 4 * 4, '='));
        }

        internal static string Encode(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_');
    }
}
