using System;
using System.Diagnostics;
using System.IO;
using System.Net.Http;
using System.Reflection;
using System.Text;

namespace Segl.Tests
{
    /// <summary>What scripts/with-services made.</summary>
    internal static class Services
    {
        private static readonly HttpClient Http = new HttpClient();

        internal static string Library => Get("SEGL_LIBRARY_PATH");

        internal static string Folder => Get("SEGL_TEST_FOLDER");

        internal static string ConfigFile => Get("SEGL_TEST_CONFIG");

        internal static string Api => Get("SEGL_TEST_API");

        internal static string HostJson => Get("SEGL_TEST_HOST_JSON");

        internal static string FileJson => Get("SEGL_TEST_FILE_JSON");

        internal static byte[] RsaPem => File.ReadAllBytes(Get("SEGL_TEST_RSA_PEM"));

        internal static byte[] EcPem => File.ReadAllBytes(Get("SEGL_TEST_EC_PEM"));

        internal static string Get(string variable)
        {
            return Environment.GetEnvironmentVariable(variable) ?? throw new InvalidOperationException(variable + " is not set; run the tests with scripts/with-services");
        }

        internal static TokenClient Client(string name, TokenClientOptions? options = null) => TokenClient.Open(ConfigFile, name, options);

        /// <summary>The simulator's own address, for what it is to do.</summary>
        internal static void Admin(string path, string json)
        {
            using var content = new StringContent(json, Encoding.UTF8, "application/json");
            using HttpResponseMessage answer = Http.PostAsync(Get("SEGL_TEST_ADMIN") + "/" + path, content).GetAwaiter().GetResult();
            answer.EnsureSuccessStatusCode();
        }

        internal static void EndOutages()
        {
            using HttpResponseMessage answer = Http.DeleteAsync(Get("SEGL_TEST_ADMIN") + "/outage").GetAwaiter().GetResult();
            answer.EnsureSuccessStatusCode();
        }

        /// <summary>This program again, in a process of its own: what it prints, and how it ends.</summary>
        internal static (int Status, string Output) Child(string name, string? library)
        {
            return Run(Process.GetCurrentProcess().MainModule!.FileName!, "\"" + Assembly.GetEntryAssembly()!.Location + "\" child " + name, library);
        }

        internal static (int Status, string Output) Run(string program, string arguments, string? library = null, string? folder = null)
        {
            var start = new ProcessStartInfo(program, arguments)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                WorkingDirectory = folder ?? Environment.CurrentDirectory,
            };
            start.Environment.Remove("SEGL_LIBRARY_PATH");
            if (library != null)
            {
                start.Environment["SEGL_LIBRARY_PATH"] = library;
            }
            using Process process = Process.Start(start)!;
            var errors = process.StandardError.ReadToEndAsync();
            string output = process.StandardOutput.ReadToEnd() + errors.Result;
            process.WaitForExit();
            return (process.ExitCode, output);
        }
    }
}
