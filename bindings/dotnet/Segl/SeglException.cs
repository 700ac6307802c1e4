using System;

namespace Segl
{
    /// <summary>What failed, on what, and what to do about it. One subclass for each hundred of error numbers.</summary>
    /// <remarks>It holds no PIN, passphrase, token, assertion, private key or personal identifier.</remarks>
    public class SeglException : Exception
    {
        private readonly ErrorFacts _facts;

        /// <summary>Makes an error for segl's callbacks: the caller of segl gets one with this code and message.</summary>
        /// <param name="code">What kind of failure it is.</param>
        /// <param name="message">What failed, and what to do. No secrets: it comes into logs.</param>
        /// <param name="innerException">What it comes from, if anything.</param>
        public SeglException(ErrorCode code, string message, Exception? innerException = null)
            : this(new ErrorFacts((int)code, code.ToString()), message, innerException)
        {
        }

        internal SeglException(ErrorFacts facts, string message, Exception? innerException)
            : base(message, innerException)
        {
            _facts = facts;
        }

        /// <summary>The kind of failure; null for a number that this version of the assembly does not know.</summary>
        public ErrorCode? Code => Enum.IsDefined(typeof(ErrorCode), _facts.Number) ? (ErrorCode)_facts.Number : (ErrorCode?)null;

        /// <summary>The error number. It means the same in every language and version.</summary>
        public int Number => _facts.Number;

        /// <summary>The number's name, for example "PIN_INCORRECT"; of an exception that a program made, as <see cref="ErrorCode"/> has it.</summary>
        public string Name => _facts.Name;

        /// <summary>Whether the same call may succeed later without any change.</summary>
        public bool Retryable => _facts.Retryable;

        /// <summary>How long to wait before that, if it is known.</summary>
        public TimeSpan? RetryAfter => _facts.RetryAfterMs is long milliseconds ? TimeSpan.FromMilliseconds(milliseconds) : (TimeSpan?)null;

        /// <summary>The HTTP status of the answer, if there was one; of a <see cref="ValidationException"/>, the one that an API answers the token with.</summary>
        public int? HttpStatus => _facts.HttpStatus;

        /// <summary>The PKCS#11 return value (CK_RV), if a token reported one.</summary>
        public long? CkRv => _facts.CkRv;

        /// <summary>The PKCS#11 function that returned it, for example "C_Login".</summary>
        public string? CkFunction => _facts.CkFunction;

        /// <summary>"error" of the token endpoint (RFC 6749 section 5.2); of a <see cref="ValidationException"/>, the one that an API answers the token with (RFC 6750 section 3.1).</summary>
        public string? OAuthError => _facts.OAuthError;

        /// <summary>"error_description" of the token endpoint.</summary>
        public string? OAuthErrorDescription => _facts.OAuthErrorDescription;

        /// <summary>"error_uri" of the token endpoint.</summary>
        public string? ErrorUri => _facts.ErrorUri;

        /// <summary>The provider's own code, for example Maskinporten's "MP-122".</summary>
        public string? ProviderCode => _facts.ProviderCode;

        /// <summary>The provider's trace id, to be quoted in a support case.</summary>
        public string? TraceId => _facts.TraceId;

        /// <summary>The setting at fault, for example "clients.bank.key".</summary>
        public string? ConfigPath => _facts.ConfigPath;

        internal static SeglException Of(ErrorFacts facts, string message, Exception? cause)
        {
            switch (facts.Number / 100)
            {
                case 0:
                    return new UsageException(facts, message, cause);
                case 1:
                    return new KeyException(facts, message, cause);
                case 2:
                    return new HsmException(facts, message, cause);
                case 3:
                    return new KmsException(facts, message, cause);
                case 4:
                    return new NetworkException(facts, message, cause);
                case 5:
                    return new TokenException(facts, message, cause);
                case 6:
                    return new ApiException(facts, message, cause);
                case 7:
                    return new ValidationException(facts, message, cause);
                default:
                    return new SeglException(facts, message, cause);
            }
        }
    }
}
