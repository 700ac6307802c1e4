//! One leased session: finding objects, reading attributes, signing,
//! decrypting.

use cryptoki_sys::*;

use super::cryptoki::{Attribute, Mechanism, Oaep};
use super::instance::Entered;
use super::login;
use super::rv::CkResult;
use crate::error::Result;
use crate::secret::Secret;

/// A session for the time of one job.
pub(super) struct Session<'a> {
    cryptoki: &'a Entered<'a>,
    slot: CK_SLOT_ID,
    handle: CK_SESSION_HANDLE,
    epoch: u64,
}

impl<'a> Session<'a> {
    pub fn new(
        cryptoki: &'a Entered<'a>,
        (slot, handle): (CK_SLOT_ID, CK_SESSION_HANDLE),
        epoch: u64,
    ) -> Self {
        Self {
            cryptoki,
            slot,
            handle,
            epoch,
        }
    }

    /// What an object handle found by it is good for: the module's
    /// generation and the token's epoch.
    pub fn era(&self) -> (u64, u64) {
        (self.cryptoki.instance().generation(), self.epoch)
    }

    /// What the token says of itself.
    pub fn token_info(&self) -> Result<CK_TOKEN_INFO> {
        Ok(self.cryptoki.token_info(self.slot)?)
    }

    /// True when the session says that the user is logged in.
    pub fn is_logged_in(&self) -> bool {
        self.cryptoki
            .session_info(self.handle)
            .is_ok_and(|info| login::is_user(info.state))
    }

    /// The module that the session belongs to.
    pub fn module(&self) -> &Entered<'a> {
        self.cryptoki
    }

    /// The objects that match `template`, at most `limit`.
    pub fn find(&self, template: &[Attribute<'_>], limit: usize) -> Result<Vec<CK_OBJECT_HANDLE>> {
        self.cryptoki.find_init(self.handle, template)?;
        let found = self.find_all(limit);
        // Ends the search even after a failure, or the session cannot start another.
        let ended = self.cryptoki.find_final(self.handle);
        let found = found?;
        ended?;
        Ok(found)
    }

    /// Only an empty batch is the end; a short one is not.
    fn find_all(&self, limit: usize) -> CkResult<Vec<CK_OBJECT_HANDLE>> {
        let mut found = Vec::new();
        while found.len() < limit {
            let batch = self.cryptoki.find_next(self.handle)?;
            if batch.is_empty() {
                break;
            }
            found.extend(batch);
        }
        found.truncate(limit);
        Ok(found)
    }

    /// An attribute's bytes; `None` when the object does not show it.
    pub fn bytes(
        &self,
        object: CK_OBJECT_HANDLE,
        kind: CK_ATTRIBUTE_TYPE,
    ) -> Result<Option<Vec<u8>>> {
        Ok(self.cryptoki.attribute(self.handle, object, kind)?)
    }

    /// An attribute that is a `CK_BBOOL`.
    pub fn flag(&self, object: CK_OBJECT_HANDLE, kind: CK_ATTRIBUTE_TYPE) -> Result<Option<bool>> {
        let bytes = self.bytes(object, kind)?;
        Ok(bytes.and_then(|bytes| bytes.first().map(|byte| *byte != CK_FALSE)))
    }

    /// An attribute that is one `CK_ULONG` or an array of them.
    pub fn numbers(
        &self,
        object: CK_OBJECT_HANDLE,
        kind: CK_ATTRIBUTE_TYPE,
    ) -> Result<Option<Vec<CK_ULONG>>> {
        let bytes = self.bytes(object, kind)?;
        Ok(bytes.map(|bytes| {
            let words = bytes.chunks_exact(size_of::<CK_ULONG>());
            words
                .filter_map(|word| word.try_into().ok().map(CK_ULONG::from_ne_bytes))
                .collect()
        }))
    }

    /// `C_SignInit`.
    pub fn sign_init(&self, mechanism: &Mechanism, key: CK_OBJECT_HANDLE) -> CkResult<()> {
        self.cryptoki.sign_init(self.handle, mechanism, key)
    }

    /// `C_Sign`, once, into a buffer that is large enough for any key.
    pub fn sign<'b>(&self, data: &[u8], buffer: &'b mut [u8]) -> CkResult<&'b [u8]> {
        let len = self.cryptoki.sign(self.handle, data, buffer)?;
        Ok(&buffer[..len])
    }

    /// `C_DecryptInit` with `CKM_RSA_PKCS_OAEP`.
    pub fn decrypt_init(&self, oaep: Oaep, key: CK_OBJECT_HANDLE) -> CkResult<()> {
        self.cryptoki.decrypt_init(self.handle, oaep, key)
    }

    /// `C_Decrypt`, once, into a buffer of `room` bytes.
    pub fn decrypt(&self, ciphertext: &[u8], room: usize) -> CkResult<Secret> {
        let mut plain = Secret::new(vec![0; room]);
        let len = self
            .cryptoki
            .decrypt(self.handle, ciphertext, plain.expose_mut())?;
        plain.truncate(len);
        Ok(plain)
    }

    /// `C_Login` as the user the pending operation asks for.
    pub fn login_context_specific(&self, pin: Option<&[u8]>) -> CkResult<()> {
        self.cryptoki.login(self.handle, CKU_CONTEXT_SPECIFIC, pin)
    }

    /// `C_GenerateKeyPair`: the public and the private key.
    pub fn generate_key_pair(
        &self,
        mechanism: CK_MECHANISM_TYPE,
        public: &[Attribute<'_>],
        private: &[Attribute<'_>],
    ) -> CkResult<(CK_OBJECT_HANDLE, CK_OBJECT_HANDLE)> {
        self.cryptoki
            .generate_key_pair(self.handle, mechanism, public, private)
    }

    /// `C_DestroyObject`.
    pub fn destroy(&self, object: CK_OBJECT_HANDLE) -> CkResult<()> {
        self.cryptoki.destroy_object(self.handle, object)
    }
}
