using System;
using System.Runtime.InteropServices;

namespace Segl.Interop
{
    /// <summary>The vtable of a signer that the program implements.</summary>
    internal static unsafe class SignerCallbacks
    {
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate int SignFunction(IntPtr ctx, byte* alg, UIntPtr algLen, byte* message, UIntPtr messageLen, byte* signature, UIntPtr* signatureLen, IntPtr fail);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate void DestroyFunction(IntPtr ctx);

        private static readonly CallbackTable<SignCallback> Table = new CallbackTable<SignCallback>();

        // Held for the life of the process: native code keeps their addresses.
        private static readonly SignFunction SignHeld = Sign;
        private static readonly DestroyFunction DestroyHeld = Destroy;

        internal static SignerHandle Make(string publicJwk, SignCallback callback)
        {
            IntPtr ctx = Table.Add(callback);
            var vtable = new NativeSignerVtable
            {
                StructSize = (UIntPtr)sizeof(NativeSignerVtable),
                Ctx = ctx,
                Sign = Marshal.GetFunctionPointerForDelegate(SignHeld),
                Destroy = Marshal.GetFunctionPointerForDelegate(DestroyHeld),
            };
            NativeInput jwk = NativeInput.Of(publicJwk);
            fixed (byte* text = jwk.Bytes)
            {
                IntPtr error = NativeMethods.segl_signer_from_vtable(&vtable, text, jwk.Length, out SignerHandle handle);
                if (error != IntPtr.Zero)
                {
                    Table.Remove(ctx);
                    NativeError.Check(error);
                }
                return handle;
            }
        }

        private static int Sign(IntPtr ctx, byte* alg, UIntPtr algLen, byte* message, UIntPtr messageLen, byte* signature, UIntPtr* signatureLen, IntPtr fail)
        {
            try
            {
                byte[]? made = Table.Get(ctx)(NativeOutput.Text(alg, algLen), NativeOutput.Copy(message, messageLen));
                if (made is null)
                {
                    throw new InvalidOperationException("the signer returned null");
                }
                if (made.Length > (int)*signatureLen)
                {
                    throw new InvalidOperationException("the signer returned " + made.Length + " bytes, which is too long for a signature");
                }
                Marshal.Copy(made, 0, (IntPtr)signature, made.Length);
                *signatureLen = (UIntPtr)made.Length;
                return 0;
            }
            catch (Exception exception)
            {
                CallbackFailure.Report(fail, exception);
                return 1;
            }
        }

        private static void Destroy(IntPtr ctx) => Table.Remove(ctx);
    }
}
