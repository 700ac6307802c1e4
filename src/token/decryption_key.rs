//! One key of a client that others encrypt to.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arc_swap::ArcSwapOption;

use super::failure::{Failure, REOPEN_AFTER};
use super::opener::KeyOpener;
use crate::call::Call;
use crate::clock::{Clock, UnixTime};
use crate::error::{Error, ErrorCode, Result};
use crate::jwe;
use crate::keys::{Certificate, Decrypter};
use crate::log::{self, Level};
use crate::profiles::{self, DecryptionKey as Settings, KeySetting};

/// How many seconds lie between two looks, at the least, whether the key is another by
/// now: an answer that nobody can decrypt must not cost its home more.
const LOOKS_AGAIN_AFTER: i64 = 60;

/// The key, open or not. As with [`super::client_key::ClientKey`] there is no lock.
pub(super) struct DecryptionKey {
    /// The setting that names it, or its place among the decrypters of the program.
    name: String,
    home: Home,
    kid: Option<String>,
    certificate: Option<Certificate>,
    opened: ArcSwapOption<Arc<dyn Decrypter>>,
    /// Why it could not be opened the last time.
    failure: ArcSwapOption<Failure>,
    /// When it was last looked whether it is another by now, in seconds since 1970.
    looked_again: AtomicI64,
}

/// Where the key comes from.
enum Home {
    Uri(KeySetting),
    Program(Arc<dyn Decrypter>),
}

impl DecryptionKey {
    /// The key that `uri` names, in the setting called `name`.
    pub(super) fn new(name: &str, uri: KeySetting) -> Self {
        Self::of(format!("setting \"{name}\""), Home::Uri(uri))
    }

    /// One of several keys, in the setting called `name`.
    ///
    /// # Errors
    /// What is wrong with the certificate, naming its setting.
    pub(super) fn of_entry(name: &str, settings: Settings) -> Result<Self> {
        let setting = format!("{name}.certificate");
        let chain = settings.certificate.as_ref();
        let chain = chain.map(|uri| profiles::certificate_file(&setting, uri));
        Ok(Self {
            kid: settings.kid,
            certificate: chain
                .transpose()?
                .and_then(|chain| chain.into_iter().next()),
            ..Self::new(name, settings.key)
        })
    }

    /// One that the program gave as `decrypter`.
    pub(super) fn given(name: String, decrypter: Arc<dyn Decrypter>) -> Self {
        Self::of(name, Home::Program(decrypter))
    }

    fn of(name: String, home: Home) -> Self {
        Self {
            name,
            home,
            kid: None,
            certificate: None,
            opened: ArcSwapOption::empty(),
            failure: ArcSwapOption::empty(),
            looked_again: AtomicI64::new(i64::MIN),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The thumbprint of its public half, as far as that is known.
    pub(super) fn thumbprint(&self) -> Option<String> {
        let opened = self.opened.load();
        let opened = opened.as_ref().map(|opened| opened.public_key());
        let public_key = opened.or_else(|| self.certificate.as_ref()?.public_key());
        public_key.map(|key| key.thumbprint().to_owned())
    }

    /// Whether the header names this key.
    pub(super) fn is_named_by(&self, header: &jwe::Header) -> bool {
        let is_kid = |kid: &str| {
            self.kid.as_deref() == Some(kid) || self.thumbprint().is_some_and(|own| own == kid)
        };
        let is_certificate = |x5t: &str| {
            let own = self.certificate.as_ref();
            own.is_some_and(|own| own.to_x5t_s256() == x5t)
        };
        header.kid().is_some_and(is_kid) || header.x5t_s256().is_some_and(is_certificate)
    }

    pub(super) fn is_open(&self) -> bool {
        self.opened.load().is_some()
    }

    /// Why it is not open, if it could not be opened just before `now`.
    pub(super) fn recent_failure(&self, now: UnixTime) -> Option<Error> {
        let failure = self.failure.load();
        let failure = failure.as_ref()?;
        let is_recent = failure.is_within(REOPEN_AFTER, now);
        is_recent.then(|| failure.error.duplicate())
    }

    /// Whether it could not be opened the last time.
    pub(super) fn has_failed(&self) -> bool {
        self.failure.load().is_some()
    }

    /// The key, opened if need be.
    ///
    /// # Errors
    /// As [`crate::keys::open_decrypter`], `CERTIFICATE_MISMATCH` when its certificate is
    /// another key's; they name the setting.
    pub(super) fn open(
        &self,
        opener: &dyn KeyOpener,
        clock: &dyn Clock,
        call: &Call,
    ) -> Result<Arc<dyn Decrypter>> {
        match &*self.opened.load() {
            Some(opened) => Ok(Arc::clone(opened)),
            None => self.open_anew(opener, clock, call),
        }
    }

    /// Does `work` with the key. One that has been replaced in its home is opened anew,
    /// and `work` done once more.
    ///
    /// # Errors
    /// As [`DecryptionKey::open`], and those of `work`.
    pub(super) fn with<T>(
        &self,
        opener: &dyn KeyOpener,
        clock: &dyn Clock,
        call: &Call,
        work: impl Fn(&dyn Decrypter) -> Result<T>,
    ) -> Result<T> {
        match work(&*self.open(opener, clock, call)?) {
            Err(error) if is_replaced(&error) && matches!(self.home, Home::Uri(_)) => {
                log::emit(
                    Level::Warn,
                    "token",
                    format_args!("{}: {error}; opening it again", self.name),
                );
                work(&*self.open_anew(opener, clock, call)?)
            }
            outcome => outcome,
        }
    }

    /// The key that its name leads to now, if that is another than the one with the
    /// thumbprint `tried`. Not every home tells that a key has been replaced.
    pub(super) fn replacement(
        &self,
        opener: &dyn KeyOpener,
        clock: &dyn Clock,
        call: &Call,
        tried: &str,
    ) -> Option<Arc<dyn Decrypter>> {
        let is_other = |key: &Arc<dyn Decrypter>| key.public_key().thumbprint() != tried;
        // Another answer may have found it since.
        let opened = self.opened.load();
        if let Some(other) = opened.as_deref().filter(|key| is_other(key)) {
            return Some(Arc::clone(other));
        }
        let Home::Uri(uri) = &self.home else {
            return None;
        };
        if !self.is_look_due(clock.now()) {
            return None;
        }
        let now = opener.open_decrypter(uri.expose(), call).ok()?;
        if !is_other(&now) {
            return None;
        }
        let allowed = self.require_certificate(&now);
        let outcome = match &allowed {
            Ok(()) => String::new(),
            Err(error) => format!(", which is not used: {error}"),
        };
        log::emit(
            Level::Warn,
            "token",
            format_args!(
                "{} names another key by now: its thumbprint was {tried} and is {}{outcome}",
                self.name,
                now.public_key().thumbprint()
            ),
        );
        allowed.ok()?;
        self.opened.store(Some(Arc::new(Arc::clone(&now))));
        Some(now)
    }

    /// Whether to look now; of those who ask at once, one hears that it is due.
    fn is_look_due(&self, now: UnixTime) -> bool {
        let now = now.seconds();
        let is_due = |last| !(0..LOOKS_AGAIN_AFTER).contains(&now.saturating_sub(last));
        let claim = |last| is_due(last).then_some(now);
        self.looked_again
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, claim)
            .is_ok()
    }

    fn require_certificate(&self, key: &Arc<dyn Decrypter>) -> Result<()> {
        let certificate = self.certificate.as_ref();
        certificate.map_or(Ok(()), |own| own.require_key(key.public_key()))
    }

    fn open_anew(
        &self,
        opener: &dyn KeyOpener,
        clock: &dyn Clock,
        call: &Call,
    ) -> Result<Arc<dyn Decrypter>> {
        let opened = match &self.home {
            Home::Uri(uri) => opener.open_decrypter(uri.expose(), call),
            Home::Program(decrypter) => Ok(Arc::clone(decrypter)),
        };
        let opened = opened.and_then(|key| {
            self.require_certificate(&key)?;
            Ok(key)
        });
        match opened {
            Ok(key) => {
                self.opened.store(Some(Arc::new(Arc::clone(&key))));
                self.failure.store(None);
                Ok(key)
            }
            Err(error) => {
                let error = error.in_context(&self.name);
                let failure = Failure::new(&error, clock.now());
                self.failure.store(Some(Arc::new(failure)));
                Err(error)
            }
        }
    }
}

/// True when the key's name leads to another key by now, or to none.
fn is_replaced(error: &Error) -> bool {
    matches!(
        error.code(),
        ErrorCode::KeyNotFound | ErrorCode::KmsKeyChanged | ErrorCode::KmsNotFound
    )
}
