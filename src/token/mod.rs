//! Access tokens: request, answer, cache.

mod builder;
mod cache;
mod client;
mod client_key;
mod decryption;
mod decryption_key;
mod discovery;
pub(crate) mod dpop;
mod exchanged;
pub(crate) mod expiry;
mod failure;
mod fetch;
mod flight;
mod form;
mod health;
mod key_ring;
mod life;
pub(crate) mod oauth_error;
mod obtain;
mod opener;
mod response;
pub(crate) mod retry;
mod server_metadata;
mod service;
pub mod shared;
mod sharing;
pub(crate) mod skew;
mod statistics;
mod tls_key;
pub(crate) mod transport;
mod verdict;
mod workers;

pub use builder::TokenClientBuilder;
pub use client::{TokenClient, TokenSource};
pub use decryption::Decryption;
pub use discovery::Discovery;
pub use expiry::{Expiring, Expiry};
pub use health::KeyHealth;
pub use opener::KeyOpener;
pub use response::{Token, TokenType};
pub use server_metadata::ServerMetadata;
pub use statistics::TokenHealth;

#[cfg(feature = "capi")]
pub(crate) use cache::Spelling;
#[cfg(feature = "cli")]
pub(crate) use opener::UriOpener;

pub use crate::profiles::TokenRequest;
