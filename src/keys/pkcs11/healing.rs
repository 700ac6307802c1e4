//! Putting right what fails: from a job's failure, rung by rung, to its success
//! or to the end.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use cryptoki_sys::*;

use super::connection::Connection;
use super::instance::{Entered, Instance};
use super::located::KeyId;
use super::maintenance;
use super::pool::Permit;
use super::recovery::{Rung, is_answer, is_outage};
use super::rv;
use super::session::Session;
use super::settling::settle;
use super::slot::{self, Place};
use super::threads::WAITING;
use super::token::{self, HANGS_AFTER, InProcess, SLOTS_ARE_FRESH, Token};
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::log::{self, Level};

/// A pause before another try, when the failure may be the token's way to say that
/// it has too much to do.
const PAUSE: Duration = Duration::from_millis(25);

/// A module in which another token works is reinitialised no more often.
const REINITIALISE_OTHERS: Duration = Duration::from_secs(60);

/// After so many tries without the last rung, its lack is what is wrong.
const TRIES_BEFORE_RESTART: u32 = 5;

/// How long another token of the module may take to show that it works.
const PATIENCE_FOR_OTHERS: Duration = Duration::from_secs(2);

const RECOVERY: &str = "waiting for the token to be put right";

/// What a job saw when it failed.
struct Seen {
    connection: Option<Arc<Connection>>,
    epoch: u64,
}

impl Token {
    /// Runs `job`, and each rung that may help, until it succeeds or nothing will.
    /// Rungs that disturb others are not taken while another key than `key` works.
    pub(super) fn heal<T>(
        &self,
        process: &InProcess,
        permit: &mut Permit,
        call: &Call,
        key: Option<KeyId>,
        job: impl Fn(&Session<'_>) -> Result<T>,
    ) -> Result<T> {
        let begin = Instant::now();
        let mut last = None;
        let (mut seen, mut outcome) = self.attempt(process, permit, call, &job);
        // Whether the failure is the job's, and not that of a rung.
        let mut in_job = seen.connection.is_some();
        loop {
            let error = match outcome {
                Ok(value) => {
                    self.note_success(process, last);
                    return Ok(value);
                }
                Err(error) => error,
            };
            // What the job was given is at fault, of which the token knows nothing.
            if error.code() == ErrorCode::InvalidArgument {
                return Err(error);
            }
            // What was to be decrypted is at fault: the token did the same with another.
            if error.code() == ErrorCode::JweInvalid {
                self.note_success(process, last);
                return Err(error);
            }
            self.note_failure(process, &error);
            let error = self.if_others_hang(process, error, begin);
            let rung = if last.is_none() && self.may_hide(key, &seen, &error) {
                Some(Rung::Login)
            } else {
                Rung::next(last, &error)
            };
            // A job that was left behind does not disturb those for whom the token works.
            let is_over = call.check(WAITING).is_err();
            if is_over && process.statistics.has_worked_since(begin) {
                return Err(error.in_context(&self.place.name));
            }
            let Some(rung) = rung.filter(|_| !is_over) else {
                return Err(self.give_up(process, error, in_job));
            };
            if rung >= Rung::Slot && self.works_without(key, process, permit, call) {
                process.breaker.close();
                return Err(error.in_context(&self.place.name));
            }
            let level = match process.breaker.failures() {
                0 => Level::Warn,
                _ => Level::Debug,
            };
            log::emit(
                level,
                "pkcs11",
                format_args!("{}: {error}; {}", self.place.name, rung.announcement()),
            );
            (outcome, in_job) = match self.take(rung, process, &mut seen, &error, call) {
                Ok(true) => {
                    let (now, outcome) = self.attempt(process, permit, call, &job);
                    seen = now;
                    (outcome, seen.connection.is_some())
                }
                Ok(false) => return Err(self.give_up(process, error, in_job)),
                Err(error) => (Err(error), false),
            };
            last = Some(rung);
        }
    }

    /// The token's connection in this process, made at the first use after a fork
    /// or a new initialisation of the module.
    ///
    /// # Errors
    /// As [`Connection::open`]; `TOKEN_NOT_FOUND`; `TIMEOUT` when another thread
    /// makes it for longer than `call` lasts.
    pub(super) fn connection(&self, process: &InProcess, call: &Call) -> Result<Arc<Connection>> {
        let current = || {
            let connection = process.connection.load_full();
            connection.filter(|connection| connection.instance().is_current())
        };
        if let Some(connection) = current() {
            return Ok(connection);
        }
        let _recovering = process.recovering.take(call, RECOVERY)?;
        match current() {
            Some(connection) => Ok(connection),
            None => self.connect(process, call),
        }
    }

    /// Finds the token and begins with new sessions.
    fn connect(&self, process: &InProcess, call: &Call) -> Result<Arc<Connection>> {
        let look = |instance: &Arc<Instance>| {
            let place = self.find_again(&instance.enter()?)?;
            self.connect_to(process, instance, place, call)
        };
        let connection = match process.is_first_look() {
            true => settle(&self.module, call, look)?,
            false => look(&self.module.instance(call)?)?,
        };
        maintenance::wake(self);
        Ok(connection)
    }

    /// Begins with new sessions with the token at `place`.
    ///
    /// # Errors
    /// As [`Connection::open`].
    pub(super) fn connect_to(
        &self,
        process: &InProcess,
        instance: &Arc<Instance>,
        place: Place,
        call: &Call,
    ) -> Result<Arc<Connection>> {
        let id = self.epoch.fetch_add(1, Ordering::SeqCst) + 1;
        let pool = &process.pool;
        let connection = Connection::open(id, instance, place, &self.credentials, pool, call)?;
        let connection = Arc::new(connection);
        process.connection.store(Some(Arc::clone(&connection)));
        Ok(connection)
    }

    /// Where the token is now. Another one with its label may take its place, unless
    /// a signer asked for its serial number.
    fn find_again(&self, module: &Entered<'_>) -> Result<Place> {
        let stand_in = (!self.is_serial_fixed()).then_some(&self.uri);
        slot::find_again(module, &self.place, stand_in)
    }

    fn attempt<T>(
        &self,
        process: &InProcess,
        permit: &mut Permit,
        call: &Call,
        job: impl Fn(&Session<'_>) -> Result<T>,
    ) -> (Seen, Result<T>) {
        loop {
            let connection = self.connection(process, call);
            let epoch = self.epoch.load(Ordering::SeqCst);
            if let Ok(connection) = &connection
                && !is_same(connection, &process.connection.load())
            {
                // Another thread has made a new one, and the epoch is that one's.
                continue;
            }
            let (connection, outcome, was_interrupted) = match connection {
                Ok(connection) => {
                    let outcome =
                        connection.attempt(permit, &self.credentials, &self.epoch, call, &job);
                    let was_interrupted = outcome.is_err() && !connection.instance().is_current();
                    (Some(connection), outcome, was_interrupted)
                }
                Err(error) => {
                    let was_interrupted = error.code() == ErrorCode::SessionLost;
                    (None, Err(error), was_interrupted)
                }
            };
            // Another thread has begun to finalize the module; what comes then is worth
            // to wait for.
            if !was_interrupted || call.check(WAITING).is_err() {
                return (Seen { connection, epoch }, outcome);
            }
        }
    }

    /// Takes one rung, unless another thread has done so since the failure that was
    /// `seen`. False when it would not help.
    fn take(
        &self,
        rung: Rung,
        process: &InProcess,
        seen: &mut Seen,
        error: &Error,
        call: &Call,
    ) -> Result<bool> {
        if rung == Rung::Session {
            if is_ambiguous(error) {
                thread::sleep(PAUSE);
            }
            return Ok(true);
        }
        let _recovering = process.recovering.take(call, RECOVERY)?;
        if self.epoch.load(Ordering::SeqCst) != seen.epoch {
            return Ok(true);
        }
        let outcome = match (rung, &seen.connection) {
            (Rung::Login, Some(connection)) => connection
                .refresh(&self.credentials, &self.epoch, call)
                .map(|()| true),
            (Rung::Module, _) => self.reinitialise(process, seen, error, call),
            (_, connection) => {
                process.connection.store(None);
                if let Some(connection) = connection {
                    connection.close();
                }
                self.connect(process, call).map(|_| true)
            }
        };
        // What this rung changed is not another thread's doing.
        seen.epoch = self.epoch.load(Ordering::SeqCst);
        outcome
    }

    fn reinitialise(
        &self,
        process: &InProcess,
        seen: &Seen,
        error: &Error,
        call: &Call,
    ) -> Result<bool> {
        let generation = self.module.instance(call)?.generation();
        if let Some(connection) = &seen.connection
            && connection.instance().generation() != generation
        {
            return Ok(true);
        }
        let age = self.module.age();
        let has_worked = process.statistics.has_worked_since(Instant::now() - age);
        if age < SLOTS_ARE_FRESH && !has_worked {
            return Ok(false);
        }
        let others = token::of_module(&self.module);
        let others = || others.iter().filter(|other| !std::ptr::eq(&***other, self));
        if age < REINITIALISE_OTHERS && others().any(|other| other.works()) {
            return Ok(false);
        }
        let is_stuck = process.pool.counts().stuck > 0
            || others().any(|other| other.own_part().pool.counts().stuck > 0);
        let outcome = if is_stuck {
            Err(self.module.restart_required("a call hangs in it", error))
        } else {
            self.module.reinitialise(generation, error, call)
        };
        match outcome {
            Ok(()) => {
                process
                    .statistics
                    .reinitialisations
                    .fetch_add(1, Ordering::Relaxed);
                Ok(true)
            }
            Err(refusal)
                if refusal.code() == ErrorCode::RestartRequired
                    && (error.code() == ErrorCode::TokenNotFound
                        || process.breaker.failures() < TRIES_BEFORE_RESTART) =>
            {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// True when the token makes a signature now. Nothing is put right for it.
    fn works(&self) -> bool {
        let process = self.own_part();
        let call = Call::within(PATIENCE_FOR_OTHERS);
        let (Some(key), None) = (self.probing_key(None), process.breaker.problem()) else {
            return false;
        };
        process.pool.acquire(&call).is_ok_and(|mut permit| {
            let outcome = self.attempt(&process, &mut permit, &call, key.probing()).1;
            outcome.is_ok()
        })
    }

    /// True when the token makes a signature with another key than `key`, which must
    /// be what is wrong then.
    fn works_without(
        &self,
        key: Option<KeyId>,
        process: &InProcess,
        permit: &mut Permit,
        call: &Call,
    ) -> bool {
        let Some(other) = self.probing_key(key).filter(|_| key.is_some()) else {
            return false;
        };
        self.attempt(process, permit, call, other.probing())
            .1
            .is_ok()
    }

    /// True when a key may be missing only because the login was lost: private
    /// objects are not shown then. One that is open was found before.
    fn may_hide(&self, key: Option<KeyId>, seen: &Seen, error: &Error) -> bool {
        let is_logged_in = || {
            let connection = seen.connection.as_ref();
            connection.is_none_or(|connection| connection.is_logged_in())
        };
        error.code() == ErrorCode::KeyNotFound
            && self.credentials.has_pin()
            && (key.is_some() || !is_logged_in())
    }

    /// A job that waited in vain for another one, which hangs, may wait for ever.
    fn if_others_hang(&self, process: &InProcess, error: Error, begin: Instant) -> Error {
        let in_vain = error.code() == ErrorCode::Timeout
            && begin.elapsed() >= HANGS_AFTER
            && process.pool.counts().stuck > 0;
        match in_vain {
            true => self.module.restart_required("a call hangs in it", &error),
            false => error,
        }
    }

    fn note_success(&self, process: &InProcess, last: Option<Rung>) {
        if last.is_some() {
            process.statistics.healed.fetch_add(1, Ordering::Relaxed);
        }
        let was_out_of_order = process.breaker.close();
        if was_out_of_order || last.is_some() {
            log::emit(
                Level::Warn,
                "pkcs11",
                format_args!("{} works again", self.place.name),
            );
        }
    }

    fn note_failure(&self, process: &InProcess, error: &Error) {
        process.statistics.note_failure(error);
        if error.code() == ErrorCode::SignatureFault {
            process
                .statistics
                .signature_faults
                .fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The error for the caller, after the token was declared out of order if it is.
    fn give_up(&self, process: &InProcess, error: Error, in_job: bool) -> Error {
        process.statistics.failed.fetch_add(1, Ordering::Relaxed);
        let rv = error.details().ck_rv.map(CK_RV::try_from);
        let error = match rv {
            Some(Ok(CKR_USER_NOT_LOGGED_IN)) if !self.credentials.has_pin() => {
                self.credentials.pin_required()
            }
            Some(_) => error.in_context(&self.place.name),
            None => error,
        };
        if is_answer(&error) {
            process.breaker.close();
        }
        if is_outage(&error, in_job) && !self.module.is_shut_down() {
            // A token that was there may come back.
            let error = match error.code() {
                ErrorCode::TokenNotFound | ErrorCode::TokenAmbiguous | ErrorCode::ModuleInit => {
                    error.with_retryable(true)
                }
                _ => error,
            };
            if process.breaker.open(&error) {
                log::emit(
                    Level::Error,
                    "pkcs11",
                    format_args!("{} is out of order: {error}", self.place.name),
                );
            }
            maintenance::wake(self);
            return error;
        }
        error
    }
}

impl Rung {
    fn announcement(self) -> &'static str {
        match self {
            Self::Session => "trying once more with another session",
            Self::Login => "looking at the sessions and the login",
            Self::Slot => "looking for the token again",
            Self::Module => "reinitialising the module",
        }
    }
}

fn is_same(connection: &Arc<Connection>, current: &Option<Arc<Connection>>) -> bool {
    current
        .as_ref()
        .is_some_and(|current| Arc::ptr_eq(connection, current))
}

/// True when `error` may be due to too much work.
fn is_ambiguous(error: &Error) -> bool {
    match error.details().ck_rv.map(CK_RV::try_from) {
        Some(Ok(rv)) => !rv::session_is_gone(rv) && !rv::session_is_dirty(rv),
        _ => false,
    }
}
