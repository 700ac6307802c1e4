//! A signer that the host implements.

use std::ffi::{c_char, c_void};

use super::callback::{Context, Fail, segl_fail};
use super::error::segl_error;
use super::guard::guard;
use super::handle;
use super::signer::segl_signer;
use super::types::{CStruct, Out, null, read_struct, text};
use crate::alg::Algorithm;
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::foreign::SignCallback;
use crate::keys::{ForeignSigner, PublicJwk};

/// A signer that the host implements: another SDK, a cloud vault, a smart card.
/// Zero-fill it, then set `struct_size` and the rest. It is copied.
///
/// The functions are called on the threads that need signatures, and for tokens on
/// threads that segl starts, on several at
/// a time. They return normally: no exception and no longjmp leaves them. They
/// may call segl.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct segl_signer_vtable {
    /// `sizeof(segl_signer_vtable)`.
    pub struct_size: usize,
    /// Handed to the functions. May be NULL.
    pub ctx: *mut c_void,
    /// Signs `message`, which is not hashed yet, with `alg`, a JOSE name such
    /// as "ES256". The signature goes to `sig` in JOSE form: RSA as it is,
    /// ECDSA as R||S. `*sig_len` is the room at `sig`, 1024 bytes, and is set to
    /// the signature's length. Returns 0 for success; anything else is a
    /// failure, and `segl_fail_set` says why. The pointers are valid until it
    /// returns. Must not be NULL.
    pub sign: Option<
        unsafe extern "C" fn(
            ctx: *mut c_void,
            alg: *const c_char,
            alg_len: usize,
            message: *const u8,
            message_len: usize,
            sig: *mut u8,
            sig_len: *mut usize,
            fail: *const segl_fail,
        ) -> i32,
    >,
    /// Releases `ctx`. Called exactly once, when the last user of the signer is
    /// done, on that user's thread; never when the signer could not be made.
    /// May be NULL.
    pub destroy: Option<unsafe extern "C" fn(ctx: *mut c_void)>,
}

// SAFETY: `repr(C)`, begins with a `usize`, pointers that may be NULL only.
unsafe impl CStruct for segl_signer_vtable {
    const TYPE: &'static str = "segl_signer_vtable";
}

/// Makes a signer of functions of the host. Every signature is checked with the
/// public key before it is released.
///
/// Ownership: `vtable` is copied, `public_jwk` is borrowed; on success `ctx` is
/// segl's until `destroy` is called. `out` becomes the caller's; free it with
/// `segl_signer_free`.
/// NULL: no argument may be NULL.
/// Threads: any thread, any time.
/// Failure: `SEGL_KEY_FORMAT` or `SEGL_KEY_TYPE` when `public_jwk` (RFC 7517) is
/// not a public RSA, P-256 or P-384 key; `out` is NULL then, and `destroy` is not
/// called.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_signer_from_vtable(
    vtable: *const segl_signer_vtable,
    public_jwk: *const c_char,
    public_jwk_len: usize,
    out: *mut *mut segl_signer,
) -> *mut segl_error {
    guard(|| {
        // SAFETY: the caller keeps to the conventions.
        let (out, vtable, public_jwk) = unsafe {
            (
                Out::new("out", out)?,
                read_struct("vtable", vtable)?,
                text("public_jwk", public_jwk, public_jwk_len)?,
            )
        };
        let public_key = PublicJwk::from_json(public_jwk)?;
        let callback = Box::new(VtableSigner::new(&vtable)?);
        out.set(handle::insert(
            ForeignSigner::new(public_key, callback).into(),
        ));
        Ok(())
    })
}

type SignFn = unsafe extern "C" fn(
    *mut c_void,
    *const c_char,
    usize,
    *const u8,
    usize,
    *mut u8,
    *mut usize,
    *const segl_fail,
) -> i32;

/// RSA of 4096 bits needs 512 bytes.
const SIGNATURE_ROOM: usize = 1024;

struct VtableSigner {
    context: Context,
    sign: SignFn,
}

impl VtableSigner {
    fn new(vtable: &segl_signer_vtable) -> Result<Self> {
        let sign = vtable.sign.ok_or_else(|| null("vtable->sign"))?;
        Ok(Self {
            context: Context::new(vtable.ctx, vtable.destroy),
            sign,
        })
    }
}

impl SignCallback for VtableSigner {
    fn sign(&self, alg: Algorithm, message: &[u8], _call: &Call) -> Result<Vec<u8>> {
        let mut signature = vec![0; SIGNATURE_ROOM];
        let mut len = signature.len();
        let fail = Fail::new();
        // SAFETY: the host keeps to the conventions; all pointers are valid
        // until it returns, with the lengths beside them.
        let status = unsafe {
            (self.sign)(
                self.context.as_ptr(),
                alg.name().as_ptr().cast(),
                alg.name().len(),
                message.as_ptr(),
                message.len(),
                signature.as_mut_ptr(),
                &raw mut len,
                fail.handle(),
            )
        };
        if status != 0 {
            return Err(fail.into_error("the host's sign callback", status));
        }
        if len > SIGNATURE_ROOM {
            return Err(Error::new(
                ErrorCode::CallbackFailed,
                format!(
                    "the host's sign callback set *sig_len to {len}, but there was room for {SIGNATURE_ROOM} bytes"
                ),
            ));
        }
        signature.truncate(len);
        Ok(signature)
    }
}
