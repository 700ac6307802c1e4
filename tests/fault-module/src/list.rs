//! Lists of numbers as PKCS#11 functions return them (v2.40 section 5.2).

use cryptoki_sys::*;

/// Reads the whole list that `read` gives.
///
/// # Errors
/// What `read` returned.
pub(crate) fn read(
    read: impl Fn(*mut CK_ULONG, *mut CK_ULONG) -> CK_RV,
) -> Result<Vec<CK_ULONG>, CK_RV> {
    let mut list: Vec<CK_ULONG> = vec![0; 1024];
    let mut count = list.len() as CK_ULONG;
    match read(list.as_mut_ptr(), &mut count) {
        CKR_OK => {
            list.truncate(count as usize);
            Ok(list)
        }
        rv => Err(rv),
    }
}

/// Answers with `values`: their number when `list` is null.
///
/// # Safety
/// `count` points to a number; `list` is null or has room for that many.
pub(crate) unsafe fn answer(
    values: &[CK_ULONG],
    list: *mut CK_ULONG,
    count: *mut CK_ULONG,
) -> CK_RV {
    // SAFETY: the caller answers for `count`.
    let room = unsafe { count.replace(values.len() as CK_ULONG) } as usize;
    if list.is_null() {
        return CKR_OK;
    }
    if room < values.len() {
        return CKR_BUFFER_TOO_SMALL;
    }
    // SAFETY: there is room for `room` numbers, and `values` is no part of it.
    unsafe { list.copy_from_nonoverlapping(values.as_ptr(), values.len()) };
    CKR_OK
}
