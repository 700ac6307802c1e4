//! Altinn: its tokens for Maskinporten's, and requests for consent, against the simulator
//! and against answers that the simulator does not give.
#![cfg(all(feature = "cli", feature = "simulator"))]

#[path = "../support/stub_transport.rs"]
mod stub_transport;
#[path = "../support/mod.rs"]
mod support;

mod answers;
mod command;
mod consent;
mod exchange;
mod world;
