//! Which tokens are taken, and which are shared.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use openssl::nid::Nid;
use segl::profiles::ClientSettings;
use segl::token::TokenType;
use segl::{ErrorCode, TokenClient, TokenRequest};
use serde_json::{Value, json};

use crate::dpop_server::{Nonces, StrictServer, Token};
use crate::memory_store::Memory;
use crate::support::{ScriptedTransport, ec_key, json_answer, p256_key, rsa_key, signer};
use crate::{SETTINGS, call, client, token};

#[test]
fn a_token_of_another_kind_or_key_is_refused() {
    for (form, code, part) in [
        (Token::Bearer, ErrorCode::TokenTypeMismatch, "type Bearer"),
        (
            Token::BoundToAnother,
            ErrorCode::TokenBoundToAnotherKey,
            "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
        ),
    ] {
        let server = StrictServer::new(Nonces::Unasked, Nonces::Unasked);
        *server.token.lock().unwrap() = form;
        let client = client(&server);
        let error = client.token(&TokenRequest::default(), &call()).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.message().contains(part), "{error}");
        assert_eq!(server.statuses(), [200], "it is asked once");
        assert_eq!(client.cached(&TokenRequest::default()).map(|_| ()), None);
    }
}

#[test]
fn a_bound_token_that_nobody_asked_for_is_refused() {
    let answer = r#"{"access_token":"t","token_type":"DPoP","expires_in":60}"#;
    let settings = SETTINGS.replace(r#","dpop":{}"#, "");
    let client = crate::support::builder(&settings, signer(&p256_key()), 1)
        .transport(ScriptedTransport::answering([json_answer(200, answer)]))
        .build(&call())
        .unwrap();
    let error = client.token(&TokenRequest::default(), &call()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::TokenTypeMismatch);
    assert!(error.message().contains("set \"dpop\""), "{error}");
}

#[test]
fn a_token_without_a_visible_key_is_taken() {
    let server = StrictServer::new(Nonces::Unasked, Nonces::Unasked);
    *server.token.lock().unwrap() = Token::Opaque;
    let token = token(&client(&server));
    assert_eq!(token.access_token(), "opaque-0");
    assert_eq!(token.token_type(), TokenType::Dpop);
}

#[test]
fn instances_share_tokens_of_one_dpop_key_and_no_other() {
    let server = StrictServer::new(Nonces::NewAfter(100), Nonces::NewAfter(100));
    let store = Memory::new();
    let mut settings: Value = serde_json::from_str(SETTINGS).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sealing-key");
    std::fs::write(&file, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let key = format!("file:{}", file.display());
    settings["shared_cache"] = json!({"key": key});
    let instance = |dpop_key| {
        let client =
            TokenClient::builder(ClientSettings::from_json(&settings.to_string()).unwrap())
                .signer(signer(&rsa_key()))
                .dpop_signer(signer(&dpop_key))
                .shared_store(store.clone())
                .transport(server.clone())
                .build(&call());
        Arc::new(client.unwrap())
    };
    let (first, second) = (instance(p256_key()), instance(p256_key()));
    let other = instance(ec_key(Nid::X9_62_PRIME256V1));
    let fetched = token(&first);
    let shared = token(&second);
    assert_eq!(shared.access_token(), fetched.access_token());
    assert_eq!(shared.token_type(), TokenType::Dpop);
    assert_eq!(second.token_health().shared, 1);
    assert_ne!(token(&other).access_token(), fetched.access_token());
    assert_eq!(other.token_health().shared, 0);
    // Of a token that does not show its key, the place in the cache says it.
    *server.token.lock().unwrap() = Token::Opaque;
    first.fetch(&TokenRequest::default(), &call()).unwrap();
    let late = instance(ec_key(Nid::SECP384R1));
    token(&late);
    assert_eq!(late.token_health().shared, 0);
    assert_eq!(late.token_health().requests, 2);
    // The one that was shared is good at an API.
    let api = segl::apis::Authorized::new(second, TokenRequest::default());
    let answer = api.send(&crate::get("https://one.example/a"), &call());
    assert_eq!(answer.unwrap().status, 200);
    assert_eq!(server.problems(), [""; 0]);
}
