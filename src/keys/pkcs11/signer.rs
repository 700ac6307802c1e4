//! A key in a token as a [`Signer`].

use std::fmt;
use std::sync::Arc;

use cryptoki_sys::*;

use super::find::{self, PrivateKey, Purpose, Wanted};
use super::key::Key;
use super::located::refuses_mechanism;
use super::mechanism::{self, Plan};
use super::token::{DEFAULT_TIME, Token};
use super::{certificates, maintenance, policy, public_key, threads};
use crate::alg::Algorithm;
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::uri::Pkcs11Uri;
use crate::keys::{
    Certificate, Health, HealthState, MakeMessage, Origin, PublicJwk, Signed, Signer,
    require_algorithm,
};
use crate::log;
use crate::secret::Secret;

/// A private key in a token.
///
/// Signers of one token share its login and its sessions, and may be used from
/// any thread. What fails is put right: [`Signer::health`] tells how. A module's
/// function that hangs does not keep a caller longer than its call allows, 30
/// seconds by default.
///
/// They work in a forked child too, which initialises the module anew and opens
/// sessions of its own, unless the URI says `fork=refuse`. A module may hang there
/// when another thread was inside it at the fork, as any library with locks may;
/// then calls in the child end with `TIMEOUT`.
pub struct Pkcs11Signer {
    uri: Pkcs11Uri,
    key: Arc<Key>,
    certificates: Vec<Certificate>,
    algorithms: Vec<Algorithm>,
    plans: Vec<Plan>,
}

impl Pkcs11Signer {
    /// Opens the key that `uri` names, and makes one signature with it to prove
    /// that it works and pairs with its public key. A PIN given as `secret` goes
    /// before the URI's own `pin-source`.
    ///
    /// # Errors
    /// 100 and 200 numbers of [`ErrorCode`].
    pub fn open(uri: &Pkcs11Uri, secret: Option<Secret>, call: &Call) -> Result<Self> {
        Self::open_expecting(uri, secret, None, call)
    }

    /// As [`Pkcs11Signer::open`], for a key whose public half is known, for example
    /// from its certificate: some tokens do not store it.
    ///
    /// # Errors
    /// As [`Pkcs11Signer::open`]; `CERTIFICATE_MISMATCH` when the key has another
    /// public half.
    pub fn open_expecting(
        uri: &Pkcs11Uri,
        secret: Option<Secret>,
        public_key: Option<&PublicJwk>,
        call: &Call,
    ) -> Result<Self> {
        call.check("opening the PKCS#11 key")?;
        let (own_uri, public_key, own_call) = (uri.clone(), public_key.cloned(), call.clone());
        let open = move || Self::open_here(own_uri, secret, public_key, &own_call);
        threads::run_as(uri.settings().threads, call, DEFAULT_TIME, open)
    }

    /// Does the work of opening, on whatever thread.
    fn open_here(
        uri: Pkcs11Uri,
        secret: Option<Secret>,
        public_key: Option<PublicJwk>,
        call: &Call,
    ) -> Result<Self> {
        let _deferred = log::defer();
        let token = Token::open(&uri, secret, call)?;
        let wanted = Wanted::from(&uri);
        let settings = uri.settings().clone();
        let (key, era, public_key, certificates) =
            token.with_session(call, None, move |session| {
                let key = find::private_key(session, &wanted, Purpose::Sign)?;
                policy::require_kept(&key, &settings)?;
                let stored = public_key::recover(session, &key)?;
                let public_key = choose_public_key(&key, stored, public_key.as_ref())?;
                policy::require_pinned(&key, &public_key, &settings)?;
                let certificates = certificates::chain(session, &public_key, &key.id)?;
                Ok((key, session.era(), public_key, certificates))
            })?;
        let mut mechanisms = token.ask(call, |module, slot| mechanism::offered(module, slot))?;
        if !key.allowed_mechanisms.is_empty() {
            mechanisms.retain(|kind| key.allowed_mechanisms.contains(kind));
        }
        let mut signer = Self {
            uri,
            key: Arc::new(Key::new(token, key, era, public_key)),
            certificates,
            algorithms: Vec::new(),
            plans: Vec::new(),
        };
        signer.prove(mechanisms, call)?;
        if let Some(plan) = signer.plans.first() {
            signer.key.serve_token(plan);
        }
        maintenance::wake(signer.key.token());
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
            if !refuses_mechanism(&error) {
                return Err(error);
            }
            mechanisms.retain(|kind| *kind != plan.mechanism.kind);
            refusal.get_or_insert(error);
        }
        self.algorithms = self.plans.iter().map(|plan| plan.alg).collect();
        Ok(())
    }

    fn plan(&self, alg: Algorithm) -> Result<&Plan> {
        require_algorithm(self, alg)?;
        let plan = self.plans.iter().find(|plan| plan.alg == alg);
        plan.ok_or_else(|| self.no_mechanism())
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
        let plan = self.plan(alg)?;
        let _deferred = log::defer();
        self.key.sign(plan, message, call)
    }

    /// Makes the message between `C_SignInit`, with the login that some keys ask for,
    /// and `C_Sign`.
    fn sign_when_ready(
        &self,
        alg: Algorithm,
        make: &Arc<MakeMessage>,
        call: &Call,
    ) -> Result<Signed> {
        let plan = self.plan(alg)?;
        let _deferred = log::defer();
        self.key.sign_when_ready(plan, make, call)
    }

    fn health(&self) -> Health {
        let mut health = self.key.token().health();
        if self.key.is_refused() {
            health.state = HealthState::KeyRefused;
            health.problem = Some(format!(
                "the token made wrong signatures with the key {}",
                self.key.attributes()
            ));
        }
        health
    }

    fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    fn origin(&self) -> Origin {
        let attributes = self.key.attributes();
        let name = self.key.token().place().name;
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
