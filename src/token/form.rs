//! `application/x-www-form-urlencoded`, with a blank as `%20`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

/// What stays as it is: `ALPHA DIGIT - . _ ~` (RFC 3986 section 2.3).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// `name=value` pairs joined by `&`, in the given order. The values are wiped, for one may
/// be an assertion.
pub(super) fn encode(parameters: Vec<(&'static str, String)>) -> String {
    let parameters: Vec<_> = parameters
        .into_iter()
        .map(|(name, value)| (name, Zeroizing::new(value)))
        .collect();
    // A text that grows leaves what it had behind; a byte becomes three at most.
    let lengths = parameters.iter();
    let most = lengths.map(|(name, value)| name.len() + 3 * value.len() + 2);
    let mut form = String::with_capacity(most.sum());
    for (name, value) in &parameters {
        if !form.is_empty() {
            form.push('&');
        }
        form.push_str(name);
        form.push('=');
        form.extend(utf8_percent_encode(value, ESCAPED));
    }
    form
}
