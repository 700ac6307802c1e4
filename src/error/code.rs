//! The numbers. They are the contract in every language: append only, never
//! reuse; a retired number stays as a comment. `tests/data/error-codes.txt`
//! freezes the list.

use std::ffi::CStr;
use std::fmt;

macro_rules! error_codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $number:literal, $name:literal;)+) => {
        /// The stable number of an error, grouped by hundreds: 1 use of the
        /// library, 100 keys, 200 PKCS#11, 300 AWS KMS, 400 network, 500 token endpoint,
        /// 600 APIs, 700 tokens received.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(i32)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($(#[doc = $doc])+ $variant = $number,)+
        }

        impl ErrorCode {
            /// Every code, in the order of the numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name as in the C header, without its prefix: `"PIN_INCORRECT"`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// The same name, NUL-terminated for C.
            pub fn c_name(self) -> &'static CStr {
                match self {
                    $(Self::$variant => const { nul_terminated(concat!($name, "\0")) },)+
                }
            }

            /// What the code means, one or more sentences.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($doc),+),)+
                }
            }
        }
    };
}

error_codes! {
    /// A fault in segl: a panic was caught at the C ABI. Please report it.
    Panic = 1, "PANIC";
    /// An argument that must not be NULL was NULL.
    NullArgument = 2, "NULL_ARGUMENT";
    /// A handle was freed already, is of another type, or never was one.
    InvalidHandle = 3, "INVALID_HANDLE";
    /// An argument has a value that cannot be used.
    InvalidArgument = 4, "INVALID_ARGUMENT";
    /// Text is not valid UTF-8.
    InvalidUtf8 = 5, "INVALID_UTF8";
    /// The configuration is wrong; `config_path` names the setting.
    Config = 6, "CONFIG";
    /// This build or this key cannot do what was asked.
    Unsupported = 7, "UNSUPPORTED";
    /// The call was cancelled.
    Cancelled = 8, "CANCELLED";
    /// The call's time ran out.
    Timeout = 9, "TIMEOUT";
    /// A callback of the host failed.
    CallbackFailed = 10, "CALLBACK_FAILED";
    /// A file could not be read or written.
    Io = 11, "IO";

    /// A key URI does not follow its grammar, or its parts contradict each other.
    KeyUri = 100, "KEY_URI";
    /// No such key.
    KeyNotFound = 101, "KEY_NOT_FOUND";
    /// More than one key answers the URI; the message lists them.
    KeyAmbiguous = 102, "KEY_AMBIGUOUS";
    /// The key has the wrong type, curve or size for this use.
    KeyType = 103, "KEY_TYPE";
    /// The algorithm is unknown, or the key cannot make it.
    Algorithm = 104, "ALGORITHM";
    /// A key or certificate file cannot be read as PEM, DER or PKCS#12.
    KeyFormat = 105, "KEY_FORMAT";
    /// The passphrase is missing or wrong.
    Passphrase = 106, "PASSPHRASE";
    /// A PIN or passphrase source cannot be read, or is not allowed.
    PinSource = 107, "PIN_SOURCE";
    /// A certificate cannot be used: unreadable, missing, or not valid now.
    Certificate = 108, "CERTIFICATE";
    /// The certificate belongs to another key.
    CertificateMismatch = 109, "CERTIFICATE_MISMATCH";
    /// A device returned a signature that does not verify; it was not released.
    SignatureFault = 110, "SIGNATURE_FAULT";
    /// A key with this name exists already; nothing was written.
    KeyExists = 111, "KEY_EXISTS";
    /// The private key can leave its device, or the device does not say that it
    /// cannot, and the key's URI does not allow that.
    KeyExtractable = 112, "KEY_EXTRACTABLE";
    /// The key is not the one whose thumbprint the URI names.
    PublicKeyMismatch = 113, "PUBLIC_KEY_MISMATCH";

    /// The PKCS#11 module cannot be loaded.
    ModuleLoad = 200, "MODULE_LOAD";
    /// The PKCS#11 module cannot be initialised.
    ModuleInit = 201, "MODULE_INIT";
    /// No token answers the URI; the message lists those present.
    TokenNotFound = 202, "TOKEN_NOT_FOUND";
    /// More than one token answers the URI; the message lists them.
    TokenAmbiguous = 203, "TOKEN_AMBIGUOUS";
    /// The token needs a PIN and none was given.
    PinRequired = 204, "PIN_REQUIRED";
    /// The token refused the PIN. It was tried once and is not tried again.
    PinIncorrect = 205, "PIN_INCORRECT";
    /// The token has locked its PIN, or one more wrong try would.
    PinLocked = 206, "PIN_LOCKED";
    /// The PIN has expired, must be changed first, or was never set.
    PinExpired = 207, "PIN_EXPIRED";
    /// The session with the token was lost.
    SessionLost = 208, "SESSION_LOST";
    /// All sessions with the token were busy until the call's time ran out.
    PoolTimeout = 209, "POOL_TIMEOUT";
    /// The token or its module reported a fault of its own.
    Device = 210, "DEVICE";
    /// The token refuses the mechanism or what the key may do.
    Mechanism = 211, "MECHANISM";
    /// The token does not answer and is left alone for a moment; `retry_after_ms`
    /// says how long.
    TokenUnavailable = 212, "TOKEN_UNAVAILABLE";
    /// Nothing that may be done inside this process helps any more; a new process
    /// can use the token again.
    RestartRequired = 213, "RESTART_REQUIRED";
    /// The key was opened before this process was forked, and its URI forbids its
    /// use in the child.
    Forked = 214, "FORKED";
    /// The token says that the last PIN it saw was wrong, so no PIN was tried that
    /// has not worked in this process before.
    PinGuard = 215, "PIN_GUARD";

    /// KMS knows no such key or alias in this region and account.
    KmsNotFound = 300, "KMS_NOT_FOUND";
    /// The KMS key is disabled.
    KmsDisabled = 301, "KMS_DISABLED";
    /// The KMS key is in a state in which it cannot be used, for example pending
    /// deletion.
    KmsState = 302, "KMS_STATE";
    /// The credentials do not allow this with the KMS key.
    KmsAccessDenied = 303, "KMS_ACCESS_DENIED";
    /// KMS asks to slow down: a quota of requests is used up.
    KmsThrottled = 304, "KMS_THROTTLED";
    /// KMS, or the service that gives credentials for it, has a fault of its own, or
    /// failed a moment ago and is left alone; `retry_after_ms` tells how long.
    KmsUnavailable = 305, "KMS_UNAVAILABLE";
    /// No AWS credentials were found, or AWS refused those that were.
    KmsCredentials = 306, "KMS_CREDENTIALS";
    /// The KMS key is not for signatures, or not for this algorithm.
    KmsKeyUsage = 307, "KMS_KEY_USAGE";
    /// The answer is not what KMS documents: not JSON, or a member is missing or wrong.
    KmsBadResponse = 308, "KMS_BAD_RESPONSE";
    /// The alias leads to another KMS key than when it was opened.
    KmsKeyChanged = 309, "KMS_KEY_CHANGED";
    /// AWS refused the time of the request, also after this machine's clock was
    /// corrected by the one of AWS.
    KmsClock = 310, "KMS_CLOCK";
    /// No AWS region is set, or its name cannot be one.
    KmsRegion = 311, "KMS_REGION";
    /// KMS refused the request for another reason; the message has its words.
    KmsRefused = 312, "KMS_REFUSED";

    /// The server cannot be reached: name look-up, connection or transfer.
    Network = 400, "NETWORK";
    /// TLS failed: the server's certificate, its name, or the protocol.
    Tls = 401, "TLS";
    /// The answer is larger than allowed.
    ResponseTooLarge = 402, "RESPONSE_TOO_LARGE";
    /// The URL is not https, or not a URL.
    Url = 403, "URL";
    /// The server wants a client certificate, and there is none to give.
    ClientCertificateRequired = 410, "CLIENT_CERTIFICATE_REQUIRED";
    /// The server does not take the client certificate.
    ClientCertificateRefused = 411, "CLIENT_CERTIFICATE_REFUSED";
    /// Client and server have no version of TLS in common.
    TlsVersion = 412, "TLS_VERSION";

    /// `invalid_request`: the token endpoint could not read the request.
    TokenInvalidRequest = 500, "TOKEN_INVALID_REQUEST";
    /// `invalid_client`: client authentication failed.
    TokenInvalidClient = 501, "TOKEN_INVALID_CLIENT";
    /// `invalid_grant`: the assertion was refused.
    TokenInvalidGrant = 502, "TOKEN_INVALID_GRANT";
    /// `unauthorized_client`: the client may not use this grant.
    TokenUnauthorizedClient = 503, "TOKEN_UNAUTHORIZED_CLIENT";
    /// `unsupported_grant_type`: the endpoint does not know the grant.
    TokenUnsupportedGrantType = 504, "TOKEN_UNSUPPORTED_GRANT_TYPE";
    /// `invalid_scope`: a scope is unknown or not on the client.
    TokenInvalidScope = 505, "TOKEN_INVALID_SCOPE";
    /// `invalid_target`: the `resource` is not acceptable (RFC 8707).
    TokenInvalidTarget = 506, "TOKEN_INVALID_TARGET";
    /// The client or consumer has not been given access, or has not delegated it.
    TokenAccessDenied = 507, "TOKEN_ACCESS_DENIED";
    /// `invalid_authorization_details` (RFC 9396).
    TokenInvalidAuthorizationDetails = 508, "TOKEN_INVALID_AUTHORIZATION_DETAILS";
    /// The token endpoint has a fault of its own (HTTP 5xx).
    TokenServer = 509, "TOKEN_SERVER";
    /// The token endpoint asks to slow down (HTTP 429).
    TokenRateLimited = 510, "TOKEN_RATE_LIMITED";
    /// The answer is not a token response: HTML, not JSON, or a member is missing.
    TokenBadResponse = 511, "TOKEN_BAD_RESPONSE";
    /// Another OAuth error; `oauth_error` has its name.
    TokenOther = 512, "TOKEN_OTHER";

    /// The assertion could not be read.
    TokenAssertionMalformed = 520, "TOKEN_ASSERTION_MALFORMED";
    /// The assertion was used before. Another attempt has a `jti` of its own.
    TokenAssertionReused = 521, "TOKEN_ASSERTION_REUSED";
    /// The service does not know the client, or not in this environment.
    TokenClientUnknown = 522, "TOKEN_CLIENT_UNKNOWN";
    /// `aud` is not what the service calls itself.
    TokenAudienceRefused = 523, "TOKEN_AUDIENCE_REFUSED";
    /// The service does not accept the certificate, or not in this environment.
    TokenCertificateRefused = 524, "TOKEN_CERTIFICATE_REFUSED";
    /// The key was registered too long ago and must be registered again.
    TokenKeyExpired = 525, "TOKEN_KEY_EXPIRED";
    /// The certificate is another organisation's than the client.
    TokenOrganisationMismatch = 526, "TOKEN_ORGANISATION_MISMATCH";
    /// The header's `x5c` was refused.
    TokenX5cRefused = 527, "TOKEN_X5C_REFUSED";
    /// The signature does not verify with the key or certificate that the header
    /// names.
    TokenSignatureRefused = 528, "TOKEN_SIGNATURE_REFUSED";
    /// The assertion came after its `exp`.
    TokenAssertionExpired = 529, "TOKEN_ASSERTION_EXPIRED";
    /// The assertion's `iat` is ahead of the service's clock.
    TokenAssertionFromFuture = 530, "TOKEN_ASSERTION_FROM_FUTURE";
    /// `exp - iat` is longer than the service allows.
    TokenLifetimeRefused = 531, "TOKEN_LIFETIME_REFUSED";
    /// A scope is not on the client.
    TokenScopeNotOnClient = 532, "TOKEN_SCOPE_NOT_ON_CLIENT";
    /// A scope cannot be had from this service or with this kind of client.
    TokenScopeNotAllowed = 533, "TOKEN_SCOPE_NOT_ALLOWED";
    /// The scope's owner has not given the consumer access.
    TokenScopeNotGranted = 534, "TOKEN_SCOPE_NOT_GRANTED";
    /// The consumer has not delegated the scope to the client's organisation.
    TokenNotDelegated = 535, "TOKEN_NOT_DELEGATED";
    /// `consumer_org` is the client's own organisation.
    TokenConsumerIsSelf = 536, "TOKEN_CONSUMER_IS_SELF";
    /// The service does not know a type in `authorization_details`.
    TokenDetailsTypeUnknown = 537, "TOKEN_DETAILS_TYPE_UNKNOWN";
    /// `authorization_details` has a member that its type does not know.
    TokenDetailsMemberUnknown = 538, "TOKEN_DETAILS_MEMBER_UNKNOWN";
    /// `authorization_details` names something that is not registered.
    TokenDetailsRefused = 539, "TOKEN_DETAILS_REFUSED";
    /// No key is registered under this `kid`, or not yet.
    TokenKidUnknown = 540, "TOKEN_KID_UNKNOWN";
    /// The client has registered keys, and the assertion names none by `kid`.
    TokenKidRequired = 541, "TOKEN_KID_REQUIRED";
    /// A claim is missing, or is not one that the service documents.
    TokenClaimRefused = 542, "TOKEN_CLAIM_REFUSED";
    /// The server's metadata (RFC 8414) cannot be used: not found, not JSON, a
    /// member is missing, or it is another issuer's.
    MetadataInvalid = 543, "METADATA_INVALID";
    /// The token endpoint wants a DPoP proof with a nonce (RFC 9449 section 8), and
    /// gave none, or did not take the one that it gave.
    TokenDpopNonce = 544, "TOKEN_DPOP_NONCE";
    /// The token endpoint refused the DPoP proof (`invalid_dpop_proof`).
    TokenDpopProofRefused = 545, "TOKEN_DPOP_PROOF_REFUSED";
    /// The access token is of another type than was asked for: of type Bearer for a
    /// request with a DPoP proof, or of type DPoP for one without.
    TokenTypeMismatch = 546, "TOKEN_TYPE_MISMATCH";
    /// The access token is bound to another key than that of the DPoP proof.
    TokenBoundToAnotherKey = 547, "TOKEN_BOUND_TO_ANOTHER_KEY";

    /// The API refused the request (HTTP 4xx).
    ApiRefused = 600, "API_REFUSED";
    /// The API refused the access token, also a new one (HTTP 401).
    ApiUnauthorized = 601, "API_UNAUTHORIZED";
    /// The access token does not allow this at the API (HTTP 403).
    ApiForbidden = 602, "API_FORBIDDEN";
    /// The API knows nothing of what was asked about (HTTP 404).
    ApiNotFound = 603, "API_NOT_FOUND";
    /// The API asks to slow down (HTTP 429).
    ApiRateLimited = 604, "API_RATE_LIMITED";
    /// The API has a fault of its own (HTTP 5xx).
    ApiServer = 605, "API_SERVER";
    /// The API's answer is not what was agreed: not JSON, or a member is missing.
    ApiBadResponse = 606, "API_BAD_RESPONSE";
    /// The API refused the DPoP proof (`invalid_dpop_proof`).
    ApiDpopProofRefused = 607, "API_DPOP_PROOF_REFUSED";
    /// The API wants a DPoP proof with a nonce (RFC 9449 section 9), and gave none, or
    /// did not take the one that it gave.
    ApiDpopNonce = 608, "API_DPOP_NONCE";
    /// A key is not registered at the service, or its registration is about to
    /// end.
    KeyRegistration = 610, "KEY_REGISTRATION";
    /// The client's setting `apis` does not let its tokens be sent to this URL.
    ApiNotAllowed = 612, "API_NOT_ALLOWED";
    /// The API could not read the request: a value, a date or a period in it.
    ApiInvalidRequest = 620, "API_INVALID_REQUEST";
    /// The API says that an identifier in the request is none: of a person, an
    /// organisation or an account.
    ApiInvalidIdentifier = 621, "API_INVALID_IDENTIFIER";
    /// The client may not do this for the organisation that was named.
    ApiOtherOrganisation = 622, "API_OTHER_ORGANISATION";
    /// The API does not take the consent.
    ApiConsentRefused = 623, "API_CONSENT_REFUSED";
    /// What is known about an interrupted batch does not belong to this file or this
    /// request.
    BatchState = 624, "BATCH_STATE";
    /// A line of a batch is wrong; nothing of it was sent.
    BatchLine = 625, "BATCH_LINE";
    /// The encrypted answer (JWE) cannot be read or decrypted.
    JweInvalid = 630, "JWE_INVALID";
    /// The encrypted answer (JWE) uses an algorithm that is not allowed.
    JweAlgorithm = 631, "JWE_ALGORITHM";

    /// The token is no signed JWT, or a claim is missing or of another form.
    AccessTokenMalformed = 700, "ACCESS_TOKEN_MALFORMED";
    /// The token's algorithm is not allowed.
    AccessTokenAlgorithm = 701, "ACCESS_TOKEN_ALGORITHM";
    /// The issuer has no key with the token's `kid`.
    AccessTokenKeyUnknown = 702, "ACCESS_TOKEN_KEY_UNKNOWN";
    /// The token's signature does not verify.
    AccessTokenSignature = 703, "ACCESS_TOKEN_SIGNATURE";
    /// The token is another issuer's.
    AccessTokenIssuer = 704, "ACCESS_TOKEN_ISSUER";
    /// The token has expired.
    AccessTokenExpired = 705, "ACCESS_TOKEN_EXPIRED";
    /// The token is not valid yet, by this machine's clock.
    AccessTokenNotYetValid = 706, "ACCESS_TOKEN_NOT_YET_VALID";
    /// The token is for another API (`aud`).
    AccessTokenAudience = 707, "ACCESS_TOKEN_AUDIENCE";
    /// The token does not have the scope.
    AccessTokenScope = 708, "ACCESS_TOKEN_SCOPE";
    /// The token is of another organisation than was asked for (`consumer`).
    AccessTokenConsumer = 709, "ACCESS_TOKEN_CONSUMER";
    /// The token's `supplier`, or where its delegation comes from, is not the one that was
    /// asked for.
    AccessTokenSupplier = 710, "ACCESS_TOKEN_SUPPLIER";
    /// The token is restricted to another person, or to none (`pid`).
    AccessTokenPerson = 711, "ACCESS_TOKEN_PERSON";
    /// The token is not bound to the key or certificate of its sender (`cnf`).
    AccessTokenBinding = 712, "ACCESS_TOKEN_BINDING";
    /// The DPoP proof beside the token is missing, wrong, too old, or was used before (RFC
    /// 9449 section 4.3).
    DpopProofInvalid = 713, "DPOP_PROOF_INVALID";
    /// There is no consent.
    ConsentMissing = 720, "CONSENT_MISSING";
    /// The consent cannot be read, or there is more than one.
    ConsentMalformed = 721, "CONSENT_MALFORMED";
    /// The consent has ended, or has not been given yet.
    ConsentExpired = 722, "CONSENT_EXPIRED";
    /// The consent was given to another organisation.
    ConsentOrganisation = 723, "CONSENT_ORGANISATION";
    /// The consent was given by another person or organisation.
    ConsentGiver = 724, "CONSENT_GIVER";
    /// The consent does not cover what was asked for.
    ConsentRight = 725, "CONSENT_RIGHT";
    /// The issuer's keys cannot be had, and none are known.
    JwksUnavailable = 730, "JWKS_UNAVAILABLE";
    /// The issuer's keys (JWKS) cannot be read, or none of them can be used.
    JwksInvalid = 731, "JWKS_INVALID";
}

impl ErrorCode {
    /// The number.
    pub fn number(self) -> i32 {
        self as i32
    }

    /// The code with this number, if there is one.
    pub fn from_number(number: i32) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|code| code.number() == number)
    }
}

const fn nul_terminated(name: &'static str) -> &'static CStr {
    match CStr::from_bytes_with_nul(name.as_bytes()) {
        Ok(name) => name,
        Err(_) => panic!("a name has a NUL inside"),
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
