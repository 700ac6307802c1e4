//! Access tokens: request, answer, cache.

mod builder;
mod cache;
mod client;
mod client_key;
mod form;
mod health;
mod key_ring;
mod oauth_error;
mod opener;
mod response;
pub mod shared;
mod verdict;

pub use builder::TokenClientBuilder;
pub use client::{TokenClient, TokenSource};
pub use health::KeyHealth;
pub use opener::KeyOpener;
pub use response::Token;

pub use crate::profiles::TokenRequest;
