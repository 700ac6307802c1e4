using System;
using System.Text;

namespace Segl.Interop
{
    /// <summary>Bytes for <c>fixed</c>, with their length. Empty is not NULL; NULL is <see cref="None"/>.</summary>
    internal readonly struct NativeInput
    {
        private static readonly byte[] Empty = new byte[1];

        internal readonly byte[]? Bytes;
        internal readonly UIntPtr Length;

        private NativeInput(byte[]? bytes)
        {
            Bytes = bytes is null || bytes.Length > 0 ? bytes : Empty;
            Length = (UIntPtr)(bytes is null ? 0 : bytes.Length);
        }

        internal static NativeInput None => default;

        internal static NativeInput Of(byte[]? bytes) => new NativeInput(bytes);

        /// <summary>The text in UTF-8; what is no Unicode in it becomes U+FFFD.</summary>
        internal static NativeInput Of(string? text) => new NativeInput(text is null ? null : Encoding.UTF8.GetBytes(text));
    }
}
