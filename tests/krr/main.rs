//! KRR's look-ups: the crate, the operation and the command, against the simulator and
//! against answers that only the real register could give.
#![cfg(all(feature = "cli", feature = "simulator"))]

mod answers;
mod command;
mod lookups;
mod operation;
#[path = "../support/people.rs"]
mod people;
#[path = "../support/mod.rs"]
mod support;
mod world;
