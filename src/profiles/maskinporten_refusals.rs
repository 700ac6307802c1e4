//! What Maskinporten's refusals mean (docs.digdir.no, "Feilsøking"; those without
//! a code from the same page and from answers that users have published).

use super::refusal::{KnownRefusal, ServerRefusal};
use crate::error::ErrorCode;

/// The meaning of `refusal`: by its code, else by its words.
pub(super) fn classify(refusal: &ServerRefusal<'_>) -> Option<&'static KnownRefusal> {
    let by_code = refusal
        .provider_code
        .and_then(|code| ROWS.iter().find(|row| row.code == Some(code)));
    let by_text = || ROWS.iter().find(|row| row.is_said_by(refusal));
    by_code.or_else(by_text).map(|row| &row.means)
}

/// Every refusal that Maskinporten documents: its code there, if it has one, and
/// what it means.
pub fn maskinporten_refusals() -> impl Iterator<Item = (Option<&'static str>, &'static KnownRefusal)>
{
    ROWS.iter().map(|row| (row.code, &row.means))
}

/// One refusal: how it is known, and what it means.
struct Row {
    code: Option<&'static str>,
    /// Each of them alone tells it. Earlier rows go first.
    texts: &'static [&'static str],
    means: KnownRefusal,
}

impl Row {
    fn is_said_by(&self, refusal: &ServerRefusal<'_>) -> bool {
        let is_said = |text: &&str| refusal.description.contains(text) || refusal.error == *text;
        self.texts.iter().any(is_said)
    }
}

const fn row(
    code: Option<&'static str>,
    texts: &'static [&'static str],
    number: ErrorCode,
    remedy: &'static str,
) -> Row {
    Row {
        code,
        texts,
        means: KnownRefusal {
            code: number,
            remedy,
            retryable: false,
        },
    }
}

/// A refusal that the next attempt may not meet.
const fn passing(
    code: Option<&'static str>,
    texts: &'static [&'static str],
    number: ErrorCode,
    remedy: &'static str,
) -> Row {
    let mut row = row(code, texts, number, remedy);
    row.means.retryable = true;
    row
}

static ROWS: [Row; 24] = [
    row(
        Some("MP-011"),
        &["Invalid parameter value"],
        ErrorCode::TokenAssertionMalformed,
        "the grant could not be read; look for what changed it on its way",
    ),
    passing(
        Some("MP-012"),
        &["Grant is used before"],
        ErrorCode::TokenAssertionReused,
        "the grant was used before; segl gives every attempt a new jti, so try again, and look for a proxy that repeats requests",
    ),
    row(
        Some("MP-100"),
        &["Client not found"],
        ErrorCode::TokenClientUnknown,
        "no such client; check client_id, and that it belongs to this environment (test or prod)",
    ),
    row(
        Some("MP-110"),
        &["Invalid JWT claim aud"],
        ErrorCode::TokenAudienceRefused,
        "the aud claim is not this environment's issuer, letter for letter (Maskinporten's has a final slash, Skyporten's has none); \
         check environment, issuer and audience",
    ),
    row(
        Some("MP-120"),
        &["signed with an invalid certificate"],
        ErrorCode::TokenCertificateRefused,
        "the certificate is not accepted; use one from Buypass or Commfides, a test certificate in test and a production one in prod",
    ),
    row(
        Some("MP-121"),
        &["Expired key"],
        ErrorCode::TokenKeyExpired,
        "the registered key is older than a year; register it again (the same key may be posted anew)",
    ),
    row(
        Some("MP-122"),
        &["Does not match certificate orgno"],
        ErrorCode::TokenOrganisationMismatch,
        "the certificate's organisation number is not the client's; use a certificate of the organisation that owns the client",
    ),
    row(
        Some("MP-123"),
        &["Invalid JWT header x5c"],
        ErrorCode::TokenX5cRefused,
        "x5c is not an array of base64 DER certificates; look for what changed the grant on its way",
    ),
    row(
        Some("MP-124"),
        &["Invalid JWT signature"],
        ErrorCode::TokenSignatureRefused,
        "the signature does not verify; check that the kid or certificate belongs to this key, has not expired, and is of this environment",
    ),
    passing(
        Some("MP-130"),
        &["JWT is expired", "JWT has expired"],
        ErrorCode::TokenAssertionExpired,
        "the grant came too late; try again, and check this machine's clock against UTC and how long the key takes to sign",
    ),
    passing(
        None,
        &["Issue time is"],
        ErrorCode::TokenAssertionFromFuture,
        "this machine's clock is ahead; try again, and set it by NTP",
    ),
    row(
        None,
        &["too long lifetime"],
        ErrorCode::TokenLifetimeRefused,
        "exp - iat is over the limit; lower lifetime_seconds",
    ),
    row(
        Some("MP-200"),
        &["contains invalid scopes for client"],
        ErrorCode::TokenScopeNotOnClient,
        "a scope is not on the client; add it in the self-service, or look for a typing error",
    ),
    row(
        Some("MP-201"),
        &["scopes not allowed for maskinporten"],
        ErrorCode::TokenScopeNotAllowed,
        "a scope is not allowed for Maskinporten; check the client's integration type",
    ),
    row(
        Some("MP-250"),
        &["has not been granted access to the scope"],
        ErrorCode::TokenScopeNotGranted,
        "the API's owner has not given this organisation access to the scope; ask the API's owner",
    ),
    row(
        Some("MP-251"),
        &["has not delegated access to the scope"],
        ErrorCode::TokenNotDelegated,
        "the consumer has not delegated the scope to this supplier; the consumer does that in Altinn (tt02 for test)",
    ),
    row(
        Some("MP-301"),
        &["Unknown authorization details type"],
        ErrorCode::TokenDetailsTypeUnknown,
        "the type in authorization_details is unknown; check its spelling",
    ),
    row(
        Some("MP-302"),
        &["Unknown fields in the authorization details"],
        ErrorCode::TokenDetailsMemberUnknown,
        "authorization_details has members that its type does not know; remove them",
    ),
    row(
        Some("MP-303"),
        &[
            "Invalid authorization details values",
            "invalid_altinn_customer_configuration",
        ],
        ErrorCode::TokenDetailsRefused,
        "authorization_details does not fit the register; check the system user, externalRef and organisation, or the consent, in Altinn",
    ),
    row(
        None,
        &["The combination consumer_org in claim"],
        ErrorCode::TokenConsumerIsSelf,
        "consumer_org is the client's own organisation; leave it out",
    ),
    passing(
        None,
        &["Unknown key identifier"],
        ErrorCode::TokenKidUnknown,
        "the kid is not registered on this client; a new key takes up to two minutes to work, else check kid and client_id",
    ),
    row(
        None,
        &["requires pre-registered jwk"],
        ErrorCode::TokenKidRequired,
        "this client has registered keys; set \"kid\" instead of a certificate",
    ),
    // The words in which every failed authentication begins: without a reason
    // that is known, they tell nothing.
    row(
        None,
        &["Client authentication failed"],
        ErrorCode::TokenInvalidGrant,
        "the client was not authenticated; check kid or certificate, client_id and environment",
    ),
    row(
        None,
        &["Invalid assertion"],
        ErrorCode::TokenClaimRefused,
        "the grant lacks a claim, or has one that is not documented; leave out \"nbf\" and other settings that add to it",
    ),
];
