//! What an error of one key means for the client's other keys.

use crate::error::ErrorCode;

/// Whether another key may do what this one could not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The key's home is away for now. The next key is tried, and a client can be
    /// made without this one.
    Away,
    /// This key cannot be used as it is. The next key is tried, but a client is
    /// not made: a person has to look at the settings.
    Broken,
    /// The call or the request is at fault; no key could do it.
    Final,
}

impl Verdict {
    /// Every code has its line here, so that a new one is thought about.
    pub(super) fn of(code: ErrorCode) -> Self {
        use ErrorCode::*;
        match code {
            Timeout | CallbackFailed => Self::Away,
            ModuleInit | TokenNotFound | SessionLost | PoolTimeout | Device => Self::Away,
            TokenUnavailable | RestartRequired | Forked => Self::Away,
            // The token refuses every PIN for now, the right one too.
            PinLocked | PinGuard => Self::Away,
            // A home of the program's own, behind a network.
            Network | Tls => Self::Away,

            Io | Unsupported => Self::Broken,
            KeyUri | KeyNotFound | KeyAmbiguous | KeyType | Algorithm | KeyFormat => Self::Broken,
            KeyExists | KeyExtractable | PublicKeyMismatch | SignatureFault => Self::Broken,
            Passphrase | PinSource | PinRequired | PinIncorrect | PinExpired => Self::Broken,
            Certificate | CertificateMismatch => Self::Broken,
            ModuleLoad | TokenAmbiguous | Mechanism => Self::Broken,

            Panic | NullArgument | InvalidHandle | InvalidArgument | InvalidUtf8 => Self::Final,
            Config | Cancelled => Self::Final,
            ResponseTooLarge | Url => Self::Final,
            TokenInvalidRequest
            | TokenInvalidClient
            | TokenInvalidGrant
            | TokenUnauthorizedClient
            | TokenUnsupportedGrantType
            | TokenInvalidScope
            | TokenInvalidTarget
            | TokenAccessDenied
            | TokenInvalidAuthorizationDetails
            | TokenServer
            | TokenRateLimited
            | TokenBadResponse
            | TokenOther => Self::Final,
            ApiRefused | ApiUnauthorized | ApiForbidden | ApiNotFound | ApiRateLimited
            | ApiServer | ApiBadResponse | KeyRegistration => Self::Final,
        }
    }
}
