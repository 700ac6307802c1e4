#if NETCOREAPP
using System;
using System.Runtime.InteropServices;

namespace Segl.Interop
{
    /// <summary>Loads the library, and binds the functions of <see cref="NativeMethods"/> to it.</summary>
    internal static class DynamicLibrary
    {
        private static IntPtr bound;

        /// <exception cref="DllNotFoundException">It cannot be loaded.</exception>
        internal static IntPtr Load(string pathOrName)
        {
            // Not from the current directory, where a stranger may have put one.
            return NativeLibrary.Load(pathOrName, typeof(DynamicLibrary).Assembly, DllImportSearchPath.SafeDirectories);
        }

        /// <summary>The address of a function, or zero.</summary>
        internal static IntPtr Symbol(IntPtr library, string name)
        {
            return NativeLibrary.TryGetExport(library, name, out IntPtr symbol) ? symbol : IntPtr.Zero;
        }

        internal static void Bind(IntPtr library)
        {
            bound = library;
            NativeLibrary.SetDllImportResolver(typeof(DynamicLibrary).Assembly, (name, assembly, path) => name == NativeMethods.Library ? bound : IntPtr.Zero);
        }
    }
}
#endif
