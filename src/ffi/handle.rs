//! Handles as C sees them: opaque pointers that point nowhere.

#![forbid(unsafe_code)]

use std::any::Any;
use std::ptr;
use std::sync::Arc;

use super::table::Table;
use crate::error::{Error, ErrorCode, Result};

#[cfg(not(target_pointer_width = "64"))]
compile_error!("a handle needs 64 bits; segl has no C ABI for this target");

static TABLE: Table = Table::new();

/// A C type that stands for values of one Rust type.
pub(super) trait Handle: Sized {
    /// What the handle stands for.
    type Target: Any + Send + Sync;
    /// The type's name in C.
    const TYPE: &'static str;
}

/// Keeps `target` and returns its handle.
pub(super) fn insert<H: Handle>(target: H::Target) -> *mut H {
    ptr::without_provenance_mut(TABLE.insert(target) as usize)
}

/// What `handle` stands for. It stays alive while the caller has it, even when
/// another thread frees the handle meanwhile.
pub(super) fn get<H: Handle>(argument: &str, handle: *const H) -> Result<Arc<H::Target>> {
    if handle.is_null() {
        return Err(Error::new(
            ErrorCode::NullArgument,
            format!("{argument} is NULL; pass a {}", H::TYPE),
        ));
    }
    TABLE.get(handle.addr() as u64).ok_or_else(|| {
        Error::new(
            ErrorCode::InvalidHandle,
            format!(
                "{argument} is not a live {}: it was freed, is of another type, or never was one",
                H::TYPE
            ),
        )
    })
}

/// As [`get`], with `None` for NULL.
pub(super) fn get_optional<H: Handle>(
    argument: &str,
    handle: *const H,
) -> Result<Option<Arc<H::Target>>> {
    if handle.is_null() {
        return Ok(None);
    }
    get(argument, handle).map(Some)
}

/// Ends `handle`. NULL and what is no live handle of this type do nothing.
pub(super) fn free<H: Handle>(handle: *mut H) {
    TABLE.remove::<H::Target>(handle.addr() as u64);
}

/// Ends every handle.
pub(super) fn free_all() {
    TABLE.clear();
}
