using System;
using System.Text;

namespace Segl.Interop
{
    /// <summary>Takes the exceptions of callbacks to segl, and back to the caller when that is the same thread.</summary>
    internal static unsafe class CallbackFailure
    {
        [ThreadStatic]
        private static Exception? lastException;

        [ThreadStatic]
        private static string? lastMessage;

        /// <summary>Never throws, whatever the exception does.</summary>
        internal static void Report(IntPtr fail, Exception exception)
        {
            try
            {
                string message = Describe(exception);
                lastException = exception;
                lastMessage = message;
                byte[] utf8 = Encoding.UTF8.GetBytes(message);
                fixed (byte* text = utf8)
                {
                    NativeMethods.segl_fail_set(fail, (exception as SeglException)?.Number ?? 0, text, (UIntPtr)utf8.Length);
                }
            }
            catch (Exception)
            {
                // segl has words of its own for a callback that says nothing.
            }
        }

        /// <summary>The exception of a callback on this thread, if <paramref name="message"/> has its words.</summary>
        internal static Exception? CauseOf(string message)
        {
            Exception? cause = lastMessage != null && message.IndexOf(lastMessage, StringComparison.Ordinal) >= 0 ? lastException : null;
            lastException = null;
            lastMessage = null;
            return cause;
        }

        private static string Describe(Exception exception)
        {
            string type = exception.GetType().FullName ?? "exception";
            try
            {
                return type + ": " + exception.Message;
            }
            catch (Exception)
            {
                return type;
            }
        }
    }
}
