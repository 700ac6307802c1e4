//! APIs that answer about a person who consented: Lånekassen, NAV and Skatteetaten.
#![cfg(all(feature = "cli", feature = "simulator"))]

mod consents;
mod headers;
mod lanekassen;
mod paths;
#[path = "../support/mod.rs"]
mod support;
mod world;
