using Segl.Json;

namespace Segl
{
    /// <summary>One of several keys that others encrypt to. An answer names it by its <c>kid</c>, which is the one here or the public key's RFC 7638 thumbprint, or by <c>x5t#S256</c>, the thumbprint of the certificate.</summary>
    public sealed class DecryptionKeyConfig : Settings
    {
        /// <summary>Nothing is set; a <see cref="Key"/> is needed.</summary>
        public DecryptionKeyConfig()
        {
        }

        internal DecryptionKeyConfig(JsonObject members)
            : base(members)
        {
        }

        /// <summary><c>file:</c> URI of the certificate that senders encrypt to (PEM or DER).</summary>
        public string? Certificate
        {
            get => Text("certificate");
            set => Set("certificate", value);
        }

        /// <summary>The URI of the private key, as in <c>decryption.key</c>.</summary>
        public string? Key
        {
            get => Text("key");
            set => Set("key", value);
        }

        /// <summary>What senders call the key in <c>kid</c>.</summary>
        public string? Kid
        {
            get => Text("kid");
            set => Set("kid", value);
        }
    }
}
