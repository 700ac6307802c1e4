//! What happens around each call of a replaced function.

use std::panic::{AssertUnwindSafe, catch_unwind};

use cryptoki_sys::{CK_RV, CKR_GENERAL_ERROR};

use crate::function::Function;
use crate::real;
use crate::rule::Effect;
use crate::state::{self, state};

/// Counts a call of `function` and lets the rules act on it; `work` is the call
/// itself. A panic becomes `CKR_GENERAL_ERROR`.
pub(crate) fn intercept(function: Function, work: impl FnOnce(&Effect) -> CK_RV) -> CK_RV {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let (_inside, effect) = enter(function);
        std::thread::sleep(effect.delay);
        if effect.hang {
            state::hang();
        }
        match effect.rv {
            None => inside(|| work(&effect)),
            Some(rv) => {
                if effect.executed {
                    inside(|| work(&effect));
                }
                rv
            }
        }
    }));
    outcome.unwrap_or(CKR_GENERAL_ERROR)
}

fn inside<T>(work: impl FnOnce() -> T) -> T {
    let _inside = real::inside();
    work()
}

/// A call inside this module, until dropped.
struct Inside;

fn enter(function: Function) -> (Inside, Effect) {
    let mut state = state();
    state.inside += 1;
    state.peak = state.peak.max(state.inside);
    let effect = state.meet(function);
    (Inside, effect)
}

impl Drop for Inside {
    fn drop(&mut self) {
        state().inside -= 1;
    }
}
