//! APIs behind access tokens, one file an API.

mod authorized;
mod errors;
mod key_change;
mod registered_keys;
mod self_service;

pub use authorized::Authorized;
pub use key_change::{ChangedKey, KeyAction, KeyChange, WantedKey};
pub use registered_keys::{RegisteredKey, RegisteredKeys};
pub use self_service::SelfService;
