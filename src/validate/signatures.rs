//! Whether an issuer signed a token.

use std::sync::Arc;

use super::jwks::Verdict;
use super::jwt::{Header, Parts};
use super::key_cache::{KeyCache, Known};
use super::refusal::{invalid_token, shown};
use crate::alg::Algorithm;
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};

/// The signatures of one issuer.
#[derive(Debug)]
pub(super) struct Signatures {
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) keys: KeyCache,
}

impl Signatures {
    /// Requires the signature of `parts` to be the issuer's.
    ///
    /// # Errors
    /// 700 to 703 of [`ErrorCode`], and those of having the keys.
    pub(super) fn check(&self, parts: &Parts<'_>, call: &Call) -> Result<()> {
        let signature = parts.signature()?;
        let keys = self.keys.peek();
        let mut wrong_by = None;
        if let Some(known) = &*keys
            && let Some(is_right) =
                known
                    .keys
                    .verify_known(parts.header, parts.signing_input, signature.as_bytes())
        {
            self.keys.refresh_if_due(known);
            if is_right {
                return Ok(());
            }
            wrong_by = Some(Arc::clone(known));
        }
        drop(keys);
        let header = Header::read(parts.header, &self.algorithms)?;
        let verify = |known: &Known| {
            known.keys.verify(
                parts.header,
                &header,
                parts.signing_input,
                signature.as_bytes(),
            )
        };
        let (known, verdict) = match wrong_by {
            Some(known) => (known, Verdict::Wrong),
            None => {
                let known = self.keys.keys(call)?;
                let verdict = verify(&known);
                (known, verdict)
            }
        };
        if verdict == Verdict::Right {
            return Ok(());
        }
        // The issuer may have a new key, which looks like a wrong signature where it has the
        // `kid` of an old one, or neither has one.
        match self.keys.newer_than(&known, call) {
            Ok(None) => Err(refused(verdict, &header, &known, None)),
            Ok(Some(newer)) => match verify(&newer) {
                Verdict::Right => Ok(()),
                verdict => Err(refused(verdict, &header, &newer, None)),
            },
            Err(error) if matches!(error.code(), ErrorCode::Timeout | ErrorCode::Cancelled) => {
                Err(error)
            }
            Err(error) => Err(refused(verdict, &header, &known, Some(&error))),
        }
    }
}

fn refused(verdict: Verdict, header: &Header, known: &Known, failure: Option<&Error>) -> Error {
    match verdict {
        Verdict::Wrong => wrong_signature(),
        _ => unknown_key(header, known, failure),
    }
}

fn wrong_signature() -> Error {
    invalid_token(
        ErrorCode::AccessTokenSignature,
        "the token's signature is not the issuer's; it was changed on its way, or made by somebody else",
    )
}

fn unknown_key(header: &Header, known: &Known, failure: Option<&Error>) -> Error {
    let named = match &header.kid {
        Some(kid) => format!("a key with the kid \"{}\"", shown(kid)),
        None => "a key without kid, as the token names none".to_owned(),
    };
    let also = failure.map_or(String::new(), |error| {
        format!("; they could not be read anew: {error}")
    });
    let error = invalid_token(
        ErrorCode::AccessTokenKeyUnknown,
        format!(
            "the issuer has not {named}; it has {}{also}",
            known.keys.kids()
        ),
    );
    error.with_retryable(failure.is_some())
}
