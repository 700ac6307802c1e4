//! Keys in Digdir's self-service: the plan, the API's client over HTTP against
//! the simulator, and the command.
#![cfg(all(feature = "cli", feature = "simulator"))]

#[path = "../support/mod.rs"]
mod support;

mod authorized;
mod command;
mod guide;
mod plan;
mod registration;
mod world;
