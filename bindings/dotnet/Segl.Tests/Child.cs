using System;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Threading;

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
                if (name == "exit")
                {
                    return Exit();
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

        /// <summary>Ends the process while threads, segl's own too, are in all kinds of callbacks.</summary>
        private static int Exit()
        {
            SeglLibrary.SetLog(SeglLogLevel.Debug, record => record.ToString());
            int sent = 0;
            using Signer key = HostKeys.RsaSigner();
            for (int i = 0; i < 8; i++)
            {
                var transport = new TransportTests.Function(request =>
                {
                    Thread.Sleep(Interlocked.Increment(ref sent) % 4);
                    return TransportTests.Answer("t");
                });
                TokenClient client = TokenClient.Create(Config.FromJson(Services.HostJson), new TokenClientOptions { Signer = key, Transport = transport });
                new Thread(() =>
                {
                    while (true)
                    {
                        client.Token();
                        client.Forget();
                    }
                }) { IsBackground = true }.Start();
            }
            while (Volatile.Read(ref sent) < 100)
            {
                Thread.Sleep(1);
            }
            Environment.Exit(7);
            return 1;
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
