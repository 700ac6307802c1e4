//! A key in a token as a [`Decrypter`].

use std::fmt;
use std::sync::Arc;

use cryptoki_sys::{CK_RV, CKR_ARGUMENTS_BAD};

use super::decryption_key::DecryptionKey;
use super::find::{self, Purpose, Wanted};
use super::located::{Located, refuses_mechanism};
use super::token::{DEFAULT_TIME, Token};
use super::{maintenance, policy, public_key, threads};
use crate::alg::KeyEncryption;
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::PublicJwk;
use crate::keys::decrypt::{Decrypter, require_length, require_rsa};
use crate::keys::uri::Pkcs11Uri;
use crate::log;
use crate::secret::Secret;

/// A private RSA key in a token, which takes the padding off too: what the token gives
/// out is the text alone.
///
/// It shares login and sessions with the token's [`super::Pkcs11Signer`]s, and fails,
/// heals and forks as they do.
pub struct Pkcs11Decrypter {
    uri: Pkcs11Uri,
    key: Arc<DecryptionKey>,
}

impl Pkcs11Decrypter {
    /// Opens the key that `uri` names, and decrypts something with it to prove that it
    /// works and pairs with its public key. A PIN given as `secret` goes before the
    /// URI's own `pin-source`.
    ///
    /// # Errors
    /// 100 and 200 numbers of [`ErrorCode`].
    pub fn open(uri: &Pkcs11Uri, secret: Option<Secret>, call: &Call) -> Result<Self> {
        call.check("opening the PKCS#11 key")?;
        let (own_uri, own_call) = (uri.clone(), call.clone());
        let open = move || Self::open_here(own_uri, secret, &own_call);
        threads::run_as(uri.settings().threads, call, DEFAULT_TIME, open)
    }

    /// Does the work of opening, on whatever thread.
    fn open_here(uri: Pkcs11Uri, secret: Option<Secret>, call: &Call) -> Result<Self> {
        let _deferred = log::defer();
        let token = Token::open(&uri, secret, call)?;
        let wanted = Wanted::from(&uri);
        let settings = uri.settings().clone();
        let (key, era, public_key) = token.with_session(call, None, move |session| {
            let key = find::private_key(session, &wanted, Purpose::Decrypt)?;
            policy::require_kept(&key, &settings)?;
            let public_key = public_key::recover(session, &key)?.ok_or_else(|| {
                Error::new(
                    ErrorCode::KeyNotFound,
                    format!(
                        "the token does not tell the public half of the private key {key}; \
                         put its certificate or its public key on the token with the same id"
                    ),
                )
            })?;
            require_rsa(&public_key)?;
            policy::require_pinned(&key, &public_key, &settings)?;
            Ok((key, session.era(), public_key))
        })?;
        let located = Located::new(token, key, Purpose::Decrypt, era, public_key);
        let decrypter = Self {
            uri,
            key: Arc::new(DecryptionKey::new(located)),
        };
        decrypter.prove(call)?;
        maintenance::wake(decrypter.key.located().token());
        Ok(decrypter)
    }

    /// One algorithm is enough: senders choose.
    fn prove(&self, call: &Call) -> Result<()> {
        let [usual, other] = KeyEncryption::ALL;
        match self.key.prove(usual, call) {
            Err(error) if refuses(&error) => self
                .key
                .prove(other, call)
                .map_err(|error| self.explained(error, other)),
            outcome => outcome,
        }
    }

    /// Says what to do when the token does not do `alg`.
    fn explained(&self, error: Error, alg: KeyEncryption) -> Error {
        if !refuses(&error) {
            return error;
        }
        let remedy = match alg {
            KeyEncryption::RsaOaep256 => {
                "many tokens do OAEP with SHA-1 only; use another token, or if the sender can, have it use RSA-OAEP \
                 and name that in the setting \"decryption.key_encryption\""
            }
            KeyEncryption::RsaOaep => "use RSA-OAEP-256 if the sender can, or another token",
        };
        Error::new(
            ErrorCode::Mechanism,
            format!(
                "{} does not do {alg} with the key {} ({}); {remedy}",
                self.key.located().token().place().name,
                self.key.located().attributes(),
                error.message()
            ),
        )
        .with_details(|details| {
            details.ck_rv = error.details().ck_rv;
            details.ck_function = error.details().ck_function;
        })
    }
}

impl Decrypter for Pkcs11Decrypter {
    fn public_key(&self) -> &PublicJwk {
        self.key.located().public_key()
    }

    fn decrypt(&self, alg: KeyEncryption, ciphertext: &[u8], call: &Call) -> Result<Secret> {
        require_length(self.public_key(), ciphertext)?;
        let _deferred = log::defer();
        self.key
            .decrypt(alg, ciphertext, call)
            .map_err(|error| self.explained(error, alg))
    }
}

/// The URI without its secret, and the public key.
impl fmt::Debug for Pkcs11Decrypter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pkcs11Decrypter")
            .field("uri", &self.uri.to_string())
            .field("public_key", self.public_key())
            .finish_non_exhaustive()
    }
}

/// True when the token takes OAEP with other parameters only, or not at all. SoftHSM says
/// `CKR_ARGUMENTS_BAD` to another hash than SHA-1.
fn refuses(error: &Error) -> bool {
    let rv = error.details().ck_rv.map(CK_RV::try_from);
    error.details().ck_function == Some("C_DecryptInit")
        && (refuses_mechanism(error) || rv == Some(Ok(CKR_ARGUMENTS_BAD)))
}
