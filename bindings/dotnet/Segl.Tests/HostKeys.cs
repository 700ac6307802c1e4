using System;
using System.Linq;
using System.Security.Cryptography;
using System.Text;

namespace Segl.Tests
{
    /// <summary>Signers of .NET's own, with the keys in the PEM files.</summary>
    internal static class HostKeys
    {
        internal static RSA Rsa()
        {
            RSA rsa = RSA.Create();
            rsa.ImportPkcs8PrivateKey(Der(Services.RsaPem), out _);
            return rsa;
        }

        internal static ECDsa Ec()
        {
            ECDsa ec = ECDsa.Create();
            ec.ImportPkcs8PrivateKey(Der(Services.EcPem), out _);
            return ec;
        }

        internal static Signer RsaSigner()
        {
            RSA rsa = Rsa();
            return Signer.FromCallback(Services.Get("SEGL_TEST_RSA_JWK"), (alg, message) => rsa.SignData(message, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        }

        internal static Signer EcSigner()
        {
            ECDsa ec = Ec();
            return Signer.FromCallback(Services.Get("SEGL_TEST_EC_JWK"), (alg, message) => ec.SignData(message, HashAlgorithmName.SHA256));
        }

        private static byte[] Der(byte[] pem)
        {
            return Convert.FromBase64String(string.Concat(Encoding.ASCII.GetString(pem).Split('\n').Where(line => !line.StartsWith("-----", StringComparison.Ordinal))));
        }
    }
}
