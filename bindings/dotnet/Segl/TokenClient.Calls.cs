using System;
using System.Threading;
using System.Threading.Tasks;
using Segl.Interop;
using Segl.Json;

namespace Segl
{
    public sealed unsafe partial class TokenClient
    {
        /// <summary>Makes a signed assertion, without network.</summary>
        /// <param name="request">What it is for; null for what the settings say.</param>
        /// <param name="timeout">The longest that it may take; null leaves it to segl.</param>
        /// <param name="cancellationToken">Ends it early.</param>
        /// <returns>A JWT.</returns>
        public string Assertion(TokenRequest? request = null, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
        {
            ClientHandle handle = Live();
            NativeBytes jwt = default;
            byte[]? json = request?.Utf8;
            using var bounds = new CallBounds(timeout, cancellationToken);
            NativeCall call = bounds.Call();
            fixed (byte* text = json)
            {
                NativeError.Check(NativeMethods.segl_client_assertion(handle, text, (UIntPtr)(json?.Length ?? 0), &call, &jwt), cancellationToken);
            }
            return NativeOutput.TakeText(&jwt);
        }

        /// <summary><see cref="Assertion"/> on a thread of the pool, which it blocks.</summary>
        /// <param name="request">What it is for; null for what the settings say.</param>
        /// <param name="timeout">The longest that it may take; null leaves it to segl.</param>
        /// <param name="cancellationToken">Ends it early.</param>
        /// <returns>A JWT.</returns>
        public Task<string> AssertionAsync(TokenRequest? request = null, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
        {
            return Task.Run(() => Assertion(request, timeout, cancellationToken), cancellationToken);
        }

        /// <summary>Makes the JWT that registers the client's public key with DNB; of several keys, the first one.</summary>
        /// <param name="timeout">The longest that it may take; null leaves it to segl.</param>
        /// <param name="cancellationToken">Ends it early.</param>
        /// <returns>A JWT.</returns>
        /// <exception cref="UsageException"><see cref="ErrorCode.Unsupported"/> for other profiles.</exception>
        public string Registration(TimeSpan? timeout = null, CancellationToken cancellationToken = default)
        {
            ClientHandle handle = Live();
            NativeBytes jwt = default;
            using var bounds = new CallBounds(timeout, cancellationToken);
            NativeCall call = bounds.Call();
            NativeError.Check(NativeMethods.segl_client_registration(handle, &call, &jwt), cancellationToken);
            return NativeOutput.TakeText(&jwt);
        }

        /// <summary><see cref="Registration"/> on a thread of the pool, which it blocks.</summary>
        /// <param name="timeout">The longest that it may take; null leaves it to segl.</param>
        /// <param name="cancellationToken">Ends it early.</param>
        /// <returns>A JWT.</returns>
        public Task<string> RegistrationAsync(TimeSpan? timeout = null, CancellationToken cancellationToken = default)
        {
            return Task.Run(() => Registration(timeout, cancellationToken), cancellationToken);
        }

        /// <summary>Sends a request to an API with the client's token; after a 401 once more, with a new one. Every status is an answer. Redirects are not followed.</summary>
        /// <param name="request">The request. The setting <c>apis</c> limits which URLs there may be.</param>
        /// <param name="tokenRequest">What the token is for; null for what the settings say.</param>
        /// <param name="timeout">The longest that it may take; null leaves it to segl.</param>
        /// <param name="cancellationToken">Ends it early.</param>
        /// <returns>The answer.</returns>
        public HttpResponse Send(HttpRequest request, TokenRequest? tokenRequest = null, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
        {
            ClientHandle handle = Live();
            NativeInput method = NativeInput.Of((request ?? throw new ArgumentNullException(nameof(request))).Method);
            NativeInput url = NativeInput.Of(request.Url);
            NativeInput headers = NativeInput.Of(JsonWriter.Headers(request.Headers));
            NativeInput body = NativeInput.Of(request.Body);
            byte[]? json = tokenRequest?.Utf8;
            NativeHttpResponse response = default;
            response.StructSize = (UIntPtr)sizeof(NativeHttpResponse);
            using var bounds = new CallBounds(timeout, cancellationToken);
            NativeCall call = bounds.Call();
            fixed (byte* methodText = method.Bytes)
            fixed (byte* urlText = url.Bytes)
            fixed (byte* headersJson = headers.Bytes)
            fixed (byte* bytes = body.Bytes)
            fixed (byte* text = json)
            {
                var native = new NativeHttpRequest
                {
                    StructSize = (UIntPtr)sizeof(NativeHttpRequest),
                    Method = methodText,
                    MethodLen = method.Length,
                    Url = urlText,
                    UrlLen = url.Length,
                    HeadersJson = headersJson,
                    HeadersJsonLen = headers.Length,
                    Body = bytes,
                    BodyLen = body.Length,
                };
                NativeError.Check(NativeMethods.segl_client_send(handle, &native, text, (UIntPtr)(json?.Length ?? 0), &call, &response), cancellationToken);
            }
            try
            {
                return new HttpResponse(
                    response.Status,
                    HeaderList.Parse(NativeOutput.Text(response.HeadersJson.Data, response.HeadersJson.Len)),
                    NativeOutput.Copy(response.Body.Data, response.Body.Len));
            }
            finally
            {
                NativeMethods.segl_http_response_free(&response);
            }
        }

        /// <summary><see cref="Send"/> on a thread of the pool, which it blocks.</summary>
        /// <param name="request">The request.</param>
        /// <param name="tokenRequest">What the token is for; null for what the settings say.</param>
        /// <param name="timeout">The longest that it may take; null leaves it to segl.</param>
        /// <param name="cancellationToken">Ends it early.</param>
        /// <returns>The answer.</returns>
        public Task<HttpResponse> SendAsync(HttpRequest request, TokenRequest? tokenRequest = null, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
        {
            return Task.Run(() => Send(request, tokenRequest, timeout, cancellationToken), cancellationToken);
        }

        /// <summary>Calls an operation of an API that segl knows, with the client's token: "krr.lookup" and the others in docs/services.md.</summary>
        /// <param name="operation">Service and operation.</param>
        /// <param name="inputJson">A JSON object, as docs/operations.schema.json has it for the operation.</param>
        /// <param name="tokenRequest">What the token is for; null for what the settings say.</param>
        /// <param name="timeout">The longest that it may take; null leaves it to segl.</param>
        /// <param name="cancellationToken">Ends it early.</param>
        /// <returns>The answer, a JSON object. It may be about a person.</returns>
        /// <example><code>string answer = client.CallApi("krr.lookup", "{\"persons\":[\"05848998356\"]}");</code></example>
        /// <remarks>
        /// The token is replaced once when the API refuses it, and what changes nothing is sent again after failures that pass. The setting
        /// <c>services</c> says where an API is, when that is not where the client's environment has it.
        /// </remarks>
        /// <exception cref="UsageException"><see cref="ErrorCode.InvalidArgument"/> for an operation or input that is none, whose values the message does not repeat; <see cref="ErrorCode.Config"/> for the setting <c>services</c>.</exception>
        /// <exception cref="ApiException">The API refused.</exception>
        public string CallApi(string operation, string inputJson, TokenRequest? tokenRequest = null, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
        {
            ClientHandle handle = Live();
            NativeInput name = NativeInput.Of(operation ?? throw new ArgumentNullException(nameof(operation)));
            NativeInput input = NativeInput.Of(inputJson ?? throw new ArgumentNullException(nameof(inputJson)));
            byte[]? json = tokenRequest?.Utf8;
            NativeBytes answer = default;
            using var bounds = new CallBounds(timeout, cancellationToken);
            NativeCall call = bounds.Call();
            fixed (byte* nameText = name.Bytes)
            fixed (byte* inputText = input.Bytes)
            fixed (byte* text = json)
            {
                NativeError.Check(NativeMethods.segl_client_call_api(handle, nameText, name.Length, inputText, input.Length, text, (UIntPtr)(json?.Length ?? 0), &call, &answer), cancellationToken);
            }
            return NativeOutput.TakeText(&answer);
        }

        /// <summary><see cref="CallApi"/> on a thread of the pool, which it blocks.</summary>
        /// <param name="operation">Service and operation.</param>
        /// <param name="inputJson">A JSON object, as docs/operations.schema.json has it for the operation.</param>
        /// <param name="tokenRequest">What the token is for; null for what the settings say.</param>
        /// <param name="timeout">The longest that it may take; null leaves it to segl.</param>
        /// <param name="cancellationToken">Ends it early.</param>
        /// <returns>The answer, a JSON object. It may be about a person.</returns>
        public Task<string> CallApiAsync(string operation, string inputJson, TokenRequest? tokenRequest = null, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
        {
            return Task.Run(() => CallApi(operation, inputJson, tokenRequest, timeout, cancellationToken), cancellationToken);
        }

        /// <summary>Makes a DPoP proof (RFC 9449) for one request, for the header <c>DPoP</c>. Each request has its own, a repeated one too.</summary>
        /// <param name="method">The method in upper case.</param>
        /// <param name="url">The whole URL of the request.</param>
        /// <param name="accessToken">The token that goes with it; null for a request to the token endpoint of a flow of the program's own.</param>
        /// <param name="timeout">The longest that it may take; null leaves it to segl.</param>
        /// <param name="cancellationToken">Ends it early.</param>
        /// <returns>A JWT.</returns>
        /// <exception cref="UsageException"><see cref="ErrorCode.Unsupported"/> when the client has no DPoP key.</exception>
        public string DpopProof(string method, string url, string? accessToken = null, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
        {
            ClientHandle handle = Live();
            NativeInput verb = NativeInput.Of(method ?? throw new ArgumentNullException(nameof(method)));
            NativeInput target = NativeInput.Of(url ?? throw new ArgumentNullException(nameof(url)));
            NativeInput token = NativeInput.Of(accessToken);
            NativeBytes proof = default;
            using var bounds = new CallBounds(timeout, cancellationToken);
            NativeCall call = bounds.Call();
            fixed (byte* methodText = verb.Bytes)
            fixed (byte* urlText = target.Bytes)
            fixed (byte* tokenText = token.Bytes)
            {
                NativeError.Check(NativeMethods.segl_client_dpop_proof(handle, methodText, verb.Length, urlText, target.Length, tokenText, token.Length, &call, &proof), cancellationToken);
            }
            return NativeOutput.TakeText(&proof);
        }

        /// <summary>Checks that the setting <c>apis</c> lets this client's tokens be sent to a URL; without the setting, every one is allowed.</summary>
        /// <remarks>For programs that send their own requests with the tokens. <see cref="Send"/> and <see cref="TokenHandler"/> do it by themselves.</remarks>
        /// <param name="url">The whole URL of the request.</param>
        /// <exception cref="SeglException"><see cref="ErrorCode.ApiNotAllowed"/> when a token must not go there, <see cref="ErrorCode.Url"/> for what is not an https URL, or an http one on the loopback interface.</exception>
        public void RequireAllowed(string url)
        {
            NativeInput target = NativeInput.Of(url ?? throw new ArgumentNullException(nameof(url)));
            fixed (byte* urlText = target.Bytes)
            {
                NativeError.Check(NativeMethods.segl_client_require_allowed(Live(), urlText, target.Length));
            }
        }

        /// <summary>Keeps the nonce that a server gave in the header <c>DPoP-Nonce</c> of an answer, for the next proofs for that server.</summary>
        /// <param name="url">The URL of the request.</param>
        /// <param name="nonce">The header's value.</param>
        public void DpopNonce(string url, string nonce)
        {
            NativeInput target = NativeInput.Of(url ?? throw new ArgumentNullException(nameof(url)));
            NativeInput value = NativeInput.Of(nonce ?? throw new ArgumentNullException(nameof(nonce)));
            fixed (byte* urlText = target.Bytes)
            fixed (byte* nonceText = value.Bytes)
            {
                NativeError.Check(NativeMethods.segl_client_dpop_nonce(Live(), urlText, target.Length, nonceText, value.Length));
            }
        }
    }
}
