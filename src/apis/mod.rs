//! APIs behind access tokens, one file an API.

mod altinn;
mod api_path;
mod api_request;
mod authorized;
mod errors;
mod header;
mod header_template;
mod key_change;
mod operations;
mod registered_keys;
mod self_service;
mod service;

pub use crate::token::dpop::asks_for_nonce as asks_for_dpop_nonce;
pub use altinn::Altinn;
pub use api_path::ApiPath;
pub use api_request::{ApiRequest, require_allowed};
pub use authorized::Authorized;
pub use errors::require_success;
pub use key_change::{ChangedKey, KeyAction, KeyChange, WantedKey};
pub use operations::{Operation, schema as operations_schema};
pub use registered_keys::{RegisteredKey, RegisteredKeys};
pub use self_service::SelfService;
