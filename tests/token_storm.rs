//! Many callers, short-lived tokens, an endpoint that has a bad day.
#![cfg(feature = "simulator")]

mod support;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::json;

use segl::profiles::ClientSettings;
use segl::simulator::{Outage, OutageKind, Simulator, SimulatorConfig};
use segl::{Call, TokenClient, TokenRequest};
use support::{claims, rsa_key, signer};

const THREADS: usize = 64;
const TOKENS: usize = 100;
/// Seconds that a token lives.
const LIFE: i64 = 2;
const TIME: Duration = Duration::from_secs(6);
/// The deadline of each call.
const DEADLINE: Duration = Duration::from_secs(2);
const FAILING_PERCENT: u8 = 30;
const HANGING_PERCENT: u8 = 2;

/// Ages at which a token of two seconds is replaced in advance: the second that
/// servers may cut off is left alone, half of the rest is the advisory window, and up
/// to a quarter of that is jitter.
const REPLACED_AFTER: Duration = Duration::from_micros(562_500);

#[derive(Default)]
struct Seen {
    calls: AtomicU64,
    failed: AtomicU64,
    expired: AtomicU64,
    latest_us: AtomicU64,
    tokens: Mutex<BTreeSet<String>>,
}

#[test]
fn a_bad_day_at_the_endpoint() {
    let signer = signer(&rsa_key());
    let jwks = json!({"keys": [signer.public_key().to_registration("k", signer.algorithms()[0])]});
    let scopes: Vec<_> = (0..TOKENS).map(|index| format!("s:{index}")).collect();
    let config = SimulatorConfig::from_toml(&format!(
        "[[maskinporten.clients]]\nclient_id = 'c'\norgno = '910753614'\njwks = '{jwks}'\n\
         access_token_lifetime = {LIFE}\nscopes = {}",
        json!(scopes)
    ));
    let simulator = Simulator::start(config.unwrap(), ([127, 0, 0, 1], 0).into()).unwrap();
    simulator.set_outages(vec![
        Outage::new(OutageKind::ServiceUnavailable).share(FAILING_PERCENT, 7),
        Outage::new(OutageKind::Hang).share(HANGING_PERCENT, 11),
    ]);
    let settings = json!({
        "profile": "maskinporten", "issuer": simulator.urls().maskinporten_issuer,
        "client_id": "c", "kid": "k", "scopes": ["s:0"], "timeout_ms": 400,
    });
    let client = TokenClient::builder(ClientSettings::from_json(&settings.to_string()).unwrap())
        .signer(signer)
        .build(&Call::none())
        .unwrap();
    let requests: Vec<_> = scopes
        .iter()
        .map(|scope| TokenRequest::for_scopes([scope.parse().unwrap()]))
        .collect();

    let (seen, over) = (Seen::default(), AtomicBool::new(false));
    let begin = Instant::now();
    thread::scope(|scope| {
        for number in 0..THREADS {
            let (client, requests, seen, over) = (&client, &requests, &seen, &over);
            scope.spawn(move || {
                // At random, for threads in step would wait for one token together.
                let mut random = fastrand::Rng::with_seed(number as u64);
                while !over.load(Ordering::Relaxed) {
                    call(client, &requests[random.usize(..TOKENS)], seen);
                    thread::sleep(Duration::from_millis(5));
                }
            });
        }
        thread::sleep(TIME);
        over.store(true, Ordering::Relaxed);
    });
    let took = begin.elapsed();

    let at_endpoint = simulator.requests();
    let distinct = seen.tokens.lock().unwrap().len() as f64;
    let issued = at_endpoint.maskinporten_issued as f64;
    let sent = at_endpoint.maskinporten_token as f64;
    let ideal = TOKENS as f64 * took.as_secs_f64() / REPLACED_AFTER.as_secs_f64();
    let needed = issued / (1.0 - f64::from(FAILING_PERCENT + HANGING_PERCENT) / 100.0);
    println!(
        "{} calls, {} failed, {} with an expired token, latest {} ms after its deadline\n\
         {issued} tokens issued, {distinct} of them handed out, {ideal:.0} at the most with windows of {REPLACED_AFTER:?}\n\
         {sent} requests, {needed:.0} with {FAILING_PERCENT} % failing and {HANGING_PERCENT} % hanging; most at once for a token: {}\n{:?}",
        seen.calls.load(Ordering::Relaxed),
        seen.failed.load(Ordering::Relaxed),
        seen.expired.load(Ordering::Relaxed),
        seen.latest_us.load(Ordering::Relaxed) / 1000,
        at_endpoint.maskinporten_most_at_once_per_grant,
        client.token_health(),
    );
    let calls = seen.calls.load(Ordering::Relaxed);
    assert!(seen.failed.load(Ordering::Relaxed) <= calls / 100);
    assert_eq!(seen.expired.load(Ordering::Relaxed), 0);
    assert!(seen.latest_us.load(Ordering::Relaxed) < 250_000);
    assert_eq!(at_endpoint.maskinporten_most_at_once_per_grant, 1);
    assert!(issued <= 1.1 * distinct, "tokens nobody used");
    assert!(issued <= 1.1 * ideal, "tokens that were replaced too early");
    assert!(sent <= 1.1 * needed, "requests beyond what failed");
    assert!(distinct >= 3.0 * TOKENS as f64, "tokens were replaced");
}

fn call(client: &TokenClient, request: &TokenRequest, seen: &Seen) {
    let begin = Instant::now();
    let outcome = client.token(request, &Call::within(DEADLINE));
    let late = begin.elapsed().saturating_sub(DEADLINE);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    seen.calls.fetch_add(1, Ordering::Relaxed);
    seen.latest_us
        .fetch_max(late.as_micros() as u64, Ordering::Relaxed);
    let Ok(token) = outcome else {
        seen.failed.fetch_add(1, Ordering::Relaxed);
        return;
    };
    let claims = claims(token.access_token());
    let until = Duration::from_secs(claims["exp"].as_u64().unwrap());
    if now >= until {
        seen.expired.fetch_add(1, Ordering::Relaxed);
    }
    let id = claims["jti"].as_str().unwrap().to_owned();
    seen.tokens.lock().unwrap().insert(id);
}
