using System;
using System.Threading;

namespace Segl.Interop
{
    /// <summary>The time that a call may take and what cancels it, as a <c>segl_call</c>.</summary>
    internal readonly struct CallBounds : IDisposable
    {
        private static readonly Action<object?> Trigger = state => NativeMethods.segl_cancel_trigger((CancelHandle)state!);

        private static CancelHandle? ended;

        private readonly uint _timeoutMs;
        private readonly CancelHandle? _cancel;
        private readonly CancellationTokenRegistration _registration;

        internal CallBounds(TimeSpan? timeout, CancellationToken cancellationToken)
        {
            _timeoutMs = Milliseconds(timeout);
            _cancel = null;
            _registration = default;
            if (cancellationToken.CanBeCanceled)
            {
                cancellationToken.ThrowIfCancellationRequested();
                NativeError.Check(NativeMethods.segl_cancel_new(out CancelHandle cancel));
                _cancel = cancel;
                _registration = cancellationToken.Register(Trigger!, cancel);
            }
        }

        internal unsafe NativeCall Call(uint flags = 0)
        {
            return new NativeCall
            {
                StructSize = (UIntPtr)sizeof(NativeCall),
                TimeoutMs = _timeoutMs,
                Flags = flags,
                Cancel = _cancel is null ? IntPtr.Zero : _cancel.DangerousGetHandle(),
            };
        }

        /// <summary>Refuses what the constructor refuses.</summary>
        internal static void Validate(TimeSpan? timeout, CancellationToken cancellationToken)
        {
            Milliseconds(timeout);
            cancellationToken.ThrowIfCancellationRequested();
        }

        /// <summary>The bounds of a call that was cancelled before it began: it gets what is there, and begins nothing.</summary>
        internal static unsafe NativeCall Over()
        {
            return new NativeCall
            {
                StructSize = (UIntPtr)sizeof(NativeCall),
                Cancel = (Volatile.Read(ref ended) ?? End()).DangerousGetHandle(),
            };
        }

        public void Dispose()
        {
            // In this order: it waits for a trigger that runs.
            _registration.Dispose();
            _cancel?.Dispose();
        }

        /// <summary>One for the life of the process, as nothing undoes it.</summary>
        private static CancelHandle End()
        {
            NativeError.Check(NativeMethods.segl_cancel_new(out CancelHandle cancel));
            NativeMethods.segl_cancel_trigger(cancel);
            return Interlocked.CompareExchange(ref ended, cancel, null) ?? cancel;
        }

        private static uint Milliseconds(TimeSpan? timeout)
        {
            if (timeout is null)
            {
                return 0;
            }
            double milliseconds = Math.Ceiling(timeout.Value.TotalMilliseconds);
            if (milliseconds <= 0)
            {
                throw new ArgumentOutOfRangeException(nameof(timeout), "A time-out is longer than nothing; leave it out for segl's own.");
            }
            return milliseconds >= uint.MaxValue ? uint.MaxValue : (uint)milliseconds;
        }
    }
}
