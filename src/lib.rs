//! segl signs JWT assertions with keys that never leave their HSM, and gets
//! access tokens with them.
//!
//! One request is one straight walk: a *profile* makes the claims, *jws* makes
//! the signing input, a *key* signs it, *http* posts it, *token* parses and
//! caches the answer. `docs/architecture.md` draws the layers and says where a
//! new key source, profile or API goes.
//!
//! ```no_run
//! use segl::{Call, Config, TokenClient, TokenRequest};
//!
//! # fn main() -> segl::Result<()> {
//! let config = Config::from_file("segl.toml".as_ref())?;
//! let client = TokenClient::from_config(&config, "lanekassen", &Call::none())?;
//! let token = client.token(&TokenRequest::default(), &Call::none())?;
//! println!("valid until {}", token.expires_at());
//! # Ok(())
//! # }
//! ```

#![forbid(non_ascii_idents)]
#![cfg_attr(not(test), deny(clippy::unwrap_used))]

pub mod alg;
pub mod apis;
pub mod call;
pub mod clock;
pub mod config;
pub mod endpoint;
pub mod error;
mod file;
mod fork;
mod hex;
pub mod http;
mod jitter;
mod json;
pub mod jwe;
pub mod jws;
pub mod keys;
pub mod log;
pub mod person_id;
pub mod profiles;
pub mod secret;
pub mod token;
pub mod validate;

#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "capi")]
pub mod ffi;
#[cfg(feature = "simulator")]
pub mod simulator;

pub use alg::Algorithm;
pub use call::{Call, CancelToken};
pub use config::Config;
pub use endpoint::Endpoint;
pub use error::{Error, ErrorCode, Result};
pub use keys::{KeyUri, PublicJwk, Signer};
pub use person_id::PersonId;
pub use secret::Secret;
pub use token::{Token, TokenClient, TokenRequest};
pub use validate::{Requirements, Validator, VerifiedToken};
