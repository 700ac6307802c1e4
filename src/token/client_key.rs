//! One key of a client: its settings, and what is made of them once it is open.

use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};

use arc_swap::ArcSwapOption;

use super::expiry::{DEFAULT_WARN_DAYS, Expiring, Expiry, Watch};
use super::failure::{Failure, REOPEN_AFTER};
use super::health::KeyHealth;
use super::opener::KeyOpener;
use crate::call::Call;
use crate::clock::{Clock, UnixTime};
use crate::error::{Error, ErrorCode, Result};
use crate::jws::PreparedHeader;
use crate::keys::{Certificate, Health, HealthState, Signer, x509};
use crate::log;
use crate::profiles::{self, ClientSettings, EndTime, Profile};
use crate::secret::Secret;

/// A key that the service refused is tried after the others for so many seconds.
const LAST_AFTER_REFUSAL: i64 = 60;

/// A key that is open, and how its assertions look.
#[derive(Debug)]
pub(super) struct OpenKey {
    pub(super) signer: Arc<dyn Signer>,
    pub(super) profile: Box<dyn Profile>,
    pub(super) header: PreparedHeader,
}

impl OpenKey {
    pub(super) fn new(
        settings: &ClientSettings,
        certificates: Option<&[Certificate]>,
        signer: Arc<dyn Signer>,
        now: UnixTime,
    ) -> Result<Self> {
        let profile = profiles::build(settings, certificates, &*signer, now)?;
        if settings.registered_until.is_some() && profile.certificate().is_some() {
            let setting = "registered_until";
            let problem = format!(
                "setting \"{setting}\" is about a registered key, and the assertions of this one have \
                 a certificate; leave it out, or set \"kid\" instead of the certificate"
            );
            return Err(Error::new(ErrorCode::Config, problem)
                .with_details(|details| details.config_path = Some(setting.to_owned())));
        }
        Ok(Self {
            header: PreparedHeader::new(profile.header())?,
            profile,
            signer,
        })
    }
}

/// A key of a client, open or not. It has no lock, so that nobody waits while a
/// thread opens it, and a forked child meets none that is held.
#[derive(Debug)]
pub(super) struct ClientKey {
    /// As in [`KeyHealth`].
    name: String,
    /// One of several: its errors name it.
    is_entry: bool,
    settings: ClientSettings,
    certificates: Option<Vec<Certificate>>,
    open: ArcSwapOption<OpenKey>,
    /// Why it could not be opened the last time.
    failure: ArcSwapOption<Failure>,
    /// Why the service did not take it the last time.
    refusal: ArcSwapOption<Failure>,
    /// The process that opens it now, or 0. In a forked child the parent's does
    /// not count.
    opening: AtomicU32,
    /// The number of the error for which it was passed over the last time, 0 for none.
    passed_over_for: AtomicI32,
    watch: Watch,
}

impl ClientKey {
    /// The key that `settings` name, not open yet. `entry` is its place among
    /// several.
    ///
    /// # Errors
    /// As [`profiles::certificates`].
    pub(super) fn new(settings: ClientSettings, entry: Option<usize>) -> Result<Self> {
        let mut key = Self {
            name: match entry {
                Some(index) => format!("keys[{index}]"),
                None => "key".to_owned(),
            },
            is_entry: entry.is_some(),
            settings,
            certificates: None,
            open: ArcSwapOption::empty(),
            failure: ArcSwapOption::empty(),
            refusal: ArcSwapOption::empty(),
            opening: AtomicU32::new(0),
            passed_over_for: AtomicI32::new(0),
            watch: Watch::default(),
        };
        key.certificates = profiles::certificates(&key.settings).map_err(|e| key.named(e))?;
        Ok(key)
    }

    /// A key that is open already, called `name`.
    ///
    /// # Errors
    /// As [`profiles::certificates`] and [`profiles::build`].
    pub(super) fn given(
        settings: ClientSettings,
        name: &str,
        signer: Arc<dyn Signer>,
        now: UnixTime,
    ) -> Result<Self> {
        let mut key = Self::new(settings, None)?;
        key.name = name.to_owned();
        let open = OpenKey::new(&key.settings, key.certificates.as_deref(), signer, now)?;
        key.open.store(Some(Arc::new(open)));
        Ok(key)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The key, if it is open.
    pub(super) fn opened(&self) -> Option<Arc<OpenKey>> {
        self.open.load_full()
    }

    /// True when it is not open, and may be tried at `now`.
    pub(super) fn may_be_opened(&self, now: UnixTime) -> bool {
        self.open.load().is_none()
            && self.opening.load(Ordering::SeqCst) != process::id()
            && self.is_due(now)
    }

    /// The key; it is opened now if that is due. `None` when it is not, or when
    /// another thread is about it. `check` may refuse what was opened.
    ///
    /// # Errors
    /// `CONFIG` naming the setting, otherwise what opening the key reports.
    pub(super) fn open(
        &self,
        opener: &dyn KeyOpener,
        secret: Option<Secret>,
        clock: &dyn Clock,
        call: &Call,
        check: impl FnOnce(&OpenKey) -> Result<()>,
    ) -> Result<Option<Arc<OpenKey>>> {
        if let Some(open) = self.opened() {
            return Ok(Some(open));
        }
        let Some(_opening) = Opening::begin(&self.opening) else {
            return Ok(None);
        };
        // Another thread may have done it just before.
        if self.open.load().is_some() || !self.is_due(clock.now()) {
            return Ok(self.opened());
        }
        let made = self
            .make(opener, secret, clock, call)
            .and_then(|open| check(&open).map(|()| Arc::new(open)));
        match made {
            Ok(open) => {
                self.open.store(Some(Arc::clone(&open)));
                self.failure.store(None);
                Ok(Some(open))
            }
            Err(error) => {
                let error = self.named(error);
                let failure = Failure::new(&error, clock.now());
                self.failure.store(Some(Arc::new(failure)));
                Err(error)
            }
        }
    }

    /// Why it is not open, if it failed to open.
    pub(super) fn failure(&self) -> Option<Error> {
        let failure = self.failure.load();
        failure.as_ref().map(|failure| failure.error.duplicate())
    }

    /// The service did not take it at `now`, for `error`.
    pub(super) fn note_refusal(&self, error: &Error, now: UnixTime) {
        self.refusal.store(Some(Arc::new(Failure::new(error, now))));
    }

    /// The service took it.
    pub(super) fn note_acceptance(&self) {
        if self.refusal.load().is_some() {
            self.refusal.store(None);
        }
    }

    /// Notes that the next key is tried for `error`, or with `None` that this one was
    /// used. True when it was otherwise the last time.
    pub(super) fn note_turn(&self, error: Option<&Error>) -> bool {
        let number = error.map_or(0, |error| error.code().number());
        self.passed_over_for.load(Ordering::Relaxed) != number
            && self.passed_over_for.swap(number, Ordering::Relaxed) != number
    }

    /// True when the service refused it just before `now`.
    pub(super) fn is_refused(&self, now: UnixTime) -> bool {
        let refusal = self.refusal.load();
        let refusal = refusal.as_ref();
        refusal.is_some_and(|refusal| refusal.is_within(LAST_AFTER_REFUSAL, now))
    }

    /// What its assertions depend on that ends; of the certificate once it is open.
    pub(super) fn expiries(&self) -> Vec<Expiry> {
        let open = self.opened();
        let certificate = open.as_ref().and_then(|open| open.profile.certificate());
        let ends = [
            (
                Expiring::Certificate,
                certificate.and_then(Certificate::not_after),
            ),
            (
                Expiring::RegisteredKey,
                self.settings.registered_until.map(EndTime::time),
            ),
        ];
        let expiry = |(what, end): (_, Option<_>)| Some(Expiry::new(what, &*self.name, end?));
        ends.into_iter().filter_map(expiry).collect()
    }

    /// Logs what ends soon, unless it did so within a day before `now`.
    pub(super) fn warn_of_expiries(&self, now: UnixTime) {
        let is_due = |what: Expiring| {
            // Nothing is known of the certificate of a key that is not open.
            let is_known = what == Expiring::RegisteredKey || self.open.load().is_some();
            is_known && self.watch.is_due(what, now)
        };
        let due = [Expiring::Certificate, Expiring::RegisteredKey].map(|what| (what, is_due(what)));
        if due.iter().all(|(_, is_due)| !is_due) {
            return;
        }
        let expiries = self.expiries().into_iter();
        for expiry in expiries.filter(|expiry| due.contains(&(expiry.what, true))) {
            if let Some(warning) = expiry.warning(now, self.warn_days()) {
                let client = self.settings.client_id.as_ref();
                let client =
                    client.map_or_else(String::new, |id| format!("client {}: ", id.as_str()));
                log::emit(
                    expiry.level(now),
                    "token",
                    format_args!("{client}{warning}"),
                );
            }
        }
    }

    fn warn_days(&self) -> u32 {
        self.settings.warn_days.unwrap_or(DEFAULT_WARN_DAYS)
    }

    pub(super) fn health(&self, now: UnixTime) -> KeyHealth {
        let (opened, health) = match self.opened() {
            Some(open) => (true, open.signer.health()),
            None => {
                let mut health = Health::ready();
                health.state = HealthState::Unavailable;
                health.problem = self.failure().map(|error| error.message().to_owned());
                (false, health)
            }
        };
        let expiries = self.expiries();
        let end = |what| {
            let expiry = expiries.iter().find(|expiry| expiry.what == what);
            expiry.map(|expiry| expiry.not_after.seconds())
        };
        let refusal = self.refusal.load_full();
        let warnings = expiries.iter();
        let warnings = warnings.filter_map(|expiry| expiry.warning(now, self.warn_days()));
        KeyHealth {
            name: self.name.clone(),
            opened,
            certificate_not_after: end(Expiring::Certificate),
            registered_until: end(Expiring::RegisteredKey),
            warnings: warnings.collect(),
            refusal: refusal.map(|refusal| refusal.error.message().to_owned()),
            health,
        }
    }

    /// `error`, naming this key if it is one of several.
    pub(super) fn named(&self, error: Error) -> Error {
        if !self.is_entry {
            return error;
        }
        let settings_of_entry = [
            "key",
            "kid",
            "certificate",
            "x5c",
            "alg",
            "registered_until",
        ];
        error
            .with_details(|details| {
                if let Some(path) = &mut details.config_path
                    && settings_of_entry.contains(&path.as_str())
                {
                    *path = format!("{}.{path}", self.name);
                }
            })
            .in_context(&self.name)
    }

    fn make(
        &self,
        opener: &dyn KeyOpener,
        secret: Option<Secret>,
        clock: &dyn Clock,
        call: &Call,
    ) -> Result<OpenKey> {
        let certificates = self.certificates.as_deref();
        let Some(uri) = &self.settings.key else {
            return Err(Error::new(
                ErrorCode::Config,
                "setting \"key\" is missing; set it, or \"keys\", to a pkcs11:, awskms: or file: URI",
            )
            .with_details(|details| details.config_path = Some("key".to_owned())));
        };
        let public_key = certificates.and_then(x509::leaf_key);
        let signer = opener.open(uri.expose(), secret, public_key, call)?;
        OpenKey::new(&self.settings, certificates, signer, clock.now())
    }

    fn is_due(&self, now: UnixTime) -> bool {
        let failure = self.failure.load();
        let failure = failure.as_ref();
        failure.is_none_or(|failure| !failure.is_within(REOPEN_AFTER, now))
    }
}

/// This thread opens a key; dropped when it is done, also by a panic.
struct Opening<'a>(&'a AtomicU32);

impl<'a> Opening<'a> {
    fn begin(process: &'a AtomicU32) -> Option<Self> {
        let own = process::id();
        let before = process.load(Ordering::SeqCst);
        if before == own {
            return None;
        }
        process
            .compare_exchange(before, own, Ordering::SeqCst, Ordering::SeqCst)
            .ok()
            .map(|_| Self(process))
    }
}

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        self.0.store(0, Ordering::SeqCst);
    }
}
