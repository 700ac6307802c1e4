//! The threads that sign, and what became of their calls.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use openssl::bn::BigNum;
use openssl::ecdsa::EcdsaSig;
use openssl::hash::MessageDigest;
use openssl::pkey::{Id, PKey, Private};
use openssl::sha::sha256;
use openssl::sign::Verifier;
use segl::keys::pkcs11::Pkcs11Signer;
use segl::{Algorithm, Call, ErrorCode, Signer};

use crate::fault::FaultModule;
use crate::softhsm::pin;
use crate::{LONGEST_RECOVERY, MAX_SESSIONS};

const THREADS: usize = 8;

/// Of each call.
pub const DEADLINE: Duration = Duration::from_secs(2);

/// Between two signatures of a thread, so that the machine is not the bottleneck.
const PACE: Duration = Duration::from_millis(10);

pub struct Crew<'a> {
    module: &'a FaultModule,
    keys: Vec<Key>,
    begin: Instant,
    is_over: AtomicBool,
    /// Odd while a fault is in force and being put right.
    pub calm: AtomicU64,
    /// When each thread's last good signature was begun, nanoseconds.
    good: [AtomicU64; THREADS],
    pub counts: Mutex<Counts>,
}

struct Key {
    label: String,
    key: PKey<Private>,
    signer: RwLock<Arc<Pkcs11Signer>>,
}

#[derive(Default)]
pub struct Counts {
    pub signatures: u64,
    pub wrong: u64,
    pub errors: BTreeMap<&'static str, u64>,
    /// Errors while nothing was wrong.
    pub errors_in_calm: u64,
    pub most_late: Duration,
    /// `Pkcs11Signer::open`, at first and after a key was refused.
    pub openings: u64,
    /// What must not be, in words.
    pub problems: Vec<String>,
}

/// How long it took after a fault until there were good signatures again.
#[derive(Debug, Clone, Copy)]
pub struct Recovery {
    pub first: Duration,
    /// Until each of the threads had one.
    pub all: Duration,
}

impl<'a> Crew<'a> {
    pub fn open(module: &'a FaultModule, keys: Vec<(String, PKey<Private>)>) -> Self {
        let keys = keys.into_iter().map(|(label, key)| Key {
            signer: RwLock::new(Arc::new(open(module, &label))),
            label,
            key,
        });
        let keys: Vec<_> = keys.collect();
        Self {
            module,
            begin: Instant::now(),
            is_over: AtomicBool::new(false),
            calm: AtomicU64::new(0),
            good: Default::default(),
            counts: Mutex::new(Counts {
                openings: keys.len() as u64,
                ..Counts::default()
            }),
            keys,
        }
    }

    pub fn keys(&self) -> usize {
        self.keys.len()
    }

    pub fn signer(&self, key: usize) -> Arc<Pkcs11Signer> {
        Arc::clone(&self.keys[key].signer.read().unwrap())
    }

    pub fn start<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>) {
        for thread in 0..THREADS {
            scope.spawn(move || self.sign_until_stopped(thread));
        }
    }

    pub fn stop(&self) {
        self.is_over.store(true, Ordering::SeqCst);
    }

    /// Something that must not be, in words.
    pub fn report(&self, problem: String) {
        eprintln!("soak: {problem}");
        self.counts.lock().unwrap().problems.push(problem);
    }

    /// False once there are so many problems that more are of no use.
    pub fn is_well(&self) -> bool {
        self.counts.lock().unwrap().problems.len() < 10
    }

    /// How long after `moment` each thread has begun and finished a good signature;
    /// `None` when one never does.
    pub fn await_signatures_after(&self, moment: Instant) -> Option<Recovery> {
        let since = nanoseconds(moment - self.begin);
        let mut first = None;
        while moment.elapsed() < LONGEST_RECOVERY {
            let good = |good: &AtomicU64| good.load(Ordering::SeqCst) > since;
            if first.is_none() && self.good.iter().any(good) {
                first = Some(moment.elapsed());
            }
            if self.good.iter().all(good) {
                let all = moment.elapsed();
                let first = first.unwrap_or(all);
                return Some(Recovery { first, all });
            }
            thread::sleep(Duration::from_millis(1));
        }
        None
    }

    /// One signature with each key, now.
    pub fn sign_once(&self, within: &Duration) {
        for key in 0..self.keys.len() {
            let signer = self.signer(key);
            let alg = signer.algorithms()[0];
            match signer.sign(alg, b"now", &Call::within(*within)) {
                Ok(signature) if self.keys[key].verifies(b"now", &signature) => {}
                outcome => self.report(format!("no signature while all is well: {outcome:?}")),
            }
        }
    }

    fn sign_until_stopped(&self, thread: usize) {
        let index = thread % self.keys.len();
        let key = &self.keys[index];
        let mut turn = 0u64;
        while !self.is_over.load(Ordering::SeqCst) {
            turn += 1;
            let message = format!("{}.{thread}.{turn}", key.label);
            let signer = self.signer(index);
            let calm = self.calm.load(Ordering::SeqCst);
            let begin = Instant::now();
            let call = Call::within(DEADLINE);
            let outcome = signer.sign(usual(&key.key), message.as_bytes(), &call);
            let late = begin.elapsed().saturating_sub(DEADLINE);
            let was_calm = calm.is_multiple_of(2) && self.calm.load(Ordering::SeqCst) == calm;
            let is_right = outcome
                .as_ref()
                .is_ok_and(|signature| key.verifies(message.as_bytes(), signature));
            let mut counts = self.counts.lock().unwrap();
            counts.most_late = counts.most_late.max(late);
            match outcome {
                Ok(_) if is_right => {
                    counts.signatures += 1;
                    drop(counts);
                    let began = nanoseconds(begin - self.begin);
                    self.good[thread].store(began, Ordering::SeqCst);
                }
                Ok(_) => counts.wrong += 1,
                Err(error) => {
                    *counts.errors.entry(error.code().name()).or_default() += 1;
                    counts.errors_in_calm += u64::from(was_calm);
                    drop(counts);
                    if was_calm {
                        self.report(format!("failed while all was well: {error}"));
                    }
                    if error.code() == ErrorCode::SignatureFault {
                        self.reopen(key, &signer);
                    }
                }
            }
            thread::sleep(PACE);
        }
    }

    /// Opens a key again that is refused, unless another thread has.
    fn reopen(&self, key: &Key, refused: &Arc<Pkcs11Signer>) {
        let mut signer = key.signer.write().unwrap();
        if Arc::ptr_eq(&signer, refused) {
            *signer = Arc::new(open(self.module, &key.label));
            self.counts.lock().unwrap().openings += 1;
        }
    }
}

impl Key {
    /// Verifies with the key as it was before it went to the token, by OpenSSL alone.
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        if self.key.id() == Id::EC {
            let (r, s) = signature.split_at(signature.len() / 2);
            let number = |bytes| BigNum::from_slice(bytes).unwrap();
            let signature = EcdsaSig::from_private_components(number(r), number(s)).unwrap();
            let key = self.key.ec_key().unwrap();
            return signature.verify(&sha256(message), &key).unwrap();
        }
        let mut verifier = Verifier::new(MessageDigest::sha256(), &self.key).unwrap();
        verifier.verify_oneshot(signature, message).unwrap()
    }
}

fn open(module: &FaultModule, label: &str) -> Pkcs11Signer {
    let path = format!("token=soak;object={label}?max-sessions={MAX_SESSIONS}");
    Pkcs11Signer::open(&module.uri(&path), pin(), &Call::none()).unwrap()
}

fn usual(key: &PKey<Private>) -> Algorithm {
    match key.id() {
        Id::EC => Algorithm::ES256,
        _ => Algorithm::RS256,
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap()
}
