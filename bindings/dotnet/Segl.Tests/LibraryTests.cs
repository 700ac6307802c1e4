using System;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;

namespace Segl.Tests
{
    internal static class LibraryTests
    {
        public static void Versions()
        {
            Check.That(Regex.IsMatch(SeglLibrary.Version, "^[0-9]+\\.[0-9]+\\.[0-9]+"), SeglLibrary.Version);
            Check.That(SeglLibrary.AbiVersion >> 16 == 1 && (SeglLibrary.AbiVersion & 0xffff) >= 2, "ABI " + SeglLibrary.AbiVersion);
        }

        public static void AnotherAbiIsRefused()
        {
            foreach (var (major, minor) in new[] { (2, 7), (1, 1), (0, 9) })
            {
                string library = Fake(major, minor);
                var (status, output) = Services.Child("version", library);
                Check.Equal(3, status);
                Check.Contains($"ABI version is {major}.{minor}, and this binding needs 1.2", output);
                Check.Contains(library, output);
            }
            string none = Compile("none", "int nothing(void) { return 0; }");
            Check.Contains("another library", Services.Child("version", none).Output);
        }

        public static void AnExplicitPathGoesFirst()
        {
            Check.Equal(0, Services.Child("path=" + Services.Library, Fake(2, 0)).Status);
            var (status, output) = Services.Child("path=/no/such/library.so", Services.Library);
            Check.Equal(3, status);
            Check.Contains("/no/such/library.so", output);
        }

        public static void WhatWasTriedIsSaid()
        {
            var (status, output) = Services.Child("version", null);
            if (status == 0)
            {
                throw new NotRunException("a libsegl.so.1 is installed on this system");
            }
            Check.Equal(3, status);
            foreach (string part in new[] { "SeglLibraryException", "libsegl.so.1", "runtimes/linux", "SEGL_LIBRARY_PATH", "SeglLibrary.Path" })
            {
                Check.Contains(part, output);
            }
        }

        public static void TheBundledOneIsFound()
        {
            string folder = AppContext.BaseDirectory + "runtimes/linux-" + (System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture + "").ToLowerInvariant() + "/native";
            Directory.CreateDirectory(folder);
            File.Copy(Services.Library, folder + "/libsegl.so", true);
            try
            {
                Check.Equal(0, Services.Child("version", null).Status);
            }
            finally
            {
                Directory.Delete(AppContext.BaseDirectory + "runtimes", true);
            }
        }

        public static void ShutdownFreesAllAndWhatComesLaterWorks()
        {
            var (status, output) = Services.Child("shutdown", Services.Library);
            Check.That(status == 0, output);
        }

        public static void AProcessMayEndDuringCallbacks()
        {
            for (int i = 0; i < 5; i++)
            {
                var watch = System.Diagnostics.Stopwatch.StartNew();
                var (status, output) = Services.Child("exit", Services.Library);
                Check.That(status == 7 && output.Trim().Length == 0, status + ": " + output);
                Check.That(watch.Elapsed < TimeSpan.FromSeconds(30), "it ends");
            }
        }

        private static string Fake(int major, int minor)
        {
            return Compile("abi-" + major + "-" + minor, $"unsigned segl_abi_version(void) {{ return ({major}u << 16) | {minor}u; }}");
        }

        private static string Compile(string name, string source)
        {
            string file = Path.Combine(Services.Folder, name);
            File.WriteAllText(file + ".c", source + "\n");
            var (status, output) = Services.Run("cc", "-shared -fPIC -o " + file + ".so " + file + ".c");
            Check.That(status == 0, output);
            return file + ".so";
        }
    }
}
