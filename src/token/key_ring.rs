//! The keys of a client, in order, and which of them is used.

use std::sync::Arc;
use std::time::Duration;

use super::client_key::{ClientKey, OpenKey};
use super::expiry::Expiry;
use super::health::KeyHealth;
use super::opener::KeyOpener;
use super::verdict::{Verdict, refuses_key};
use crate::call::Call;
use crate::clock::{Clock, UnixTime};
use crate::error::{Error, ErrorCode, Result};
use crate::keys::{HealthState, Signer};
use crate::log::{self, Level};
use crate::profiles::ClientSettings;
use crate::secret::Secret;

/// The time of a key that is not the last one, for a call without a deadline.
const DEFAULT_SHARE: Duration = Duration::from_secs(10);

/// One key or several.
#[derive(Debug)]
pub(super) struct KeyRing {
    keys: Vec<ClientKey>,
    opener: Arc<dyn KeyOpener>,
    clock: Arc<dyn Clock>,
}

impl KeyRing {
    /// Opens the keys that `settings` name. Of several, one is enough: those whose
    /// home is away are opened later.
    ///
    /// # Errors
    /// `CONFIG` naming the setting; what is wrong with a key; when none can be
    /// opened, the first one's error with the message of each.
    pub(super) fn open(
        settings: &ClientSettings,
        opener: Arc<dyn KeyOpener>,
        secret: Option<Secret>,
        clock: Arc<dyn Clock>,
        call: &Call,
    ) -> Result<Self> {
        let are_entries = !settings.keys.is_empty();
        let keys = settings.for_each_key()?.into_iter().enumerate();
        let keys =
            keys.map(|(index, settings)| ClientKey::new(settings, are_entries.then_some(index)));
        let ring = Self {
            keys: keys.collect::<Result<_>>()?,
            opener,
            clock,
        };
        let mut errors = Vec::new();
        for index in 0..ring.keys.len() {
            let share = call.share(ring.keys.len() - index, DEFAULT_SHARE);
            match ring.open_key(index, secret.clone(), &share) {
                Ok(_) => {}
                Err(error) if Verdict::of(error.code()) == Verdict::Away => errors.push(error),
                Err(error) => return Err(error),
            }
        }
        if errors.len() == ring.keys.len() {
            return Err(joined("no key of the client can be opened", errors));
        }
        for error in errors {
            log::emit(
                Level::Warn,
                "token",
                format_args!("a key could not be opened and is tried again later: {error}"),
            );
        }
        ring.warn_of_expiries();
        Ok(ring)
    }

    /// One key, called `name`, that is open already.
    ///
    /// # Errors
    /// As [`ClientKey::given`].
    pub(super) fn given(
        settings: ClientSettings,
        name: &str,
        signer: Arc<dyn Signer>,
        opener: Arc<dyn KeyOpener>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        let ring = Self {
            keys: vec![ClientKey::given(settings, name, signer, clock.now())?],
            opener,
            clock,
        };
        ring.warn_of_expiries();
        Ok(ring)
    }

    /// What `sign` makes with the first key that can do it.
    ///
    /// # Errors
    /// An error that no other key would mend, at once; otherwise, when no key is
    /// left or the call is over, the first error with the message of each.
    pub(super) fn first_that<A>(
        &self,
        call: &Call,
        sign: impl Fn(&Arc<OpenKey>, &Call) -> Result<A>,
    ) -> Result<A> {
        self.first(call, sign, |made, _, _| Ok(made))
    }

    /// What `send` makes of what `sign` made, with the first key that can sign and
    /// that the service takes. One that it refuses is tried after the others for a
    /// minute. While other keys are left `sign` has a share of the time; `send` may
    /// use all of it, for it does not wait for a key.
    ///
    /// # Errors
    /// As [`KeyRing::first_that`], and those of `send`: at once, unless it is the key
    /// that is refused.
    pub(super) fn first_accepted<A, T>(
        &self,
        call: &Call,
        sign: impl Fn(&Arc<OpenKey>, &Call) -> Result<A>,
        send: impl Fn(A, &Arc<OpenKey>) -> Result<T>,
    ) -> Result<T> {
        self.first(call, sign, |made, key, open| {
            let outcome = send(made, open);
            match &outcome {
                Ok(_) => key.note_acceptance(),
                Err(error) if refuses_key(error, &*open.profile) => {
                    key.note_refusal(error, self.clock.now())
                }
                Err(_) => {}
            }
            outcome
        })
    }

    fn first<A, T>(
        &self,
        call: &Call,
        sign: impl Fn(&Arc<OpenKey>, &Call) -> Result<A>,
        send: impl Fn(A, &ClientKey, &Arc<OpenKey>) -> Result<T>,
    ) -> Result<T> {
        self.warn_of_expiries();
        let order = self.order();
        let mut errors = Vec::new();
        for (position, &index) in order.iter().enumerate() {
            let left = order.len() - position;
            let share = call.share(left, DEFAULT_SHARE);
            let key = &self.keys[index];
            let error = match self.open_key(index, None, &share) {
                Ok(None) => continue,
                Ok(Some(open)) => match sign(&open, &share) {
                    Ok(made) => match send(made, key, &open) {
                        Err(error) if refuses_key(&error, &*open.profile) => key.named(error),
                        outcome => {
                            key.note_turn(None);
                            return outcome;
                        }
                    },
                    Err(error) if Verdict::of(error.code()) == Verdict::Final => return Err(error),
                    Err(error) => key.named(error),
                },
                Err(error) => error,
            };
            let over = call.check("signing").err();
            if over.is_none() && left > 1 {
                let level = match key.note_turn(Some(&error)) {
                    true => Level::Warn,
                    false => Level::Debug,
                };
                log::emit(
                    level,
                    "token",
                    format_args!("a key cannot be used now, the next one is tried: {error}"),
                );
            }
            errors.push(error);
            match over {
                None => {}
                Some(over) if over.code() == ErrorCode::Cancelled => return Err(over),
                Some(_) => break,
            }
        }
        let not_tried = (0..self.keys.len()).filter(|index| !order.contains(index));
        errors.extend(not_tried.filter_map(|index| self.keys[index].failure()));
        Err(joined("no key of the client can be used", errors))
    }

    /// The key with this index, opened now if that is due.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` when there is none, otherwise why it is not open.
    pub(super) fn get(&self, index: usize, call: &Call) -> Result<Arc<OpenKey>> {
        let Some(key) = self.keys.get(index) else {
            return Err(Error::new(
                ErrorCode::InvalidArgument,
                format!(
                    "the client has no keys[{index}]; the last one is keys[{}]",
                    self.keys.len() - 1
                ),
            ));
        };
        self.open_key(index, None, call)?.ok_or_else(|| {
            key.failure().unwrap_or_else(|| {
                let problem = "it is being opened by another thread; try again in a moment";
                key.named(Error::new(ErrorCode::TokenUnavailable, problem))
                    .with_retryable(true)
            })
        })
    }

    /// The setting that names the key with this index, or `signer`; empty when there is
    /// none.
    pub(super) fn name(&self, index: usize) -> &str {
        self.keys.get(index).map_or("", ClientKey::name)
    }

    /// What `look` sees at the first open key that it likes. No device is asked.
    ///
    /// # Errors
    /// That of `look` at the first open key; why none is open.
    pub(super) fn first_open<T>(&self, look: impl Fn(&OpenKey) -> Result<T>) -> Result<T> {
        let mut error = None;
        for open in self.keys.iter().filter_map(ClientKey::opened) {
            match look(&open) {
                Ok(seen) => return Ok(seen),
                Err(problem) => error = error.or(Some(problem)),
            }
        }
        Err(error.unwrap_or_else(|| {
            let failures = self.keys.iter().filter_map(ClientKey::failure);
            joined("no key of the client is open", failures.collect())
        }))
    }

    /// The signer of each key; `None` for one that could not be opened yet.
    pub(super) fn signers(&self) -> Vec<Option<Arc<dyn Signer>>> {
        let signer = |key: &ClientKey| key.opened().map(|open| Arc::clone(&open.signer));
        self.keys.iter().map(signer).collect()
    }

    pub(super) fn health(&self) -> Vec<KeyHealth> {
        let now = self.clock.now();
        self.keys.iter().map(|key| key.health(now)).collect()
    }

    /// What the keys' assertions depend on that ends, in the order of the keys.
    pub(super) fn expiries(&self) -> Vec<Expiry> {
        self.keys.iter().flat_map(ClientKey::expiries).collect()
    }

    /// Logs what ends soon: of each key, once a day.
    fn warn_of_expiries(&self) {
        let now = self.clock.now();
        self.keys.iter().for_each(|key| key.warn_of_expiries(now));
    }

    /// The keys to try, by index: those that are ready, and those that are to be
    /// opened again, then those that are open and not ready, then those that the
    /// service has just refused. Others are left alone.
    fn order(&self) -> Vec<usize> {
        if self.keys.len() == 1 {
            return vec![0];
        }
        let now = self.clock.now();
        let mut order: Vec<_> = (0..self.keys.len())
            .filter_map(|index| Some((self.rank(index, now)?, index)))
            .collect();
        order.sort_unstable();
        order.into_iter().map(|(_, index)| index).collect()
    }

    /// How soon a key's turn is; `None` for one that is to be left alone.
    fn rank(&self, index: usize, now: UnixTime) -> Option<Rank> {
        let key = &self.keys[index];
        match key.opened() {
            Some(_) if key.is_refused(now) => Some(Rank::Refused),
            Some(open) if open.signer.health().state != HealthState::Ready => Some(Rank::NotReady),
            Some(_) => Some(Rank::Ready),
            None => key.may_be_opened(now).then_some(Rank::Ready),
        }
    }

    fn open_key(
        &self,
        index: usize,
        secret: Option<Secret>,
        call: &Call,
    ) -> Result<Option<Arc<OpenKey>>> {
        let check = |open: &OpenKey| self.refuse_shared_kid(index, open);
        self.keys[index].open(&*self.opener, secret, &*self.clock, call, check)
    }

    /// Two different keys cannot be registered under one `kid`.
    fn refuse_shared_kid(&self, index: usize, open: &OpenKey) -> Result<()> {
        let Some(kid) = &open.profile.header().kid else {
            return Ok(());
        };
        for other in self.keys.iter().enumerate().filter(|(at, _)| *at != index) {
            let Some(key) = other.1.opened() else {
                continue;
            };
            if key.profile.header().kid.as_ref() == Some(kid)
                && key.signer.public_key() != open.signer.public_key()
            {
                return Err(Error::new(
                    ErrorCode::Config,
                    format!(
                        "setting \"kid\" is that of {} too, and the keys differ; \
                         give each key the kid under which it is registered",
                        other.1.name()
                    ),
                )
                .with_details(|details| details.config_path = Some("kid".to_owned())));
            }
        }
        Ok(())
    }
}

/// The order in which keys are tried; those of one rank in the order of the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Ready,
    NotReady,
    Refused,
}

/// One error out of those of several keys: the first one's number and facts, and
/// the message of each.
pub(super) fn joined(what: &str, mut errors: Vec<Error>) -> Error {
    if errors.len() < 2 {
        return errors.pop().unwrap_or_else(|| {
            Error::new(ErrorCode::TokenUnavailable, format!("{what} now")).with_retryable(true)
        });
    }
    let retryable = errors.iter().any(Error::retryable);
    let messages: Vec<_> = errors.iter().map(Error::message).collect();
    let message = format!("{what}: {}", messages.join("; "));
    let first = errors.swap_remove(0);
    Error::new(first.code(), message)
        .with_details(|details| *details = first.details().clone())
        .with_retryable(retryable)
        .with_source(first)
}
