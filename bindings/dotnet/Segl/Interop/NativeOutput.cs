using System;
using System.Text;

namespace Segl.Interop
{
    /// <summary>What segl hands out, as .NET's own; the native memory is freed.</summary>
    internal static unsafe class NativeOutput
    {
        internal static string TakeText(NativeBytes* bytes)
        {
            try
            {
                return Text(bytes->Data, bytes->Len);
            }
            finally
            {
                NativeMethods.segl_bytes_free(bytes);
            }
        }

        internal static byte[] TakeBytes(NativeBytes* bytes)
        {
            try
            {
                return Copy(bytes->Data, bytes->Len);
            }
            finally
            {
                NativeMethods.segl_bytes_free(bytes);
            }
        }

        internal static string Text(byte* data, UIntPtr length)
        {
            return data is null || length == UIntPtr.Zero ? "" : Encoding.UTF8.GetString(data, checked((int)length));
        }

        /// <summary>A text that ends with NUL.</summary>
        internal static string Text(byte* data)
        {
            int length = 0;
            while (data[length] != 0)
            {
                length++;
            }
            return Encoding.UTF8.GetString(data, length);
        }

        internal static byte[] Copy(byte* data, UIntPtr length)
        {
            byte[] copy = new byte[checked((int)length)];
            if (copy.Length > 0)
            {
                System.Runtime.InteropServices.Marshal.Copy((IntPtr)data, copy, 0, copy.Length);
            }
            return copy;
        }
    }
}
