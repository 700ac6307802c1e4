using System;

namespace Segl.Tests
{
    /// <summary>What is tried in a process of its own, as a process loads the library once.</summary>
    internal static class Child
    {
        internal static int Run(string name)
        {
            try
            {
                if (name.StartsWith("path=", StringComparison.Ordinal))
                {
                    SeglLibrary.Path = name.Substring(5);
                }
                Console.WriteLine(SeglLibrary.Version + " " + SeglLibrary.AbiVersion);
                Check.Throws<InvalidOperationException>(() => SeglLibrary.Path = "another");
                return 0;
            }
            catch (DllNotFoundException exception)
            {
                Console.WriteLine(exception.GetType().Name + ": " + exception.Message);
                return 3;
            }
        }
    }
}
