//! Tokens received: consents, and whose token it is.

mod certificates;
#[cfg(all(feature = "cli", feature = "simulator"))]
mod command;
mod consents;
mod legacy;
mod proofs;
mod samples;
#[cfg(feature = "simulator")]
mod simulated;

#[path = "../support/rows.rs"]
mod rows;
#[path = "../support/mod.rs"]
mod support;
mod world;
