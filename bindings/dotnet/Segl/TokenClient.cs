using System;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;
using Segl.Interop;

namespace Segl
{
    /// <summary>A client of a token endpoint, with its cache. Made once and shared: any thread may use it at any time, and dispose of it.</summary>
    /// <remarks>
    /// Calls block; without a time-out, as long as segl's defaults allow. All throw <see cref="SeglException"/> for what goes wrong,
    /// <see cref="OperationCanceledException"/> when they were cancelled, and <see cref="ObjectDisposedException"/> afterwards. The methods
    /// whose names end with Async do the same on a thread of the pool, which they block.
    /// </remarks>
    public sealed unsafe partial class TokenClient : IDisposable
    {
        private readonly ClientHandle _handle;
        private readonly IntPtr _key;
        private readonly object _identity = new object();

        [DebuggerBrowsable(DebuggerBrowsableState.Never)]
        private Token? _held;

        // A SafeHandle is not closed while a call on another thread holds it.
        private volatile bool _disposed;

        private TokenClient(ClientHandle handle)
        {
            _handle = handle;
            _key = handle.DangerousGetHandle();
        }

        /// <summary>Makes the client that a configuration file names, and opens its key.</summary>
        /// <param name="path">The segl.toml.</param>
        /// <param name="name">The client's name in it.</param>
        /// <param name="options">Keys and a transport of the program's own, and the bounds of the opening.</param>
        /// <returns>The client.</returns>
        /// <exception cref="SeglLibraryException">The native library was not found, or cannot be used.</exception>
        public static TokenClient Open(string path, string name, TokenClientOptions? options = null)
        {
            LibraryLoader.Ensure();
            return new TokenClient(ClientFactory.Open(path ?? throw new ArgumentNullException(nameof(path)), name ?? throw new ArgumentNullException(nameof(name)), options ?? new TokenClientOptions()));
        }

        /// <summary>Makes a client from settings, and opens its key.</summary>
        /// <param name="config">The settings.</param>
        /// <param name="options">Keys and a transport of the program's own, and the bounds of the opening.</param>
        /// <returns>The client.</returns>
        /// <exception cref="SeglLibraryException">The native library was not found, or cannot be used.</exception>
        public static TokenClient Create(Config config, TokenClientOptions? options = null)
        {
            LibraryLoader.Ensure();
            return new TokenClient(ClientFactory.Create((config ?? throw new ArgumentNullException(nameof(config))).ToJson(), options ?? new TokenClientOptions()));
        }

        /// <summary>Gets an access token that is good for a while: from the cache, or a new one.</summary>
        /// <param name="request">What it is for; null for what the settings say. Keep it and use it again.</param>
        /// <param name="timeout">The longest that it may take; null is 30 seconds.</param>
        /// <param name="withResponse">Whether <see cref="Segl.Token.Response"/> is filled in.</param>
        /// <param name="cancellationToken">Ends it early.</param>
        /// <returns>The token; the same object as long as it is the one to use.</returns>
        /// <remarks>However many callers ask for the same token, it is fetched once, and its successor before it ends.</remarks>
        public Token Token(TokenRequest? request = null, TimeSpan? timeout = null, bool withResponse = false, CancellationToken cancellationToken = default)
        {
            if (timeout is null && !withResponse && !cancellationToken.CanBeCanceled)
            {
                return Fetch(request, null, Held(request), default);
            }
            Live();
            CallBounds.Validate(timeout, cancellationToken);
            Token? held = withResponse ? null : Held(request);
            if (cancellationToken.CanBeCanceled && Cached(request, held) is Token cached)
            {
                return cached;
            }
            using var bounds = new CallBounds(timeout, cancellationToken);
            NativeCall call = bounds.Call(withResponse ? NativeMethods.CallResponseJson : 0);
            return Fetch(request, &call, held, cancellationToken);
        }

        /// <summary><see cref="Token"/> on a thread of the pool, which it blocks. A token that is held and has not changed needs none.</summary>
        /// <param name="request">What it is for; null for what the settings say.</param>
        /// <param name="timeout">The longest that it may take; null is 30 seconds.</param>
        /// <param name="withResponse">Whether <see cref="Segl.Token.Response"/> is filled in.</param>
        /// <param name="cancellationToken">Ends it early.</param>
        /// <returns>The token.</returns>
        public Task<Token> TokenAsync(TokenRequest? request = null, TimeSpan? timeout = null, bool withResponse = false, CancellationToken cancellationToken = default)
        {
            if (cancellationToken.IsCancellationRequested)
            {
                return Task.FromCanceled<Token>(cancellationToken);
            }
            if (!withResponse && timeout is null && Cached(request, Held(request)) is Token cached)
            {
                return Task.FromResult(cached);
            }
            return Task.Run(() => Token(request, timeout, withResponse, cancellationToken), cancellationToken);
        }

        /// <summary>Tells that an API rejected a token (HTTP 401). If it is still the cached one it is dropped, and the next call fetches another.</summary>
        /// <param name="token">The token.</param>
        /// <param name="request">What it was asked for with.</param>
        /// <remarks>Within 10 seconds of a rejection the next one drops nothing.</remarks>
        public void Reject(Token token, TokenRequest? request = null)
        {
            byte[]? json = request?.Utf8;
            fixed (byte* text = json)
            {
                NativeError.Check(NativeMethods.segl_client_reject(Live(), text, (UIntPtr)(json?.Length ?? 0), (token ?? throw new ArgumentNullException(nameof(token))).Generation));
            }
        }

        /// <summary>Forgets tokens in the cache, whatever they are.</summary>
        /// <param name="request">Whose token is forgotten; null forgets all tokens of the client.</param>
        public void Forget(TokenRequest? request = null)
        {
            byte[]? json = request?.Utf8;
            fixed (byte* text = json)
            {
                NativeError.Check(NativeMethods.segl_client_forget(Live(), text, (UIntPtr)(json?.Length ?? 0)));
            }
        }

        /// <summary>How the client is doing, as a JSON object with <c>keys</c>, <c>tls</c>, <c>dpop</c> and <c>tokens</c>. Nothing is sent, and no device is asked.</summary>
        /// <returns>JSON text.</returns>
        public string Health()
        {
            NativeBytes json = default;
            NativeError.Check(NativeMethods.segl_client_health(Live(), &json));
            return NativeOutput.TakeText(&json);
        }

        /// <summary>Frees the client and its cache; calls that run on other threads end as they would. Again is harmless.</summary>
        public void Dispose()
        {
            _disposed = true;
            _handle.Dispose();
            _held = null;
        }

        private Token? Held(TokenRequest? request) => request is null ? Volatile.Read(ref _held) : request.HeldFor(_identity);

        private Token Fetch(TokenRequest? request, NativeCall* call, Token? held, CancellationToken cancellationToken)
        {
            Live();
            // Zero-filled, and faster so than a local of that size.
            NativeToken* native = stackalloc NativeToken[1];
            IntPtr error = Ask(request, held, call, native);
            if (error != IntPtr.Zero)
            {
                Exception exception = NativeError.Take(error, cancellationToken);
                // Disposed of just before the call with the bare handle.
                throw exception is SeglException segl && segl.Number == (int)ErrorCode.InvalidHandle && _disposed ? new ObjectDisposedException(nameof(TokenClient)) : exception;
            }
            return (native->Flags & NativeMethods.TokenUnchanged) != 0 ? held! : Keep(request, native);
        }

        /// <summary>What <see cref="Token"/> gives when that is in the cache, else null. It waits for nothing, and makes no <c>segl_cancel</c>.</summary>
        private Token? Cached(TokenRequest? request, Token? held)
        {
            if (held is null || _disposed)
            {
                return null;
            }
            NativeToken* native = stackalloc NativeToken[1];
            NativeCall call = CallBounds.Over();
            IntPtr error = Ask(request, held, &call, native);
            if (error != IntPtr.Zero)
            {
                NativeMethods.segl_error_free(error);
                return null;
            }
            return (native->Flags & NativeMethods.TokenUnchanged) != 0 ? held : Keep(request, native);
        }

        private IntPtr Ask(TokenRequest? request, Token? held, NativeCall* call, NativeToken* native)
        {
            native->StructSize = (UIntPtr)sizeof(NativeToken);
            byte[]? json = request?.Utf8;
            fixed (byte* text = json)
            {
                UIntPtr length = (UIntPtr)(json is null ? 0 : json.Length);
                if (held is null)
                {
                    return NativeMethods.segl_client_token(_handle, text, length, call, native);
                }
                IntPtr error = NativeMethods.segl_client_token_if_newer(_key, text, length, held.Generation, call, native);
                // The finalizer would free the client in the middle of the call.
                GC.KeepAlive(this);
                return error;
            }
        }

        private Token Keep(TokenRequest? request, NativeToken* native)
        {
            Token token;
            try
            {
                token = new Token(
                    NativeOutput.Text(native->AccessToken.Data, native->AccessToken.Len),
                    native->ExpiresAtMs,
                    (native->Flags & NativeMethods.TokenFromCache) != 0,
                    (native->Flags & NativeMethods.TokenDpop) != 0,
                    native->Generation,
                    native->ResponseJson.Data is null ? null : NativeOutput.Text(native->ResponseJson.Data, native->ResponseJson.Len));
            }
            finally
            {
                NativeMethods.segl_token_free(native);
            }
            if (request is null)
            {
                Volatile.Write(ref _held, token.AsCached());
            }
            else
            {
                request.Hold(_identity, token.AsCached());
            }
            if (_disposed)
            {
                _held = null;
            }
            return token;
        }

        private ClientHandle Live() => _disposed ? throw new ObjectDisposedException(nameof(TokenClient)) : _handle;
    }
}
