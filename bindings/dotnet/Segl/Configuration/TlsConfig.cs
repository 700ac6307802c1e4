using Segl.Json;

namespace Segl
{
    /// <summary>How a client speaks TLS, to the token endpoint and to the APIs behind it.</summary>
    public sealed class TlsConfig : Settings
    {
        /// <summary>Nothing is set.</summary>
        public TlsConfig()
        {
        }

        internal TlsConfig(JsonObject members)
            : base(members)
        {
        }

        /// <summary>The certificates (PEM) that servers' are checked against, instead of the operating system's.</summary>
        public string? CaFile
        {
            get => Text("ca_file");
            set => Set("ca_file", value);
        }

        /// <summary><c>file:</c> URI of the client certificate (PEM with its issuers, or DER). Left out, the certificate beside the key (token object, PKCS#12, PEM) is used.</summary>
        public string? Certificate
        {
            get => Text("certificate");
            set => Set("certificate", value);
        }

        /// <summary>The URI of the client certificate's private key: <c>pkcs11:…</c>, <c>file:…</c> or <c>awskms:…</c>. Servers that ask for no certificate are given none.</summary>
        public string? Key
        {
            get => Text("key");
            set => Set("key", value);
        }

        /// <summary>The oldest version that is spoken. Default <c>1.2</c>.</summary>
        public TlsVersion? MinVersion
        {
            get => Word<TlsVersion>("min_version");
            set => SetWord("min_version", value);
        }

        /// <summary>Whether a later connection may resume the session of an earlier one, without a signature of the key. Default true. False makes every new connection sign.</summary>
        public bool? Resumption
        {
            get => Flag("resumption");
            set => Set("resumption", value);
        }
    }
}
