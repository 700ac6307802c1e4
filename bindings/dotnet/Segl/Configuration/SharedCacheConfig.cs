using System.Collections.Generic;
using Segl.Json;

namespace Segl
{
    /// <summary>A token cache that several instances share. <c>docs/shared-cache.md</c> says what is in it, and what happens when it is away.</summary>
    public sealed class SharedCacheConfig : Settings
    {
        /// <summary>Nothing is set.</summary>
        public SharedCacheConfig()
        {
        }

        internal SharedCacheConfig(JsonObject members)
            : base(members)
        {
        }

        /// <summary>The certificates (PEM) that a <c>rediss://</c> server's is checked against, instead of the operating system's.</summary>
        public string? CaFile
        {
            get => Text("ca_file");
            set => Set("ca_file", value);
        }

        /// <summary>Where the key is read from that seals the tokens: <c>file:/ABSOLUTE/PATH</c> or <c>env:NAME</c>. It is 32 random bytes in base64 or base64url, the same for every instance.</summary>
        public string? Key
        {
            get => Text("key");
            set => Set("key", value);
        }

        /// <summary>Several keys, while one replaces another: the first seals, each of them opens. Excludes <c>key</c>.</summary>
        public IReadOnlyList<string>? Keys
        {
            get => List("keys");
            set => SetList("keys", value);
        }

        /// <summary>For how long one instance may keep the others waiting while it fetches a token, in milliseconds, 100 to 60,000. Longer than a fetch usually lasts. Default 10,000.</summary>
        public long? LeaseMs
        {
            get => Number("lease_ms");
            set => Set("lease_ms", value);
        }

        /// <summary>Where the password for Redis is read from, once: <c>file:/ABSOLUTE/PATH</c> or <c>env:NAME</c>. Excludes a password in <c>url</c>.</summary>
        public string? Password
        {
            get => Text("password");
            set => Set("password", value);
        }

        /// <summary>What the names of segl's entries begin with. Default <c>segl</c>.</summary>
        public string? Prefix
        {
            get => Text("prefix");
            set => Set("prefix", value);
        }

        /// <summary>Time for one question to the store in milliseconds, connecting included, 1 to 5,000. Default 250.</summary>
        public long? TimeoutMs
        {
            get => Number("timeout_ms");
            set => Set("timeout_ms", value);
        }

        /// <summary>Where Redis or Valkey is: <c>redis://[USER[:PASSWORD]@]HOST[:PORT][/DATABASE]</c>, <c>rediss://…</c> for TLS, or <c>redis+unix:///PATH[?db=DATABASE]</c>. Left out when the program gives a store of its own.</summary>
        public string? Url
        {
            get => Text("url");
            set => Set("url", value);
        }
    }
}
