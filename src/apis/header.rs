//! Header names and values that may be sent.

use crate::error::{Error, ErrorCode, Result};

/// Headers that segl or HTTP itself sets: another value would send the request, or the
/// secrets in it, somewhere else or cut it in two.
const RESERVED: [&str; 7] = [
    "dpop",
    "proxy-authorization",
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "upgrade",
];

/// Refuses a name that is none (RFC 9110 section 5.1), or that is not the caller's to set.
pub(super) fn check_name(name: &str) -> Result<()> {
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(wrong(format_args!(
            "the header name \"{}\" is none; it has letters, digits and a few signs such as '-'",
            name.escape_debug()
        )));
    }
    if RESERVED.iter().any(|own| name.eq_ignore_ascii_case(own)) {
        return Err(reserved(name));
    }
    Ok(())
}

/// That a header of this name is not the caller's to set.
pub(super) fn reserved(name: &str) -> Error {
    wrong(format_args!(
        "the header {name} is set by segl; leave it out"
    ))
}

/// The value without blanks around it; refuses line breaks above all (RFC 9110 section
/// 5.5). The value may be a secret, so it is not shown.
pub(super) fn check_value<'a>(name: &str, value: &'a str) -> Result<&'a str> {
    let value = value.trim_matches([' ', '\t']);
    if !value
        .bytes()
        .all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte))
    {
        return Err(wrong(format_args!(
            "the value of the header {name} has a line break or another character that is not printable ASCII"
        )));
    }
    Ok(value)
}

/// `tchar` (RFC 9110 section 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn wrong(problem: std::fmt::Arguments<'_>) -> Error {
    Error::new(ErrorCode::InvalidArgument, problem.to_string())
}
