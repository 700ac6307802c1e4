//! Access tokens: request, answer, cache.

mod cache;
mod client;
mod form;
mod oauth_error;
mod response;

pub use client::{TokenClient, TokenClientBuilder, TokenSource};
pub use response::Token;

pub use crate::profiles::TokenRequest;
