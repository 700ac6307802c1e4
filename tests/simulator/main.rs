//! The simulator, over HTTP, with assertions made by hand from OpenSSL.

#![cfg(feature = "simulator")]

mod admin;
mod api;
mod certificates;
mod config;
mod dnb;
mod eseals;
mod grants;
mod outages;
mod refusals;
mod self_service;
mod support;
