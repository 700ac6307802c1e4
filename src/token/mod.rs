//! Access tokens: request, answer, cache.

mod builder;
mod cache;
mod client;
mod client_key;
mod flight;
mod form;
mod health;
mod key_ring;
mod life;
mod oauth_error;
mod opener;
mod response;
mod retry;
mod service;
mod skew;
mod statistics;
mod verdict;
mod workers;

pub use builder::TokenClientBuilder;
pub use client::{TokenClient, TokenSource};
pub use health::KeyHealth;
pub use opener::KeyOpener;
pub use response::Token;
pub use statistics::TokenHealth;

pub(crate) use cache::Spelling;

pub use crate::profiles::TokenRequest;
