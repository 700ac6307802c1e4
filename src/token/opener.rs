//! How a client opens the keys that its settings name.

use std::fmt;
use std::sync::Arc;

use crate::call::Call;
use crate::error::Result;
use crate::keys::uri::PinPolicy;
use crate::keys::{self, Decrypter, KeyUri, PublicJwk, Signer};
use crate::secret::Secret;

/// Opens keys for a client, in the place of [`keys::open_expecting`]: for keys in
/// a home of the program's own, or such as several clients share.
pub trait KeyOpener: fmt::Debug + Send + Sync {
    /// Opens the key that `uri` names, within the bounds of `call`. `uri` is the
    /// text in the settings and may hold a PIN; it must not be logged. `secret` is
    /// what [`super::TokenClientBuilder::secret`] was given. `public_key` is the
    /// public half, where a certificate in the settings tells it.
    ///
    /// # Errors
    /// An error that says that the key's home is away for now, as
    /// `TOKEN_UNAVAILABLE` does, leaves the work to the client's next key; any
    /// other ends the making of the client.
    fn open(
        &self,
        uri: &str,
        secret: Option<Secret>,
        public_key: Option<&PublicJwk>,
        call: &Call,
    ) -> Result<Arc<dyn Signer>>;

    /// Opens the key that `uri` names to decrypt with it, as [`KeyOpener::open`]. Unless
    /// it is overridden, by segl's own ways.
    ///
    /// # Errors
    /// Those of the key's home.
    fn open_decrypter(&self, uri: &str, call: &Call) -> Result<Arc<dyn Decrypter>> {
        let pin_policy = PinPolicy::default();
        UriOpener { pin_policy }.open_decrypter(uri, call)
    }
}

/// Opens what segl itself can open.
#[derive(Debug)]
pub(crate) struct UriOpener {
    pub(crate) pin_policy: PinPolicy,
}

impl KeyOpener for UriOpener {
    fn open(
        &self,
        uri: &str,
        secret: Option<Secret>,
        public_key: Option<&PublicJwk>,
        call: &Call,
    ) -> Result<Arc<dyn Signer>> {
        let uri = KeyUri::parse(uri, self.pin_policy)?;
        keys::open_expecting(&uri, secret, public_key, call)
    }

    fn open_decrypter(&self, uri: &str, call: &Call) -> Result<Arc<dyn Decrypter>> {
        keys::open_decrypter(&KeyUri::parse(uri, self.pin_policy)?, None, call)
    }
}
