//! Eight threads sign without end while everything goes wrong that can be put
//! right again. `docs/soak.md` says how it is run and what its table means.
//!
//! `SEGL_SOAK_SECONDS` is how long, 120 by default; `SEGL_SOAK_SEED` repeats the
//! faults of another run in their order; `SEGL_SOAK_ONLY` plays only those whose
//! name has it in it.

mod crew;
mod faults;
mod gauges;
mod journal;
mod table;

#[path = "../support/fault.rs"]
mod fault;
#[allow(dead_code, reason = "other tests use more of it")]
#[path = "../support/softhsm.rs"]
mod softhsm;

use std::fs;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use crew::{Crew, DEADLINE};
use fault::FaultModule;
use faults::{Deck, Random};
use gauges::Gauges;
use journal::Journal;
use openssl::ec::{EcGroup, EcKey};
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use segl::Signer;
use segl::keys::HealthState;
use softhsm::{PIN, SoftHsm};
use table::Report;

/// Beside the one that keeps the login.
const MAX_SESSIONS: u64 = 4;

/// How much later than its deadline a call may return. What it is late by is the
/// scheduler's: nothing is done after the deadline.
const MOST_LATE: Duration = Duration::from_secs(2);

/// A token out of order is tried at least each two seconds; a call that was under
/// way may need its two seconds, and a reinitialisation waits five for calls
/// inside.
const LONGEST_RECOVERY: Duration = Duration::from_secs(15);

/// A recovery that takes longer is shown with what segl logged.
const SLOW_RECOVERY: Duration = Duration::from_secs(3);

#[test]
#[ignore = "takes minutes; make soak runs it"]
fn soak() {
    let seconds = number("SEGL_SOAK_SECONDS").unwrap_or(120);
    let seed = number("SEGL_SOAK_SEED").unwrap_or_else(|| u64::from(std::process::id()) << 20 | 1);
    let only = std::env::var("SEGL_SOAK_ONLY").unwrap_or_default();
    println!("soak: {seconds} s, SEGL_SOAK_SEED={seed}");
    let (module, keys) = set_up();
    let crew = Crew::open(&module, keys);
    let journal = Journal::start();
    let mut deck = Deck::new(Random::new(seed), only);
    let begin = Instant::now();
    let gauges = Gauges::new(begin);
    thread::scope(|scope| {
        crew.start(scope);
        let measuring = scope.spawn(|| gauges.measure_until_stopped(&module));
        while begin.elapsed() < Duration::from_secs(seconds) && crew.is_well() {
            meet(&module, &crew, &mut deck, &journal);
        }
        crew.stop();
        gauges.stop();
        measuring.join().unwrap();
    });
    let report = Report {
        module: &module,
        crew: &crew,
        deck: &deck,
        gauges: &gauges,
    };
    report.print();
    report.check();
    crew.require_ready(&module, deck.last());
}

/// A pause, then one fault, and the wait until every thread has signed again.
fn meet(module: &FaultModule, crew: &Crew, deck: &mut Deck, journal: &Journal) {
    thread::sleep(deck.pause());
    crew.require_ready(module, deck.last());
    crew.calm.fetch_add(1, Ordering::SeqCst);
    let logins = module.calls("C_Login");
    let begin = Instant::now();
    let sessions = crew.signer(0).health().token.map(|token| token.sessions);
    let (rules, over) = deck.inject(module);
    // Where the token has taught that there is one session, the login ends with it,
    // and whatever fails closes it.
    if sessions.is_some_and(|sessions| sessions.max == 1) {
        deck.explain_one_more_login();
    }
    let recovery = crew.await_signatures_after(over);
    if recovery.is_none_or(|recovery| recovery.all > SLOW_RECOVERY) {
        let after = (over - begin).as_millis();
        println!("soak: {rules}: over after {after} ms, then slow: {recovery:?}");
        journal.show(begin);
    }
    if recovery.is_none() {
        let health = crew.signer(0).health();
        crew.report(format!("{rules}: not put right: {health:#?}"));
    }
    module.rules("clear");
    // What "clear" undoes may have to be put right once more.
    crew.await_signatures_after(Instant::now());
    deck.note(recovery, module.calls("C_Login") - logins);
    crew.calm.fetch_add(1, Ordering::SeqCst);
}

/// A token with keys that were made elsewhere, so that their signatures can be
/// verified by keys that segl has never seen.
fn set_up() -> (FaultModule, Vec<(String, PKey<Private>)>) {
    let hsm = SoftHsm::new("soak");
    let module = FaultModule::load(&fault::set_up(), "soak");
    hsm.init_token("soak");
    let keys = ["ec1", "rsa1", "ec2", "rsa2"].map(|label| {
        let key = if label.starts_with("ec") {
            let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
            PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
        } else {
            PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap()
        };
        let file = hsm.path("key.pem");
        fs::write(&file, key.private_key_to_pem_pkcs8().unwrap()).unwrap();
        let id = label.bytes().map(|byte| format!("{byte:02x}"));
        let id: String = id.collect();
        let file = file.to_str().unwrap();
        hsm.run(
            "softhsm2-util",
            &[
                "--import", file, "--id", &id, "--label", label, "--token", "soak", "--pin", PIN,
            ],
        );
        (label.to_owned(), key)
    });
    (module, keys.into())
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text}")))
}

impl Crew<'_> {
    /// The token is all right long after `last`, with no more sessions than it may
    /// have.
    fn require_ready(&self, module: &FaultModule, last: &str) {
        for key in 0..self.keys() {
            let health = self.signer(key).health();
            let token = health.token.as_ref().unwrap();
            if health.state != HealthState::Ready || token.sessions.stuck > 0 {
                self.report(format!("{last}: not ready long after: {health:#?}"));
            }
        }
        let sessions = module.sessions();
        if sessions > MAX_SESSIONS + 1 {
            let counts = self.signer(0).health().token.unwrap().sessions;
            self.report(format!("{last}: {sessions} sessions, and {counts:?}"));
        }
        self.sign_once(&DEADLINE);
    }
}
