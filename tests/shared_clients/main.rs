//! Token clients that share their tokens in a real Redis: several instances of one
//! service against the simulator, over HTTP.
#![cfg(all(feature = "simulator", feature = "redis"))]

mod clocks;
#[path = "../support/memory_store.rs"]
mod memory_store;
mod once;
mod outages;
#[path = "../support/redis_server.rs"]
mod redis_server;
mod rejected;
mod separate;
mod settings;
#[path = "../support/mod.rs"]
mod support;
mod world;
