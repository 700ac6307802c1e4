//! segl signs JWT assertions with keys that never leave their HSM, and gets
//! access tokens with them.
//!
//! One request is one straight walk: a *profile* makes the claims, *jws* makes
//! the signing input, a *key* signs it, *http* posts it, *token* parses and
//! caches the answer. `docs/architecture.md` draws the layers and says where a
//! new key source, profile or API goes.

#![forbid(non_ascii_idents)]
#![cfg_attr(not(test), deny(clippy::unwrap_used))]

pub mod alg;
pub mod call;
pub mod clock;
pub mod endpoint;
pub mod error;
mod file;
mod fork;
pub mod keys;
pub mod log;
pub mod secret;

pub use alg::Algorithm;
pub use call::{Call, CancelToken};
pub use endpoint::Endpoint;
pub use error::{Error, ErrorCode, Result};
pub use keys::{KeyUri, PublicJwk, Signer};
pub use secret::Secret;
