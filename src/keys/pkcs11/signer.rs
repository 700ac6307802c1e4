//! A key in a token as a [`Signer`].

use std::fmt;

use cryptoki_sys::*;

use super::find::{self, PrivateKey, Wanted};
use super::key::Key;
use super::mechanism::{self, Plan};
use super::token::Token;
use super::{certificates, public_key, rv};
use crate::alg::Algorithm;
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::uri::Pkcs11Uri;
use crate::keys::{Certificate, Origin, PublicJwk, Signer, require_algorithm};
use crate::log;
use crate::secret::Secret;

/// A private key in a token.
///
/// Signers of one token share its login and its sessions, and may be used from
/// any thread. They work in a forked child too, which initialises the module anew
/// and opens sessions of its own; but a module may hang there when another thread
/// was inside it at the fork, as any library with locks may.
pub struct Pkcs11Signer {
    uri: Pkcs11Uri,
    key: Key,
    certificates: Vec<Certificate>,
    algorithms: Vec<Algorithm>,
    plans: Vec<Plan>,
}

/// What can be chosen when a key is opened.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Pkcs11Options {
    /// The most sessions that sign at once with this key's token, beside one
    /// that keeps the login; 8 by default, and fewer where the token has fewer.
    /// The first signer of a token decides for all.
    pub max_sessions: usize,
    /// The key's public half, for tokens that do not store it, for example from
    /// the certificate. A key that does not pair with it is refused.
    pub public_key: Option<PublicJwk>,
}

impl Default for Pkcs11Options {
    fn default() -> Self {
        Self {
            max_sessions: super::DEFAULT_MAX_SESSIONS,
            public_key: None,
        }
    }
}

impl Pkcs11Signer {
    /// Opens the key that `uri` names, and makes one signature with it to prove
    /// that it works and pairs with its public key. A PIN given as `secret` goes
    /// before the URI's own `pin-source`.
    ///
    /// # Errors
    /// 100 and 200 numbers of [`ErrorCode`].
    pub fn open(uri: &Pkcs11Uri, secret: Option<Secret>, call: &Call) -> Result<Self> {
        Self::open_with(uri, secret, &Pkcs11Options::default(), call)
    }

    /// As [`Pkcs11Signer::open`], with options.
    ///
    /// # Errors
    /// As [`Pkcs11Signer::open`]; `CERTIFICATE_MISMATCH` when the key is not that
    /// of the public key in `options`.
    pub fn open_with(
        uri: &Pkcs11Uri,
        secret: Option<Secret>,
        options: &Pkcs11Options,
        call: &Call,
    ) -> Result<Self> {
        let _deferred = log::defer();
        call.check("opening the PKCS#11 key")?;
        let token = Token::open(uri, super::pin(uri, secret)?, options.max_sessions)?;
        let wanted = Wanted::from(uri);
        let (key, public_key, certificates) = token.with_session(call, |session| {
            let key = find::private_key(session, &wanted)?;
            let stored = public_key::recover(session, &key)?;
            let public_key = choose_public_key(&key, stored, options.public_key.as_ref())?;
            let certificates = certificates::chain(session, &public_key, &key.id)?;
            Ok((key, public_key, certificates))
        })?;
        let mut mechanisms = token.ask(|module, slot| mechanism::offered(module, slot))?;
        if !key.allowed_mechanisms.is_empty() {
            mechanisms.retain(|kind| key.allowed_mechanisms.contains(kind));
        }
        let mut signer = Self {
            uri: uri.clone(),
            key: Key::new(token, key, public_key),
            certificates,
            algorithms: Vec::new(),
            plans: Vec::new(),
        };
        signer.prove(mechanisms, call)?;
        Ok(signer)
    }

    /// Decides how to sign, by a signature with the usual algorithm. A mechanism
    /// that the token offers and then refuses for it is left out; the others are
    /// proven when they are used, for a keypad would ask once for each.
    fn prove(&mut self, mut mechanisms: Vec<CK_MECHANISM_TYPE>, call: &Call) -> Result<()> {
        let mut refusal = None;
        loop {
            self.plans = mechanism::plans(self.key.public_key().algorithms(), &mechanisms);
            let Some(plan) = self.plans.first() else {
                return Err(refusal.unwrap_or_else(|| self.no_mechanism()));
            };
            let Err(error) = self.key.sign(plan, b"segl proves a key", call) else {
                break;
            };
            let rv = error
                .details()
                .ck_rv
                .and_then(|rv| CK_RV::try_from(rv).ok());
            if rv.is_some_and(rv::refuses_mechanism) {
                mechanisms.retain(|kind| *kind != plan.mechanism.kind);
                refusal.get_or_insert(error);
            // Some tokens do not show CKA_ALWAYS_AUTHENTICATE.
            } else if rv != Some(CKR_USER_NOT_LOGGED_IN) || !self.key.set_always_authenticate() {
                return Err(error);
            }
        }
        self.algorithms = self.plans.iter().map(|plan| plan.alg).collect();
        Ok(())
    }

    fn no_mechanism(&self) -> Error {
        Error::new(
            ErrorCode::Mechanism,
            format!(
                "{} offers no mechanism to sign with the {} key {}; its CKA_ALLOWED_MECHANISMS or the token's settings forbid them",
                self.key.token().place().name,
                self.key.public_key().kty(),
                self.key.attributes()
            ),
        )
    }
}

impl Signer for Pkcs11Signer {
    fn public_key(&self) -> &PublicJwk {
        self.key.public_key()
    }

    fn algorithms(&self) -> &[Algorithm] {
        &self.algorithms
    }

    fn sign(&self, alg: Algorithm, message: &[u8], call: &Call) -> Result<Vec<u8>> {
        require_algorithm(self, alg)?;
        let plan = self.plans.iter().find(|plan| plan.alg == alg);
        let plan = plan.ok_or_else(|| self.no_mechanism())?;
        let _deferred = log::defer();
        self.key.sign(plan, message, call)
    }

    fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    fn origin(&self) -> Origin {
        let attributes = self.key.attributes();
        let name = &self.key.token().place().name;
        let mechanisms = self.plans.iter().map(|plan| plan.mechanism.kind);
        Origin {
            kind: "pkcs11",
            uri: Some(self.uri.to_string()),
            extractable: attributes.extractable,
            sensitive: attributes.sensitive,
            never_extractable: attributes.never_extractable,
            token: Some(format!(
                "label {}, serial {}, manufacturer {}, model {}",
                name.label, name.serial, name.manufacturer, name.model
            )),
            mechanisms: mechanisms.filter_map(mechanism::name).collect(),
        }
    }
}

/// The URI without its secret, and the public key.
impl fmt::Debug for Pkcs11Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pkcs11Signer")
            .field("uri", &self.uri.to_string())
            .field("public_key", self.key.public_key())
            .finish_non_exhaustive()
    }
}

fn choose_public_key(
    key: &PrivateKey,
    stored: Option<PublicJwk>,
    given: Option<&PublicJwk>,
) -> Result<PublicJwk> {
    match (stored, given) {
        (Some(stored), Some(given)) if stored != *given => Err(Error::new(
            ErrorCode::CertificateMismatch,
            format!(
                "the key {key} has thumbprint {}, not {} as was given; use the certificate or public key that belongs to it",
                stored.thumbprint(),
                given.thumbprint()
            ),
        )),
        (Some(stored), _) => Ok(stored),
        (None, Some(given)) => Ok(given.clone()),
        (None, None) => Err(Error::new(
            ErrorCode::KeyNotFound,
            format!(
                "the token does not tell the public half of the private key {key}; \
                 put its certificate or its public key on the token with the same id, or give the certificate beside the key"
            ),
        )),
    }
}
