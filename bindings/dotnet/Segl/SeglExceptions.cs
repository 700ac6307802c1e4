using System;

namespace Segl
{
    /// <summary>The library was used wrongly, or the call ended before it was done: numbers 1 to 99.</summary>
    public sealed class UsageException : SeglException
    {
        internal UsageException(ErrorFacts facts, string message, Exception? innerException)
            : base(facts, message, innerException)
        {
        }
    }

    /// <summary>A key or certificate cannot be used: numbers 100 to 199.</summary>
    public sealed class KeyException : SeglException
    {
        internal KeyException(ErrorFacts facts, string message, Exception? innerException)
            : base(facts, message, innerException)
        {
        }
    }

    /// <summary>A PKCS#11 token or its module failed: numbers 200 to 299.</summary>
    public sealed class HsmException : SeglException
    {
        internal HsmException(ErrorFacts facts, string message, Exception? innerException)
            : base(facts, message, innerException)
        {
        }
    }

    /// <summary>AWS KMS failed or refused: numbers 300 to 399.</summary>
    public sealed class KmsException : SeglException
    {
        internal KmsException(ErrorFacts facts, string message, Exception? innerException)
            : base(facts, message, innerException)
        {
        }
    }

    /// <summary>The network or TLS failed: numbers 400 to 499.</summary>
    public sealed class NetworkException : SeglException
    {
        internal NetworkException(ErrorFacts facts, string message, Exception? innerException)
            : base(facts, message, innerException)
        {
        }
    }

    /// <summary>The token endpoint refused or failed: numbers 500 to 599.</summary>
    public sealed class TokenException : SeglException
    {
        internal TokenException(ErrorFacts facts, string message, Exception? innerException)
            : base(facts, message, innerException)
        {
        }
    }

    /// <summary>An API refused or failed: numbers 600 to 699.</summary>
    public sealed class ApiException : SeglException
    {
        internal ApiException(ErrorFacts facts, string message, Exception? innerException)
            : base(facts, message, innerException)
        {
        }
    }

    /// <summary>A token that was received, or the consent in it, does not allow what is asked: numbers 700 to 799.</summary>
    /// <remarks><see cref="SeglException.HttpStatus"/> and <see cref="SeglException.OAuthError"/> are what a resource server answers (RFC 6750 section 3.1).</remarks>
    public sealed class ValidationException : SeglException
    {
        internal ValidationException(ErrorFacts facts, string message, Exception? innerException)
            : base(facts, message, innerException)
        {
        }
    }
}
