//! Each key is opened once, whoever asks for it and however it went: a wrong PIN
//! must cost one try.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroizing;

use crate::call::Call;
use crate::error::Result;
use crate::keys::uri::PinPolicy;
use crate::keys::{PublicJwk, Signer};
use crate::secret::Secret;
use crate::token::{KeyOpener, UriOpener};

/// The keys that were opened, and those that could not be.
pub(super) struct KnownKeys {
    opener: UriOpener,
    known: Mutex<Vec<Known>>,
}

struct Known {
    /// As in the settings; it may hold a PIN.
    uri: Zeroizing<String>,
    /// Of the public key, where a certificate tells it.
    thumbprint: Option<String>,
    opened: Result<Arc<dyn Signer>>,
}

impl KnownKeys {
    pub(super) fn new(pin_policy: PinPolicy) -> Self {
        Self {
            opener: UriOpener { pin_policy },
            known: Mutex::default(),
        }
    }
}

impl KeyOpener for KnownKeys {
    fn open(
        &self,
        uri: &str,
        secret: Option<Secret>,
        public_key: Option<&PublicJwk>,
        call: &Call,
    ) -> Result<Arc<dyn Signer>> {
        let thumbprint = public_key.map(|key| key.thumbprint().to_owned());
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |known: &&Known| *known.uri == uri && known.thumbprint == thumbprint;
        if let Some(known) = known.iter().find(is_it) {
            return known.opened();
        }
        let opened = self.opener.open(uri, secret, public_key, call);
        let new = Known {
            uri: Zeroizing::new(uri.to_owned()),
            thumbprint,
            opened,
        };
        let opened = new.opened();
        known.push(new);
        opened
    }
}

impl Known {
    fn opened(&self) -> Result<Arc<dyn Signer>> {
        match &self.opened {
            Ok(signer) => Ok(Arc::clone(signer)),
            Err(error) => Err(error.duplicate()),
        }
    }
}

impl fmt::Debug for KnownKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KnownKeys").finish_non_exhaustive()
    }
}
