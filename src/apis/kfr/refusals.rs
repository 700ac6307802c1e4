//! What KFR's refusals mean (Bits' OpenAPI document 1.1.2, the examples of its error
//! responses; Bits' FAQ about the boundary).

use crate::error::ErrorCode;
use crate::profiles::KnownRefusal;

/// Every refusal that KFR documents: its code there and what it means.
pub fn kfr_refusals() -> impl Iterator<Item = (&'static str, &'static KnownRefusal)> {
    ROWS.iter().map(|(code, means)| (*code, means))
}

/// The meaning of `code`; of an answer without one, of its status where KFR says what
/// that means. `what` names the request.
pub(super) fn meaning(
    code: Option<&str>,
    status: u16,
    what: &str,
) -> Option<&'static KnownRefusal> {
    let is_batch = what.ends_with("/batch");
    match code {
        // The boundary cannot be the reason of KFR-003, nor of anything but a batch.
        Some("KFR-002") | None if is_batch && status == 403 => Some(&FORBIDDEN_BATCH),
        Some(code) => ROWS
            .iter()
            .find(|(own, _)| *own == code)
            .map(|(_, means)| means),
        None => None,
    }
}

/// Whether a text is a code and may be shown.
pub(super) fn is_code(text: &str) -> bool {
    text.split_once('-').is_some_and(|(name, number)| {
        (2..=4).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_uppercase())
            && number.len() == 3
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

const fn means(code: ErrorCode, remedy: &'static str) -> KnownRefusal {
    KnownRefusal {
        code,
        remedy,
        retryable: false,
    }
}

/// The same body is built from one boundary in header and form, so only what stands
/// between can have changed one of them.
static FORBIDDEN_BATCH: KnownRefusal = means(
    ErrorCode::ApiForbidden,
    "check that the token has the scope bits:kundeforhold.write and that Bits has registered the organisation; \
     if both are right, a gateway or proxy on the way may have put quotes around the boundary in Content-Type, \
     which KFR answers in the same way",
);

static ROWS: [(&str, KnownRefusal); 13] = [
    (
        "KFR-001",
        means(
            ErrorCode::ApiUnauthorized,
            "KFR takes no token of this client; check that the client's environment is that of KFR",
        ),
    ),
    (
        "KFR-002",
        means(
            ErrorCode::ApiForbidden,
            "check that the token has the scope bits:kundeforhold.write and that Bits has registered the organisation",
        ),
    ),
    (
        "KFR-003",
        means(
            ErrorCode::ApiOtherOrganisation,
            "the institution must be the token's consumer; correct the institution's number, or get the token for it \
             (consumer_org)",
        ),
    ),
    (
        "KFR-004",
        means(
            ErrorCode::ApiInvalidRequest,
            "KFR could not read the request; if a proxy or the settings of the service change headers, look there first",
        ),
    ),
    (
        "KFR-005",
        means(
            ErrorCode::ApiInvalidIdentifier,
            "KFR knows no such number; of a batch nothing was taken, so find the customer who was given another number \
             or has none",
        ),
    ),
    (
        "KFR-007",
        KnownRefusal {
            code: ErrorCode::ApiServer,
            remedy: "the fault is KFR's; try again later, and tell DSOP@bits.no the correlation id if it stays",
            retryable: true,
        },
    ),
    (
        "KFR-008",
        means(
            ErrorCode::ApiNotFound,
            "KFR has no such relation; if it was in a batch, that may not be loaded yet: wait before removing",
        ),
    ),
    (
        "KFR-009",
        means(
            ErrorCode::ApiInvalidRequest,
            "KFR no longer takes relations of type DSOPBANK; ask DSOP@bits.no, and report it to segl",
        ),
    ),
    (
        "KFR-010",
        means(
            ErrorCode::ApiInvalidRequest,
            "KFR does not take a start date; look for one that is in the future or very long ago",
        ),
    ),
    (
        "ERR-001",
        means(
            ErrorCode::ApiForbidden,
            "the client may not ask this; check the token's scope, the environment, and that Bits has registered the \
             organisation",
        ),
    ),
    (
        "ERR-002",
        means(
            ErrorCode::ApiInvalidIdentifier,
            "KFR knows no such customer number; check it",
        ),
    ),
    (
        "ERR-003",
        means(
            ErrorCode::ApiInvalidRequest,
            "KFR does not take the period; check that it does not end before it begins or in the future",
        ),
    ),
    (
        "ERR-004",
        means(
            ErrorCode::ApiInvalidIdentifier,
            "KFR knows no such account number; check it",
        ),
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boundary_is_named_only_where_it_may_be_the_reason() {
        let batch = "POST https://x/customers/financialInstitutions/916960190/batch";
        let says = |code, status, what| {
            meaning(code, status, what).is_some_and(|known| known.remedy.contains("boundary"))
        };
        assert!(says(Some("KFR-002"), 403, batch));
        assert!(says(None, 403, batch));
        assert!(!says(Some("KFR-003"), 403, batch));
        assert!(!says(Some("KFR-004"), 400, batch));
        assert!(!says(None, 401, batch));
        assert!(!says(
            Some("KFR-002"),
            403,
            "POST https://x/relationshipType/DSOPBANK"
        ));
    }
}
