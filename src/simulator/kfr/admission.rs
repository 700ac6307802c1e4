//! Who may ask KFR what.

use axum::http::HeaderMap;

use super::super::access_token::AccessToken;
use super::super::state::State;
use super::correlation_id;
use super::refusal::KfrRefusal;
use crate::keys::OrgNumber;

const WRITE: &str = "bits:kundeforhold.write";

/// A refusal that says why.
type Refuse = fn(&str) -> KfrRefusal;

/// The good token of a request that has this scope.
pub(super) fn token(
    state: &State,
    headers: &HeaderMap,
    scope: &str,
    not_authenticated: Refuse,
    no_access: Refuse,
) -> Result<AccessToken, KfrRefusal> {
    let verify = |token: &str| state.maskinporten.verify_token(token, state.now());
    let token = AccessToken::bearer(headers, verify)
        .map_err(|_| not_authenticated("there is no good token"))?;
    match token.has_scope(scope) {
        true => Ok(token),
        false => Err(no_access("the token does not have the scope")),
    }
}

/// The institution that changes its own relations, in a request with a `CorrelationID`.
pub(super) fn institution(
    state: &State,
    headers: &HeaderMap,
    fid: &str,
) -> Result<OrgNumber, KfrRefusal> {
    let token = token(
        state,
        headers,
        WRITE,
        KfrRefusal::not_authenticated,
        KfrRefusal::no_access,
    )?;
    let own = fid
        .parse::<OrgNumber>()
        .ok()
        .filter(|number| token.consumer() == number.as_str());
    let institution = own.ok_or_else(|| {
        KfrRefusal::other_organisation("the institution is not the token's consumer")
    })?;
    match correlation_id(headers) {
        Some(_) => Ok(institution),
        None => Err(KfrRefusal::invalid_request("CorrelationID is no UUID")),
    }
}

/// The same for a question about its own relations, whose codes are others.
pub(super) fn own_lookup(state: &State, headers: &HeaderMap, fid: &str) -> Result<(), KfrRefusal> {
    let token = token(
        state,
        headers,
        WRITE,
        KfrRefusal::lookup_not_authenticated,
        KfrRefusal::lookup_no_access,
    )?;
    match token.consumer() == fid {
        true => Ok(()),
        false => Err(KfrRefusal::lookup_no_access(
            "the institution is not the token's consumer",
        )),
    }
}
