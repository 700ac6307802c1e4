//! Access tokens that an API receives: who is let in, who is not and why, and the issuer's
//! keys.

#[path = "../support/rows.rs"]
mod rows;
#[path = "../support/mod.rs"]
mod support;

mod accepted;
mod differential;
mod headers;
mod keys;
mod organisations;
mod outages;
mod properties;
mod reading_anew;
mod refusals;
mod settings;
#[cfg(feature = "simulator")]
mod simulator;
mod world;
