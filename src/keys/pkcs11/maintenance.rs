//! What is done for tokens while nobody calls: idle ones make a signature now and
//! then, and those out of order are tried.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use super::find;
use super::lock::lock;
use super::threads;
use super::token::{self, Token};
use crate::call::Call;
use crate::fork::PerProcess;
use crate::keys::uri::Threads;
use crate::log::{self, Level};

/// How long one signature of this kind may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// When a token is looked at again that is being tried.
const SOON: Duration = Duration::from_millis(250);

static MAINTENANCE: PerProcess<Maintenance> = PerProcess::new();

#[derive(Default)]
struct Maintenance {
    state: Mutex<State>,
    woken: Condvar,
}

#[derive(Default)]
struct State {
    is_running: bool,
    is_woken: bool,
}

/// Looks at `token` and every other one now. Starts the thread that does so, if
/// there is none and the token's settings allow threads.
pub(super) fn wake(token: &Token) {
    if token.settings().threads == Threads::Caller {
        return;
    }
    let maintenance = MAINTENANCE.get(|_| Maintenance::default());
    let mut state = lock(&maintenance.state);
    state.is_woken = true;
    maintenance.woken.notify_one();
    if state.is_running {
        return;
    }
    let own = Arc::clone(&maintenance);
    state.is_running = threads::start(move || live(&own)).is_ok();
}

/// Ends when there are no tokens to look after.
fn live(maintenance: &Maintenance) {
    loop {
        lock(&maintenance.state).is_woken = false;
        let next = token::all().iter().filter_map(attend).min();
        let mut state = lock(&maintenance.state);
        if !state.is_woken {
            let Some(next) = next else {
                state.is_running = false;
                return;
            };
            let wait = next.saturating_duration_since(Instant::now());
            // Poisoned or not, everything is looked at again.
            drop(maintenance.woken.wait_timeout(state, wait));
        }
    }
}

/// Does for `token` what is due, and says when to look again; `None` for a token
/// that is not looked after.
fn attend(token: &Arc<Token>) -> Option<Instant> {
    let settings = token.settings();
    if settings.threads == Threads::Caller {
        return None;
    }
    let process = token.process().ok()?;
    let now = Instant::now();
    if process.breaker.problem().is_some() {
        let due = process.breaker.next_try().unwrap_or(now + SOON);
        if now < due {
            return Some(due);
        }
        start("trying a token", token, Token::try_now);
        return Some(now + SOON);
    }
    let interval = settings.keep_alive?;
    let due = process
        .pool
        .idle_since()
        .map_or(now + interval, |since| since + interval);
    if now < due {
        return Some(due);
    }
    start(
        "keeping a token's connection alive",
        token,
        Token::keep_alive,
    );
    Some(now + interval.min(PATIENCE))
}

fn start(what: &'static str, token: &Arc<Token>, work: fn(&Arc<Token>)) {
    let token = Arc::clone(token);
    if let Err(error) = threads::start(move || work(&token)) {
        log::emit(Level::Warn, "pkcs11", format_args!("{what}: {error}"));
    }
}

impl Token {
    /// Tries whether the token works again.
    fn try_now(self: &Arc<Self>) {
        let call = Call::within(PATIENCE);
        // What comes of it is in the breaker and in the log.
        let _ = match self.probing_key(None) {
            Some(key) => key.probe(&call),
            None => self.with_session(&call, None, find::any_private_key),
        };
    }

    /// Makes a signature on each session that has been idle for long.
    fn keep_alive(self: &Arc<Self>) {
        let (Ok(process), Some(key), Some(interval)) = (
            self.process(),
            self.probing_key(None),
            self.settings().keep_alive,
        ) else {
            return;
        };
        let call = Call::within(PATIENCE);
        while let Some(permit) = process.pool.acquire_idle_for(interval) {
            let Ok(pass) = process.breaker.admit(&self.place.name) else {
                return;
            };
            let job = key.probing();
            if self
                .run(
                    Arc::clone(&process),
                    pass,
                    permit,
                    &call,
                    Some(key.id()),
                    job,
                )
                .is_err()
            {
                return;
            }
            process
                .statistics
                .keep_alives
                .fetch_add(1, Ordering::Relaxed);
        }
    }
}
