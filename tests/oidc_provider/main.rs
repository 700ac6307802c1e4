//! segl against an authorisation server of another make, panva's oidc-provider,
//! and an API that checks its tokens.
//!
//! `scripts/test oidc-provider` installs the server and runs this. A plain
//! `cargo test` shows it as ignored.

#[path = "../support/authority.rs"]
mod authority;
mod certificates;
mod client_assertions;
mod discovery;
mod dpop;
mod keys;
mod mutual_tls;
mod refusals;
mod resources;
#[path = "../support/oidc_provider.rs"]
mod server;
#[allow(dead_code, reason = "most of it is for other tests")]
#[path = "../support/softhsm.rs"]
mod softhsm;
mod tls_authentication;
