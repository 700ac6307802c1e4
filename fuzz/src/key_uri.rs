//! Key URIs: the canonical form says the same, and no PIN or command is printed.

use segl::KeyUri;
use segl::keys::uri::{PinPolicy, PinSource};

use super::private::{MARK, assert_hidden};

const ALLOW_ALL: PinPolicy = PinPolicy {
    allow_command: true,
    allow_value: true,
};

/// What goes before a secret, right and wrong.
const BEFORE: [&str; 8] = [
    "pkcs11:token=a?pin-value=",
    "pkcs11:token=a&pin-value=",
    "pkcs11:?module-path=/m.so&pin-source=|",
    "pkcs11:token=a;pin-value=",
    "file:k?pin-value=",
    "awskms:alias/a?region=eu-north-1&pin-value=",
    "unknown:k?pin-value=",
    "/etc/k?pin-source=%7C",
];

pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(uri) = text.parse::<KeyUri>() {
        let canonical = uri.to_string();
        let again: KeyUri = canonical.parse().unwrap();
        assert_eq!(again.to_string(), canonical);
        if !canonical.contains("[redacted]") {
            assert_eq!(format!("{again:?}"), format!("{uri:?}"));
        }
    }
    let _ = PinSource::parse(text, ALLOW_ALL);
    if text.contains(MARK) {
        return;
    }
    for before in BEFORE {
        for policy in [PinPolicy::default(), ALLOW_ALL] {
            for secret in [format!("{MARK}{text}"), format!("{text}{MARK}")] {
                hides(&format!("{before}{secret}"), policy);
            }
        }
    }
}

fn hides(text: &str, policy: PinPolicy) {
    match KeyUri::parse(text, policy) {
        Ok(uri) => {
            let printed = format!("{uri} {uri:?} {uri:#?}");
            assert!(!printed.contains(MARK), "{text} printed {printed}");
        }
        Err(error) => assert_hidden(&error, text),
    }
}
