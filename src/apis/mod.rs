//! APIs behind access tokens, one file an API.

mod api_request;
mod authorized;
mod errors;
mod key_change;
mod registered_keys;
mod self_service;

pub use crate::token::dpop::asks_for_nonce as asks_for_dpop_nonce;
pub use api_request::{ApiRequest, require_allowed};
pub use authorized::Authorized;
pub use errors::require_success;
pub use key_change::{ChangedKey, KeyAction, KeyChange, WantedKey};
pub use registered_keys::{RegisteredKey, RegisteredKeys};
pub use self_service::SelfService;
