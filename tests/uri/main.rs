//! Key URIs through the public API: the grammar of RFC 7512 and of `file:`,
//! every refusal, PIN sources, and properties that hold for any text.

mod awskms;
mod file;
mod pin_source;
mod pkcs11;
mod properties;
mod refusals;
mod settings;

use segl::keys::uri::{FileUri, PinPolicy, Pkcs11Uri};
use segl::{Error, ErrorCode, KeyUri};

/// Allows commands and PINs in URIs.
const ALLOW_ALL: PinPolicy = PinPolicy {
    allow_command: true,
    allow_value: true,
};

fn pkcs11(text: &str) -> Pkcs11Uri {
    match KeyUri::parse(text, ALLOW_ALL) {
        Ok(KeyUri::Pkcs11(uri)) => uri,
        other => panic!("{text}: {other:?}"),
    }
}

fn file(text: &str) -> FileUri {
    match KeyUri::parse(text, ALLOW_ALL) {
        Ok(KeyUri::File(uri)) => uri,
        other => panic!("{text}: {other:?}"),
    }
}

/// The `KEY_URI` error of `text`, whose message must hold every one of `parts`.
fn refused(text: &str, parts: &[&str]) {
    refused_as(
        ErrorCode::KeyUri,
        KeyUri::parse(text, ALLOW_ALL),
        text,
        parts,
    );
}

fn refused_as<T: std::fmt::Debug>(
    code: ErrorCode,
    result: Result<T, Error>,
    what: &str,
    parts: &[&str],
) {
    let error = match result {
        Ok(value) => panic!("{what} was taken for {value:?}"),
        Err(error) => error,
    };
    assert_eq!(error.code(), code, "{what}: {error}");
    for part in parts {
        assert!(
            error.message().contains(part),
            "{what}: \"{error}\" lacks \"{part}\""
        );
    }
}
