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
    /// [`crate::keys::open_decrypter`], with the message of each.
    pub fn open(&self, call: &Call) -> Result<()> {
        let is_usable = self.keys.iter().any(DecryptionKey::is_open);
        let is_left = |key: &DecryptionKey| key.is_open() || (is_usable && key.has_failed());
        let is_wanted = |key: &&DecryptionKey| !is_left(key);
        let wanted: Vec<_> = self.keys.iter().filter(is_wanted).collect();
        let mut errors = Vec::new();
        for (position, key) in wanted.iter().enumerate() {
            if position > 0 {
                call.check("opening the keys that decrypt")?;
            }
            let share = call.share(wanted.len() - position, DEFAULT_SHARE);
            if let Err(error) = key.open(&*self.opener, &*self.clock, &share) {
                errors.push(error);
            }
        }
        if errors.len() == self.keys.len() {
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
        let mut errors = Vec::new();
        for (position, key) in candidates.iter().enumerate() {
            if position > 0 {
                call.check("decrypting")?;
            }
            let share = call.share(candidates.len() - position, DEFAULT_SHARE);
            match self.attempt(key, &jwe, &share) {
                Err(error) => {
                    if !is_of_jwe(&error) {
                        log::emit(
                            Level::Debug,
                            "token",
                            format_args!("a key that decrypts cannot be used now: {error}"),
                        );
                    }
                    errors.push(error);
                }
                plain => return plain,
            }
        }
        for (key, error) in candidates.iter().zip(&errors) {
            if is_of_jwe(error)
                && let Some(other) = key.replacement(&*self.opener, &*self.clock, call, error)
                && let Ok(plain) = jwe.decrypt(&*other, &self.accepted, call)
            {
                return Ok(plain);
            }
        }
        Err(self.failure(&jwe, &candidates, errors))
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

    fn attempt(&self, key: &DecryptionKey, jwe: &Compact, call: &Call) -> Result<Secret> {
        if self.keys.len() > 1
            && !key.is_open()
            && let Some(error) = key.recent_failure(self.clock.now())
        {
            return Err(error);
        }
        key.with(&*self.opener, &*self.clock, call, |decrypter| {
            let plain = jwe.decrypt(decrypter, &self.accepted, call);
            plain.map_err(|error| match is_of_jwe(&error) || self.keys.len() == 1 {
                true => error,
                false => error.in_context(key.name()),
            })
        })
    }

    /// One error out of those of `tried`: of the JWE only when each of them was asked.
    fn failure(&self, jwe: &Compact, tried: &[&DecryptionKey], errors: Vec<Error>) -> Error {
        if self.keys.len() == 1 {
            return joined("no key decrypts the JWE", errors);
        }
        let asked = tried
            .iter()
            .zip(&errors)
            .filter(|(_, error)| is_of_jwe(error));
        let asked: Vec<_> = asked.map(|(key, _)| shown(key)).collect();
        let all = match tried.len() < self.keys.len() {
            true => "what its header names, ",
            false => "any key of the client, ",
        };
        let invalid = jwe.undecipherable(&format!("{all}{}", asked.join(" and ")));
        let unusable: Vec<_> = errors
            .into_iter()
            .filter(|error| !is_of_jwe(error))
            .collect();
        if unusable.is_empty() {
            return invalid;
        }
        let what = match asked.is_empty() {
            true => "no key that may decrypt the JWE can be used".to_owned(),
            false => format!(
                "the JWE does not decrypt with {}, and another key cannot be used",
                asked.join(" and ")
            ),
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

/// Whether the key was asked, and its home found nothing wrong but with the JWE.
fn is_of_jwe(error: &Error) -> bool {
    error.code() == ErrorCode::JweInvalid
}

/// A key for a message.
fn shown(key: &DecryptionKey) -> String {
    let thumbprint = key.thumbprint().unwrap_or_default();
    format!("{} (thumbprint {thumbprint})", key.name())
}
