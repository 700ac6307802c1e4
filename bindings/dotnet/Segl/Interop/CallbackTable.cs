using System;
using System.Collections.Concurrent;
using System.Threading;

namespace Segl.Interop
{
    /// <summary>What callbacks belong to, by the number that is their <c>ctx</c>. An object that moves or ends is no danger.</summary>
    internal sealed class CallbackTable<T>
        where T : class
    {
        private readonly ConcurrentDictionary<long, T> _entries = new ConcurrentDictionary<long, T>();
        private long _last;

        internal IntPtr Add(T entry)
        {
            long number = Interlocked.Increment(ref _last);
            _entries[number] = entry;
            return (IntPtr)number;
        }

        internal T Get(IntPtr ctx)
        {
            return _entries.TryGetValue((long)ctx, out T? entry) ? entry! : throw new InvalidOperationException("the callback was released");
        }

        internal void Remove(IntPtr ctx)
        {
            _entries.TryRemove((long)ctx, out _);
        }
    }
}
