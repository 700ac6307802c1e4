//! Which slots there seem to be, while a token is gone or has moved.

use cryptoki_sys::*;

use crate::state::Settings;

impl Settings {
    /// The slots that are shown in place of the real ones.
    pub fn shown_slots(&self, real: Vec<CK_SLOT_ID>) -> Vec<CK_SLOT_ID> {
        if self.no_token {
            return Vec::new();
        }
        let shown = |slot| match self.moved {
            Some((shown, moved)) if moved == slot => shown,
            _ => slot,
        };
        real.into_iter().map(shown).collect()
    }

    /// The real slot that is shown as `slot`.
    ///
    /// # Errors
    /// `CKR_TOKEN_NOT_PRESENT` while the token is gone, `CKR_SLOT_ID_INVALID` for
    /// the slot it has left.
    pub fn real_slot(&self, slot: CK_SLOT_ID) -> Result<CK_SLOT_ID, CK_RV> {
        match self.moved {
            _ if self.no_token => Err(CKR_TOKEN_NOT_PRESENT),
            Some((shown, real)) if slot == shown => Ok(real),
            Some((_, real)) if slot == real => Err(CKR_SLOT_ID_INVALID),
            _ => Ok(slot),
        }
    }
}
