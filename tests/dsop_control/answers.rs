//! Answers: decrypted, or refused.

use segl::ErrorCode;
use segl::apis::dsop_control::Period;
use segl::{Call, TokenRequest};
use serde_json::json;

use super::*;

#[test]
fn accounts_of_a_person_are_decrypted() {
    for (alg, enc) in [
        ("RSA-OAEP-256", "A256GCM"),
        ("RSA-OAEP-256", "A128CBC-HS256"),
    ] {
        let world = World::new(&format!("alg = '{alg}'\nenc = '{enc}'"));
        let pages = accounts(&world.bank()).unwrap();
        assert_eq!(pages.len(), 1);
        let page = value(&pages[0]);
        assert_eq!(page["accounts"][0]["accountReference"], ACCOUNT);
        assert_eq!(page["responseDetails"]["status"], "complete");
        assert!(!format!("{pages:?}").contains(ACCOUNT));
    }
}

#[test]
fn what_is_not_named_is_refused_and_what_is_named_is_taken() {
    for (alg, enc, settings) in [
        (
            "RSA-OAEP",
            "A256GCM",
            json!({ "key_encryption": ["RSA-OAEP"] }),
        ),
        (
            "RSA-OAEP-256",
            "A128GCM",
            json!({ "content_encryption": ["A128GCM"] }),
        ),
        (
            "RSA-OAEP-256",
            "A256CBC-HS512",
            json!({ "content_encryption": ["A256CBC-HS512"] }),
        ),
    ] {
        let world = World::new(&format!("alg = '{alg}'\nenc = '{enc}'"));
        let error = accounts(&world.bank()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::JweAlgorithm, "{error}");
        let mut decryption = settings;
        let key = format!("file:{}", world.folder.path().join("key.pem").display());
        decryption["key"] = key.into();
        let bank = world.bank_with(&json!({ "decryption": decryption }));
        assert_eq!(accounts(&bank).unwrap().len(), 1, "{alg} {enc}");
    }
}

#[test]
fn rsa1_5_is_refused_whatever_the_settings() {
    let world = World::new("alg = 'RSA1_5'");
    let error = accounts(&world.bank()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::JweAlgorithm, "{error}");
    assert!(error.message().contains("RSA1_5"), "{error}");
    assert!(error.message().contains("/bank/v2/accounts"), "{error}");
    assert!(error.details().trace_id.is_some());
    // It cannot be named either.
    let settings: std::result::Result<ClientSettings, _> = serde_json::from_value(json!({
        "profile": "maskinporten",
        "decryption": { "key": "file:/k.pem", "key_encryption": ["RSA1_5"] },
    }));
    assert!(settings.unwrap_err().to_string().contains("RSA-OAEP-256"));
}

#[test]
fn what_was_encrypted_to_another_key_is_no_use() {
    let other = openssl::rsa::Rsa::generate(2048).unwrap();
    let pem = openssl::pkey::PKey::from_rsa(other)
        .unwrap()
        .private_key_to_pem_pkcs8()
        .unwrap();
    let other = SoftwareDecrypter::from_bytes(&pem, None).unwrap();
    let jwk = Value::Object(other.public_key().members());
    let world = World::encrypting_to("", &jwk);
    let error = accounts(&world.bank()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::JweInvalid, "{error}");
    assert!(
        error.message().contains(other.public_key().thumbprint()),
        "{error}"
    );
}

#[test]
fn plain_answers_are_taken_in_test_by_who_asks_for_them() {
    let world = World::new("");
    let asking = json!({ "dsop_control": { "headers": { "Accept": "application/json" } } });
    // Without a key, too.
    let bank = world.bank_with(&json!({ "services": asking, "decryption": null }));
    assert_eq!(accounts(&bank).unwrap().len(), 1);

    let settings = json!({ "services": asking, "environment": "prod" });
    let error = accounts(&world.bank_with(&settings)).unwrap_err();
    assert_eq!(error.code(), ErrorCode::JweInvalid, "{error}");
    assert!(error.message().contains("not encrypted"), "{error}");
}

#[test]
fn without_a_key_nothing_is_sent() {
    let world = World::new("");
    let error = accounts(&world.bank_with(&json!({ "decryption": null }))).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Config, "{error}");
    assert_eq!(error.details().config_path.as_deref(), Some("decryption"));
    let missing = json!({ "decryption": { "key": "file:/does/not/exist.pem" } });
    let error = accounts(&world.bank_with(&missing)).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Io, "{error}");
    assert!(error.message().contains("decryption.key"), "{error}");
    assert_eq!(world.simulator.requests().maskinporten_token, 0);
}

/// A key that could not be opened is tried again, and one that was opened is kept.
#[test]
fn the_key_is_opened_when_it_is_used_and_kept() {
    let world = World::new("");
    let path = world.folder.path().join("later.pem");
    let key = format!("file:{}", path.display());
    let bank = world.bank_with(&json!({ "decryption": { "key": key } }));
    assert_eq!(accounts(&bank).unwrap_err().code(), ErrorCode::Io);
    fs::write(&path, support::pem(&support::rsa_key())).unwrap();
    accounts(&bank).unwrap();
    fs::remove_file(&path).unwrap();
    accounts(&bank).unwrap();
}

/// A file does not tell that it has been replaced.
#[test]
fn a_key_that_was_replaced_is_opened_again_and_not_too_often() {
    let world = World::new("");
    let (own, other) = (support::rsa_key(), openssl::rsa::Rsa::generate(2048));
    let other = openssl::pkey::PKey::from_rsa(other.unwrap()).unwrap();
    let path = world.folder.path().join("decrypts.pem");
    let write = |key| fs::write(&path, support::pem(key)).unwrap();
    let opened = || {
        write(&other);
        let key = format!("file:{}", path.display());
        let client = world.client(&json!({ "decryption": { "key": key } }));
        client.decryption().unwrap().open(&Call::none()).unwrap();
        let bank = Some(world.bank_url());
        DsopControl::new(client, TokenRequest::default(), bank).unwrap()
    };
    let bank = opened();
    write(&own);
    accounts(&bank).unwrap();
    fs::remove_file(&path).unwrap();
    accounts(&bank).unwrap();

    let bank = opened();
    for key in [&other, &own] {
        write(key);
        let error = accounts(&bank).unwrap_err();
        assert_eq!(error.code(), ErrorCode::JweInvalid, "{error}");
    }
}

#[test]
fn empty_lists_of_algorithms_are_refused() {
    let world = World::new("");
    for name in ["key_encryption", "content_encryption"] {
        let mut decryption = json!({ "key": "file:/k.pem" });
        decryption[name] = json!([]);
        let settings = world.settings(&json!({ "decryption": decryption }));
        let error = TokenClient::builder(settings)
            .build(&Call::none())
            .unwrap_err();
        let path = format!("decryption.{name}");
        assert_eq!(error.details().config_path, Some(path), "{error}");
    }
}

#[test]
fn what_the_bank_refuses_has_the_banks_code() {
    let world = World::new("");
    let bank = world.bank();
    let error = bank.account(&case(), "99999999999", Period::default(), &Call::none());
    let error = error.unwrap_err();
    assert_eq!(error.code(), ErrorCode::ApiNotFound, "{error}");
    assert_eq!(error.details().provider_code.as_deref(), Some("ACC-002"));
    assert!(!error.message().contains("99999999999"), "{error}");
    let trace = error.details().trace_id.clone().unwrap();
    assert!(uuid::Uuid::parse_str(&trace).is_ok(), "{trace}");

    let scope = TokenRequest::for_scopes(["other:scope".parse().unwrap()]);
    let bank = DsopControl::new(world.client(&json!({})), scope, Some(world.bank_url())).unwrap();
    let error = accounts(&bank).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ApiForbidden, "{error}");
    assert_eq!(error.details().provider_code.as_deref(), Some("ACC-011"));
}

#[test]
fn a_token_is_for_the_bank_it_is_sent_to() {
    let world = World::new("");
    let mut request = TokenRequest::default();
    request.resource = Some(vec!["https://other.example".to_owned()]);
    let client = world.client(&json!({}));
    let bank = DsopControl::new(client, request, Some(world.bank_url())).unwrap();
    let error = accounts(&bank).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ApiUnauthorized, "{error}");
    assert_eq!(error.details().provider_code.as_deref(), Some("ACC-010"));
}

/// The client has the first of two keys only, so the second's turn shows.
#[test]
fn keys_take_turns_in_the_encrypted_answers_of_one_organisation() {
    const PRINCIPAL: &str = "974760673";
    let other = SoftwareDecrypter::from_bytes(&support::pem(&another_key()), None).unwrap();
    let [own, other] = [own_jwk(), Value::Object(other.public_key().members())];
    let [own, other] = [own, other].map(|jwk| format!("jwk = {}", toml_table(&jwk)));
    let principals = |jwk: &str| format!("[[bank.consumers]]\norgno = '{PRINCIPAL}'\n{jwk}");
    let world = World::encrypting_in_turn(
        &format!(
            "[[maskinporten.clients.delegations]]\nconsumer = '{PRINCIPAL}'\nscopes = ['{SCOPE}']\n"
        ),
        &[
            format!("{own}\n{}", principals(&own)),
            format!("{other}\n{}", principals(&other)),
        ],
    );
    let of_own = world.bank();
    let token_request = TokenRequest::from_json(&json!({ "consumer_org": PRINCIPAL }).to_string());
    let url = Some(world.bank_url());
    let of_principal =
        DsopControl::new(world.client(&json!({})), token_request.unwrap(), url).unwrap();
    accounts(&of_own).unwrap();
    accounts(&of_principal).unwrap();
    let period = Period::new(Some("2025-01-01"), None).unwrap();
    let unknown = of_own.transactions(&case(), "12345678900", period, &Call::none());
    let unknown = unknown.unwrap_err();
    assert_eq!(unknown.details().provider_code.as_deref(), Some("ACC-002"));
    for bank in [&of_own, &of_principal] {
        let error = accounts(bank).unwrap_err();
        assert_eq!(error.code(), ErrorCode::JweInvalid, "{error}");
        accounts(bank).unwrap();
    }
}
