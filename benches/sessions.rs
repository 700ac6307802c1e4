//! How many signatures a second a token makes through segl when each takes 5 ms
//! in the token, against as many sessions that never wait: sessions divided by the
//! time of one raw signature, which is measured in the same rounds.

#[path = "../tests/support/fault.rs"]
mod fault;
#[path = "support/raw.rs"]
mod raw;
#[path = "../tests/support/softhsm.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod softhsm;

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use cryptoki_sys::CKM_ECDSA;
use fault::FaultModule;
use openssl::sha::sha256;
use raw::Raw;
use segl::keys::pkcs11::Pkcs11Signer;
use segl::{Algorithm, Call, Signer};
use softhsm::{SoftHsm, pin};

const ROUNDS: usize = 11;
const ROUND_TIME: Duration = Duration::from_millis(500);
const MESSAGE: &[u8] = b"header.payload";

fn main() {
    let hsm = SoftHsm::new("bench-sessions");
    let built = fault::set_up();
    hsm.init_token("bench");
    hsm.generate("bench", "EC:prime256v1", "02", "ec", &[]);
    let module = FaultModule::load(&built, "sessions");
    module.rules("C_Sign delay_ms=5");
    for (callers, sessions) in [(1, 1), (2, 2), (8, 8), (32, 32), (32, 8)] {
        compare(&module, callers, sessions);
    }
}

fn compare(module: &FaultModule, callers: usize, sessions: usize) {
    let path = format!("token=bench;object=ec?max-sessions={sessions}");
    let signer = Pkcs11Signer::open(&module.uri(&path), pin(), &Call::none()).unwrap();
    let raw: Vec<_> = (0..sessions)
        .map(|_| Raw::new(module.path(), "bench", 2, CKM_ECDSA))
        .collect();
    let raw_sign = |thread: usize| {
        let mut buffer = [0; 128];
        raw[thread].sign(&mut sha256(MESSAGE), &mut buffer);
    };
    let sign = |_| {
        signer
            .sign(Algorithm::ES256, MESSAGE, &Call::none())
            .unwrap();
    };
    let mut rounds: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let latency = 1.0 / rate(1, raw_sign);
            let most = sessions as f64 / latency;
            [
                latency,
                rate(callers, sign) / most,
                rate(sessions, raw_sign) / most,
            ]
        })
        .collect();
    let mut quantile = |part: usize, at: f64| {
        rounds.sort_by(|a, b| a[part].total_cmp(&b[part]));
        rounds[((ROUNDS - 1) as f64 * at).round() as usize][part]
    };
    let latency = quantile(0, 0.5);
    for (who, part) in [("segl", 1), ("bare threads", 2)] {
        let ratio = quantile(part, 0.5);
        println!(
            "ratio | signatures a second of {who}, {callers} callers, {sessions} sessions, 5 ms each, \
             to sessions by latency | {ratio:.3} | {:.3} to {:.3} | {:.0} | {:+.0}",
            quantile(part, 0.25),
            quantile(part, 0.75),
            latency * 1e6,
            (latency / ratio - latency) * 1e6,
        );
    }
}

/// How often a second `threads` threads together do `work`. Each counts its own
/// time, so that none is waited for.
fn rate(threads: usize, work: impl Fn(usize) + Sync) -> f64 {
    let begin = Barrier::new(threads);
    thread::scope(|scope| {
        let one = |thread| {
            let (begin, work) = (&begin, &work);
            move || {
                work(thread);
                begin.wait();
                let (start, mut count) = (Instant::now(), 0);
                while start.elapsed() < ROUND_TIME {
                    work(thread);
                    count += 1;
                }
                f64::from(count) / start.elapsed().as_secs_f64()
            }
        };
        let threads: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(one(thread)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    })
}
