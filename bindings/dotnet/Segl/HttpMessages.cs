using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;

namespace Segl
{
    /// <summary>A request to an API, or one that segl makes itself and gives to an <see cref="IHttpTransport"/>. It does not change.</summary>
    public sealed class HttpRequest
    {
        /// <summary>Makes a request.</summary>
        /// <param name="method">"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE" or "OPTIONS".</param>
        /// <param name="url">An https URL, or an http one on the loopback interface.</param>
        /// <param name="headers">More headers in their order; <c>Authorization</c>, <c>DPoP</c>, <c>Host</c> and <c>Content-Length</c> are segl's to set.</param>
        /// <param name="body">The body of a POST, PUT or PATCH. It is not copied.</param>
        public HttpRequest(string method, string url, IEnumerable<KeyValuePair<string, string>>? headers = null, byte[]? body = null)
        {
            Method = method ?? throw new ArgumentNullException(nameof(method));
            Url = url ?? throw new ArgumentNullException(nameof(url));
            Headers = headers is null ? Array.Empty<KeyValuePair<string, string>>() : headers.ToArray();
            Body = body;
        }

        /// <summary>The method in upper case.</summary>
        public string Method { get; }

        /// <summary>The whole URL.</summary>
        public string Url { get; }

        /// <summary>The headers in their order.</summary>
        [DebuggerBrowsable(DebuggerBrowsableState.Never)]
        public IReadOnlyList<KeyValuePair<string, string>> Headers { get; }

        /// <summary>The body; null for none.</summary>
        [DebuggerBrowsable(DebuggerBrowsableState.Never)]
        public byte[]? Body { get; }

        /// <summary>Method and URL without its query; no header and no body.</summary>
        /// <returns>For example "GET https://api.example/things".</returns>
        public override string ToString() => Method + " " + Url.Split('?')[0];
    }

    /// <summary>An answer, whatever its status. It does not change.</summary>
    public sealed class HttpResponse
    {
        /// <summary>Makes an answer, for an <see cref="IHttpTransport"/>.</summary>
        /// <param name="status">The HTTP status, 100 to 999.</param>
        /// <param name="headers">The headers in their order; names in any case.</param>
        /// <param name="body">The whole body; null for none. It is not copied.</param>
        public HttpResponse(int status, IEnumerable<KeyValuePair<string, string>>? headers = null, byte[]? body = null)
        {
            Status = status;
            Headers = headers is null ? Array.Empty<KeyValuePair<string, string>>() : headers.ToArray();
            Body = body ?? Array.Empty<byte>();
        }

        /// <summary>The HTTP status, for example 200.</summary>
        public int Status { get; }

        /// <summary>The headers in their order; of an answer that segl received, with names in lower case.</summary>
        public IReadOnlyList<KeyValuePair<string, string>> Headers { get; }

        /// <summary>The whole body.</summary>
        [DebuggerBrowsable(DebuggerBrowsableState.Never)]
        public byte[] Body { get; }

        /// <summary>The first header of that name, whatever its case; null if there is none.</summary>
        /// <param name="name">The name.</param>
        /// <returns>The value.</returns>
        public string? Header(string name)
        {
            return Headers.Where(header => string.Equals(header.Key, name, StringComparison.OrdinalIgnoreCase)).Select(header => header.Value).FirstOrDefault();
        }

        /// <summary>The status and the length of the body.</summary>
        /// <returns>For example "200, 17 bytes".</returns>
        public override string ToString() => Status + ", " + Body.Length + " bytes";
    }
}
