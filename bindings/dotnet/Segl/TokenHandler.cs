using System;
using System.Linq;
using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using System.Threading;
using System.Threading.Tasks;

namespace Segl
{
    /// <summary>Puts a client's access token on each request, with a proof where tokens are bound to a key (DPoP).</summary>
    /// <remarks>
    /// After a 401 the token is rejected and the request sent once more with a new one, if its body can be sent again: there is none, it
    /// is bytes or text (<see cref="ByteArrayContent"/> and what derives from it), or <see cref="BufferContent"/> is set. The token goes to
    /// the URL of the request, if the setting <c>apis</c> allows it (<see cref="TokenClient.RequireAllowed"/>), and nowhere else. When the
    /// inner handler follows a redirect without the token, as those of .NET do, the answer is the caller's whatever it is.
    /// </remarks>
    public sealed class TokenHandler : DelegatingHandler
    {
        private const int MostNonces = 3;
        private static readonly Regex NonceError = new Regex("(^|[\\s,])error\\s*=\\s*\"?use_dpop_nonce\"?\\s*(,|$)", RegexOptions.CultureInvariant);

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
            Uri url = AllowedUrl(request);
            if (BufferContent && request.Content != null)
            {
                await request.Content.LoadIntoBufferAsync().ConfigureAwait(false);
            }
            Token token = await _client.TokenAsync(_tokenRequest, cancellationToken: cancellationToken).ConfigureAwait(false);
            HttpResponseMessage answer = await SendWith(request, url, token, cancellationToken).ConfigureAwait(false);
            if (answer.StatusCode != HttpStatusCode.Unauthorized || AsksForNonce(answer) || WasWithoutToken(request))
            {
                return answer;
            }
            Token newer;
            try
            {
                _client.Reject(token, _tokenRequest);
                if (!CanRepeat(request))
                {
                    return answer;
                }
                newer = await _client.TokenAsync(_tokenRequest, cancellationToken: cancellationToken).ConfigureAwait(false);
            }
            catch
            {
                answer.Dispose();
                throw;
            }
            if (newer.Generation == token.Generation)
            {
                return answer;
            }
            answer.Dispose();
            return await SendWith(request, url, newer, cancellationToken).ConfigureAwait(false);
        }

#if NET8_0_OR_GREATER
        /// <inheritdoc/>
        /// <exception cref="SeglException">There is no token to be had, or the URL is not one to send it to.</exception>
        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            // On the pool: an inner handler may wait for the thread that waits here.
            return Task.Run(() => SendAsync(request, cancellationToken), cancellationToken).GetAwaiter().GetResult();
        }
#endif

        /// <summary>Sends the request with that token; as long as the server asks for a nonce and gives one, again with that.</summary>
        private async Task<HttpResponseMessage> SendWith(HttpRequestMessage request, Uri url, Token token, CancellationToken cancellationToken)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue(token.Dpop ? "DPoP" : "Bearer", token.AccessToken);
            for (int nonces = 0; ; nonces++)
            {
                // An inner handler may have put another there.
                request.RequestUri = url;
                if (token.Dpop)
                {
                    string target = url.GetLeftPart(UriPartial.Query);
                    string proof = await Task.Run(() => _client.DpopProof(request.Method.Method, target, token.AccessToken, null, cancellationToken), cancellationToken).ConfigureAwait(false);
                    request.Headers.Remove("DPoP");
                    request.Headers.TryAddWithoutValidation("DPoP", proof);
                }
                HttpResponseMessage answer = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
                if (!token.Dpop || WasWithoutToken(request) || !KeepNonce(answer, url) || !AsksForNonce(answer) || nonces == MostNonces || !CanRepeat(request))
                {
                    return answer;
                }
                answer.Dispose();
            }
        }

        /// <summary>Keeps the nonce of an answer, and says whether there was one.</summary>
        private bool KeepNonce(HttpResponseMessage answer, Uri url)
        {
            if (!answer.Headers.TryGetValues("DPoP-Nonce", out var nonces))
            {
                return false;
            }
            try
            {
                _client.DpopNonce(url.GetLeftPart(UriPartial.Query), nonces.First());
                return true;
            }
            catch (UsageException exception) when (exception.Code == ErrorCode.InvalidArgument)
            {
                // What is no nonce goes into no proof; the answer is an answer nevertheless.
                return false;
            }
        }

        /// <summary>Whether the inner handler took the token off, as those of .NET do before they follow a redirect: what was answered then is no word about the token.</summary>
        private static bool WasWithoutToken(HttpRequestMessage request) => request.Headers.Authorization is null;

        private bool CanRepeat(HttpRequestMessage request) => BufferContent || request.Content is null || request.Content is ByteArrayContent;

        private static bool AsksForNonce(HttpResponseMessage answer)
        {
            return answer.StatusCode == HttpStatusCode.Unauthorized
                && answer.Headers.WwwAuthenticate.Any(challenge =>
                    string.Equals(challenge.Scheme, "DPoP", StringComparison.OrdinalIgnoreCase) && NonceError.IsMatch(challenge.Parameter ?? ""));
        }

        /// <summary>The request's URL, if a token may go there.</summary>
        private Uri AllowedUrl(HttpRequestMessage request)
        {
            Uri? url = request.RequestUri;
            if (url is null || !url.IsAbsoluteUri)
            {
                throw new SeglException(ErrorCode.Url, "the request has no absolute URL, so no token can go with it");
            }
            if (url.UserInfo.Length > 0)
            {
                throw new SeglException(ErrorCode.Url, "the URL holds a user name or password; leave them out");
            }
            _client.RequireAllowed(url.GetLeftPart(UriPartial.Query));
            return url;
        }
    }
}
