using System;
using System.Diagnostics;
using Segl.Interop;

namespace Segl
{
    /// <summary>The native library: where it is, which one it is, and its log.</summary>
    /// <remarks>
    /// It is loaded at the first use. With <see cref="Path"/> or the environment variable SEGL_LIBRARY_PATH it is that file;
    /// otherwise the system's (<c>libsegl.so.1</c>, <c>libsegl.1.dylib</c>, <c>segl.dll</c>), or the one of the package. A library with another
    /// major ABI version, or an older minor one, is refused. It is never unloaded.
    /// </remarks>
    public static class SeglLibrary
    {
        /// <summary>The source that <see cref="LogToTrace"/> writes to: "Segl".</summary>
        public static TraceSource TraceSource { get; } = new TraceSource("Segl", SourceLevels.Verbose);

        /// <summary>The file to load, before all others; null by default. It is set before the first use of segl.</summary>
        /// <exception cref="InvalidOperationException">The library is loaded already.</exception>
        public static string? Path
        {
            get => LibraryLoader.Path;
            set => LibraryLoader.SetPath(value);
        }

        /// <summary>The version of the library, for example "1.2.3".</summary>
        /// <exception cref="SeglLibraryException">It was not found, or cannot be used.</exception>
        public static unsafe string Version
        {
            get
            {
                LibraryLoader.Ensure();
                return NativeOutput.Text(NativeMethods.segl_version());
            }
        }

        /// <summary>The version of the library's ABI: major in the upper 16 bits, minor in the lower.</summary>
        /// <exception cref="SeglLibraryException">It was not found, or cannot be used.</exception>
        public static uint AbiVersion
        {
            get
            {
                LibraryLoader.Ensure();
                return NativeMethods.segl_abi_version();
            }
        }

        /// <summary>Frees all clients and signers of the process, ends the log, and closes the sessions with tokens. Optional: nothing needs it when a program ends.</summary>
        /// <remarks>Objects made before fail with <see cref="ErrorCode.InvalidHandle"/> then; new ones work.</remarks>
        /// <exception cref="UsageException"><see cref="ErrorCode.Timeout"/>: a PKCS#11 module does not come to an end within 5 seconds; call it again.</exception>
        public static void Shutdown()
        {
            LibraryLoader.Ensure();
            NativeError.Check(NativeMethods.segl_shutdown());
        }

        /// <summary>Sends the log to a sink, in the place of the sink before. The first record names the library's version.</summary>
        /// <param name="level">The least that is logged.</param>
        /// <param name="sink">Takes the records; null ends the log.</param>
        public static void SetLog(SeglLogLevel level, LogSink? sink)
        {
            LibraryLoader.Ensure();
            LogCallbacks.Set(level, sink);
        }

        /// <summary>Sends the log to <see cref="TraceSource"/>, whose listeners are the program's to add.</summary>
        /// <param name="level">The least that is logged. The source's own switch counts as well.</param>
        public static void LogToTrace(SeglLogLevel level = SeglLogLevel.Info)
        {
            SetLog(level, record => TraceSource.TraceEvent(EventType(record.Level), 0, record.ToString()));
        }

        private static TraceEventType EventType(SeglLogLevel level)
        {
            switch (level)
            {
                case SeglLogLevel.Error:
                    return TraceEventType.Error;
                case SeglLogLevel.Warn:
                    return TraceEventType.Warning;
                case SeglLogLevel.Info:
                    return TraceEventType.Information;
                default:
                    return TraceEventType.Verbose;
            }
        }
    }
}
