//! What crosses the border: bytes, text, structs and out-pointers.

use std::ffi::c_char;
use std::mem::{self, MaybeUninit};
use std::{ptr, slice, str};

use super::guard::guard_or;
use crate::error::{Error, ErrorCode, Result};
use crate::secret::Secret;

/// Bytes or text that segl made: `data[0]` to `data[len - 1]`, and a NUL at
/// `data[len]` that is not counted. Text is UTF-8.
///
/// They belong to the caller, who frees them with `segl_bytes_free` and changes
/// none of the members. A zero-filled `segl_bytes` is empty and needs no free.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct segl_bytes {
    /// The bytes; NULL in a zero-filled struct.
    pub data: *mut u8,
    /// How many, without the NUL.
    pub len: usize,
    /// How many bytes segl allocated; for `segl_bytes_free` alone.
    pub cap: usize,
}

impl segl_bytes {
    pub(super) const EMPTY: Self = Self {
        data: ptr::null_mut(),
        len: 0,
        cap: 0,
    };

    /// A copy in an allocation of its own, which never moves until it is wiped.
    pub(super) fn copy_of(bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        let mut copy = Vec::with_capacity(bytes.len() + 1);
        copy.extend_from_slice(bytes);
        copy.push(0);
        let mut copy = mem::ManuallyDrop::new(copy);
        Self {
            data: copy.as_mut_ptr(),
            len: bytes.len(),
            cap: copy.capacity(),
        }
    }

    /// Wipes and releases the bytes.
    ///
    /// # Safety
    /// `self` came from [`segl_bytes::copy_of`] or is [`segl_bytes::EMPTY`], and
    /// no copy of it was released.
    pub(super) unsafe fn release(self) {
        if self.data.is_null() {
            return;
        }
        // SAFETY: these are the parts of the vector that `copy_of` took apart.
        let mut bytes = unsafe { Vec::from_raw_parts(self.data, self.len + 1, self.cap) };
        // Whole words at a time, which `zeroize` does not do for bytes.
        bytes.fill(0);
        zeroize::optimization_barrier(bytes.as_slice());
    }
}

/// Wipes and frees bytes that segl made, and zero-fills the struct.
///
/// Ownership: ends the caller's ownership of what `bytes` holds; the struct
/// itself stays the caller's. Freeing the same struct twice is harmless.
/// NULL: `bytes` may be NULL or zero-filled; nothing happens then.
/// Threads: any thread, any time; one struct by one thread at a time.
/// Failure: it cannot fail.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_bytes_free(bytes: *mut segl_bytes) {
    guard_or((), || {
        if !bytes.is_null() {
            // SAFETY: `bytes` points to a struct that segl filled or that is
            // zero-filled; it is emptied before what it held is released.
            unsafe { ptr::replace(bytes, segl_bytes::EMPTY).release() }
        }
    });
}

/// Where a result goes. The place is zeroed at once, so that it is when the
/// function fails.
pub(super) struct Out<T>(*mut T);

impl<T: Copy> Out<T> {
    /// # Safety
    /// `place` is NULL or can be written until the function returns, and all
    /// bytes zero are a `T`.
    pub(super) unsafe fn new(argument: &str, place: *mut T) -> Result<Self> {
        if place.is_null() {
            return Err(null(argument));
        }
        // SAFETY: see the function's contract.
        unsafe { ptr::write_bytes(place, 0, 1) };
        Ok(Self(place))
    }

    pub(super) fn set(self, value: T) {
        // SAFETY: the place can still be written, see `new`.
        unsafe { ptr::write(self.0, value) }
    }
}

/// A struct that begins with `struct_size`.
///
/// # Safety
/// The type is `repr(C)`, its first member is a `usize`, and all bytes zero are
/// a value of it.
pub(super) unsafe trait CStruct: Copy {
    /// The type's name in C.
    const TYPE: &'static str;
}

/// Where a struct goes that begins with `struct_size`. The place is zeroed at once but
/// for that.
pub(super) struct StructOut<T> {
    place: *mut T,
    struct_size: usize,
}

impl<T: CStruct> StructOut<T> {
    /// # Safety
    /// `place` is NULL or points to a struct that begins with a `usize`, and to as many
    /// bytes as that says, which can be written until the function returns.
    pub(super) unsafe fn new(argument: &str, place: *mut T) -> Result<Self> {
        // SAFETY: see the function's contract.
        let struct_size = unsafe { full_struct_size(argument, place)? };
        // SAFETY: there are so many bytes, and a `usize` comes first.
        unsafe {
            ptr::write_bytes(place.cast::<u8>(), 0, struct_size);
            ptr::write_unaligned(place.cast::<usize>(), struct_size);
        }
        Ok(Self { place, struct_size })
    }

    /// What the caller set.
    pub(super) fn struct_size(&self) -> usize {
        self.struct_size
    }

    pub(super) fn set(&self, value: T) {
        // SAFETY: the place can still be written, see `new`.
        unsafe { ptr::write(self.place, value) }
    }
}

/// Reads `struct_size`, refusing one that leaves no room for the struct.
///
/// # Safety
/// As [`struct_size`].
pub(super) unsafe fn full_struct_size<T: CStruct>(
    argument: &str,
    place: *const T,
) -> Result<usize> {
    // SAFETY: see the function's contract.
    let size = unsafe { struct_size(argument, place)? };
    if size < size_of::<T>() {
        return Err(Error::new(
            ErrorCode::InvalidArgument,
            format!(
                "{argument}->struct_size is {size}; set it to sizeof({})",
                T::TYPE
            ),
        ));
    }
    Ok(size)
}

/// No struct of segl comes near it, so a `struct_size` above it was never set.
const STRUCT_SIZE_LIMIT: usize = 4096;

/// Copies as much of a struct as both sides know; the rest is zero. What only
/// the caller knows must be zero.
///
/// # Safety
/// `place` is NULL or points to as many readable bytes as its `struct_size`
/// says.
pub(super) unsafe fn read_struct<T: CStruct>(argument: &str, place: *const T) -> Result<T> {
    // SAFETY: see the function's contract; a `usize` comes first.
    let size = unsafe { struct_size(argument, place)? };
    for offset in size_of::<T>()..size {
        // SAFETY: within `struct_size` bytes.
        if unsafe { place.cast::<u8>().add(offset).read() } != 0 {
            return Err(Error::new(
                ErrorCode::InvalidArgument,
                format!(
                    "{argument} sets a member that this library does not know; it is older than the header, \
                     update libsegl or leave the member zero"
                ),
            ));
        }
    }
    let mut copy = MaybeUninit::<T>::zeroed();
    // SAFETY: both sides have so many bytes, and any part of a `T` may be zero.
    unsafe {
        ptr::copy_nonoverlapping(
            place.cast::<u8>(),
            copy.as_mut_ptr().cast::<u8>(),
            size.min(size_of::<T>()),
        );
        Ok(copy.assume_init())
    }
}

/// Reads `struct_size`, refusing what cannot be one.
///
/// # Safety
/// `place` is NULL or points to a struct that begins with a `usize`.
pub(super) unsafe fn struct_size<T: CStruct>(argument: &str, place: *const T) -> Result<usize> {
    if place.is_null() {
        return Err(null(argument));
    }
    // SAFETY: see the function's contract.
    let size = unsafe { ptr::read_unaligned(place.cast::<usize>()) };
    if (size_of::<usize>()..=STRUCT_SIZE_LIMIT).contains(&size) {
        return Ok(size);
    }
    Err(Error::new(
        ErrorCode::InvalidArgument,
        format!(
            "{argument}->struct_size is {size}; set it to sizeof({}) and zero-fill the rest",
            T::TYPE
        ),
    ))
}

/// Bytes that must be there. The lifetime is the caller's to keep within the
/// function.
///
/// # Safety
/// `data` is NULL or points to `len` readable bytes that do not change while
/// the function runs.
pub(super) unsafe fn bytes<'a>(argument: &str, data: *const u8, len: usize) -> Result<&'a [u8]> {
    // SAFETY: see the function's contract.
    unsafe { optional_bytes(argument, data, len)? }.ok_or_else(|| null(argument))
}

/// Bytes that may be absent: NULL with length 0.
///
/// # Safety
/// As [`bytes`].
pub(super) unsafe fn optional_bytes<'a>(
    argument: &str,
    data: *const u8,
    len: usize,
) -> Result<Option<&'a [u8]>> {
    if data.is_null() {
        return if len == 0 {
            Ok(None)
        } else {
            Err(null(argument))
        };
    }
    if isize::try_from(len).is_err() {
        return Err(Error::new(
            ErrorCode::InvalidArgument,
            format!("{argument}_len is {len}, more than memory can hold"),
        ));
    }
    // SAFETY: not NULL, not too long, and readable by the function's contract.
    Ok(Some(unsafe { slice::from_raw_parts(data, len) }))
}

/// Text that must be there.
///
/// # Safety
/// As [`bytes`].
pub(super) unsafe fn text<'a>(argument: &str, data: *const c_char, len: usize) -> Result<&'a str> {
    // SAFETY: see the function's contract.
    utf8(argument, unsafe { bytes(argument, data.cast(), len)? })
}

/// Text that may be absent: NULL with length 0.
///
/// # Safety
/// As [`bytes`].
pub(super) unsafe fn optional_text<'a>(
    argument: &str,
    data: *const c_char,
    len: usize,
) -> Result<Option<&'a str>> {
    // SAFETY: see the function's contract.
    unsafe { optional_bytes(argument, data.cast(), len)? }
        .map(|bytes| utf8(argument, bytes))
        .transpose()
}

/// A PIN or passphrase, copied; absent when NULL.
///
/// # Safety
/// As [`bytes`].
pub(super) unsafe fn secret(argument: &str, data: *const u8, len: usize) -> Result<Option<Secret>> {
    // SAFETY: see the function's contract.
    Ok(unsafe { optional_bytes(argument, data, len)? }.map(Secret::from))
}

pub(super) fn null(argument: &str) -> Error {
    Error::new(
        ErrorCode::NullArgument,
        format!("{argument} is NULL; see segl.h for what may be"),
    )
}

fn utf8<'a>(argument: &str, bytes: &'a [u8]) -> Result<&'a str> {
    str::from_utf8(bytes).map_err(|source| {
        Error::new(
            ErrorCode::InvalidUtf8,
            format!(
                "{argument} is not UTF-8 from byte {} on; pass text as UTF-8",
                source.valid_up_to()
            ),
        )
    })
}
