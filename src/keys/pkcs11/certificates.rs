//! Certificates on the token.

use cryptoki_sys::*;

use super::cryptoki::Attribute;
use super::session::Session;
use crate::error::Result;
use crate::keys::jwk::PublicJwk;
use crate::keys::x509::{Certificate, order_chain};

/// The most certificates that are read from a token.
const MAX: usize = 256;

/// The certificate of `key` and its issuers, as far as the token has them, the
/// key's own first. Of several for one key, the one valid longest.
///
/// # Errors
/// `CERTIFICATE_MISMATCH` when there are certificates with the key's id and none
/// of them is for the key.
pub(super) fn chain(session: &Session<'_>, key: &PublicJwk, id: &[u8]) -> Result<Vec<Certificate>> {
    let template = [
        Attribute::number(CKA_CLASS, CKO_CERTIFICATE),
        Attribute::flag(CKA_TOKEN, true),
    ];
    let mut certificates = Vec::new();
    let mut with_id = Vec::new();
    for object in session.find(&template, MAX)? {
        let Some(certificate) = read(session, object)? else {
            continue;
        };
        if !id.is_empty() && session.bytes(object, CKA_ID)?.as_deref() == Some(id) {
            with_id.push(certificate.clone());
        }
        certificates.push(certificate);
    }
    if certificates
        .iter()
        .all(|other| other.public_key() != Some(key))
    {
        return order_chain(key, with_id);
    }
    order_chain(key, certificates)
}

/// The X.509 certificate in `object`; `None` when it is not one.
pub(super) fn read(session: &Session<'_>, object: CK_OBJECT_HANDLE) -> Result<Option<Certificate>> {
    let value = session.bytes(object, CKA_VALUE)?;
    Ok(value.and_then(|der| Certificate::from_der(&der).ok()))
}
