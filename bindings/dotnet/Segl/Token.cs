using System;
using System.Diagnostics;

namespace Segl
{
    /// <summary>An access token. It does not change.</summary>
    /// <remarks>Neither its text nor a debugger's window shows the secrets. What writes all properties of an object, as structured logs do, would.</remarks>
    public sealed class Token
    {
        internal Token(string accessToken, long expiresAtMs, bool fromCache, bool dpop, ulong generation, string? response)
        {
            AccessToken = accessToken;
            ExpiresAt = DateTimeOffset.FromUnixTimeMilliseconds(Math.Max(-62135596800000, Math.Min(253402300799999, expiresAtMs)));
            FromCache = fromCache;
            Dpop = dpop;
            Generation = generation;
            Response = response;
        }

        private Token(Token token)
        {
            AccessToken = token.AccessToken;
            ExpiresAt = token.ExpiresAt;
            FromCache = true;
            Dpop = token.Dpop;
            Generation = token.Generation;
        }

        /// <summary>The token itself. It is a secret.</summary>
        [DebuggerBrowsable(DebuggerBrowsableState.Never)]
        public string AccessToken { get; }

        /// <summary>When it ends, UTC.</summary>
        public DateTimeOffset ExpiresAt { get; }

        /// <summary>Whether it was in the cache, rather than fetched for this call.</summary>
        public bool FromCache { get; }

        /// <summary>Whether it is bound to a key: each request needs a proof of <see cref="TokenClient.DpopProof"/> then.</summary>
        public bool Dpop { get; }

        /// <summary>Tells this token from every other that this process was given; never 0.</summary>
        public ulong Generation { get; }

        /// <summary>The whole token response, JSON (RFC 6749 section 5.1), where the call asked for it; else null. It is a secret.</summary>
        [DebuggerBrowsable(DebuggerBrowsableState.Never)]
        public string? Response { get; }

        /// <summary>The value of the header Authorization: "Bearer …" or "DPoP …". It is a secret.</summary>
        [DebuggerBrowsable(DebuggerBrowsableState.Never)]
        public string Authorization => (Dpop ? "DPoP " : "Bearer ") + AccessToken;

        /// <summary>Nothing of the token.</summary>
        /// <returns>"[redacted]".</returns>
        public override string ToString() => "[redacted]";

        internal Token AsCached() => FromCache && Response is null ? this : new Token(this);
    }
}
