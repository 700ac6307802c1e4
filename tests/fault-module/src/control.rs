//! The C functions through which a test sets rules and reads counters. They are
//! declared and described in `fault.h`.

use std::ffi::{CStr, c_char, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};

use cryptoki_sys::{CK_RV, CKR_OK};

use crate::function::Function;
use crate::others;
use crate::real;
use crate::rules::{self, Command};
use crate::state::{State, state};

/// Applies the rules in `text`: 0, or -1 with the reason on standard error.
///
/// # Safety
/// `text` is null or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_fault_rules(text: *const c_char) -> c_int {
    let outcome = catch_unwind(|| {
        // SAFETY: the caller answers for `text`.
        let text = unsafe { read(text) }.ok_or("the rules are no UTF-8 text")?;
        rules::parse(text)?.into_iter().try_for_each(apply)
    });
    match outcome.unwrap_or_else(|_| Err("a panic".to_owned())) {
        Ok(()) => 0,
        Err(why) => {
            eprintln!("segl-fault-module: {why}");
            -1
        }
    }
}

/// How often `function` was called, all together for null, `UINT64_MAX` for one
/// that is not counted.
///
/// # Safety
/// `function` is null or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_fault_calls(function: *const c_char) -> u64 {
    number(|state| {
        if function.is_null() {
            return state.calls.iter().sum();
        }
        // SAFETY: the caller answers for `function`.
        let function = unsafe { read(function) }.and_then(Function::named);
        function.map_or(u64::MAX, |function| state.calls[function as usize])
    })
}

/// Sets the counters of calls and `segl_fault_peak` to zero.
#[unsafe(no_mangle)]
pub extern "C" fn segl_fault_reset_counters() {
    number(|state| {
        state.calls = [0; Function::COUNT];
        state.peak = state.inside;
        0
    });
}

/// How many calls hang now.
#[unsafe(no_mangle)]
pub extern "C" fn segl_fault_hanging() -> u64 {
    number(|state| state.hanging)
}

/// How many sessions are open that were opened through this library.
#[unsafe(no_mangle)]
pub extern "C" fn segl_fault_sessions() -> u64 {
    number(|state| state.sessions.len() as u64)
}

/// The most calls that were inside this library at one time.
#[unsafe(no_mangle)]
pub extern "C" fn segl_fault_peak() -> u64 {
    number(|state| state.peak)
}

fn apply(command: Command) -> Result<(), String> {
    let name = format!("{command:?}");
    let rv = match command {
        Command::CloseAll => alone(others::close_all),
        Command::Logout => alone(others::logout),
        Command::Finalize => alone(others::finalize),
        Command::Initialize => others::initialize(),
        Command::Refinalize => alone(others::refinalize),
        Command::NoToken => {
            let _alone = real::alone();
            let rv = others::close_all();
            state().settings.no_token = true;
            rv
        }
        Command::TokenBack(slot) => return token_back(slot),
        command => {
            set(&mut state(), command);
            CKR_OK
        }
    };
    refused(&name, rv)
}

fn alone(deed: fn() -> CK_RV) -> CK_RV {
    let _alone = real::alone();
    deed()
}

fn set(state: &mut State, command: Command) {
    let settings = &mut state.settings;
    match command {
        Command::Rule(rule) => state.rules.push(rule),
        Command::MaxSessions(max) => settings.max_sessions = Some(max),
        Command::PinLimit(limit) => {
            settings.pin_limit = Some(limit);
            settings.pin_misses = 0;
        }
        Command::NoOsLocking => settings.no_os_locking = true,
        Command::RawEcPoint => settings.raw_ec_point = true,
        Command::NoPublicKey => settings.no_public_key = true,
        Command::NoMechanism(kind) => settings.no_mechanism.push(kind),
        Command::OnlyMechanism(kind) => settings.only_mechanism.push(kind),
        Command::BrokenMechanism(kind) => settings.broken_mechanism.push(kind),
        Command::NoAttribute(kind) => settings.no_attribute.push(kind),
        Command::Disconnect => settings.disconnected = true,
        Command::Serial(serial) => settings.serial = Some(serial),
        Command::ShortFind => settings.short_find = true,
        Command::Release => state.release(),
        Command::Clear => state.clear(),
        Command::CloseAll
        | Command::Logout
        | Command::Finalize
        | Command::Initialize
        | Command::Refinalize
        | Command::NoToken
        | Command::TokenBack(_) => {}
    }
}

fn token_back(slot: Option<cryptoki_sys::CK_SLOT_ID>) -> Result<(), String> {
    let mut state = state();
    let real = state.slots.first().copied();
    state.settings.moved = match (slot, real) {
        (None, _) => None,
        (Some(shown), Some(real)) => Some((shown, real)),
        (Some(_), None) => return Err("no token has had a session yet".to_owned()),
    };
    state.settings.no_token = false;
    Ok(())
}

fn refused(what: &str, rv: CK_RV) -> Result<(), String> {
    if rv == CKR_OK {
        return Ok(());
    }
    Err(format!("{what}: the real module returned 0x{rv:x}"))
}

fn number(read: impl FnOnce(&mut State) -> u64) -> u64 {
    catch_unwind(AssertUnwindSafe(|| read(&mut state()))).unwrap_or(u64::MAX)
}

/// # Safety
/// `text` is null or a C string that outlives the result.
unsafe fn read<'a>(text: *const c_char) -> Option<&'a str> {
    if text.is_null() {
        return None;
    }
    // SAFETY: not null, and the caller answers for the rest.
    unsafe { CStr::from_ptr(text) }.to_str().ok()
}
