//! Percent-encoding and the characters that need none (RFC 3986 section 2, RFC
//! 7512 section 2.3).

use percent_encoding::{
    AsciiSet, NON_ALPHANUMERIC, PercentEncode, percent_decode_str, percent_encode,
};

/// `pk11-pchar`, without `pct-encoded`.
pub(super) fn is_pk11_pchar(byte: u8) -> bool {
    is_unreserved(byte) || is_reserved_but_available(byte) || byte == b'&'
}

/// `pk11-qchar`, without `pct-encoded`.
pub(super) fn is_pk11_qchar(byte: u8) -> bool {
    is_unreserved(byte) || is_reserved_but_available(byte) || b"/?|".contains(&byte)
}

/// `pchar` of RFC 3986 section 3.3 without `pct-encoded`, and the `/` between
/// segments.
pub(super) fn is_file_pchar(byte: u8) -> bool {
    is_unreserved(byte) || b"!$&'()*+,;=:@/".contains(&byte)
}

/// What is wrong with the first bad character, and how many bytes precede it.
/// The character itself is not told: it may be one of a PIN.
pub(super) fn check(text: &str, allowed: fn(u8) -> bool) -> Result<(), (usize, &'static str)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte == b'%' {
            let digits = bytes.get(at + 1..at + 3).unwrap_or_default();
            if digits.len() != 2 || !digits.iter().all(u8::is_ascii_hexdigit) {
                return Err((
                    at,
                    "is a \"%\" without two hexadecimal digits after it; write a literal \"%\" as %25",
                ));
            }
            at += 3;
        } else if allowed(byte) {
            at += 1;
        } else {
            return Err((
                at,
                "may not stand there as it is; write the bytes of its UTF-8 form percent-encoded \
                 (a space is %20, \"#\" is %23, \"/\" is %2F, \";\" is %3B)",
            ));
        }
    }
    Ok(())
}

/// The bytes of a checked text. Made in one allocation, so that a secret leaves
/// no second copy behind.
pub(super) fn decode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    bytes.extend(percent_decode_str(text));
    bytes
}

/// A path attribute's text; a superset of what must be encoded there.
pub(super) fn encode_path(text: &str) -> PercentEncode<'_> {
    percent_encode(text.as_bytes(), BUT_UNRESERVED)
}

/// A query attribute's text or a file's path, `/` and `:` left readable.
pub(super) fn encode_location(text: &str) -> PercentEncode<'_> {
    percent_encode(text.as_bytes(), BUT_LOCATION)
}

/// Every byte, as RFC 7512 section 2.3 advises for `id`.
pub(super) fn encode_all(bytes: &[u8]) -> PercentEncode<'_> {
    percent_encode(bytes, EVERYTHING)
}

const BUT_UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
const BUT_LOCATION: &AsciiSet = &BUT_UNRESERVED.remove(b'/').remove(b':');
const EVERYTHING: &AsciiSet = &AsciiSet::EMPTY.complement();

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// `pk11-res-avail`.
fn is_reserved_but_available(byte: u8) -> bool {
    b":[]@!$'()*+,=".contains(&byte)
}
