using System;
using System.Threading;

namespace Segl.Interop
{
    /// <summary>Makes exceptions of <c>segl_error</c>, and frees it.</summary>
    internal static unsafe class NativeError
    {
        private const int Cancelled = 8;

        internal static void Check(IntPtr error)
        {
            if (error != IntPtr.Zero)
            {
                throw Take(error);
            }
        }

        /// <summary>As <see cref="Check(IntPtr)"/>; a call that ended because of <paramref name="cancellationToken"/> is an <see cref="OperationCanceledException"/>.</summary>
        internal static void Check(IntPtr error, CancellationToken cancellationToken)
        {
            if (error != IntPtr.Zero)
            {
                throw Take(error, cancellationToken);
            }
        }

        internal static Exception Take(IntPtr error, CancellationToken cancellationToken)
        {
            SeglException exception = Take(error);
            return exception.Number == Cancelled && cancellationToken.IsCancellationRequested
                ? new OperationCanceledException(exception.Message, exception, cancellationToken)
                : (Exception)exception;
        }

        private static SeglException Take(IntPtr error)
        {
            try
            {
                int number = NativeMethods.segl_error_code(error);
                UIntPtr length;
                byte* text = NativeMethods.segl_error_message(error, &length);
                string message = NativeOutput.Text(text, length);
                var facts = new ErrorFacts(number, NativeOutput.Text(NativeMethods.segl_error_name(number)))
                {
                    Retryable = Integer(error, 1) == 1,
                    RetryAfterMs = Integer(error, 2),
                    HttpStatus = (int?)Integer(error, 3),
                    CkRv = Integer(error, 4),
                    CkFunction = Text(error, 100),
                    OAuthError = Text(error, 101),
                    OAuthErrorDescription = Text(error, 102),
                    ErrorUri = Text(error, 103),
                    ProviderCode = Text(error, 104),
                    TraceId = Text(error, 105),
                    ConfigPath = Text(error, 106),
                };
                return SeglException.Of(facts, message, CallbackFailure.CauseOf(message));
            }
            finally
            {
                NativeMethods.segl_error_free(error);
            }
        }

        private static long? Integer(IntPtr error, int field)
        {
            long value;
            return NativeMethods.segl_error_int(error, field, &value) == 1 ? value : (long?)null;
        }

        private static string? Text(IntPtr error, int field)
        {
            UIntPtr length;
            byte* text = NativeMethods.segl_error_str(error, field, &length);
            return text is null ? null : NativeOutput.Text(text, length);
        }
    }
}
