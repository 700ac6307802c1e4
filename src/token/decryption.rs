//! The client's keys that others encrypt to, and which of them decrypts.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::decryption_key::DecryptionKey;
use super::key_ring::joined;
use super::opener::KeyOpener;
use crate::call::Call;
use crate::clock::Clock;
use crate::error::{Error, ErrorCode, Result};
use crate::jwe::{Accepted, Compact};
use crate::keys::Decrypter;
use crate::log::{self, Level};
use crate::profiles::DecryptionSettings;
use crate::secret::Secret;

/// The time of a key that is not the last one, for a call without a deadline.
const DEFAULT_SHARE: Duration = Duration::from_secs(10);

/// One key or several, each opened when it is used for the first time, and kept.
pub struct Decryption {
    settings: DecryptionSettings,
    accepted: Accepted,
    keys: Vec<DecryptionKey>,
    opener: Arc<dyn KeyOpener>,
    clock: Arc<dyn Clock>,
}

impl Decryption {
    /// The keys that `settings` name, or `given` by the program. None is opened yet.
    ///
    /// # Errors
    /// What is wrong with a certificate, naming its setting.
    pub(super) fn new(
        settings: DecryptionSettings,
        given: Vec<Arc<dyn Decrypter>>,
        opener: Arc<dyn KeyOpener>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        let one = settings.key.clone().into_iter();
        let one = one.map(|uri| Ok(DecryptionKey::new("decryption.key", uri)));
        let entries = settings.keys.iter().cloned().enumerate();
        let entries = entries.map(|(index, entry)| {
            DecryptionKey::of_entry(&format!("decryption.keys[{index}]"), entry)
        });
        let given = given.into_iter().enumerate();
        let given =
            given.map(|(index, key)| Ok(DecryptionKey::given(format!("decrypters[{index}]"), key)));
        Ok(Self {
            keys: one.chain(entries).chain(given).collect::<Result<_>>()?,
            accepted: Accepted {
                key_encryption: settings.key_encryption.clone(),
                content_encryption: settings.content_encryption.clone(),
            },
            settings,
            opener,
            clock,
        })
    }

    /// The settings: the keys, and which algorithms others may use.
    pub fn settings(&self) -> &DecryptionSettings {
        &self.settings
    }

    /// Opens the keys, unless they are open. Of several, one is enough: one that cannot be
    /// opened is logged, and tried again when an answer may need it, at most every 5
    /// seconds. None of them may use more than its share of the call's time.
    ///
    /// # Errors
    /// When no key can be opened: the first one's error, as that of
    /// [`crate::keys::open_decrypter`], with the message of each. `CANCELLED`.
    pub fn open(&self, call: &Call) -> Result<()> {
        let is_usable = self.keys.iter().any(DecryptionKey::is_open);
        let is_left = |key: &DecryptionKey| key.is_open() || (is_usable && key.has_failed());
        let is_wanted = |key: &&DecryptionKey| !is_left(key);
        let wanted: Vec<_> = self.keys.iter().filter(is_wanted).collect();
        let mut errors = Vec::new();
        for (position, key) in wanted.iter().enumerate() {
            if position > 0
                && let Err(over) = call.check("opening the keys that decrypt")
            {
                if over.code() == ErrorCode::Cancelled {
                    return Err(over);
                }
                errors.push(over);
                break;
            }
            let share = call.share(wanted.len() - position, DEFAULT_SHARE);
            if let Err(error) = key.open(&*self.opener, &*self.clock, &share) {
                errors.push(error);
            }
        }
        if !self.keys.iter().any(DecryptionKey::is_open) {
            return Err(joined("no key that decrypts can be opened", errors));
        }
        for error in errors {
            log::emit(
                Level::Warn,
                "token",
                format_args!(
                    "a key that decrypts could not be opened and is tried again when it is needed: {error}"
                ),
            );
        }
        Ok(())
    }

    /// Decrypts a compact JWE with the key that its header names by `kid` or `x5t#S256`;
    /// when it names none of them, with the first that can. After one that does not
    /// decrypt it is looked, at most once a minute, whether a key's name leads to another
    /// key by now.
    ///
    /// # Errors
    /// `JWE_ALGORITHM`; `JWE_INVALID` for a text that is no compact JWE, and when all the
    /// keys in question were tried; otherwise why the first of those that could not be
    /// tried was not.
    pub fn decrypt(&self, compact: &str, call: &Call) -> Result<Secret> {
        let jwe = Compact::parse(compact)?;
        jwe.require(&self.accepted)?;
        let candidates = self.candidates(&jwe);
        let mut failed = Vec::new();
        for (position, &key) in candidates.iter().enumerate() {
            if position > 0 {
                call.check("decrypting")?;
            }
            let share = call.share(candidates.len() - position, DEFAULT_SHARE);
            let failure = match self.attempt(key, &jwe, &share) {
                Ok(Attempt::Decrypted(plain)) => return Ok(plain),
                Ok(Attempt::Wrong { thumbprint, error }) => Failed {
                    key,
                    asked: Some(thumbprint),
                    error,
                },
                Err(error) => {
                    log::emit(
                        Level::Debug,
                        "token",
                        format_args!("a key that decrypts cannot be used now: {error}"),
                    );
                    Failed {
                        key,
                        asked: None,
                        error,
                    }
                }
            };
            failed.push(failure);
        }
        for Failed { key, asked, .. } in &failed {
            if let Some(asked) = asked
                && let Some(other) = key.replacement(&*self.opener, &*self.clock, call, asked)
                && let Ok(plain) = jwe.decrypt(&*other, &self.accepted, call)
            {
                return Ok(plain);
            }
        }
        Err(self.failure(&jwe, failed))
    }

    /// The keys to try: those that the header names, else all. Those that are open go
    /// first.
    fn candidates(&self, jwe: &Compact) -> Vec<&DecryptionKey> {
        let is_named = |key: &&DecryptionKey| key.is_named_by(jwe.header());
        let mut candidates: Vec<_> = self.keys.iter().filter(is_named).collect();
        if candidates.is_empty() {
            candidates = self.keys.iter().collect();
        }
        candidates.sort_by_key(|key| !key.is_open());
        candidates
    }

    fn attempt(&self, key: &DecryptionKey, jwe: &Compact, call: &Call) -> Result<Attempt> {
        if self.keys.len() > 1
            && !key.is_open()
            && let Some(error) = key.recent_failure(self.clock.now())
        {
            return Err(error);
        }
        key.with(&*self.opener, &*self.clock, call, |decrypter| {
            match jwe.decrypt(decrypter, &self.accepted, call) {
                Ok(plain) => Ok(Attempt::Decrypted(plain)),
                Err(error) if error.code() == ErrorCode::JweInvalid => Ok(Attempt::Wrong {
                    thumbprint: decrypter.public_key().thumbprint().to_owned(),
                    error,
                }),
                Err(error) if self.keys.len() == 1 => Err(error),
                Err(error) => Err(error.in_context(key.name())),
            }
        })
    }

    /// One error out of those of the keys that were tried: of the JWE only when each of
    /// them was asked.
    fn failure(&self, jwe: &Compact, failed: Vec<Failed<'_>>) -> Error {
        let errors = |failed: Vec<Failed<'_>>| failed.into_iter().map(|key| key.error).collect();
        if self.keys.len() == 1 {
            return joined("no key decrypts the JWE", errors(failed));
        }
        let all = match failed.len() < self.keys.len() {
            true => "what its header names, ",
            false => "any key of the client, ",
        };
        let (asked, unusable): (Vec<_>, Vec<_>) =
            failed.into_iter().partition(|key| key.asked.is_some());
        let shown: Vec<_> = asked.iter().map(|failed| shown(failed.key)).collect();
        let shown = shown.join(" and ");
        let invalid = jwe.undecipherable(&format!("{all}{shown}"));
        let unusable: Vec<Error> = errors(unusable);
        if unusable.is_empty() {
            return invalid;
        }
        let what = match asked.is_empty() {
            true => "no key that may decrypt the JWE can be used".to_owned(),
            false => {
                format!("the JWE does not decrypt with {shown}, and another key cannot be used")
            }
        };
        match unusable.len() {
            1 => joined(&what, unusable).in_context(what),
            _ => joined(&what, unusable),
        }
    }
}

/// The settings; the URIs of keys may have a PIN.
impl fmt::Debug for Decryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decryption")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// What came of a JWE with a key that could be asked.
enum Attempt {
    Decrypted(Secret),
    /// The key's home found nothing wrong but with the JWE.
    Wrong {
        /// Of the key that was asked; its name may lead to another by now.
        thumbprint: String,
        error: Error,
    },
}

/// A key that did not decrypt a JWE.
struct Failed<'a> {
    key: &'a DecryptionKey,
    /// The thumbprint of the key that was asked, if it could be.
    asked: Option<String>,
    error: Error,
}

/// A key for a message.
fn shown(key: &DecryptionKey) -> String {
    let thumbprint = key.thumbprint().unwrap_or_default();
    format!("{} (thumbprint {thumbprint})", key.name())
}
