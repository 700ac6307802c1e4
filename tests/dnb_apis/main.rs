//! DNB's APIs: any behind a token, currency rates, accounts and payments for third parties,
//! against the simulator and against answers that the simulator does not give.
#![cfg(all(feature = "cli", feature = "simulator"))]

#[path = "../support/authority.rs"]
mod authority;
#[path = "../support/stub_transport.rs"]
mod stub_transport;
#[path = "../support/mod.rs"]
mod support;

mod answers;
mod call;
mod certificate;
mod command;
mod currencies;
mod frame;
mod psd2;
mod world;
