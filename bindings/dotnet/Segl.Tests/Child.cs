using System;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Segl.Tests
{
    /// <summary>What is tried in a process of its own: a process loads the library once, and panics are written about.</summary>
    internal static class Child
    {
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate IntPtr TestPanic(int how);

        internal static int Run(string name)
        {
            try
            {
                if (name == "panic")
                {
                    return Panic();
                }
                if (name == "shutdown")
                {
                    return Shutdown();
                }
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

        private static int Panic()
        {
            using Signer signer = Signer.FromBytes(Services.EcPem);
            if (!NativeLibrary.TryGetExport(NativeLibrary.Load(Services.Library), "segl_test_panic", out IntPtr symbol))
            {
                return 77;
            }
            var panic = Marshal.GetDelegateForFunctionPointer<TestPanic>(symbol);
            // The function is none of the public ones, so what makes exceptions is called by its name.
            MethodInfo check = typeof(Signer).Assembly.GetType("Segl.Interop.NativeError", true)!.GetMethod("Check", BindingFlags.Static | BindingFlags.NonPublic, null, new[] { typeof(IntPtr) }, null)!;
            for (int how = 0; how < 4; how++)
            {
                IntPtr error = panic(how);
                Exception? exception = Check.Throws<TargetInvocationException>(() => check.Invoke(null, new object[] { error })).InnerException;
                Check.That(exception is UsageException usage && usage.Code == ErrorCode.Panic && usage.Message.Length > 0, "panic " + how + " is " + exception);
            }
            Check.Equal(64, signer.Sign("ES256", new byte[1]).Length);
            return 0;
        }

        private static int Shutdown()
        {
            using TokenClient client = Services.Client("bank");
            Token token = client.Token();
            SeglLibrary.Shutdown();
            Check.That(Check.Fails(ErrorCode.InvalidHandle, () => client.Token()) is UsageException, "freed, and not crashed");
            Check.Fails(ErrorCode.InvalidHandle, () => client.Health());
            client.Dispose();
            using TokenClient anew = Services.Client("bank");
            Check.That(anew.Token().AccessToken != token.AccessToken, "new ones work");
            SeglLibrary.Shutdown();
            return 0;
        }
    }
}
