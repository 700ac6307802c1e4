//! `segl_token`: an access token in the caller's memory.

use std::ptr;

use super::guard::guard_or;
use super::types::{CStruct, StructOut, full_struct_size, segl_bytes};
use crate::error::Result;
use crate::token::{Token, TokenSource, TokenType};

/// Set in `segl_token.flags` when the token was in the cache.
pub const SEGL_TOKEN_FROM_CACHE: u32 = 1;
/// Set in `segl_token.flags` when the caller holds this token already; nothing was
/// copied then.
pub const SEGL_TOKEN_UNCHANGED: u32 = 2;

/// Set in `segl_token.flags` when the token is bound to a key: it goes into the header
/// `Authorization: DPoP`, and each request needs a proof from `segl_client_dpop_proof`.
pub const SEGL_TOKEN_DPOP: u32 = 4;

/// An access token. Zero-fill it and set `struct_size` before the first use;
/// free it with `segl_token_free` before it is used again.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct segl_token {
    /// `sizeof(segl_token)`.
    pub struct_size: usize,
    /// The token, for the header `Authorization: Bearer`; with the flag
    /// `SEGL_TOKEN_DPOP`, for `Authorization: DPoP`.
    pub access_token: segl_bytes,
    /// The whole token response, JSON (RFC 6749 section 5.1), where
    /// `SEGL_CALL_RESPONSE_JSON` asked for it; else empty.
    pub response_json: segl_bytes,
    /// When the token ends, in milliseconds since 1970, UTC.
    pub expires_at_ms: i64,
    /// `SEGL_TOKEN_` flags.
    pub flags: u32,
    /// 0.
    pub reserved: u32,
    /// Tells this token from every other that this process was given; never 0.
    /// `segl_client_token_if_newer` and `segl_client_reject` take it.
    pub generation: u64,
}

// SAFETY: `repr(C)`, begins with a `usize`, integers and pointers only.
unsafe impl CStruct for segl_token {
    const TYPE: &'static str = "segl_token";
}

impl segl_token {
    fn empty(struct_size: usize) -> Self {
        Self {
            struct_size,
            access_token: segl_bytes::EMPTY,
            response_json: segl_bytes::EMPTY,
            expires_at_ms: 0,
            flags: 0,
            reserved: 0,
            generation: 0,
        }
    }
}

/// Wipes and frees what a token holds, and zero-fills it but for `struct_size`.
///
/// Ownership: ends the caller's ownership of what `token` holds; the struct
/// itself stays the caller's. Freeing the same struct twice is harmless.
/// NULL: `token` may be NULL or zero-filled; nothing happens then.
/// Threads: any thread, any time; one struct by one thread at a time.
/// Failure: it cannot fail; a struct with a `struct_size` that is too small is
/// ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_token_free(token: *mut segl_token) {
    guard_or((), || {
        // SAFETY: NULL, or a struct that is zero-filled or filled by segl; it is
        // emptied before what it held is released.
        unsafe {
            if let Ok(struct_size) = full_struct_size("token", token) {
                let old = ptr::replace(token, segl_token::empty(struct_size));
                old.access_token.release();
                old.response_json.release();
            }
        }
    });
}

/// Where a token goes.
pub(super) struct TokenOut(StructOut<segl_token>);

impl TokenOut {
    /// # Safety
    /// As [`StructOut::new`].
    pub(super) unsafe fn new(place: *mut segl_token) -> Result<Self> {
        // SAFETY: see the function's contract.
        unsafe { StructOut::new("out", place) }.map(Self)
    }

    /// Fills the place with `token`, without its bytes if it is the one that the
    /// caller `holds`.
    pub(super) fn set(&self, token: &Token, source: TokenSource, holds: u64, with_response: bool) {
        let is_held = token.generation() == holds;
        let copy = |text: &str, wanted: bool| match wanted && !is_held {
            true => segl_bytes::copy_of(text),
            false => segl_bytes::EMPTY,
        };
        let from_cache = match source {
            TokenSource::Cache => SEGL_TOKEN_FROM_CACHE,
            TokenSource::Service => 0,
        };
        let dpop = match token.token_type() {
            TokenType::Dpop => SEGL_TOKEN_DPOP,
            TokenType::Bearer => 0,
        };
        let filled = segl_token {
            access_token: copy(token.access_token(), true),
            response_json: copy(token.response_json(), with_response),
            expires_at_ms: token.expires_at().seconds().saturating_mul(1000),
            flags: from_cache | dpop | if is_held { SEGL_TOKEN_UNCHANGED } else { 0 },
            generation: token.generation(),
            ..segl_token::empty(self.0.struct_size())
        };
        self.0.set(filled);
    }
}
