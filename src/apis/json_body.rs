//! Bodies that are wiped.

use serde::Serialize;
use zeroize::Zeroizing;

use crate::error::{Error, ErrorCode, Result};
use crate::http::Request;

/// `request` with `body` as its JSON. No other copy of it stays. A `Content-Type` that it
/// has already stays.
///
/// # Errors
/// `INVALID_ARGUMENT` for what JSON cannot say.
pub(super) fn with_json(mut request: Request, body: &impl Serialize) -> Result<Request> {
    // A buffer that grows would leave pieces behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(16 * 1024));
    serde_json::to_writer(&mut *bytes, body).map_err(|source| {
        Error::new(
            ErrorCode::InvalidArgument,
            "the body cannot be written as JSON",
        )
        .with_source(source)
    })?;
    request.body = bytes;
    Ok(match request.has_header("Content-Type") {
        true => request,
        false => request.header("Content-Type", "application/json"),
    })
}
