//! What the bindings are compared with: the same work in Rust. Prints a line
//! `rust | WHAT | median in ns` for each, as `bindings/*/bench` do; run it with
//! `scripts/bench languages`.

use std::env;
use std::hint::black_box;
use std::time::Instant;

use segl::keys::software::SoftwareSigner;
use segl::{Call, Config, TokenClient, TokenRequest, jws};

/// Batches of which the median counts, and how long one takes at least.
const BATCHES: usize = 31;
const BATCH_NS: u128 = 20_000_000;

const PAYLOAD: &[u8] = br#"{"iss":"7ea43b76-6b7d-49e8-af2b-4114ebb66c80","aud":"https://test.maskinporten.no/","scope":"lanekassen:lan/v1/saldoopplysninger","iat":1763200000,"exp":1763200120,"jti":"5b1d5a4e-8e0f-4c43-9a5e-2b1a7f0d9c3e"}"#;

fn main() {
    let config = Config::from_file(given("SEGL_TEST_CONFIG").as_ref()).expect("a segl.toml");
    let client = TokenClient::from_config(&config, "file", &Call::none()).expect("a client");
    let request = TokenRequest::default();
    let token = || client.token(&request, &Call::none()).expect("a token");
    report("cached token", token);
    report("new token string", || token().access_token().to_owned());
    for (alg, variable) in [
        ("ES256", "SEGL_TEST_EC_PEM"),
        ("RS256", "SEGL_TEST_RSA_PEM"),
    ] {
        let pem = std::fs::read(given(variable)).expect("a key file");
        let signer = SoftwareSigner::from_bytes(&pem, None).expect("a key");
        let header = format!(r#"{{"alg":"{alg}","kid":"a","typ":"JWT"}}"#);
        report(&format!("{alg} JWT"), || {
            jws::sign_json(&signer, &header, PAYLOAD, &Call::none()).expect("a JWS")
        });
    }
}

fn given(variable: &str) -> String {
    env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} is not set; run scripts/bench languages"))
}

fn report<T>(what: &str, work: impl Fn() -> T) {
    let mut calls = 1;
    while batch(calls, &work) < BATCH_NS {
        calls *= 2;
    }
    let mut times: Vec<u128> = (0..BATCHES).map(|_| batch(calls, &work)).collect();
    times.sort_unstable();
    println!(
        "rust | {what} | {:.1}",
        times[BATCHES / 2] as f64 / f64::from(calls)
    );
}

/// The time of so many calls, in nanoseconds.
fn batch<T>(calls: u32, work: impl Fn() -> T) -> u128 {
    let begin = Instant::now();
    for _ in 0..calls {
        black_box(work());
    }
    begin.elapsed().as_nanos()
}
