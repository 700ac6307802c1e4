#if !NETCOREAPP
using System;
using System.ComponentModel;
using System.IO;
using System.Reflection;
using System.Runtime.InteropServices;

// Not beside the assembly, where .NET Framework looks first: the one that was loaded and checked counts.
[assembly: DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]

namespace Segl.Interop
{
    /// <summary>Loads the library, and binds the functions of <see cref="NativeMethods"/> to it.</summary>
    /// <remarks>
    /// .NET Standard has no NativeLibrary. On .NET (Core) 3.0 and newer it is there nevertheless and found by reflection. On
    /// .NET Framework the library is loaded by its path first: Windows then finds it by its name, "segl.dll".
    /// </remarks>
    internal static class DynamicLibrary
    {
        private const string Interop = "System.Runtime.InteropServices";
        private static readonly Type? Loader = Type.GetType(Interop + ".NativeLibrary, " + Interop) ?? typeof(Marshal).Assembly.GetType(Interop + ".NativeLibrary");
        private static IntPtr bound;

        /// <exception cref="DllNotFoundException">It cannot be loaded.</exception>
        internal static IntPtr Load(string pathOrName)
        {
            if (Loader != null)
            {
                return (IntPtr)Call("Load", new[] { typeof(string), typeof(Assembly), typeof(DllImportSearchPath?) }, pathOrName, typeof(DynamicLibrary).Assembly, DllImportSearchPath.SafeDirectories)!;
            }
            if (!Platform.IsWindows)
            {
                throw new DllNotFoundException("this runtime cannot be told where a library is; .NET Core 3.0 and newer can, and .NET Framework on Windows");
            }
            if (!string.Equals(Path.GetFileName(pathOrName), "segl.dll", StringComparison.OrdinalIgnoreCase))
            {
                throw new DllNotFoundException("the file must have the name segl.dll on .NET Framework");
            }
            const uint searchDefaultDirectories = 0x1000;
            const uint searchItsDirectory = 0x100;
            IntPtr library = LoadLibraryExW(pathOrName, IntPtr.Zero, Path.IsPathRooted(pathOrName) ? searchDefaultDirectories | searchItsDirectory : searchDefaultDirectories);
            return library != IntPtr.Zero ? library : throw new DllNotFoundException(new Win32Exception(Marshal.GetLastWin32Error()).Message);
        }

        /// <summary>The address of a function, or zero.</summary>
        internal static IntPtr Symbol(IntPtr library, string name)
        {
            if (Loader is null)
            {
                return GetProcAddress(library, name);
            }
            object?[] arguments = { library, name, IntPtr.Zero };
            bool found = (bool)Loader.GetMethod("TryGetExport")!.Invoke(null, arguments)!;
            return found ? (IntPtr)arguments[2]! : IntPtr.Zero;
        }

        internal static void Bind(IntPtr library)
        {
            bound = library;
            if (Loader != null)
            {
                Type resolver = Loader.Assembly.GetType(Interop + ".DllImportResolver", true)!;
                MethodInfo resolve = typeof(DynamicLibrary).GetMethod(nameof(Resolve), BindingFlags.NonPublic | BindingFlags.Static)!;
                Call("SetDllImportResolver", new[] { typeof(Assembly), resolver }, typeof(DynamicLibrary).Assembly, Delegate.CreateDelegate(resolver, resolve));
            }
        }

        private static IntPtr Resolve(string name, Assembly assembly, DllImportSearchPath? searchPath)
        {
            return name == NativeMethods.Library ? bound : IntPtr.Zero;
        }

        private static object? Call(string method, Type[] types, params object?[] arguments)
        {
            try
            {
                return Loader!.GetMethod(method, types)!.Invoke(null, arguments);
            }
            catch (TargetInvocationException exception) when (exception.InnerException is DllNotFoundException || exception.InnerException is BadImageFormatException)
            {
                throw new DllNotFoundException(exception.InnerException.Message);
            }
        }

        [DllImport("kernel32", ExactSpelling = true, CharSet = CharSet.Unicode, SetLastError = true)]
        private static extern IntPtr LoadLibraryExW(string name, IntPtr reserved, uint flags);

        [DllImport("kernel32", ExactSpelling = true, CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
        private static extern IntPtr GetProcAddress(IntPtr library, string name);
    }
}
#endif
