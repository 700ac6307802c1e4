//! What an error of one key means for the client's other keys.

use crate::error::{Error, ErrorCode};
use crate::profiles::Profile;

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
            // A home behind a network.
            Network | Tls | KmsThrottled | KmsUnavailable => Self::Away,
            // Such a home does not let this program in.
            ClientCertificateRequired | ClientCertificateRefused | TlsVersion => Self::Broken,

            Io | Unsupported => Self::Broken,
            KeyUri | KeyNotFound | KeyAmbiguous | KeyType | Algorithm | KeyFormat => Self::Broken,
            KeyExists | KeyExtractable | PublicKeyMismatch | SignatureFault => Self::Broken,
            Passphrase | PinSource | PinRequired | PinIncorrect | PinExpired => Self::Broken,
            Certificate | CertificateMismatch => Self::Broken,
            ModuleLoad | TokenAmbiguous | Mechanism => Self::Broken,
            KmsNotFound | KmsDisabled | KmsState | KmsAccessDenied | KmsKeyUsage => Self::Broken,
            KmsCredentials | KmsBadResponse | KmsKeyChanged | KmsClock => Self::Broken,
            KmsRegion | KmsRefused => Self::Broken,

            // Refused by the service: this key, not what was asked for.
            TokenKidUnknown | TokenKidRequired | TokenKeyExpired => Self::Broken,
            TokenSignatureRefused | TokenCertificateRefused | TokenOrganisationMismatch => {
                Self::Broken
            }

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
            | TokenOther
            | TokenAssertionMalformed
            | TokenAssertionReused
            | TokenClientUnknown
            | TokenAudienceRefused
            | TokenX5cRefused
            | TokenAssertionExpired
            | TokenAssertionFromFuture
            | TokenLifetimeRefused
            | TokenScopeNotOnClient
            | TokenScopeNotAllowed
            | TokenScopeNotGranted
            | TokenNotDelegated
            | TokenConsumerIsSelf
            | TokenDetailsTypeUnknown
            | TokenDetailsMemberUnknown
            | TokenDetailsRefused
            | TokenClaimRefused
            | MetadataInvalid
            | TokenDpopNonce
            | TokenDpopProofRefused
            | TokenTypeMismatch
            | TokenBoundToAnotherKey => Self::Final,
            ApiDpopProofRefused | ApiDpopNonce => Self::Final,
            ApiRefused | ApiUnauthorized | ApiForbidden | ApiNotFound | ApiRateLimited
            | ApiServer | ApiBadResponse | ApiNotAllowed | KeyRegistration => Self::Final,
            ApiInvalidRequest | ApiInvalidIdentifier | ApiOtherOrganisation | ApiConsentRefused
            | BatchState | BatchLine => Self::Final,
            // Made without the client's keys.
            JweInvalid
            | JweAlgorithm
            | AccessTokenMalformed
            | AccessTokenAlgorithm
            | AccessTokenKeyUnknown
            | AccessTokenSignature
            | AccessTokenIssuer
            | AccessTokenExpired
            | AccessTokenNotYetValid
            | AccessTokenAudience
            | AccessTokenScope
            | AccessTokenConsumer
            | AccessTokenSupplier
            | AccessTokenPerson
            | AccessTokenBinding
            | DpopProofInvalid
            | ConsentMissing
            | ConsentMalformed
            | ConsentExpired
            | ConsentOrganisation
            | ConsentGiver
            | ConsentRight
            | JwksUnavailable
            | JwksInvalid => Self::Final,
        }
    }
}

/// True when the service of `profile` answered that it does not take the key that
/// signed. It may take another one of the client.
pub(super) fn refuses_key(error: &Error, profile: &dyn Profile) -> bool {
    let is_refusal = Verdict::of(error.code()) == Verdict::Broken
        || (error.code() == ErrorCode::TokenInvalidClient && profile.invalid_client_may_be_key());
    error.details().http_status.is_some() && is_refusal
}
