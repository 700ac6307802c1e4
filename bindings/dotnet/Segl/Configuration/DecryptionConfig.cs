using System.Collections.Generic;
using Segl.Json;

namespace Segl
{
    /// <summary>The key with which answers are decrypted that come encrypted (JWE, RFC 7516), or several while one replaces another, and the algorithms that they may use.</summary>
    public sealed class DecryptionConfig : Settings
    {
        /// <summary>Nothing is set; a <see cref="Key"/> or <see cref="Keys"/> are needed.</summary>
        public DecryptionConfig()
        {
        }

        internal DecryptionConfig(JsonObject members)
            : base(members)
        {
        }

        /// <summary>How the content may be encrypted (<c>enc</c>). Default <c>A256GCM</c> and <c>A128CBC-HS256</c>.</summary>
        public IReadOnlyList<ContentEncryption>? ContentEncryption
        {
            get => WordList<ContentEncryption>("content_encryption");
            set => SetWordList("content_encryption", value);
        }

        /// <summary>The URI of the private key, an RSA key that may decrypt, with its PIN source: <c>pkcs11:…</c>, <c>awskms:…</c> or <c>file:…</c>. It is opened when it is used for the first time. Left out when <c>keys</c> is set.</summary>
        public string? Key
        {
            get => Text("key");
            set => Set("key", value);
        }

        /// <summary>How the key of the content may be encrypted (<c>alg</c>). Default <c>RSA-OAEP-256</c>.</summary>
        public IReadOnlyList<KeyEncryption>? KeyEncryption
        {
            get => WordList<KeyEncryption>("key_encryption");
            set => SetWordList("key_encryption", value);
        }

        /// <summary>Several keys, while some senders still encrypt to an old one: the key that an answer names decrypts it, and when it names none of them, the first that can. Excludes <c>key</c>.</summary>
        public IReadOnlyList<DecryptionKeyConfig>? Keys
        {
            get => NestedList("keys", members => new DecryptionKeyConfig(members));
            set => SetNestedList("keys", value);
        }
    }
}
