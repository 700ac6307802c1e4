using System;
using System.Collections.Generic;
using System.IO;
using System.Runtime.InteropServices;

namespace Segl.Interop
{
    /// <summary>Finds the native library and refuses one with another ABI, before any of its functions is bound.</summary>
    internal static class LibraryLoader
    {
        internal const uint RequiredMajor = 1;
        internal const uint RequiredMinor = 2;

        private static readonly object Gate = new object();
        private static volatile bool loaded;

        internal static string? Path { get; private set; }

        internal static void SetPath(string? path)
        {
            lock (Gate)
            {
                if (loaded)
                {
                    throw new InvalidOperationException("The native library is loaded already; set SeglLibrary.Path before the first use of Segl.");
                }
                Path = path;
            }
        }

        internal static void Ensure()
        {
            if (loaded)
            {
                return;
            }
            lock (Gate)
            {
                if (!loaded)
                {
                    DynamicLibrary.Bind(Load());
                    loaded = true;
                }
            }
        }

        private static IntPtr Load()
        {
            if (IntPtr.Size != 8)
            {
                throw new SeglLibraryException("segl needs a process of 64 bits; this one has 32.");
            }
            var tried = new List<string>();
            foreach (string candidate in Candidates())
            {
                try
                {
                    IntPtr library = DynamicLibrary.Load(candidate);
                    string? problem = AbiProblem(library);
                    if (problem is null)
                    {
                        return library;
                    }
                    tried.Add(candidate + ": " + problem);
                }
                catch (Exception exception) when (exception is DllNotFoundException || exception is BadImageFormatException)
                {
                    tried.Add(candidate + ": " + exception.Message.Split('\n')[0].Trim());
                }
            }
            throw new SeglLibraryException(
                "The native library of segl was not found. Install it, or say where it is with SeglLibrary.Path or SEGL_LIBRARY_PATH. Tried:\n  "
                + string.Join("\n  ", tried));
        }

        private static string? AbiProblem(IntPtr library)
        {
            IntPtr symbol = DynamicLibrary.Symbol(library, "segl_abi_version");
            if (symbol == IntPtr.Zero)
            {
                return "it has no segl_abi_version and is another library";
            }
            uint version = Marshal.GetDelegateForFunctionPointer<AbiVersion>(symbol)();
            uint major = version >> 16;
            uint minor = version & 0xffff;
            return major == RequiredMajor && minor >= RequiredMinor
                ? null
                : $"its ABI version is {major}.{minor}, and this binding needs {RequiredMajor}.{RequiredMinor} or a later {RequiredMajor}.x";
        }

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate uint AbiVersion();

        /// <summary>An explicit path and nothing else; without one, the system's library, then the bundled one.</summary>
        private static IEnumerable<string> Candidates()
        {
            string? given = string.IsNullOrEmpty(Path) ? Environment.GetEnvironmentVariable("SEGL_LIBRARY_PATH") : Path;
            if (!string.IsNullOrEmpty(given))
            {
                yield return System.IO.Path.GetFullPath(given!);
                yield break;
            }
            yield return Platform.SystemName;
            foreach (string folder in BundledFolders())
            {
                string file = System.IO.Path.Combine(folder, Platform.FileName);
                if (File.Exists(file))
                {
                    yield return file;
                }
            }
            // Named in the error, so that it says where a package would have put it.
            yield return System.IO.Path.Combine(AppContext.BaseDirectory, "runtimes", Platform.Rid, "native", Platform.FileName);
        }

        private static IEnumerable<string> BundledFolders()
        {
            string? assembly = System.IO.Path.GetDirectoryName(typeof(LibraryLoader).Assembly.Location);
            foreach (string? folder in new[] { assembly, AppContext.BaseDirectory })
            {
                if (!string.IsNullOrEmpty(folder))
                {
                    yield return System.IO.Path.Combine(folder!, "runtimes", Platform.Rid, "native");
                    yield return folder!;
                }
            }
            // Where the host of .NET found the native files of packages.
            if (AppDomain.CurrentDomain.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") is string folders)
            {
                foreach (string folder in folders.Split(System.IO.Path.PathSeparator))
                {
                    if (folder.Length > 0)
                    {
                        yield return folder;
                    }
                }
            }
        }
    }
}
