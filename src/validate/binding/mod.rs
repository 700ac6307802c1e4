//! Whether a token is its sender's: DPoP (RFC 9449 section 7) and certificates (RFC 8705
//! section 3).

mod client_certificate;
mod dpop_requirement;

use std::sync::atomic::{AtomicBool, Ordering};

pub use client_certificate::ClientCertificate;
pub use dpop_requirement::DpopRequirement;

use super::dpop_proof::{Proof, ProofRules, ProvenRequest};
use super::replay::{ReplayTable, Reuse};
use crate::alg::Algorithm;
use crate::clock::UnixTime;
use crate::error::{Error, ErrorCode, Result};
use crate::fork::PerProcess;
use crate::log::{self, Level};

/// What a token is bound to, by its claim `cnf`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bound<'a> {
    /// The claim is there.
    pub(super) is_bound: bool,
    /// `jkt`: the thumbprint of a key.
    pub(super) jkt: Option<&'a str>,
    /// `x5t#S256`: that of a certificate.
    pub(super) x5t_s256: Option<&'a str>,
}

/// What the sender of a token has shown.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shown<'a> {
    pub(super) dpop: Option<&'a DpopRequirement>,
    pub(super) certificate: Option<&'a ClientCertificate>,
}

/// Checks who sends tokens. It remembers the proofs that were used, of each process for
/// itself.
pub(super) struct Binding {
    algorithms: Vec<Algorithm>,
    window: i64,
    leeway: i64,
    used: PerProcess<ReplayTable>,
    was_full: AtomicBool,
}

impl Binding {
    /// Takes proofs that were made with `algorithms` in the last `window` and `leeway`
    /// seconds, by clocks that are ahead by no more than `leeway` seconds.
    pub(super) fn new(algorithms: Vec<Algorithm>, window: i64, leeway: i64) -> Self {
        Self {
            algorithms,
            window,
            leeway,
            used: PerProcess::new(),
            was_full: AtomicBool::new(false),
        }
    }

    /// Requires `token` to be bound to what its sender has shown, and to nothing else.
    ///
    /// # Errors
    /// `ACCESS_TOKEN_BINDING`, `DPOP_PROOF_INVALID`.
    pub(super) fn check(
        &self,
        token: &str,
        bound: Bound<'_>,
        shown: Shown<'_>,
        now: UnixTime,
    ) -> Result<()> {
        if bound.is_bound && bound.jkt.is_none() && bound.x5t_s256.is_none() {
            return Err(unbound(
                "the token is bound (cnf) to something else than a key (jkt) or a certificate (x5t#S256), which cannot \
                 be checked",
            ));
        }
        require_certificate(bound.x5t_s256, shown.certificate)?;
        match (bound.jkt, shown.dpop) {
            (None, None) => Ok(()),
            (None, Some(_)) => Err(unbound(
                "the token is bound to no key (it has no cnf.jkt), and one with a DPoP proof must be",
            )),
            (Some(_), None) => Err(refused(
                "the token is bound to a key, and came without a DPoP proof; it must be sent with the scheme DPoP and a \
                 proof in the header DPoP",
                "invalid_token",
            )),
            (Some(jkt), Some(dpop)) => self.require_proof(token, jkt, dpop, now),
        }
    }

    fn require_proof(
        &self,
        token: &str,
        jkt: &str,
        dpop: &DpopRequirement,
        now: UnixTime,
    ) -> Result<()> {
        if dpop.proof.is_empty() {
            return Err(invalid("there is no header DPoP"));
        }
        let request = ProvenRequest {
            method: &dpop.method,
            url: &dpop.url,
            access_token: Some(token),
        };
        let rules = ProofRules {
            algorithms: &self.algorithms,
            past: self.window + self.leeway,
            future: self.leeway,
            whole_seconds: false,
        };
        let proof = Proof::check(&dpop.proof, &request, &rules, now)
            .map_err(|problem| invalid(&problem.0))?;
        if proof.jkt() != jkt {
            return Err(unbound(
                "the token is bound to another key than the DPoP proof's",
            ));
        }
        if let Some(nonces) = &dpop.nonces {
            let given = proof.nonce().map_err(|problem| invalid(&problem.0))?;
            if !given.is_some_and(|given| nonces.iter().any(|nonce| nonce == given)) {
                return Err(refused(
                    "the DPoP proof has no nonce that this API takes; answer with one in the header DPoP-Nonce",
                    "use_dpop_nonce",
                ));
            }
        }
        let used = self.used.get(|_| ReplayTable::in_shares());
        let outcome = proof.use_once(&used, now);
        self.note_full(outcome == Err(Reuse::Full));
        outcome.map_err(|reuse| match reuse {
            Reuse::Used => invalid("its jti was used before"),
            Reuse::Full => full(),
        })
    }

    /// Logs each change, and not each refusal.
    fn note_full(&self, is_full: bool) {
        if self.was_full.swap(is_full, Ordering::Relaxed) != is_full {
            let (level, what) = match is_full {
                true => (
                    Level::Warn,
                    "no more DPoP proofs can be remembered; they are refused",
                ),
                false => (Level::Info, "DPoP proofs can be remembered again"),
            };
            log::emit(level, "validate", format_args!("{what}"));
        }
    }
}

impl std::fmt::Debug for Binding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Binding(proofs of {:?} for {} s)",
            self.algorithms, self.window
        )
    }
}

fn require_certificate(
    x5t_s256: Option<&str>,
    certificate: Option<&ClientCertificate>,
) -> Result<()> {
    match (x5t_s256, certificate) {
        (None, None) => Ok(()),
        (Some(bound), Some(certificate)) if certificate.x5t_s256() == bound => Ok(()),
        (Some(_), Some(_)) => Err(unbound(
            "the token is bound to another certificate than the client's",
        )),
        (Some(_), None) => Err(unbound(
            "the token is bound to a certificate, and came without one; it must be sent over mutual TLS, and the \
             certificate given with the check",
        )),
        (None, Some(_)) => Err(unbound(
            "the token is bound to no certificate (it has no cnf.x5t#S256), and must be bound to the client's",
        )),
    }
}

fn unbound(problem: &str) -> Error {
    super::refusal::invalid_token(ErrorCode::AccessTokenBinding, problem)
}

fn invalid(problem: &str) -> Error {
    refused(
        &format!("the DPoP proof is refused: {problem}"),
        "invalid_dpop_proof",
    )
}

/// With the word of RFC 9449 sections 7 and 12.2.
fn refused(problem: &str, word: &str) -> Error {
    Error::new(ErrorCode::DpopProofInvalid, problem).with_details(|details| {
        details.http_status = Some(401);
        details.oauth_error = Some(word.to_owned());
    })
}

fn full() -> Error {
    super::refusal::undecided(
        ErrorCode::DpopProofInvalid,
        "the DPoP proof cannot be told from one that was used: too many are remembered, of this key or of all; try \
         again in a minute",
    )
    .with_retryable(true)
}

#[cfg(test)]
mod tests {
    use openssl::ec::{EcGroup, EcKey};
    use openssl::nid::Nid;
    use openssl::pkey::PKey;
    use openssl::sha::sha256;
    use serde_json::json;

    use super::*;
    use crate::call::Call;
    use crate::jws;
    use crate::keys::Signer;
    use crate::keys::jwk::base64url;
    use crate::keys::software::SoftwareSigner;

    const URL: &str = "https://api.example/a";

    fn signer() -> SoftwareSigner {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
        SoftwareSigner::from_bytes(&key.private_key_to_pem_pkcs8().unwrap(), None).unwrap()
    }

    fn proof(signer: &SoftwareSigner, token: &str, iat: i64) -> DpopRequirement {
        let jwk = signer.public_key().members();
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": jwk });
        let claims = json!({
            "jti": uuid::Uuid::new_v4().to_string(), "htm": "GET", "htu": URL, "iat": iat,
            "ath": base64url(&sha256(token.as_bytes())),
        });
        let (header, claims) = (header.to_string(), claims.to_string());
        let proof = jws::sign_json(signer, &header, claims.as_bytes(), &Call::none());
        DpopRequirement::new(&proof.unwrap(), "GET", URL).unwrap()
    }

    #[test]
    fn a_full_memory_takes_no_proof_and_forgets_none() {
        let binding = Binding::new(vec![Algorithm::ES256], 60, 10);
        binding.used.get(|_| ReplayTable::bounded(3, 2));
        let check = |signer: &SoftwareSigner, dpop: &DpopRequirement, now: i64| {
            let bound = Bound {
                is_bound: true,
                jkt: Some(signer.public_key().thumbprint()),
                x5t_s256: None,
            };
            let shown = Shown {
                dpop: Some(dpop),
                certificate: None,
            };
            binding.check("token", bound, shown, UnixTime::from_seconds(now))
        };
        let (busy, other) = (signer(), signer());
        let first = proof(&busy, "token", 1000);
        check(&busy, &first, 1000).unwrap();
        check(&busy, &proof(&busy, "token", 1000), 1000).unwrap();
        let error = check(&busy, &proof(&busy, "token", 1000), 1000).unwrap_err();
        assert_eq!(error.code(), ErrorCode::DpopProofInvalid);
        assert!(error.retryable() && error.details().http_status == Some(503));
        check(&other, &proof(&other, "token", 1000), 1000).unwrap();
        let error = check(&busy, &first, 1070).unwrap_err();
        assert!(error.message().contains("used before"), "{error}");
        assert_eq!(error.details().http_status, Some(401));
        check(&busy, &proof(&busy, "token", 1071), 1071).unwrap();
    }
}
