//! HTTPS beside plain HTTP, and the certificates of clients (RFC 8705).

mod authority;
mod client_certificate;
mod config;
mod connection;
mod identity;
mod listener;

pub(super) use config::{ClientCertificates, TlsConfig};
pub(super) use connection::Connection;
pub(super) use identity::Identity;
pub(super) use listener::TlsListener;
