using System;
using Segl.Json;

namespace Segl
{
    /// <summary>One of several keys of a client: the same key pair on another token, or one that is registered beside the others. Each setting is as that of the client with the same name.</summary>
    public sealed class KeyConfig : Settings
    {
        /// <summary>Nothing is set.</summary>
        public KeyConfig()
        {
        }

        internal KeyConfig(JsonObject members)
            : base(members)
        {
        }

        /// <summary>The signature algorithm; the key's usual one when left out.</summary>
        public string? Alg
        {
            get => Text("alg");
            set => Set("alg", value);
        }

        /// <summary><c>file:</c> URI of the certificate for <c>x5c</c>.</summary>
        public string? Certificate
        {
            get => Text("certificate");
            set => Set("certificate", value);
        }

        /// <summary>The URI of the private key: <c>pkcs11:…</c>, <c>awskms:…</c> or <c>file:…</c>.</summary>
        public string? Key
        {
            get => Text("key");
            set => Set("key", value);
        }

        /// <summary>The <c>kid</c> under which the public key is registered.</summary>
        public string? Kid
        {
            get => Text("kid");
            set => Set("kid", value);
        }

        /// <summary>When the registration under <c>kid</c> ends: a date such as "2027-11-20", or RFC 3339.</summary>
        public DateTimeOffset? RegisteredUntil
        {
            get => Time("registered_until");
            set => SetTime("registered_until", value);
        }

        /// <summary>What goes into <c>x5c</c>: the leaf only (default) or the whole chain.</summary>
        public X5cForm? X5c
        {
            get => Word<X5cForm>("x5c");
            set => SetWord("x5c", value);
        }
    }
}
