//! The first look at a module's tokens in a process.
//!
//! A module that keeps its tokens in files, as SoftHSM does, reads them in
//! `C_Initialize`, and a login writes them. When several processes begin at once, one
//! reads what another has only half written: a token too little, one without a PIN,
//! one that does not tell its name. It sees no better until it is initialised again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::instance::Instance;
use super::module::Module;
use super::recovery::Rung;
use super::threads::WAITING;
use super::token;
use crate::call::Call;
use crate::error::{ErrorCode, Result};
use crate::jitter;
use crate::log::{self, Level};

/// A module that has needed longer than this is not initialised once more.
const PATIENCE: Duration = Duration::from_millis(500);

/// The first pause. Each is twice as long as the one before, and up to as long again:
/// those who met must not meet again.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// What `look` sees in `module`. When that fails in a way that a new initialisation may
/// cure, and no token of the module is in use in this process, the module is initialised
/// anew and `look` runs again, a few times within half a second.
///
/// # Errors
/// The last one of `look`, and those of [`Module::instance`].
pub(super) fn settle<T>(
    module: &Arc<Module>,
    call: &Call,
    look: impl Fn(&Arc<Instance>) -> Result<T>,
) -> Result<T> {
    let begin = Instant::now();
    let mut shortest = FIRST_PAUSE;
    loop {
        let instance = module.instance(call)?;
        let error = match look(&instance) {
            Ok(seen) => return Ok(seen),
            Err(error) => error,
        };
        // Not the module says so: another thread that looks for a token initialises it anew.
        if error.code() == ErrorCode::SessionLost && error.details().ck_rv.is_none() {
            if begin.elapsed() > PATIENCE {
                return Err(error);
            }
            continue;
        }
        let pause = pause(shortest);
        let is_over = begin.elapsed() + pause > PATIENCE;
        if is_over || Rung::next(None, &error).is_none() || is_in_use(module) {
            return Err(error);
        }
        log::emit(
            Level::Warn,
            "pkcs11",
            format_args!("{error}; initialising the module once more"),
        );
        if call.pause(pause, WAITING).is_err() {
            return Err(error);
        }
        if module
            .reinitialise(instance.generation(), &error, call)
            .is_err()
        {
            return Err(error);
        }
        shortest *= 2;
    }
}

fn is_in_use(module: &Arc<Module>) -> bool {
    token::of_module(module)
        .iter()
        .any(|token| token.own_part().connection.load().is_some())
}

/// Between `shortest` and twice that.
fn pause(shortest: Duration) -> Duration {
    shortest + jitter::up_to(shortest)
}
