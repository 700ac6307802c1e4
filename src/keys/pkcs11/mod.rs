//! Keys in tokens behind PKCS#11 modules: HSMs, smart cards, SoftHSM.
//!
//! From the outside in: [`Pkcs11Signer`] decides how its key signs, `key` makes
//! one signature; `token` is the token's login and sessions, with `login`
//! guarding the PIN and `pool` sharing the sessions; `module` and `instance` are
//! the library and its initialisation; `cryptoki` is the library's functions.
//!
//! A signature is two calls, `C_SignInit` and `C_Sign`, on a session from the
//! pool, with a key handle that was found before.

mod certificates;
mod cryptoki;
mod find;
mod gate;
mod generate;
mod instance;
mod key;
mod library;
mod lock;
mod login;
mod mechanism;
mod module;
mod online;
mod pool;
mod public_key;
mod rv;
mod session;
mod signer;
mod slot;
mod token;

pub use generate::{TokenKeySpec, generate_on_token};
pub use module::shutdown;
pub use signer::{Pkcs11Options, Pkcs11Signer};

use super::uri::Pkcs11Uri;
use crate::error::Result;
use crate::secret::Secret;

/// The most sessions that sign at once with one token, unless told otherwise.
const DEFAULT_MAX_SESSIONS: usize = 8;

/// The PIN beside the URI, or the one its `pin-source` gives.
fn pin(uri: &Pkcs11Uri, secret: Option<Secret>) -> Result<Option<Secret>> {
    match (secret, uri.pin_source()) {
        (Some(secret), _) => Ok(Some(secret)),
        (None, Some(source)) => source.read().map(Some),
        (None, None) => Ok(None),
    }
}
