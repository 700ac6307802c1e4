//! Samples that service owners published, right and wrong: the right ones are read and
//! made again, the wrong ones are refused with a reason. DNB's are in `tests/dnb/`.

#[path = "../support/mod.rs"]
mod support;

mod bits;
mod dnb;
mod krr_pilot;
mod lanekassen;
#[cfg(feature = "simulator")]
mod service;

use segl::clock::UnixTime;
use segl::http::Response;
use segl::jws::Header;
use segl::keys::{Certificate, ForeignSigner, foreign::SignCallback};
use segl::profiles::{self, ClientSettings, Profile};
use segl::{Algorithm, Call, PublicJwk, Result};
use serde_json::Value;

/// A sample under `tests/data/seeds/`.
macro_rules! sample {
    ($name:literal) => {
        serde_json::from_str::<serde_json::Value>(include_str!(concat!("../data/seeds/", $name)))
            .unwrap()
    };
}
pub(crate) use sample;

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

fn number(value: &Value, name: &str) -> i64 {
    value[name].as_i64().unwrap()
}

/// The private key is its owner's.
struct Unsigned;

impl SignCallback for Unsigned {
    fn sign(&self, _: Algorithm, _: &[u8], _: &Call) -> Result<Vec<u8>> {
        Ok(vec![0; 256])
    }
}

/// The profile of `settings` for a key of which only the public half is known.
fn profile(
    settings: &Value,
    key: &PublicJwk,
    certificate: &Certificate,
    now: i64,
) -> Result<Box<dyn Profile>> {
    let settings = ClientSettings::from_json(&settings.to_string())?;
    let signer = ForeignSigner::new(key.clone(), Box::new(Unsigned));
    let certificates = [certificate.clone()];
    profiles::build(
        &settings,
        Some(&certificates),
        &signer,
        UnixTime::from_seconds(now),
    )
}

fn json(header: &Header) -> Value {
    serde_json::to_value(header).unwrap()
}

#[allow(dead_code, reason = "with the simulator only")]
fn message(answer: &Response) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}
