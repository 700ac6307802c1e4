//! What the C ABI costs: calls through the shared library against the same in
//! Rust, and against a call that does nothing.

#[path = "../tests/support/mod.rs"]
mod fixtures;
mod support;

use std::ffi::{c_char, c_void};
use std::ptr;

use criterion::{Criterion, criterion_group, criterion_main};
use libloading::Library;

use fixtures::{p256_key, pem};
use segl::keys::software::SoftwareSigner;
use segl::{Algorithm, Call, Signer, jws};

const HEADER: &str = r#"{"alg":"ES256","kid":"bench"}"#;
const CLAIMS: &[u8] = br#"{"aud":"https://test.maskinporten.no/","exp":1700000120,"iat":1700000000,"iss":"c","jti":"j","scope":"a:b"}"#;

#[repr(C)]
struct Bytes {
    data: *mut u8,
    len: usize,
    cap: usize,
}

impl Bytes {
    const EMPTY: Self = Self {
        data: ptr::null_mut(),
        len: 0,
        cap: 0,
    };
}

type Error = *mut c_void;
type Handle = *mut c_void;
type AbiVersion = unsafe extern "C" fn() -> u32;
type CancelNew = unsafe extern "C" fn(*mut Handle) -> Error;
type CancelFree = unsafe extern "C" fn(Handle);
type BytesFree = unsafe extern "C" fn(*mut Bytes);
type FromBytes = unsafe extern "C" fn(*const u8, usize, *const u8, usize, *mut Handle) -> Error;
type JwsSign = unsafe extern "C" fn(
    Handle,
    *const c_char,
    usize,
    *const u8,
    usize,
    *const c_void,
    *mut Bytes,
) -> Error;

#[allow(unsafe_code)]
fn calls(criterion: &mut Criterion) {
    let path = support::release_folder().join("libsegl.so");
    // SAFETY: the library is segl's own, stays loaded, and its functions have
    // the types that include/segl.h declares.
    let (abi_version, cancel_new, cancel_free, bytes_free, from_bytes, jws_sign) = unsafe {
        let library: &'static Library = Box::leak(Box::new(Library::new(&path).unwrap()));
        (
            *library.get::<AbiVersion>(b"segl_abi_version").unwrap(),
            *library.get::<CancelNew>(b"segl_cancel_new").unwrap(),
            *library.get::<CancelFree>(b"segl_cancel_free").unwrap(),
            *library.get::<BytesFree>(b"segl_bytes_free").unwrap(),
            *library.get::<FromBytes>(b"segl_signer_from_bytes").unwrap(),
            *library.get::<JwsSign>(b"segl_jws_sign").unwrap(),
        )
    };
    let key = pem(&p256_key());
    let mut handle = ptr::null_mut();
    // SAFETY: every pointer is valid for the length beside it.
    let error = unsafe { from_bytes(key.as_ptr(), key.len(), ptr::null(), 0, &mut handle) };
    assert!(error.is_null());
    let signer = SoftwareSigner::from_bytes(&key, None).unwrap();

    // SAFETY: it takes nothing.
    let empty = || unsafe { abi_version() };
    let ours = || {
        let mut out = Bytes::EMPTY;
        // SAFETY: every pointer is valid for the length beside it.
        unsafe {
            let error = jws_sign(
                handle,
                HEADER.as_ptr().cast(),
                HEADER.len(),
                CLAIMS.as_ptr(),
                CLAIMS.len(),
                ptr::null(),
                &mut out,
            );
            assert!(error.is_null() && out.len > 200);
            bytes_free(&mut out);
        }
    };
    let rust = || jws::sign_json(&signer, HEADER, CLAIMS, &Call::none()).unwrap();
    assert_eq!(signer.algorithms(), [Algorithm::ES256]);
    support::compare(
        criterion,
        "ES256 JWS through the C ABI to the same in Rust",
        rust,
        ours,
    );
    let cancel = || {
        let mut out = ptr::null_mut();
        // SAFETY: the out-pointer is valid, and the handle is freed once.
        unsafe {
            assert!(cancel_new(&mut out).is_null());
            cancel_free(out);
        }
    };
    let name = "two calls that make and free a handle, through the C ABI, to an empty call";
    support::compare(criterion, name, empty, cancel);
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(std::time::Duration::from_secs(2));
    targets = calls
}
criterion_main!(benches);
