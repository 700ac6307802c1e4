//! DNB: its samples, what its documents leave open, and the whole way from a key to a
//! call.

#[path = "../support/softhsm.rs"]
#[allow(dead_code, reason = "a part of it is used")]
mod softhsm;
#[path = "../support/mod.rs"]
mod support;

mod assertion;
#[cfg(all(feature = "cli", feature = "simulator"))]
mod call;
#[cfg(all(feature = "cli", feature = "simulator"))]
mod command;
mod discovery;
#[cfg(all(feature = "cli", feature = "simulator"))]
mod guide;
mod registration;
mod request;
mod samples;
#[cfg(feature = "simulator")]
mod service;
mod wire;
