//! What one loaded library remembers: rules, settings, counters, sessions.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use cryptoki_sys::*;

use crate::function::Function;
use crate::rule::{Effect, Rule};

static STATE: Mutex<State> = Mutex::new(State::new());
static RELEASED: Condvar = Condvar::new();

/// Everything that changes. Its lock is never held during a call of the real
/// module.
pub(crate) struct State {
    pub rules: Vec<Rule>,
    pub settings: Settings,
    pub calls: [u64; Function::COUNT],
    /// Calls inside this module now, and the most there were at one time.
    pub inside: u64,
    pub peak: u64,
    pub hanging: u64,
    /// Grows with each release; a call that hangs waits for that.
    releases: u64,
    /// Sessions that were opened through this library and are not closed.
    pub sessions: BTreeMap<CK_SESSION_HANDLE, Open>,
    /// Sessions that are being opened.
    pub opening: usize,
    /// Real slots in which a session was ever opened, the first one first.
    pub slots: Vec<CK_SLOT_ID>,
}

/// An open session.
pub(crate) struct Open {
    /// The real slot.
    pub slot: CK_SLOT_ID,
    /// That of the last `C_SignInit`.
    pub mechanism: CK_MECHANISM_TYPE,
}

/// What is not about single calls. `clear` resets it.
pub(crate) struct Settings {
    pub max_sessions: Option<usize>,
    /// The wrong PINs that lock the PIN, and how many there were since the last
    /// right one.
    pub pin_limit: Option<u32>,
    pub pin_misses: u32,
    pub no_os_locking: bool,
    pub raw_ec_point: bool,
    pub no_public_key: bool,
    pub short_find: bool,
    pub no_mechanism: Vec<CK_MECHANISM_TYPE>,
    /// Empty for all.
    pub only_mechanism: Vec<CK_MECHANISM_TYPE>,
    pub broken_mechanism: Vec<CK_MECHANISM_TYPE>,
    pub no_attribute: Vec<CK_ATTRIBUTE_TYPE>,
    /// Until `C_Initialize`.
    pub disconnected: bool,
    pub serial: Option<String>,
    /// No token is in any slot.
    pub no_token: bool,
    /// A slot that does not exist, and the real slot that is shown as it.
    pub moved: Option<(CK_SLOT_ID, CK_SLOT_ID)>,
}

/// Locks the state. It is consistent between any two statements, so a panic
/// elsewhere does not spoil it.
pub(crate) fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    const fn new() -> Self {
        Self {
            rules: Vec::new(),
            settings: Settings::new(),
            calls: [0; Function::COUNT],
            inside: 0,
            peak: 0,
            hanging: 0,
            releases: 0,
            sessions: BTreeMap::new(),
            opening: 0,
            slots: Vec::new(),
        }
    }

    /// Counts a call of `function`; what the rules do to it.
    pub fn meet(&mut self, function: Function) -> Effect {
        self.calls[function as usize] += 1;
        let mut effect = Effect::default();
        let needs_connection = !matches!(function, Function::C_Initialize | Function::C_Finalize);
        if self.settings.disconnected && needs_connection {
            effect.rv = Some(CKR_DEVICE_ERROR);
        }
        for rule in &mut self.rules {
            if let Some(other) = rule.meet(function) {
                effect.add(other);
            }
        }
        effect
    }

    /// Lets every call go on that hangs, and none hang from now on.
    pub fn release(&mut self) {
        self.rules.retain(|rule| !rule.effect.hang);
        self.releases += 1;
        RELEASED.notify_all();
    }

    /// Forgets every rule and setting.
    pub fn clear(&mut self) {
        self.release();
        self.rules.clear();
        self.settings = Settings::new();
    }
}

impl Settings {
    const fn new() -> Self {
        Self {
            max_sessions: None,
            pin_limit: None,
            pin_misses: 0,
            no_os_locking: false,
            raw_ec_point: false,
            no_public_key: false,
            short_find: false,
            no_mechanism: Vec::new(),
            only_mechanism: Vec::new(),
            broken_mechanism: Vec::new(),
            no_attribute: Vec::new(),
            disconnected: false,
            serial: None,
            no_token: false,
            moved: None,
        }
    }

    /// True once there were too many wrong PINs.
    pub fn has_locked_pin(&self) -> bool {
        self.pin_limit.is_some_and(|limit| self.pin_misses >= limit)
    }

    /// True when the token does not have this mechanism.
    pub fn hides_mechanism(&self, kind: CK_MECHANISM_TYPE) -> bool {
        self.no_mechanism.contains(&kind)
            || !self.only_mechanism.is_empty() && !self.only_mechanism.contains(&kind)
    }
}

/// Waits for the next release.
pub(crate) fn hang() {
    let mut state = state();
    let release = state.releases;
    state.hanging += 1;
    let mut state = RELEASED
        .wait_while(state, |state| state.releases == release)
        .unwrap_or_else(PoisonError::into_inner);
    state.hanging -= 1;
}
