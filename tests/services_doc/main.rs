//! docs/services.md, done as it says.
#![cfg(all(feature = "cli", feature = "simulator"))]

mod commands;
mod facts;
mod page;
#[path = "../support/simulator_process.rs"]
mod simulator_process;
