using System;
using System.Runtime.InteropServices;

namespace Segl.Interop
{
    /// <summary>The functions of segl.h under their own names. Every signature is blittable but for the handles.</summary>
    /// <remarks>The library is chosen by <see cref="LibraryLoader"/>, which runs before the first of them.</remarks>
    internal static unsafe class NativeMethods
    {
        internal const string Library = "segl";
        private const CallingConvention C = CallingConvention.Cdecl;

        internal const uint CallResponseJson = 1;
        internal const uint TokenFromCache = 1;
        internal const uint TokenUnchanged = 2;
        internal const uint TokenDpop = 4;

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern uint segl_abi_version();

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern byte* segl_version();

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern IntPtr segl_shutdown();

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern IntPtr segl_log_set(NativeLogSink* sink, int maxLevel);

        // Errors and bytes

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern int segl_error_code(IntPtr error);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern byte* segl_error_name(int code);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern byte* segl_error_message(IntPtr error, UIntPtr* len);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern int segl_error_int(IntPtr error, int field, long* value);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern byte* segl_error_str(IntPtr error, int field, UIntPtr* len);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern void segl_error_free(IntPtr error);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern void segl_bytes_free(NativeBytes* bytes);

        // What callbacks use

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern void segl_fail_set(IntPtr fail, int code, byte* message, UIntPtr messageLen);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern void segl_reply_set(IntPtr reply, int status, byte* headersJson, UIntPtr headersJsonLen, byte* body, UIntPtr bodyLen);

        // Cancel tokens

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern IntPtr segl_cancel_new(out CancelHandle cancel);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern void segl_cancel_trigger(CancelHandle cancel);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern void segl_cancel_free(IntPtr cancel);

        // Signers

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern IntPtr segl_signer_open(byte* uri, UIntPtr uriLen, byte* pin, UIntPtr pinLen, NativeCall* call, out SignerHandle signer);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern IntPtr segl_signer_from_bytes(byte* key, UIntPtr keyLen, byte* passphrase, UIntPtr passphraseLen, out SignerHandle signer);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern IntPtr segl_signer_from_vtable(NativeSignerVtable* vtable, byte* publicJwk, UIntPtr publicJwkLen, out SignerHandle signer);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern IntPtr segl_signer_describe(SignerHandle signer, NativeBytes* json);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern IntPtr segl_signer_public_jwk(SignerHandle signer, NativeBytes* json);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern IntPtr segl_signer_health(SignerHandle signer, NativeBytes* json);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern IntPtr segl_signer_sign(SignerHandle signer, byte* alg, UIntPtr algLen, byte* message, UIntPtr messageLen, NativeCall* call, NativeBytes* signature);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern IntPtr segl_signer_probe(SignerHandle signer, NativeCall* call);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern void segl_signer_free(IntPtr signer);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern IntPtr segl_jws_sign(SignerHandle signer, byte* headerJson, UIntPtr headerJsonLen, byte* payload, UIntPtr payloadLen, NativeCall* call, NativeBytes* compact);

        // Transports

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern IntPtr segl_transport_from_vtable(NativeTransportVtable* vtable, out TransportHandle transport);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern void segl_transport_free(IntPtr transport);

        // Clients

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern IntPtr segl_client_new(NativeClientParams* parameters, NativeCall* call, out ClientHandle client);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern IntPtr segl_client_open(byte* path, UIntPtr pathLen, byte* name, UIntPtr nameLen, NativeCall* call, out ClientHandle client);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern IntPtr segl_client_assertion(ClientHandle client, byte* request, UIntPtr requestLen, NativeCall* call, NativeBytes* jwt);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern IntPtr segl_client_registration(ClientHandle client, NativeCall* call, NativeBytes* jwt);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern IntPtr segl_client_token(ClientHandle client, byte* request, UIntPtr requestLen, NativeCall* call, NativeToken* token);

        /// <summary>With the bare handle: the marshaller of the others costs some 30 ns. Handles are checked keys, so one that was freed is an error and no more.</summary>
        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern IntPtr segl_client_token_if_newer(IntPtr client, byte* request, UIntPtr requestLen, ulong generation, NativeCall* call, NativeToken* token);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern void segl_token_free(NativeToken* token);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern IntPtr segl_client_require_allowed(ClientHandle client, byte* url, UIntPtr urlLen);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern IntPtr segl_client_reject(ClientHandle client, byte* request, UIntPtr requestLen, ulong generation);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern IntPtr segl_client_forget(ClientHandle client, byte* request, UIntPtr requestLen);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern IntPtr segl_client_health(ClientHandle client, NativeBytes* json);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern IntPtr segl_client_send(ClientHandle client, NativeHttpRequest* request, byte* tokenRequest, UIntPtr tokenRequestLen, NativeCall* call, NativeHttpResponse* response);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern IntPtr segl_client_call_api(ClientHandle client, byte* operation, UIntPtr operationLen, byte* input, UIntPtr inputLen, byte* tokenRequest, UIntPtr tokenRequestLen, NativeCall* call, NativeBytes* json);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern void segl_http_response_free(NativeHttpResponse* response);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern IntPtr segl_client_dpop_proof(ClientHandle client, byte* method, UIntPtr methodLen, byte* url, UIntPtr urlLen, byte* accessToken, UIntPtr accessTokenLen, NativeCall* call, NativeBytes* proof);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern IntPtr segl_client_dpop_nonce(ClientHandle client, byte* url, UIntPtr urlLen, byte* nonce, UIntPtr nonceLen);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern void segl_client_free(IntPtr client);

        // Validators

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern IntPtr segl_validator_new(NativeValidatorParams* parameters, out ValidatorHandle validator);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern IntPtr segl_validator_check(ValidatorHandle validator, byte* token, UIntPtr tokenLen, byte* requirements, UIntPtr requirementsLen, NativeCall* call, NativeBytes* json);

        [DllImport(Library, CallingConvention = C, ExactSpelling = true)]
        internal static extern void segl_validator_free(IntPtr validator);
    }
}
