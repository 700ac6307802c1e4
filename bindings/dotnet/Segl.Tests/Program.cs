using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Segl.Tests
{
    /// <summary>Runs every public static method without parameters of the classes whose names end with Tests.</summary>
    internal static class Program
    {
        private static readonly Type[] Long = { typeof(DisposeTests), typeof(CollectorTests), typeof(PackageTests) };

        private static int Main(string[] arguments)
        {
            if (arguments.Length == 2 && arguments[0] == "child")
            {
                return Child.Run(arguments[1]);
            }
            bool quick = arguments.Contains("--quick");
            string filter = arguments.FirstOrDefault(argument => argument != "--quick") ?? "";
            Console.WriteLine(RuntimeInformation.FrameworkDescription + " with segl " + SeglLibrary.Version);
            int passed = 0;
            var failures = new List<string>();
            foreach (MethodInfo test in Tests())
            {
                string name = test.DeclaringType!.Name + "." + test.Name;
                if (name.IndexOf(filter, StringComparison.OrdinalIgnoreCase) < 0 || (quick && Long.Contains(test.DeclaringType)))
                {
                    continue;
                }
                var watch = Stopwatch.StartNew();
                try
                {
                    test.Invoke(null, null);
                    passed++;
                }
                catch (TargetInvocationException exception) when (exception.InnerException is NotRunException)
                {
                    Console.WriteLine("not run: " + name + ": " + exception.InnerException.Message);
                }
                catch (TargetInvocationException exception)
                {
                    failures.Add(name);
                    Console.WriteLine("FAILED: " + name + "\n" + exception.InnerException);
                }
                if (filter.Length > 0)
                {
                    Console.WriteLine(name + ": " + watch.ElapsedMilliseconds + " ms");
                }
            }
            Console.WriteLine(passed + " passed, " + failures.Count + " failed");
            return failures.Count == 0 && passed > 0 ? 0 : 1;
        }

        private static IEnumerable<MethodInfo> Tests()
        {
            return typeof(Program).Assembly.GetTypes()
                .Where(type => type.Name.EndsWith("Tests", StringComparison.Ordinal))
                .OrderBy(type => type.Name, StringComparer.Ordinal)
                .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly))
                .Where(method => method.GetParameters().Length == 0);
        }
    }

    /// <summary>Something that this machine cannot show; the message says why.</summary>
    internal sealed class NotRunException : Exception
    {
        internal NotRunException(string message)
            : base(message)
        {
        }
    }
}
