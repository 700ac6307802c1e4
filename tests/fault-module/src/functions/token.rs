//! Slots, tokens and their mechanisms.

#![allow(non_snake_case)]

use cryptoki_sys::*;

use crate::call::intercept;
use crate::function::Function;
use crate::list;
use crate::real::call_real;
use crate::state::{Settings, state};

pub(super) unsafe extern "C" fn C_GetSlotList(
    token_present: CK_BBOOL,
    slots: *mut CK_SLOT_ID,
    count: *mut CK_ULONG,
) -> CK_RV {
    intercept(Function::C_GetSlotList, |_| {
        let real =
            list::read(|slots, count| call_real!(C_GetSlotList(token_present, slots, count)));
        match real {
            Ok(real) => {
                let shown = state().settings.shown_slots(real);
                // SAFETY: the caller answers for `slots` and `count`.
                unsafe { list::answer(&shown, slots, count) }
            }
            Err(rv) => rv,
        }
    })
}

pub(super) unsafe extern "C" fn C_GetSlotInfo(slot: CK_SLOT_ID, info: *mut CK_SLOT_INFO) -> CK_RV {
    on_slot(Function::C_GetSlotInfo, slot, |slot| {
        call_real!(C_GetSlotInfo(slot, info))
    })
}

pub(super) unsafe extern "C" fn C_GetTokenInfo(
    slot: CK_SLOT_ID,
    info: *mut CK_TOKEN_INFO,
) -> CK_RV {
    on_slot(Function::C_GetTokenInfo, slot, |slot| {
        let rv = call_real!(C_GetTokenInfo(slot, info));
        // SAFETY: the caller answers for `info`, which the real module has filled.
        if let (CKR_OK, Some(info)) = (rv, unsafe { info.as_mut() }) {
            alter(info, &state().settings);
        }
        rv
    })
}

pub(super) unsafe extern "C" fn C_GetMechanismList(
    slot: CK_SLOT_ID,
    mechanisms: *mut CK_MECHANISM_TYPE,
    count: *mut CK_ULONG,
) -> CK_RV {
    on_slot(Function::C_GetMechanismList, slot, |slot| {
        match list::read(|list, count| call_real!(C_GetMechanismList(slot, list, count))) {
            Ok(mut offered) => {
                let state = state();
                offered.retain(|kind| !state.settings.hides_mechanism(*kind));
                drop(state);
                // SAFETY: the caller answers for `mechanisms` and `count`.
                unsafe { list::answer(&offered, mechanisms, count) }
            }
            Err(rv) => rv,
        }
    })
}

pub(super) unsafe extern "C" fn C_GetMechanismInfo(
    slot: CK_SLOT_ID,
    kind: CK_MECHANISM_TYPE,
    info: *mut CK_MECHANISM_INFO,
) -> CK_RV {
    on_slot(Function::C_GetMechanismInfo, slot, |slot| {
        if state().settings.hides_mechanism(kind) {
            return CKR_MECHANISM_INVALID;
        }
        call_real!(C_GetMechanismInfo(slot, kind, info))
    })
}

/// Gives `work` the real slot.
fn on_slot(function: Function, slot: CK_SLOT_ID, work: impl FnOnce(CK_SLOT_ID) -> CK_RV) -> CK_RV {
    intercept(function, |_| {
        let slot = state().settings.real_slot(slot);
        slot.map_or_else(|rv| rv, work)
    })
}

fn alter(info: &mut CK_TOKEN_INFO, settings: &Settings) {
    if let Some(serial) = &settings.serial {
        info.serialNumber = [b' '; 16];
        for (place, byte) in info.serialNumber.iter_mut().zip(serial.bytes()) {
            *place = byte;
        }
    }
    if let Some(limit) = settings.pin_limit {
        info.flags &= !(CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED);
        if settings.pin_misses > 0 {
            info.flags |= CKF_USER_PIN_COUNT_LOW;
        }
        info.flags |= match limit.saturating_sub(settings.pin_misses) {
            0 => CKF_USER_PIN_LOCKED,
            1 => CKF_USER_PIN_FINAL_TRY,
            _ => 0,
        };
    }
}
