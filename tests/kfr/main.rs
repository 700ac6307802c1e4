//! KFR: the typed calls, the operations and the command line against the simulator.
#![cfg(all(feature = "cli", feature = "simulator"))]

#[path = "../support/mod.rs"]
mod support;

mod batch;
mod calls;
mod check;
mod command;
mod faults;
mod form;
mod memory;
mod operations;
mod refusals;
mod resume;
mod scripted;
mod server;
mod wire;
mod world;
