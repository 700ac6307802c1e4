using System;
using System.Linq;
using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Threading;
using System.Threading.Tasks;

namespace Segl
{
    /// <summary>Puts a client's access token on each request, with a proof where tokens are bound to a key (DPoP).</summary>
    /// <remarks>
    /// After a 401 the token is rejected and the request sent once more with a new one, if its body can be sent again: there is none, it
    /// is bytes or text (<see cref="ByteArrayContent"/> and what derives from it), or <see cref="BufferContent"/> is set. Requests go
    /// to https URLs only, or to loopback. Which others they may go to, and whether redirects are followed, is up to the program: the token goes with
    /// what it sends through this handler.
    /// </remarks>
    public sealed class TokenHandler : DelegatingHandler
    {
        private const int MostNonces = 3;

        private readonly TokenClient _client;
        private readonly TokenRequest? _tokenRequest;

        /// <summary>Makes a handler before another one.</summary>
        /// <param name="client">Where tokens come from. It stays the program's, and is not disposed of.</param>
        /// <param name="tokenRequest">What they are for; null for what the client's settings say.</param>
        /// <param name="innerHandler">What sends. Null: it is set later, as <c>IHttpClientFactory</c> does.</param>
        public TokenHandler(TokenClient client, TokenRequest? tokenRequest = null, HttpMessageHandler? innerHandler = null)
        {
            _client = client ?? throw new ArgumentNullException(nameof(client));
            _tokenRequest = tokenRequest;
            if (innerHandler != null)
            {
                InnerHandler = innerHandler;
            }
        }

        /// <summary>Whether bodies of any kind are read into memory first, so that they can be sent again. False by default.</summary>
        public bool BufferContent { get; set; }

        /// <inheritdoc/>
        /// <exception cref="SeglException">There is no token to be had, or the URL is not one to send it to.</exception>
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Uri url = SafeUrl(request);
            if (BufferContent && request.Content != null)
            {
                await request.Content.LoadIntoBufferAsync().ConfigureAwait(false);
            }
            Token token = await _client.TokenAsync(_tokenRequest, cancellationToken: cancellationToken).ConfigureAwait(false);
            HttpResponseMessage answer = await SendWith(request, url, token, cancellationToken).ConfigureAwait(false);
            if (answer.StatusCode != HttpStatusCode.Unauthorized || AsksForNonce(answer))
            {
                return answer;
            }
            _client.Reject(token, _tokenRequest);
            if (!CanRepeat(request))
            {
                return answer;
            }
            answer.Dispose();
            token = await _client.TokenAsync(_tokenRequest, cancellationToken: cancellationToken).ConfigureAwait(false);
            return await SendWith(request, url, token, cancellationToken).ConfigureAwait(false);
        }

#if NET8_0_OR_GREATER
        /// <inheritdoc/>
        /// <exception cref="SeglException">There is no token to be had, or the URL is not one to send it to.</exception>
        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            return SendAsync(request, cancellationToken).GetAwaiter().GetResult();
        }
#endif

        /// <summary>Sends the request with that token; as long as the server asks for a nonce, again with the one that it gave.</summary>
        private async Task<HttpResponseMessage> SendWith(HttpRequestMessage request, Uri url, Token token, CancellationToken cancellationToken)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue(token.Dpop ? "DPoP" : "Bearer", token.AccessToken);
            for (int nonces = 0; ; nonces++)
            {
                if (token.Dpop)
                {
                    string proof = await Task.Run(() => _client.DpopProof(request.Method.Method, url.AbsoluteUri, token.AccessToken, null, cancellationToken), cancellationToken).ConfigureAwait(false);
                    request.Headers.Remove("DPoP");
                    request.Headers.TryAddWithoutValidation("DPoP", proof);
                }
                HttpResponseMessage answer = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
                if (token.Dpop)
                {
                    KeepNonce(answer, url);
                    if (AsksForNonce(answer) && nonces < MostNonces && CanRepeat(request))
                    {
                        answer.Dispose();
                        continue;
                    }
                }
                return answer;
            }
        }

        private void KeepNonce(HttpResponseMessage answer, Uri url)
        {
            if (answer.Headers.TryGetValues("DPoP-Nonce", out var nonces))
            {
                try
                {
                    _client.DpopNonce(url.AbsoluteUri, nonces.First());
                }
                catch (UsageException exception) when (exception.Code == ErrorCode.InvalidArgument)
                {
                    // What is no nonce goes into no proof; the answer is an answer nevertheless.
                }
            }
        }

        private bool CanRepeat(HttpRequestMessage request) => BufferContent || request.Content is null || request.Content is ByteArrayContent;

        private static bool AsksForNonce(HttpResponseMessage answer)
        {
            return answer.StatusCode == HttpStatusCode.Unauthorized
                && answer.Headers.WwwAuthenticate.Any(challenge =>
                    string.Equals(challenge.Scheme, "DPoP", StringComparison.OrdinalIgnoreCase)
                    && (challenge.Parameter ?? "").IndexOf("use_dpop_nonce", StringComparison.Ordinal) >= 0);
        }

        private static Uri SafeUrl(HttpRequestMessage request)
        {
            Uri? url = request.RequestUri;
            if (url is null || !url.IsAbsoluteUri || !(url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && url.IsLoopback)))
            {
                throw new SeglException(ErrorCode.Url, "a token goes to an https URL only, or to one on the loopback interface");
            }
            return url;
        }
    }
}
