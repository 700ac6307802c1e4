//! Whether a token that was signed by its issuer is good for this, now.

use super::claims::Claims;
use super::organisation::IssuedOrganisation;
use super::refusal::{insufficient, invalid_token, shown};
use super::requirements::{Requirements, Supplier};
use crate::clock::UnixTime;
use crate::error::{ErrorCode, Result};
use crate::keys::OrgNumber;
use crate::profiles::Scope;

/// What holds for every token of one validator.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) issuer: String,
    /// Seconds.
    pub(super) leeway: i64,
    pub(super) scopes: Vec<Scope>,
    pub(super) audience: Option<String>,
    pub(super) allow_unspecified_audience: bool,
}

/// Maskinporten's older tokens have it where there is no audience.
const UNSPECIFIED: &str = "unspecified";

impl Standing {
    /// Compares `claims` with what is required, in the order of Digdir's guide
    /// (`maskinporten_guide_apitilbyder`): issuer, times, scopes, organisations, audience,
    /// person.
    ///
    /// # Errors
    /// 704 to 711 of [`ErrorCode`], each with what was expected and what was found, but for
    /// persons.
    pub(super) fn check(
        &self,
        claims: &Claims,
        requirements: &Requirements,
        now: UnixTime,
    ) -> Result<()> {
        self.check_issuer(claims)?;
        self.check_times(claims, now)?;
        self.check_scopes(claims, requirements)?;
        check_consumer(claims, requirements)?;
        check_supplier(claims, requirements)?;
        self.check_audience(claims, requirements)?;
        check_person(claims, requirements)
    }

    fn check_issuer(&self, claims: &Claims) -> Result<()> {
        if claims.issuer == self.issuer {
            return Ok(());
        }
        Err(invalid_token(
            ErrorCode::AccessTokenIssuer,
            format!(
                "the token is from the issuer \"{}\"; accepted are tokens of \"{}\", letter for letter",
                shown(&claims.issuer),
                self.issuer
            ),
        ))
    }

    fn check_times(&self, claims: &Claims, now: UnixTime) -> Result<()> {
        let leeway = self.leeway;
        if now >= claims.expires_at.plus(leeway) {
            return Err(invalid_token(
                ErrorCode::AccessTokenExpired,
                format!(
                    "the token expired at {}, and it is {now}; its sender must get a new one",
                    claims.expires_at
                ),
            ));
        }
        let latest = now.plus(leeway);
        for (claim, time) in [("iat", claims.issued_at), ("nbf", claims.not_before)] {
            if let Some(time) = time.filter(|time| *time > latest) {
                return Err(invalid_token(
                    ErrorCode::AccessTokenNotYetValid,
                    format!(
                        "the token is valid from {time} (\"{claim}\"), and it is {now} by this machine's clock; \
                         {leeway} seconds of difference are allowed, so see to the clock"
                    ),
                ));
            }
        }
        Ok(())
    }

    fn check_scopes(&self, claims: &Claims, requirements: &Requirements) -> Result<()> {
        let has = |wanted: &&Scope| claims.scopes().any(|scope| scope == wanted.as_str());
        let required = requirements.scopes.as_deref().unwrap_or(&self.scopes);
        if let Some(missing) = required.iter().find(|scope| !has(scope)) {
            return Err(missing_scope(claims, missing.as_str()));
        }
        match &requirements.any_scope {
            Some(any) if !any.iter().any(|scope| has(&scope)) => {
                let names: Vec<_> = any.iter().map(Scope::as_str).collect();
                Err(missing_scope(claims, &names.join(" or ")))
            }
            _ => Ok(()),
        }
    }

    fn check_audience(&self, claims: &Claims, requirements: &Requirements) -> Result<()> {
        let required = requirements.audience.as_deref();
        let Some(required) = required.or(self.audience.as_deref()) else {
            return Ok(());
        };
        let audiences: Vec<_> = claims.audiences.iter().map(String::as_str).collect();
        let is_unspecified = matches!(audiences.as_slice(), [] | [UNSPECIFIED]);
        let is_right = match is_unspecified {
            true => self.allow_unspecified_audience || audiences.contains(&required),
            false => audiences.contains(&required),
        };
        if is_right {
            return Ok(());
        }
        let found = match audiences.as_slice() {
            [] => {
                "it has none (\"aud\"), so its sender must name the API as \"resource\"".to_owned()
            }
            [..] => format!("it is for \"{}\"", shown(&audiences.join("\", \""))),
        };
        Err(invalid_token(
            ErrorCode::AccessTokenAudience,
            format!("the token must be for the audience \"{required}\", and {found}"),
        ))
    }
}

fn missing_scope(claims: &Claims, missing: &str) -> crate::error::Error {
    insufficient(
        ErrorCode::AccessTokenScope,
        format!(
            "the token lacks the scope {missing}; it has \"{}\"",
            shown(&claims.scope)
        ),
    )
}

fn check_consumer(claims: &Claims, requirements: &Requirements) -> Result<()> {
    match &requirements.consumer {
        Some(required) if !is_organisation(claims.consumer.as_ref(), required) => {
            Err(insufficient(
                ErrorCode::AccessTokenConsumer,
                format!(
                    "the token must be of the organisation {required} (\"consumer\"), and is of {}",
                    named(claims.consumer.as_ref())
                ),
            ))
        }
        _ => Ok(()),
    }
}

fn check_supplier(claims: &Claims, requirements: &Requirements) -> Result<()> {
    let found = claims.supplier.as_ref();
    let expected = match &requirements.supplier {
        Supplier::Any => None,
        Supplier::None => (found.is_some() || claims.delegation_source.is_some())
            .then(|| "must not be delegated".to_owned()),
        Supplier::Org(required) => (!is_organisation(found, required))
            .then(|| format!("must be delegated to the organisation {required}")),
    };
    if let Some(expected) = expected {
        return Err(insufficient(
            ErrorCode::AccessTokenSupplier,
            format!(
                "the token {expected} (\"supplier\"), and is delegated to {}",
                named(found)
            ),
        ));
    }
    match &requirements.delegation_source {
        Some(required) if !is_same_source(claims.delegation_source.as_deref(), required) => {
            let found = claims.delegation_source.as_deref();
            Err(insufficient(
                ErrorCode::AccessTokenSupplier,
                format!(
                    "the token must be delegated in \"{}\" (\"delegation_source\"), and is in {}",
                    shown(required),
                    found.map_or("none".to_owned(), |found| format!("\"{}\"", shown(found)))
                ),
            ))
        }
        _ => Ok(()),
    }
}

fn check_person(claims: &Claims, requirements: &Requirements) -> Result<()> {
    match (&requirements.pid, &claims.person) {
        (None, _) => Ok(()),
        (Some(required), Some(found)) if required == found => Ok(()),
        (Some(_), found) => Err(insufficient(
            ErrorCode::AccessTokenPerson,
            format!(
                "the token must be restricted to the person that was asked about (\"pid\"), and is restricted to {} \
                 (not shown)",
                match found {
                    Some(_) => "another",
                    None => "none",
                }
            ),
        )),
    }
}

fn is_organisation(found: Option<&IssuedOrganisation>, required: &OrgNumber) -> bool {
    found.and_then(IssuedOrganisation::org_number) == Some(required)
}

fn named(organisation: Option<&IssuedOrganisation>) -> String {
    organisation.map_or("none".to_owned(), |found| shown(&found.to_string()))
}

/// One of Digdir's examples lacks the final slash.
fn is_same_source(found: Option<&str>, required: &str) -> bool {
    let bare = |url: &str| url.strip_suffix('/').unwrap_or(url).to_owned();
    found.is_some_and(|found| bare(found) == bare(required))
}
