//! segl with an HSM at the other end of a connection: SoftHSM behind p11-kit's
//! server, which is killed, stopped and started again.
//!
//! When the server is gone p11-kit's client answers `CKR_DEVICE_ERROR` to every
//! call for ever. `C_Finalize` and `C_Initialize` help, but not while the server is
//! away: then `C_Initialize` succeeds and the module has no slots for good.

#[path = "support/battery.rs"]
mod battery;
#[path = "support/other_code.rs"]
mod other_code;
#[path = "support/p11kit.rs"]
mod p11kit;
#[allow(dead_code, reason = "some of it is for plain SoftHSM")]
#[path = "support/softhsm.rs"]
mod softhsm;
#[path = "support/verify.rs"]
mod verify;

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use battery::{Key, P256, P384, RSA, Token, require_good, sign_when_ready};
use p11kit::Server;
use segl::keys::pkcs11::{Pkcs11Signer, shutdown};
use segl::{Algorithm, Call, ErrorCode, Signer};
use softhsm::{PIN, SoftHsm};

/// A server of one's own for the tokens, and the turn to use the module.
struct Stage {
    token: Token,
    server: Server,
    _turn: MutexGuard<'static, SoftHsm>,
}

impl Stage {
    /// With the server not started yet, and the module not initialised.
    fn offline() -> Self {
        static HSM: LazyLock<Mutex<SoftHsm>> = LazyLock::new(|| {
            let hsm = SoftHsm::new("real-p11kit");
            p11kit::set_up(&hsm);
            for token in ["main", "pins"] {
                hsm.init_token(token);
                hsm.generate(token, "EC:prime256v1", "02", "p256", &[]);
            }
            hsm.generate("main", "rsa:2048", "01", "rsa", &[]);
            hsm.generate("main", "EC:secp384r1", "03", "p384", &[]);
            hsm.generate("main", "EC:prime256v1", "04", "loose", &["--extractable"]);
            Mutex::new(hsm)
        });
        let hsm = HSM.lock().unwrap_or_else(PoisonError::into_inner);
        shutdown(&Call::none()).unwrap();
        Self {
            token: Token {
                module: p11kit::module().into(),
                label: "main",
                settings: String::new(),
                pin: PIN,
                keys: vec![
                    Key::new("rsa", "%01", RSA),
                    Key::new("p256", "%02", P256),
                    Key::new("p384", "%03", P384),
                ],
            },
            server: Server::new(&hsm, &["main", "pins"]),
            _turn: hsm,
        }
    }

    /// With the server running.
    fn online() -> Self {
        let mut stage = Self::offline();
        stage.server.start();
        stage
    }
}

impl Deref for Stage {
    type Target = Token;

    fn deref(&self) -> &Token {
        &self.token
    }
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn every_algorithm_signs() {
    battery::every_algorithm_signs(&Stage::online());
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn a_missing_key_is_answered_with_those_present() {
    battery::a_missing_key_is_answered_with_those_present(&Stage::online());
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn many_threads_share_four_sessions() {
    battery::many_threads_share_four_sessions(&Stage::online(), 100);
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn a_lost_connection_is_made_anew() {
    let stage = Stage::online();
    let signers = ["object=p256", "object=rsa"].map(|path| stage.open(path).unwrap());
    for _ in 0..3 {
        stage.server.cut_connections();
        for signer in &signers {
            sign_when_ready(signer);
        }
    }
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn keys_open_again_after_a_shutdown() {
    battery::keys_open_again_after_a_shutdown(&Stage::online());
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn an_extractable_key_is_refused_unless_allowed() {
    battery::an_extractable_key_is_refused_unless_allowed(&Stage::online(), "object=loose");
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn a_generated_key_cannot_leave_the_token() {
    battery::a_generated_key_cannot_leave_the_token(&Stage::online());
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn a_wrong_pin_is_tried_once() {
    let stage = Stage::online();
    let pins = Token {
        label: "pins",
        ..stage.with("&pin-count-low=try")
    };
    battery::a_wrong_pin_is_tried_once(&pins);
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn server_gone_at_start() {
    let mut stage = Stage::offline();
    let begin = Instant::now();
    let error = stage.open("object=p256").unwrap_err();
    assert!(begin.elapsed() < Duration::from_secs(5), "{error}");
    assert!(
        matches!(
            error.code(),
            ErrorCode::TokenNotFound | ErrorCode::TokenUnavailable
        ),
        "{error}"
    );
    println!("{error}");

    stage.server.start();
    let begin = Instant::now();
    let signer = loop {
        match stage.open("object=p256") {
            Err(error) if begin.elapsed() > Duration::from_secs(60) => panic!("{error}"),
            Err(_) => std::thread::sleep(Duration::from_millis(10)),
            Ok(signer) => break signer,
        }
    };
    println!("{:?} from start to open", begin.elapsed());
    sign_when_ready(&signer);
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn a_stopped_server_holds_no_call_past_its_deadline() {
    let stage = Stage::online();
    let signer = stage.open("object=p256").unwrap();
    sign_when_ready(&signer);
    for _ in 0..2 {
        stage.server.pause();
        let (returned, has_returned) = mpsc::channel::<()>();
        let late = std::thread::scope(|scope| {
            let server = &stage.server;
            scope.spawn(move || {
                // A call that does not come back by itself is let go in the end.
                let _ = has_returned.recv_timeout(Duration::from_secs(15));
                server.resume();
            });
            let (late, error) = lateness(|call| signer.sign(Algorithm::ES256, MESSAGE, call));
            drop(returned);
            let error = error.unwrap_err();
            assert!(error.retryable(), "{error}");
            late
        });
        println!("returned {late:?} after the deadline");
        assert!(late < MARGIN, "{late:?}");
        sign_when_ready(&signer);
    }
}

const MESSAGE: &[u8] = b"header.payload";
const DEADLINE: Duration = Duration::from_secs(2);
/// How late a call may return after its deadline on a machine with other work.
const MARGIN: Duration = Duration::from_secs(2);

/// How long after its deadline a call returned, and what.
fn lateness<R>(call: impl FnOnce(&Call) -> R) -> (Duration, R) {
    let begin = Instant::now();
    let outcome = call(&Call::within(DEADLINE));
    (begin.elapsed().saturating_sub(DEADLINE), outcome)
}

/// Eight threads sign the whole time while the server is killed three times, and
/// a second later is there again.
#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn kill_restart_under_load() {
    const OUTAGES: usize = 3;
    let mut stage = Stage::online();
    let signer = stage.open("object=p256").unwrap();
    let load = Load::default();
    std::thread::scope(|scope| {
        for progress in &load.progress {
            scope.spawn(|| load.sign(&signer, progress));
        }
        let _stop = StopAtEnd(&load);
        load.wait_for(0);
        for outage in 1..=OUTAGES {
            stage.server.kill();
            std::thread::sleep(Duration::from_secs(1));
            stage.server.start();
            let back = Instant::now();
            load.outages.store(outage, Ordering::SeqCst);
            let first = load.wait_for(outage).duration_since(back);
            println!(
                "outage {outage}: first good signature after {first:?}, one of each thread after {:?}",
                back.elapsed()
            );
            assert!(first < Duration::from_secs(5), "{first:?}");
        }
    });
    let worst = *load.worst.lock().unwrap();
    let errors = load.errors.lock().unwrap();
    println!("worst return {worst:?} after the deadline; errors: {errors:?}");
    assert!(worst < MARGIN, "{worst:?}");
    for outage in 0..OUTAGES {
        let seen = errors.keys().any(|(during, _)| *during == outage);
        assert!(seen, "nobody noticed that the server was gone");
    }
}

/// Threads that sign all the time.
#[derive(Default)]
struct Load {
    /// How many outages are over.
    outages: AtomicUsize,
    /// For each thread, one more than the outages that were over when it began its
    /// newest good signature.
    progress: [AtomicUsize; 8],
    /// When the first good signature after each outage was there.
    first: Mutex<BTreeMap<usize, Instant>>,
    /// How late the latest call returned.
    worst: Mutex<Duration>,
    /// How often each error came, by the outages that were over.
    errors: Mutex<BTreeMap<(usize, String), usize>>,
    stop: AtomicBool,
}

impl Load {
    /// One thread's work.
    fn sign(&self, signer: &Pkcs11Signer, progress: &AtomicUsize) {
        while !self.stop.load(Ordering::SeqCst) {
            let outages = self.outages.load(Ordering::SeqCst);
            let (late, outcome) = lateness(|call| signer.sign(Algorithm::ES256, MESSAGE, call));
            let mut worst = self.worst.lock().unwrap();
            *worst = late.max(*worst);
            drop(worst);
            match outcome {
                Ok(signature) => {
                    require_good(signer, Algorithm::ES256, MESSAGE, &signature);
                    let mut first = self.first.lock().unwrap();
                    first.entry(outages).or_insert_with(Instant::now);
                    drop(first);
                    progress.store(outages + 1, Ordering::SeqCst);
                }
                Err(error) => {
                    assert!(error.retryable(), "{error}");
                    let mut errors = self.errors.lock().unwrap();
                    *errors
                        .entry((outages, format!("{:?}", error.code())))
                        .or_default() += 1;
                    drop(errors);
                    // Fast refusals are not asked for faster than a service would.
                    std::thread::sleep(Duration::from_millis(5));
                }
            }
        }
    }

    /// Waits until each thread has made a good signature that it began when so
    /// many outages were over, and says when the first one was there.
    fn wait_for(&self, outages: usize) -> Instant {
        let begin = Instant::now();
        let is_behind = |progress: &AtomicUsize| progress.load(Ordering::SeqCst) <= outages;
        while self.progress.iter().any(is_behind) {
            assert!(
                begin.elapsed() < Duration::from_secs(60),
                "not every thread signs again: {:?}, {:?}",
                self.progress,
                self.errors.lock().unwrap()
            );
            std::thread::sleep(Duration::from_millis(1));
        }
        self.first.lock().unwrap()[&outages]
    }
}

/// Ends the threads, also when the test fails.
struct StopAtEnd<'a>(&'a Load);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::SeqCst);
    }
}
