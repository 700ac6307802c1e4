using System;
using System.Threading;

namespace Segl
{
    /// <summary>What a <see cref="TokenClient"/> is made of beside its settings. It is read once.</summary>
    public sealed class TokenClientOptions
    {
        /// <summary>The client's key, in the place of the settings <c>key</c> and <c>keys</c>. It may be disposed of once the client is made.</summary>
        public Signer? Signer { get; set; }

        /// <summary>The key of the client certificate of TLS, in the place of <c>tls.key</c>. It may be disposed of once the client is made.</summary>
        public Signer? TlsSigner { get; set; }

        /// <summary>The key that tokens are bound to (DPoP), in the place of <c>dpop.key</c>. It may be disposed of once the client is made.</summary>
        public Signer? DpopSigner { get; set; }

        /// <summary>Sends the client's requests in the place of segl's own HTTP. It is held until the last use of the client.</summary>
        public IHttpTransport? Transport { get; set; }

        /// <summary>The longest that opening the key may take; null leaves it to segl.</summary>
        public TimeSpan? Timeout { get; set; }

        /// <summary>Ends the opening early.</summary>
        public CancellationToken CancellationToken { get; set; }

        internal bool IsPlain => Signer is null && TlsSigner is null && DpopSigner is null && Transport is null;
    }
}
