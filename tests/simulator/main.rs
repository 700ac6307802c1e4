//! The simulator, over HTTP, with assertions made by hand from OpenSSL.

#![cfg(feature = "simulator")]

mod admin;
mod api;
mod certificates;
mod client_certificates;
mod config;
mod dnb;
mod dpop;
mod eseals;
mod grants;
mod helseid;
mod outages;
mod refusals;
mod self_service;
mod support;
mod tls;
