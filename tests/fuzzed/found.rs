//! What the fuzzer found.

use std::sync::Arc;

use openssl::ec::{EcGroup, EcKey};
use openssl::nid::Nid;
use segl::apis::Altinn;
use segl::http::Response;
use segl::keys::Certificate;
use segl::keys::software::SoftwareSigner;
use segl::{Call, ErrorCode, TokenRequest};
use serde_json::json;

use crate::targets::client::{Always, Answering, client, json as answer};

fn seed(path: &str) -> Vec<u8> {
    std::fs::read(crate::folder("seeds").join(path)).unwrap()
}

/// OpenSSL reads it, and would write as `x5c` what nobody reads.
#[test]
fn a_certificate_that_cannot_be_written_is_none() {
    let bytes = seed("certificate/found-unreadable-when-written.der");
    assert!(openssl::x509::X509::from_der(&bytes).is_ok());
    let error = Certificate::read_chain(&bytes).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Certificate);
}

/// OpenSSL reads it, and would sign what nobody can verify.
#[test]
fn halves_of_two_keys_are_no_key() {
    let bytes = seed("key_file/found-halves-of-two-keys.der");
    assert!(openssl::pkey::PKey::private_key_from_der(&bytes).is_ok());
    let error = SoftwareSigner::from_bytes(&bytes, None).unwrap_err();
    assert_eq!(error.code(), ErrorCode::KeyFormat);
    assert!(error.message().contains("does not belong"), "{error}");

    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let (own, other) = (
        EcKey::generate(&group).unwrap(),
        EcKey::generate(&group).unwrap(),
    );
    for (public, is_right) in [(own.public_key(), true), (other.public_key(), false)] {
        let key = EcKey::from_private_components(&group, own.private_key(), public).unwrap();
        let read = SoftwareSigner::from_bytes(&key.private_key_to_der().unwrap(), None);
        assert_eq!(
            read.err().map(|error| error.code()),
            (!is_right).then_some(ErrorCode::KeyFormat)
        );
    }
}

/// It was sent beside the token's own, so that servers chose one of them.
#[test]
fn an_authorization_of_the_settings_has_the_token_or_leaves_it_to_another() {
    for (headers, is_right) in [
        (json!({"Authorization": "ApiKey 1"}), false),
        (json!({"authorization": "ApiKey 1", "X-A": "1"}), false),
        (json!({"Authorization": "{access_token}"}), true),
        (
            json!({"Authorization": "ApiKey 1", "X-Token": "{access_token}"}),
            true,
        ),
    ] {
        let settings = json!({"services": {"altinn": {
            "base_url": "https://altinn.example", "headers": headers,
        }}});
        let client = Arc::new(client(&settings, Answering::with(answer(200, Vec::new()))));
        let outcome = Altinn::new(client, TokenRequest::default());
        assert_eq!(outcome.is_ok(), is_right, "{headers}");
        if let Err(error) = outcome {
            assert_eq!(error.code(), ErrorCode::Config);
            let path = error.details().config_path.as_deref().unwrap();
            assert!(path.eq_ignore_ascii_case("services.altinn.headers.Authorization"));
        }
    }
}

/// What was sent may come back in any header.
#[test]
fn a_content_type_is_shown_without_tokens_and_persons() {
    let kind = "a/b; eyJhbGciOiJFUzI1NiJ9.eyJhIjoxfQ.AAAA of 23079422568";
    let headers = vec![("content-type".to_owned(), kind.to_owned())];
    let transport = Arc::new(Always(Response::new(400, headers, Vec::new())));
    let error = client(&json!({}), transport)
        .token(&TokenRequest::default(), &Call::none())
        .unwrap_err();
    let message = error.message();
    assert!(
        message.contains("a/b; [redacted] of [redacted]"),
        "{message}"
    );
}
