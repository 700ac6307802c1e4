//! `segl_signer`: keys that sign.

use std::ffi::c_char;
use std::sync::Arc;

use serde_json::Value;

use super::call::{read_call, segl_call};
use super::error::segl_error;
use super::guard::{guard, guard_or};
use super::handle::{self, Handle};
use super::types::{Out, bytes, optional_bytes, secret, segl_bytes, text};
use crate::alg::Algorithm;
use crate::error::{Error, ErrorCode};
use crate::keys::describe::Description;
use crate::keys::software::SoftwareSigner;
use crate::keys::{self, KeyUri, Signer};

/// A handle on a private key that can sign.
pub struct segl_signer {
    _opaque: [u8; 0],
}

impl Handle for segl_signer {
    type Target = SharedSigner;
    const TYPE: &'static str = "segl_signer";
}

/// The signer of a handle; the clients made with it share it.
pub(super) struct SharedSigner(pub(super) Arc<dyn Signer>);

impl<S: Signer + 'static> From<S> for SharedSigner {
    fn from(signer: S) -> Self {
        Self(Arc::new(signer))
    }
}

/// Opens the key that a URI names: `pkcs11:` (RFC 7512), `awskms:` or `file:`.
///
/// Ownership: `uri` is borrowed; `pin` is copied, and the copy is wiped after
/// use. `out` becomes the caller's; free it with `segl_signer_free`.
/// NULL: `uri` and `out` must not be NULL. `pin` may be NULL, and the URI's
/// `pin-source` counts then; a `pin` of length 0 is the same as NULL. For `awskms:` it
/// is credentials, as JSON in the form of `credential_process`. `call` may be NULL.
/// Threads: any thread, any time. It blocks while the device works.
/// Failure: `SEGL_KEY_URI`, `SEGL_KEY_NOT_FOUND`, `SEGL_PIN_INCORRECT` and
/// others; `out` is NULL then. A PIN that the device refused is not tried again.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_signer_open(
    uri: *const c_char,
    uri_len: usize,
    pin: *const u8,
    pin_len: usize,
    call: *const segl_call,
    out: *mut *mut segl_signer,
) -> *mut segl_error {
    guard(|| {
        // SAFETY: the caller keeps to the conventions.
        let (out, uri, pin, call) = unsafe {
            (
                Out::new("out", out)?,
                text("uri", uri, uri_len)?,
                secret("pin", pin, pin_len)?,
                read_call(call)?,
            )
        };
        let pin = pin.filter(|pin| !pin.expose().is_empty());
        let signer = keys::open(&uri.parse::<KeyUri>()?, pin, &call)?;
        out.set(handle::insert(SharedSigner(signer)));
        Ok(())
    })
}

/// Opens a private key from memory: PEM, DER or PKCS#12.
///
/// Ownership: `key` is borrowed; `passphrase` is copied, and the copy is wiped
/// after use. `out` becomes the caller's; free it with `segl_signer_free`.
/// NULL: `key` and `out` must not be NULL; `passphrase` may be NULL. A
/// `passphrase` that is not NULL and has length 0 is an empty passphrase.
/// Threads: any thread, any time.
/// Failure: `SEGL_KEY_FORMAT`, `SEGL_PASSPHRASE` or `SEGL_KEY_TYPE`; `out` is
/// NULL then.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_signer_from_bytes(
    key: *const u8,
    key_len: usize,
    passphrase: *const u8,
    passphrase_len: usize,
    out: *mut *mut segl_signer,
) -> *mut segl_error {
    guard(|| {
        // SAFETY: the caller keeps to the conventions.
        let (out, key, passphrase) = unsafe {
            (
                Out::new("out", out)?,
                bytes("key", key, key_len)?,
                secret("passphrase", passphrase, passphrase_len)?,
            )
        };
        let signer = SoftwareSigner::from_bytes(key, passphrase.as_ref())?;
        out.set(handle::insert(signer.into()));
        Ok(())
    })
}

/// Describes a key as a JSON object: `kind`, `uri` (without secrets), `token`,
/// `extractable`, `kty`, `crv`, `bits`, `thumbprint`, `algorithms` and
/// `certificates`. What is not known is null. The device is not asked.
///
/// Ownership: `signer` is borrowed. `out_json` becomes the caller's; free it
/// with `segl_bytes_free`.
/// NULL: no argument may be NULL.
/// Threads: any thread, any time.
/// Failure: only for a NULL argument or a handle that is not live; `out_json` is
/// zero-filled then.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_signer_describe(
    signer: *const segl_signer,
    out_json: *mut segl_bytes,
) -> *mut segl_error {
    guard(|| {
        // SAFETY: the caller keeps to the conventions.
        let out = unsafe { Out::new("out_json", out_json)? };
        let signer = handle::get("signer", signer)?;
        let json = serde_json::to_vec(&Description::of(&*signer.0)).map_err(unwritable)?;
        out.set(segl_bytes::copy_of(json));
        Ok(())
    })
}

/// The public key as a JWK (RFC 7517) with `kid`, the thumbprint of RFC 7638,
/// `use` "sig" and the key's usual `alg`: what is registered with Maskinporten
/// or DNB.
///
/// Ownership: `signer` is borrowed. `out_json` becomes the caller's; free it
/// with `segl_bytes_free`.
/// NULL: no argument may be NULL.
/// Threads: any thread, any time.
/// Failure: only for a NULL argument or a handle that is not live; `out_json` is
/// zero-filled then.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_signer_public_jwk(
    signer: *const segl_signer,
    out_json: *mut segl_bytes,
) -> *mut segl_error {
    guard(|| {
        // SAFETY: the caller keeps to the conventions.
        let out = unsafe { Out::new("out_json", out_json)? };
        let signer = handle::get("signer", signer)?;
        let key = signer.0.public_key();
        let jwk = key.to_registration(key.thumbprint(), signer.0.algorithms()[0]);
        out.set(segl_bytes::copy_of(Value::Object(jwk).to_string()));
        Ok(())
    })
}

/// Signs `message`, which is not hashed yet, with `alg`, a JOSE name such as
/// "ES256". The signature is in JOSE form: RSA as it is, ECDSA as R||S.
///
/// Ownership: the inputs are borrowed. `out_signature` becomes the caller's;
/// free it with `segl_bytes_free`.
/// NULL: `signer`, `alg` and `out_signature` must not be NULL; `message` may be
/// NULL when `message_len` is 0; `call` may be NULL.
/// Threads: any thread, any time, also with the same signer. It blocks while
/// the device works.
/// Failure: `SEGL_ALGORITHM` when the key cannot make `alg`, otherwise what the
/// key's home reports; `out_signature` is zero-filled then.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_signer_sign(
    signer: *const segl_signer,
    alg: *const c_char,
    alg_len: usize,
    message: *const u8,
    message_len: usize,
    call: *const segl_call,
    out_signature: *mut segl_bytes,
) -> *mut segl_error {
    guard(|| {
        // SAFETY: the caller keeps to the conventions.
        let (out, alg, message, call) = unsafe {
            (
                Out::new("out_signature", out_signature)?,
                text("alg", alg, alg_len)?,
                optional_bytes("message", message, message_len)?.unwrap_or_default(),
                read_call(call)?,
            )
        };
        let signer = handle::get("signer", signer)?;
        let signature = signer.0.sign(alg.parse::<Algorithm>()?, message, &call)?;
        out.set(segl_bytes::copy_of(signature));
        Ok(())
    })
}

/// Checks that the key can be used now, by a signature where that is the only
/// proof.
///
/// Ownership: the inputs are borrowed.
/// NULL: `signer` must not be NULL; `call` may be NULL.
/// Threads: any thread, any time. It blocks while the device works.
/// Failure: what the key's home reports.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_signer_probe(
    signer: *const segl_signer,
    call: *const segl_call,
) -> *mut segl_error {
    guard(|| {
        // SAFETY: the caller keeps to the conventions.
        let call = unsafe { read_call(call)? };
        handle::get("signer", signer)?.0.probe(&call)
    })
}

/// How the key is doing, as a JSON object: `state` ("ready", "recovering",
/// "unavailable", "pin_refused", "key_refused" or "restart_required"), `problem`,
/// `signatures`, `last_signature` (seconds since 1970) and, for keys on a token,
/// `token` with its sessions, counters and last failure. Members that do not
/// apply are null. Nothing is asked of a device: it is what segl has seen of the
/// key so far.
///
/// Ownership: `signer` is borrowed. `out_json` becomes the caller's; free it
/// with `segl_bytes_free`.
/// NULL: no argument may be NULL.
/// Threads: any thread, any time, also while others sign with it. It does not
/// wait for a device.
/// Failure: only for a NULL argument or a handle that is not live; `out_json` is
/// zero-filled then.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_signer_health(
    signer: *const segl_signer,
    out_json: *mut segl_bytes,
) -> *mut segl_error {
    guard(|| {
        // SAFETY: the caller keeps to the conventions.
        let out = unsafe { Out::new("out_json", out_json)? };
        let signer = handle::get("signer", signer)?;
        let json = serde_json::to_vec(&signer.0.health()).map_err(unwritable)?;
        out.set(segl_bytes::copy_of(json));
        Ok(())
    })
}

/// Frees a signer. Clients that were made with it keep the key.
///
/// Ownership: ends the caller's ownership. Freeing twice is harmless.
/// NULL: `signer` may be NULL; nothing happens then.
/// Threads: any thread, any time, also while other threads sign with it; they
/// finish first.
/// Failure: it cannot fail; a handle that is not live is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_signer_free(signer: *mut segl_signer) {
    guard_or((), || handle::free(signer));
}

/// What `serde_json` says when a description cannot be written.
pub(super) fn unwritable(source: serde_json::Error) -> Error {
    Error::new(ErrorCode::Unsupported, "the key's description is no JSON").with_source(source)
}
