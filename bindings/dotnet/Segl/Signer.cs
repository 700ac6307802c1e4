using System;
using System.Threading;
using System.Threading.Tasks;
using Segl.Interop;

namespace Segl
{
    /// <summary>A private key that can sign, wherever it lives. Any thread may use it at any time, and dispose of it.</summary>
    /// <remarks>
    /// Calls block; without a time-out, as long as segl's defaults allow. All throw <see cref="SeglException"/> for what goes wrong,
    /// <see cref="OperationCanceledException"/> when they were cancelled, and <see cref="ObjectDisposedException"/> afterwards.
    /// </remarks>
    public sealed unsafe class Signer : IDisposable
    {
        private readonly SignerHandle _handle;

        // A SafeHandle is not closed while a call on another thread holds it.
        private volatile bool _disposed;

        private Signer(SignerHandle handle)
        {
            _handle = handle;
        }

        internal SignerHandle Handle => Live();

        /// <summary>Opens the key that a URI names.</summary>
        /// <param name="uri"><c>pkcs11:</c> (RFC 7512), <c>awskms:</c> or <c>file:</c>.</param>
        /// <param name="pin">The PIN or passphrase in UTF-8; for <c>awskms:</c> credentials as JSON. Null or empty: the URI's <c>pin-source</c> counts. It may be wiped afterwards.</param>
        /// <param name="timeout">The longest that it may take; null leaves it to segl.</param>
        /// <param name="cancellationToken">Ends it early.</param>
        /// <returns>The key.</returns>
        /// <exception cref="SeglLibraryException">The native library was not found, or cannot be used.</exception>
        public static Signer Open(string uri, byte[]? pin = null, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
        {
            LibraryLoader.Ensure();
            NativeInput where = NativeInput.Of(uri ?? throw new ArgumentNullException(nameof(uri)));
            NativeInput secret = NativeInput.Of(pin);
            using var bounds = new CallBounds(timeout, cancellationToken);
            NativeCall call = bounds.Call();
            fixed (byte* text = where.Bytes)
            fixed (byte* bytes = secret.Bytes)
            {
                NativeError.Check(NativeMethods.segl_signer_open(text, where.Length, bytes, secret.Length, &call, out SignerHandle handle), cancellationToken);
                return new Signer(handle);
            }
        }

        /// <summary>Opens a private key from memory.</summary>
        /// <param name="key">PEM, DER or PKCS#12. It may be wiped afterwards.</param>
        /// <param name="passphrase">Its passphrase in UTF-8; null for none, which is not the same as an empty one.</param>
        /// <returns>The key.</returns>
        /// <exception cref="SeglLibraryException">The native library was not found, or cannot be used.</exception>
        public static Signer FromBytes(byte[] key, byte[]? passphrase = null)
        {
            LibraryLoader.Ensure();
            NativeInput encoded = NativeInput.Of(key ?? throw new ArgumentNullException(nameof(key)));
            NativeInput secret = NativeInput.Of(passphrase);
            fixed (byte* keyBytes = encoded.Bytes)
            fixed (byte* secretBytes = secret.Bytes)
            {
                NativeError.Check(NativeMethods.segl_signer_from_bytes(keyBytes, encoded.Length, secretBytes, secret.Length, out SignerHandle handle));
                return new Signer(handle);
            }
        }

        /// <summary>Makes a signer of a function of the program. Every signature is checked with the public key before it is released.</summary>
        /// <param name="publicJwk">The public key as a JWK (RFC 7517), JSON: RSA, P-256 or P-384.</param>
        /// <param name="callback">Makes the signatures. It is held until the last user of the signer is gone.</param>
        /// <returns>The key.</returns>
        /// <exception cref="SeglLibraryException">The native library was not found, or cannot be used.</exception>
        public static Signer FromCallback(string publicJwk, SignCallback callback)
        {
            LibraryLoader.Ensure();
            return new Signer(SignerCallbacks.Make(publicJwk ?? throw new ArgumentNullException(nameof(publicJwk)), callback ?? throw new ArgumentNullException(nameof(callback))));
        }

        /// <summary>The public key as a JWK (JSON) with <c>kid</c>, its RFC 7638 thumbprint: what is registered at a service. The device is not asked.</summary>
        public string PublicJwk
        {
            get
            {
                NativeBytes json = default;
                NativeError.Check(NativeMethods.segl_signer_public_jwk(Live(), &json));
                return NativeOutput.TakeText(&json);
            }
        }

        /// <summary>Describes the key as a JSON object: <c>kind</c>, <c>uri</c> (without secrets), <c>token</c>, <c>extractable</c>, <c>kty</c>, <c>crv</c>, <c>bits</c>, <c>thumbprint</c>, <c>algorithms</c>, <c>certificates</c>. The device is not asked.</summary>
        /// <returns>JSON text.</returns>
        public string Describe()
        {
            NativeBytes json = default;
            NativeError.Check(NativeMethods.segl_signer_describe(Live(), &json));
            return NativeOutput.TakeText(&json);
        }

        /// <summary>How the key is doing, as a JSON object: <c>state</c>, <c>problem</c>, <c>signatures</c>, <c>last_signature</c>, <c>token</c>. The device is not asked.</summary>
        /// <returns>JSON text.</returns>
        public string Health()
        {
            NativeBytes json = default;
            NativeError.Check(NativeMethods.segl_signer_health(Live(), &json));
            return NativeOutput.TakeText(&json);
        }

        /// <summary>Signs a message.</summary>
        /// <param name="alg">A JOSE name such as "ES256".</param>
        /// <param name="message">What is signed, not hashed yet.</param>
        /// <param name="timeout">The longest that it may take; null leaves it to segl.</param>
        /// <param name="cancellationToken">Ends it early.</param>
        /// <returns>The signature in JOSE form: RSA as it is, ECDSA as R‖S.</returns>
        public byte[] Sign(string alg, byte[] message, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
        {
            NativeInput name = NativeInput.Of(alg ?? throw new ArgumentNullException(nameof(alg)));
            NativeInput input = NativeInput.Of(message ?? throw new ArgumentNullException(nameof(message)));
            NativeBytes signature = default;
            SignerHandle handle = Live();
            using var bounds = new CallBounds(timeout, cancellationToken);
            NativeCall call = bounds.Call();
            fixed (byte* algText = name.Bytes)
            fixed (byte* bytes = input.Bytes)
            {
                NativeError.Check(NativeMethods.segl_signer_sign(handle, algText, name.Length, bytes, input.Length, &call, &signature), cancellationToken);
            }
            return NativeOutput.TakeBytes(&signature);
        }

        /// <summary><see cref="Sign"/> on a thread of the pool, which it blocks.</summary>
        /// <param name="alg">A JOSE name such as "ES256".</param>
        /// <param name="message">What is signed, not hashed yet.</param>
        /// <param name="timeout">The longest that it may take; null leaves it to segl.</param>
        /// <param name="cancellationToken">Ends it early.</param>
        /// <returns>The signature in JOSE form.</returns>
        public Task<byte[]> SignAsync(string alg, byte[] message, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
        {
            return Task.Run(() => Sign(alg, message, timeout, cancellationToken), cancellationToken);
        }

        /// <summary>Signs a payload as a JWS in compact serialisation (RFC 7515 section 7.1).</summary>
        /// <param name="headerJson">The protected header, a JSON object with <c>alg</c>. <c>crit</c> and <c>b64</c> are refused.</param>
        /// <param name="payload">The payload as it is, such as the claims of a JWT in JSON.</param>
        /// <param name="timeout">The longest that it may take; null leaves it to segl.</param>
        /// <param name="cancellationToken">Ends it early.</param>
        /// <returns>Header, payload and signature with points between.</returns>
        public string Jws(string headerJson, byte[] payload, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
        {
            NativeInput header = NativeInput.Of(headerJson ?? throw new ArgumentNullException(nameof(headerJson)));
            NativeInput content = NativeInput.Of(payload ?? throw new ArgumentNullException(nameof(payload)));
            NativeBytes compact = default;
            SignerHandle handle = Live();
            using var bounds = new CallBounds(timeout, cancellationToken);
            NativeCall call = bounds.Call();
            fixed (byte* headerText = header.Bytes)
            fixed (byte* bytes = content.Bytes)
            {
                NativeError.Check(NativeMethods.segl_jws_sign(handle, headerText, header.Length, bytes, content.Length, &call, &compact), cancellationToken);
            }
            return NativeOutput.TakeText(&compact);
        }

        /// <summary><see cref="Jws"/> on a thread of the pool, which it blocks.</summary>
        /// <param name="headerJson">The protected header, a JSON object with <c>alg</c>.</param>
        /// <param name="payload">The payload as it is.</param>
        /// <param name="timeout">The longest that it may take; null leaves it to segl.</param>
        /// <param name="cancellationToken">Ends it early.</param>
        /// <returns>Header, payload and signature with points between.</returns>
        public Task<string> JwsAsync(string headerJson, byte[] payload, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
        {
            return Task.Run(() => Jws(headerJson, payload, timeout, cancellationToken), cancellationToken);
        }

        /// <summary>Checks that the key can be used now, by a signature where that is the only proof.</summary>
        /// <param name="timeout">The longest that it may take; null leaves it to segl.</param>
        /// <param name="cancellationToken">Ends it early.</param>
        public void Probe(TimeSpan? timeout = null, CancellationToken cancellationToken = default)
        {
            SignerHandle handle = Live();
            using var bounds = new CallBounds(timeout, cancellationToken);
            NativeCall call = bounds.Call();
            NativeError.Check(NativeMethods.segl_signer_probe(handle, &call), cancellationToken);
        }

        /// <summary>Frees the key. Clients that were made with it keep it, and calls that run on other threads end as they would. Again is harmless.</summary>
        public void Dispose()
        {
            _disposed = true;
            _handle.Dispose();
        }

        private SignerHandle Live() => _disposed ? throw new ObjectDisposedException(nameof(Signer)) : _handle;
    }
}
