namespace Segl
{
    /// <summary>What an error of segl knows beside its message.</summary>
    internal sealed class ErrorFacts
    {
        internal ErrorFacts(int number, string name)
        {
            Number = number;
            Name = name;
        }

        internal int Number { get; }

        internal string Name { get; }

        internal bool Retryable { get; set; }

        internal long? RetryAfterMs { get; set; }

        internal int? HttpStatus { get; set; }

        internal long? CkRv { get; set; }

        internal string? CkFunction { get; set; }

        internal string? OAuthError { get; set; }

        internal string? OAuthErrorDescription { get; set; }

        internal string? ErrorUri { get; set; }

        internal string? ProviderCode { get; set; }

        internal string? TraceId { get; set; }

        internal string? ConfigPath { get; set; }
    }
}
