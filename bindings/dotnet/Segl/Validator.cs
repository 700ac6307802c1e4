using System;
using System.Threading;
using System.Threading.Tasks;
using Segl.Interop;

namespace Segl
{
    /// <summary>Checks access tokens that a program receives: signature, issuer, time, and what the program asks for, such as the consumer and the scope.</summary>
    /// <remarks>
    /// It keeps the issuer's keys, and fetches them again before they are too old and when a token is signed with another. Made once for each
    /// issuer and shared: any thread may use it at any time, and dispose of it. Calls throw <see cref="SeglException"/> for what goes wrong,
    /// <see cref="OperationCanceledException"/> when they were cancelled, and <see cref="ObjectDisposedException"/> afterwards.
    /// </remarks>
    public sealed unsafe class Validator : IDisposable
    {
        private readonly ValidatorHandle _handle;

        // A SafeHandle is not closed while a call on another thread holds it.
        private volatile bool _disposed;

        private Validator(ValidatorHandle handle)
        {
            _handle = handle;
        }

        /// <summary>Makes the validator that a configuration file names.</summary>
        /// <param name="path">The segl.toml.</param>
        /// <param name="name">The validator's name in it.</param>
        /// <param name="transport">Fetches keys in the place of segl's own HTTP. It is held until the last use of the validator.</param>
        /// <returns>The validator.</returns>
        /// <exception cref="SeglLibraryException">The native library was not found, or cannot be used.</exception>
        public static Validator Open(string path, string name, IHttpTransport? transport = null)
        {
            NativeInput file = NativeInput.Of(path ?? throw new ArgumentNullException(nameof(path)));
            NativeInput validator = NativeInput.Of(name ?? throw new ArgumentNullException(nameof(name)));
            fixed (byte* pathText = file.Bytes)
            fixed (byte* nameText = validator.Bytes)
            {
                var parameters = new NativeValidatorParams
                {
                    ConfigPath = pathText,
                    ConfigPathLen = file.Length,
                    ValidatorName = nameText,
                    ValidatorNameLen = validator.Length,
                };
                return Make(parameters, transport);
            }
        }

        /// <summary>Makes a validator from settings. Nothing is sent before the first token.</summary>
        /// <param name="configJson">A JSON object, as docs/config.schema.json has it under ValidatorSettings.</param>
        /// <param name="transport">Fetches keys in the place of segl's own HTTP. It is held until the last use of the validator.</param>
        /// <returns>The validator.</returns>
        /// <exception cref="SeglLibraryException">The native library was not found, or cannot be used.</exception>
        public static Validator Create(string configJson, IHttpTransport? transport = null)
        {
            NativeInput config = NativeInput.Of(configJson ?? throw new ArgumentNullException(nameof(configJson)));
            fixed (byte* text = config.Bytes)
            {
                return Make(new NativeValidatorParams { ConfigJson = text, ConfigJsonLen = config.Length }, transport);
            }
        }

        /// <summary>Checks a token. While the issuer's keys are known nothing is sent, and nobody waits for their replacement.</summary>
        /// <param name="token">The token as it was received, without "Bearer".</param>
        /// <param name="requirementsJson">What the token must be for, a JSON object whose members go before the settings: <c>scopes</c>, <c>audience</c>, <c>consumer</c>, <c>supplier</c>, <c>consent</c> and the others that docs/services.md names; null for what the settings say.</param>
        /// <param name="timeout">The longest that it may take; null leaves it to segl.</param>
        /// <param name="cancellationToken">Ends it early.</param>
        /// <returns>What the token says, a JSON object. It may be about a person.</returns>
        /// <example><code>validator.Check(token, "{\"consent\":{\"from\":\"05848998356\",\"resources\":[\"bank-saldo\"]}}");</code></example>
        /// <exception cref="ValidationException">The token is not what is asked for, for the reason that <see cref="SeglException.Code"/> names; or <see cref="ErrorCode.JwksUnavailable"/>: the issuer's keys were never to be had.</exception>
        /// <exception cref="UsageException"><see cref="ErrorCode.InvalidArgument"/> for requirements that are none.</exception>
        public string Check(string token, string? requirementsJson = null, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
        {
            ValidatorHandle handle = Live();
            NativeInput jwt = NativeInput.Of(token ?? throw new ArgumentNullException(nameof(token)));
            NativeInput requirements = NativeInput.Of(requirementsJson);
            NativeBytes claims = default;
            using var bounds = new CallBounds(timeout, cancellationToken);
            NativeCall call = bounds.Call();
            fixed (byte* tokenText = jwt.Bytes)
            fixed (byte* requirementsText = requirements.Bytes)
            {
                NativeError.Check(NativeMethods.segl_validator_check(handle, tokenText, jwt.Length, requirementsText, requirements.Length, &call, &claims), cancellationToken);
            }
            return NativeOutput.TakeText(&claims);
        }

        /// <summary><see cref="Check"/> on a thread of the pool, which it blocks.</summary>
        /// <param name="token">The token as it was received, without "Bearer".</param>
        /// <param name="requirementsJson">What the token must be for; null for what the settings say.</param>
        /// <param name="timeout">The longest that it may take; null leaves it to segl.</param>
        /// <param name="cancellationToken">Ends it early.</param>
        /// <returns>What the token says, a JSON object. It may be about a person.</returns>
        public Task<string> CheckAsync(string token, string? requirementsJson = null, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
        {
            return Task.Run(() => Check(token, requirementsJson, timeout, cancellationToken), cancellationToken);
        }

        /// <summary>Frees the validator and its keys; calls that run on other threads end as they would. Again is harmless.</summary>
        public void Dispose()
        {
            _disposed = true;
            _handle.Dispose();
        }

        private static Validator Make(NativeValidatorParams parameters, IHttpTransport? transport)
        {
            LibraryLoader.Ensure();
            // Only the validator keeps it.
            using TransportHandle? transportHandle = transport is null ? null : TransportCallbacks.Make(transport);
            using var borrowed = new Borrowed(transportHandle);
            parameters.StructSize = (UIntPtr)sizeof(NativeValidatorParams);
            parameters.Transport = borrowed.Handle;
            NativeError.Check(NativeMethods.segl_validator_new(&parameters, out ValidatorHandle handle));
            return new Validator(handle);
        }

        private ValidatorHandle Live() => _disposed ? throw new ObjectDisposedException(nameof(Validator)) : _handle;
    }
}
