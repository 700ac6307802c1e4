using System;
using System.IO;
using System.Runtime.InteropServices;

namespace Segl.Interop
{
    /// <summary>What the library is called on this system.</summary>
    internal static class Platform
    {
        internal static bool IsWindows => RuntimeInformation.IsOSPlatform(OSPlatform.Windows);

        private static bool IsMac => RuntimeInformation.IsOSPlatform(OSPlatform.OSX);

        /// <summary>The name by which the system's loader knows an installed library.</summary>
        internal static string SystemName => IsWindows ? "segl.dll" : IsMac ? "libsegl.1.dylib" : "libsegl.so.1";

        /// <summary>The name of the file in a package.</summary>
        internal static string FileName => IsWindows ? "segl.dll" : IsMac ? "libsegl.dylib" : "libsegl.so";

        /// <summary>The runtime identifier, for example "linux-musl-x64".</summary>
        internal static string Rid
        {
            get
            {
                string system = IsWindows ? "win" : IsMac ? "osx" : IsMusl() ? "linux-musl" : "linux";
                return system + "-" + RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();
            }
        }

        /// <summary>Whether this process runs on musl; a file of musl's may lie on any system.</summary>
        private static bool IsMusl()
        {
            try
            {
                return File.ReadAllText("/proc/self/maps").Contains("/ld-musl-");
            }
            catch (Exception exception) when (exception is IOException || exception is UnauthorizedAccessException)
            {
                return false;
            }
        }
    }
}
