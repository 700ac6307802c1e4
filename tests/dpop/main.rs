//! DPoP (RFC 9449), against a server that checks each proof by itself.

mod apis;
mod bindings;
#[cfg(feature = "cli")]
mod command;
mod keys;
mod nonces;
mod settings;
mod vectors;

#[path = "../support/dpop_server.rs"]
mod dpop_server;
#[path = "../support/memory_store.rs"]
mod memory_store;
#[path = "../support/mod.rs"]
mod support;

use std::sync::Arc;
use std::time::Duration;

use openssl::pkey::{PKey, Private};
use segl::http::{Method, Request};
use segl::profiles::ClientSettings;
use segl::token::TokenClientBuilder;
use segl::{Call, Token, TokenClient, TokenRequest};

use dpop_server::StrictServer;
use support::signer;

const SETTINGS: &str = r#"{"profile":"generic","issuer":"https://as.example",
    "token_endpoint":"https://as.example/token","client_id":"c1","kid":"k1","scopes":["a:b"],"dpop":{}}"#;

/// Longer than any machine needs.
fn call() -> Call {
    Call::within(Duration::from_secs(30))
}

fn builder(server: &Arc<StrictServer>, key: &PKey<Private>) -> TokenClientBuilder {
    TokenClient::builder(ClientSettings::from_json(SETTINGS).unwrap())
        .signer(signer(key))
        .transport(server.clone())
}

fn client(server: &Arc<StrictServer>) -> Arc<TokenClient> {
    let key = support::p256_key();
    Arc::new(builder(server, &key).build(&call()).unwrap())
}

fn token(client: &TokenClient) -> Arc<Token> {
    client.token(&TokenRequest::default(), &call()).unwrap()
}

fn get(url: &str) -> Request {
    Request::new(Method::Get, url.parse().unwrap())
}
