using System;
using System.Text;

namespace Segl.Interop
{
    /// <summary>Bytes for <c>fixed</c>, with their length. Empty is not NULL; NULL is <see cref="None"/>.</summary>
    internal readonly struct NativeInput
    {
        private static readonly byte[] Empty = new byte[1];
        private static readonly Encoding Strict = new UTF8Encoding(false, throwOnInvalidBytes: true);

        internal readonly byte[]? Bytes;
        internal readonly UIntPtr Length;

        private NativeInput(byte[]? bytes)
        {
            Bytes = bytes is null || bytes.Length > 0 ? bytes : Empty;
            Length = (UIntPtr)(bytes is null ? 0 : bytes.Length);
        }

        internal static NativeInput None => default;

        internal static NativeInput Of(byte[]? bytes) => new NativeInput(bytes);

        /// <summary>The text in UTF-8.</summary>
        internal static NativeInput Of(string? text) => new NativeInput(text is null ? null : Utf8(text));

        /// <summary>The text in UTF-8. Half a surrogate pair is refused: .NET would put U+FFFD in its place, and so sign or send what nobody wrote.</summary>
        internal static byte[] Utf8(string text)
        {
            try
            {
                return Strict.GetBytes(text);
            }
            catch (EncoderFallbackException wrong)
            {
                // Without its cause, whose message has a part of the text.
                throw SeglException.Of(new ErrorFacts((int)ErrorCode.InvalidUtf8, "INVALID_UTF8"), "character " + wrong.Index + " of a text is half a surrogate pair", null);
            }
        }
    }
}
