using System;
using System.IO;
using System.IO.Compression;
using System.Linq;
using System.Runtime.InteropServices;

namespace Segl.Tests
{
    internal static class PackageTests
    {
        private const string Project = "bindings/dotnet/Segl/Segl.csproj";
        private static readonly string Rid = "linux-" + RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant();
        private static readonly string Root = Path.GetFullPath(".");

        public static void APackageWithoutAllItsLibrariesIsRefused()
        {
            var (status, output) = Pack("none", "");
            Check.That(status != 0, output);
            Check.Contains("SeglRuntimes", output);
            (status, output) = Pack("some", "-p:SeglRuntimes=" + Runtimes());
            Check.That(status != 0, output);
            Check.Contains("win-arm64/native/segl.dll", output);
            Check.Contains("osx-arm64/native/libsegl.dylib", output);
            Check.That(!output.Contains(Rid + "/native/libsegl.so"), output);
        }

        public static void APackageFromAFolderIsAllAProgramNeeds()
        {
            var (status, output) = Pack("feed", "-p:SeglRuntimes=" + Runtimes() + " -p:SeglRequiredRids=" + Rid);
            Check.That(status == 0, output);
            string package = Directory.GetFiles(Path.Combine(Services.Folder, "feed"), "Segl.*.nupkg").Single();
            using (ZipArchive archive = ZipFile.OpenRead(package))
            {
                string[] names = archive.Entries.Select(entry => entry.FullName).ToArray();
                foreach (string name in new[] { "runtimes/" + Rid + "/native/libsegl.so", "buildTransitive/net462/Segl.targets", "build/net462/Segl.targets" })
                {
                    Check.That(names.Contains(name), "no " + name + " among " + string.Join(", ", names));
                }
                Check.Equal(2, names.Count(name => name.StartsWith("lib/") && name.EndsWith("/Segl.dll")));
                Check.Equal(2, names.Count(name => name.StartsWith("lib/") && name.EndsWith("/Segl.xml")));
            }

            string folder = Path.Combine(Services.Folder, "consumer");
            Directory.CreateDirectory(folder);
            File.Copy("examples/dotnet/Program.cs", folder + "/Program.cs");
            string version = Path.GetFileNameWithoutExtension(package).Substring("Segl.".Length);
            string framework = RuntimeInformation.FrameworkDescription.StartsWith(".NET Core") ? "netcoreapp3.1" : "net8.0";
            File.WriteAllText(folder + "/consumer.csproj", $"<Project Sdk=\"Microsoft.NET.Sdk\"><PropertyGroup><OutputType>Exe</OutputType><TargetFramework>{framework}</TargetFramework><RollForward>Major</RollForward></PropertyGroup><ItemGroup><PackageReference Include=\"Segl\" Version=\"{version}\" /></ItemGroup></Project>");
            File.WriteAllText(folder + "/nuget.config", $"<configuration><packageSources><clear /><add key=\"folder\" value=\"{Path.GetDirectoryName(package)}\" /></packageSources></configuration>");
            (status, output) = Sdk($"build --nologo -v q -o {folder}/out -p:RestoreConfigFile={folder}/nuget.config -p:RestorePackagesPath={folder}/packages {folder}/consumer.csproj", folder);
            Check.That(status == 0, output);
            (status, output) = Sdk($"{folder}/out/consumer.dll {Services.ConfigFile} bank", folder);
            Check.That(status == 0, output);
            Check.Contains("a token of ", output);
        }

        private static (int Status, string Output) Pack(string name, string properties)
        {
            return Sdk($"pack {Project} --nologo -v q -c Release -o {Services.Folder}/{name} -p:SeglBuild={Services.Folder}/pack {properties}", Root);
        }

        private static (int Status, string Output) Sdk(string arguments, string folder) => Services.Run(Root + "/bindings/dotnet/sdk", arguments, null, folder);

        private static string Runtimes()
        {
            string folder = Path.Combine(Services.Folder, "runtimes");
            Directory.CreateDirectory(Path.Combine(folder, Rid, "native"));
            File.Copy(Services.Library, Path.Combine(folder, Rid, "native", "libsegl.so"), true);
            return folder;
        }
    }
}
