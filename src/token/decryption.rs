//! The client's key that others encrypt to.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;

use super::opener::KeyOpener;
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::Decrypter;
use crate::log::{self, Level};
use crate::profiles::DecryptionSettings;

/// How often the key is opened again, at the most, to see whether it is another by now: an
/// answer that nobody can decrypt must not cost its home more.
const LOOKS_AGAIN_AFTER: Duration = Duration::from_secs(60);

/// The key, which is opened when it is used for the first time, and kept.
pub struct Decryption {
    settings: DecryptionSettings,
    opener: Arc<dyn KeyOpener>,
    opened: ArcSwapOption<Arc<dyn Decrypter>>,
    /// When it was last opened again because something did not decrypt.
    looked_again: Mutex<Option<Instant>>,
}

impl Decryption {
    pub(super) fn new(settings: DecryptionSettings, opener: Arc<dyn KeyOpener>) -> Self {
        Self {
            settings,
            opener,
            opened: ArcSwapOption::empty(),
            looked_again: Mutex::default(),
        }
    }

    /// The settings: which algorithms others may use.
    pub fn settings(&self) -> &DecryptionSettings {
        &self.settings
    }

    /// The key, opened if need be. One that could not be opened is tried again the next
    /// time.
    ///
    /// # Errors
    /// As [`crate::keys::open_decrypter`], naming the setting.
    pub fn key(&self, call: &Call) -> Result<Arc<dyn Decrypter>> {
        match &*self.opened.load() {
            Some(opened) => Ok(Arc::clone(opened)),
            None => self.open(call),
        }
    }

    /// Does `work` with the key. A key that has been replaced in its home is opened anew,
    /// and `work` done once more. Not every home tells, so after `JWE_INVALID` it is looked
    /// whether the key's name leads to another one by now, at most once a minute.
    ///
    /// # Errors
    /// As [`Decryption::key`], and those of `work`.
    pub fn with_key<T>(
        &self,
        call: &Call,
        work: impl Fn(&dyn Decrypter) -> Result<T>,
    ) -> Result<T> {
        let Some(opened) = self.opened.load_full() else {
            return work(&*self.open(call)?);
        };
        match work(&**opened) {
            Err(error) if is_replaced(&error) => {
                log::emit(
                    Level::Warn,
                    "token",
                    format_args!("setting \"decryption.key\": {error}; opening it again"),
                );
                work(&*self.open(call)?)
            }
            Err(error) if error.code() == ErrorCode::JweInvalid => {
                match self.another_than(&**opened, call) {
                    Some(other) => work(&*other),
                    None => Err(error),
                }
            }
            outcome => outcome,
        }
    }

    /// The key that its name leads to now, if that is another than `opened`.
    fn another_than(&self, opened: &dyn Decrypter, call: &Call) -> Option<Arc<dyn Decrypter>> {
        if !self.may_look_again() {
            return None;
        }
        let uri = self.settings.key.expose();
        let now = self.opener.open_decrypter(uri, call).ok()?;
        let (thumbprint, before) = (now.public_key().thumbprint(), opened.public_key());
        if thumbprint == before.thumbprint() {
            return None;
        }
        log::emit(
            Level::Warn,
            "token",
            format_args!(
                "setting \"decryption.key\" names another key by now: its thumbprint was {} and is {thumbprint}",
                before.thumbprint()
            ),
        );
        self.opened.store(Some(Arc::new(Arc::clone(&now))));
        Some(now)
    }

    fn may_look_again(&self) -> bool {
        let mut last = self
            .looked_again
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let is_due = last.is_none_or(|last| last.elapsed() >= LOOKS_AGAIN_AFTER);
        if is_due {
            *last = Some(Instant::now());
        }
        is_due
    }

    fn open(&self, call: &Call) -> Result<Arc<dyn Decrypter>> {
        let opened = self
            .opener
            .open_decrypter(self.settings.key.expose(), call)
            .map_err(|error| error.in_context("setting \"decryption.key\""))?;
        self.opened.store(Some(Arc::new(Arc::clone(&opened))));
        Ok(opened)
    }
}

/// The settings; the key's URI may have a PIN.
impl fmt::Debug for Decryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decryption")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// True when the key's name leads to another key by now, or to none.
fn is_replaced(error: &Error) -> bool {
    matches!(
        error.code(),
        ErrorCode::KeyNotFound | ErrorCode::KmsKeyChanged | ErrorCode::KmsNotFound
    )
}
