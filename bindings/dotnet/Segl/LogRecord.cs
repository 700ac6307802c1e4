namespace Segl
{
    /// <summary>How much a record of the log matters.</summary>
    public enum SeglLogLevel
    {
        /// <summary>A fault in segl itself.</summary>
        Error = 1,

        /// <summary>Something will fail, or was retried.</summary>
        Warn = 2,

        /// <summary>A session was opened, a token fetched.</summary>
        Info = 3,

        /// <summary>Timings and decisions.</summary>
        Debug = 4,
    }

    /// <summary>One record of segl's log. It holds no secret and no personal identifier.</summary>
    public readonly struct LogRecord
    {
        internal LogRecord(SeglLogLevel level, string target, string message)
        {
            Level = level;
            Target = target;
            Message = message;
        }

        /// <summary>How much it matters.</summary>
        public SeglLogLevel Level { get; }

        /// <summary>The layer that it comes from, for example "pkcs11".</summary>
        public string Target { get; }

        /// <summary>What happened.</summary>
        public string Message { get; }

        /// <summary>The target and the message.</summary>
        /// <returns>For example "pkcs11: a session was opened".</returns>
        public override string ToString() => Target + ": " + Message;
    }
}
