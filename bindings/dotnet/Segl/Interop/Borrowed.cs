using System;
using System.Runtime.InteropServices;

namespace Segl.Interop
{
    /// <summary>A handle that goes into a struct, where the marshaller does not hold it.</summary>
    internal readonly struct Borrowed : IDisposable
    {
        private readonly SafeHandle? _handle;

        internal Borrowed(SafeHandle? handle)
        {
            _handle = null;
            if (handle != null)
            {
                bool added = false;
                handle.DangerousAddRef(ref added);
                _handle = handle;
            }
        }

        internal IntPtr Handle => _handle is null ? IntPtr.Zero : _handle.DangerousGetHandle();

        public void Dispose() => _handle?.DangerousRelease();
    }
}
