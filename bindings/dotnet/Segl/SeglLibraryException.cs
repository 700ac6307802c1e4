using System;

namespace Segl
{
    /// <summary>The native library was not found, or it has another ABI than this assembly needs. The message says what was tried.</summary>
    public sealed class SeglLibraryException : DllNotFoundException
    {
        internal SeglLibraryException(string message)
            : base(message)
        {
        }
    }
}
