using System;
using System.Runtime.InteropServices;

namespace Segl.Interop
{
    /// <summary>The sink of segl's log.</summary>
    internal static unsafe class LogCallbacks
    {
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate void LogFunction(IntPtr ctx, int level, byte* target, UIntPtr targetLen, byte* message, UIntPtr messageLen);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate void DestroyFunction(IntPtr ctx);

        private static readonly CallbackTable<LogSink> Table = new CallbackTable<LogSink>();

        // Held for the life of the process: native code keeps their addresses.
        private static readonly LogFunction LogHeld = Log;
        private static readonly DestroyFunction DestroyHeld = Destroy;

        internal static void Set(SeglLogLevel level, LogSink? sink)
        {
            if (sink is null)
            {
                NativeError.Check(NativeMethods.segl_log_set(null, 0));
                return;
            }
            IntPtr ctx = Table.Add(sink);
            var native = new NativeLogSink
            {
                StructSize = (UIntPtr)sizeof(NativeLogSink),
                Ctx = ctx,
                Log = Marshal.GetFunctionPointerForDelegate(LogHeld),
                Destroy = Marshal.GetFunctionPointerForDelegate(DestroyHeld),
            };
            IntPtr error = NativeMethods.segl_log_set(&native, (int)level);
            if (error != IntPtr.Zero)
            {
                Table.Remove(ctx);
                NativeError.Check(error);
            }
        }

        private static void Log(IntPtr ctx, int level, byte* target, UIntPtr targetLen, byte* message, UIntPtr messageLen)
        {
            try
            {
                Table.Get(ctx)(new LogRecord((SeglLogLevel)level, NativeOutput.Text(target, targetLen), NativeOutput.Text(message, messageLen)));
            }
            catch (Exception)
            {
                // A log that fails is no reason for a call to fail, and there is no log to say so.
            }
        }

        private static void Destroy(IntPtr ctx) => Table.Remove(ctx);
    }
}
