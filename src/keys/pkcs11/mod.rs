//! Keys in tokens behind PKCS#11 modules: HSMs, smart cards, SoftHSM.
//!
//! From the outside in: [`Pkcs11Signer`] decides how its key signs, `key` makes
//! one signature; [`Pkcs11Decrypter`] and `decryption_key` decrypt; `located` finds
//! either key; `token` is the one way to a session, with `pool` sharing the
//! sessions, `threads` running what may hang, and `breaker` failing at once while
//! the token does not answer; `connection` is the token's slot and login, with
//! `login` and `pin_guard` guarding the PIN; `module` and `instance` are the
//! library and its initialisation; `cryptoki` is the library's functions.
//!
//! A signature is two calls, `C_SignInit` and `C_Sign`, on a session from the
//! pool, with a key handle that was found before. When it fails, `healing` climbs
//! the rungs of `recovery`; `maintenance` does so while nobody calls.

mod breaker;
mod certificates;
mod connection;
mod cryptoki;
mod decrypter;
mod decryption_key;
mod find;
mod gate;
mod generate;
mod healing;
mod instance;
mod key;
mod library;
mod located;
mod lock;
mod login;
mod maintenance;
mod mechanism;
mod module;
mod pin_guard;
mod policy;
mod pool;
mod public_key;
mod recovery;
mod rv;
mod session;
mod settling;
mod signer;
mod slot;
mod statistics;
mod threads;
mod token;
mod turn;

pub use decrypter::Pkcs11Decrypter;
pub use generate::{TokenKeySpec, generate_on_token};
pub use module::shutdown;
pub use signer::Pkcs11Signer;
