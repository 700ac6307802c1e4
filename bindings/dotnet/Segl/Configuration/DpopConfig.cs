using Segl.Json;

namespace Segl
{
    /// <summary>Tokens that are bound to a key of the client (DPoP, RFC 9449): who steals one can do nothing with it.</summary>
    public sealed class DpopConfig : Settings
    {
        /// <summary>Nothing is set.</summary>
        public DpopConfig()
        {
        }

        internal DpopConfig(JsonObject members)
            : base(members)
        {
        }

        /// <summary>The algorithm of the proofs. Left out, that of the assertions when the key is the client's own, else the key's usual one.</summary>
        public string? Alg
        {
            get => Text("alg");
            set => Set("alg", value);
        }

        /// <summary>The URI of the private key that tokens are bound to, with its PIN source: <c>pkcs11:…</c> or <c>file:…</c>. Left out, the client's own key is used, which several <c>keys</c> do not allow.</summary>
        public string? Key
        {
            get => Text("key");
            set => Set("key", value);
        }
    }
}
