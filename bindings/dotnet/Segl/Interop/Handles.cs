using System;
using Microsoft.Win32.SafeHandles;

namespace Segl.Interop
{
    // The marshaller holds a reference during each call: a handle that is disposed of meanwhile is freed after it.

    internal sealed class SignerHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        public SignerHandle()
            : base(true)
        {
        }

        protected override bool ReleaseHandle()
        {
            NativeMethods.segl_signer_free(handle);
            return true;
        }
    }

    internal sealed class ClientHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        public ClientHandle()
            : base(true)
        {
        }

        protected override bool ReleaseHandle()
        {
            NativeMethods.segl_client_free(handle);
            return true;
        }
    }

    internal sealed class ValidatorHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        public ValidatorHandle()
            : base(true)
        {
        }

        protected override bool ReleaseHandle()
        {
            NativeMethods.segl_validator_free(handle);
            return true;
        }
    }

    internal sealed class CancelHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        public CancelHandle()
            : base(true)
        {
        }

        protected override bool ReleaseHandle()
        {
            NativeMethods.segl_cancel_free(handle);
            return true;
        }
    }

    internal sealed class TransportHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        public TransportHandle()
            : base(true)
        {
        }

        protected override bool ReleaseHandle()
        {
            NativeMethods.segl_transport_free(handle);
            return true;
        }
    }
}
