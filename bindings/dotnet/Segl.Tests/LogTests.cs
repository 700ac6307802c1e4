using System;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Linq;

namespace Segl.Tests
{
    internal static class LogTests
    {
        public static void RecordsComeToTheSink()
        {
            var records = new ConcurrentQueue<LogRecord>();
            SeglLibrary.SetLog(SeglLogLevel.Debug, record => records.Enqueue(record));
            string token;
            using (TokenClient client = Services.Client("bank"))
            {
                token = client.Token().AccessToken;
            }
            SeglLibrary.SetLog(SeglLogLevel.Info, null);
            Check.Contains(SeglLibrary.Version, records.First().Message);
            Check.That(records.Any(record => record.Target.Length > 0 && record.Level > SeglLogLevel.Warn), "what was done");
            Check.That(!records.Any(record => record.ToString().Contains(token) || record.ToString().Contains(Services.Get("SEGL_TEST_PIN"))), "no secrets");
            int count = records.Count;
            Services.Client("bank").Dispose();
            Check.Equal(count, records.Count);
        }

        public static void ASinkThatThrowsIsNoFailure()
        {
            SeglLibrary.SetLog(SeglLogLevel.Debug, record => throw new InvalidOperationException("the disk is full"));
            try
            {
                using TokenClient client = Services.Client("bank");
                Check.That(client.Token().AccessToken.Length > 20, "a token");
            }
            finally
            {
                SeglLibrary.SetLog(SeglLogLevel.Error, null);
            }
            Check.Fails(ErrorCode.InvalidArgument, () => SeglLibrary.SetLog((SeglLogLevel)17, record => { }));
        }

        public static void RecordsComeToTheTraceSource()
        {
            using var listener = new Listener();
            SeglLibrary.TraceSource.Listeners.Add(listener);
            SeglLibrary.LogToTrace();
            using (TokenClient client = Services.Client("bank"))
            {
                client.Token();
            }
            SeglLibrary.SetLog(SeglLogLevel.Error, null);
            SeglLibrary.TraceSource.Listeners.Remove(listener);
            Check.Equal("Segl", SeglLibrary.TraceSource.Name);
            Check.That(listener.Events.Count > 1 && listener.Events.All(type => type <= TraceEventType.Information), listener.Events.Count + " events");
        }

        private sealed class Listener : TraceListener
        {
            internal ConcurrentQueue<TraceEventType> Events { get; } = new ConcurrentQueue<TraceEventType>();

            public override void TraceEvent(TraceEventCache eventCache, string source, TraceEventType eventType, int id, string message) => Events.Enqueue(eventType);

            public override void Write(string message)
            {
            }

            public override void WriteLine(string message)
            {
            }
        }
    }
}
