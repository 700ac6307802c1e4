using System;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace Segl.Tests
{
    internal static class AbiTests
    {
        private static readonly Assembly Binding = typeof(Signer).Assembly;

        public static void EveryFunctionIsBound()
        {
            MethodInfo[] bound = Binding.GetType("Segl.Interop.NativeMethods", true)!.GetMethods(BindingFlags.Static | BindingFlags.NonPublic);
            Check.Same(
                File.ReadAllLines("tests/data/abi-symbols.txt").Where(name => name.StartsWith("segl_")),
                bound.Where(method => method.GetCustomAttribute<DllImportAttribute>() != null).Select(method => method.Name));
        }

        public static void EveryStructHasItsLayout()
        {
            string[] lines = File.ReadAllLines("tests/data/abi-layout.txt");
            int structs = 0;
            foreach (Match type in lines.Select(line => Regex.Match(line, "^segl_(\\w+) size (\\d+) ")).Where(match => match.Success))
            {
                string name = type.Groups[1].Value;
                Type native = Binding.GetType("Segl.Interop.Native" + Pascal(name), true)!;
                Check.Equal(int.Parse(type.Groups[2].Value), Marshal.SizeOf(native));
                var members = lines.Select(line => Regex.Match(line, "^segl_" + name + "\\.(\\w+) at (\\d+) ")).Where(match => match.Success).ToArray();
                Check.Same(members.Select(member => Pascal(member.Groups[1].Value)), native.GetFields().Select(field => field.Name));
                foreach (Match member in members)
                {
                    Check.Equal(int.Parse(member.Groups[2].Value), (int)Marshal.OffsetOf(native, Pascal(member.Groups[1].Value)));
                }
                structs++;
            }
            Check.Equal(structs, Binding.GetTypes().Count(type => type.IsValueType && Regex.IsMatch(type.FullName!, "^Segl\\.Interop\\.Native(?!Input)\\w+$")));
        }

        private static string Pascal(string name)
        {
            var pascal = new StringBuilder();
            foreach (string part in name.Split('_'))
            {
                pascal.Append(char.ToUpperInvariant(part[0])).Append(part.Substring(1));
            }
            return pascal.ToString();
        }
    }
}
