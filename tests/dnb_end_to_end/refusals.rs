//! What the bank does not take, and what the client says of it.

use segl::ErrorCode;
use segl::apis::require_success;
use segl::clock::{FixedClock, UnixTime};
use segl::http::{Method, Request};

use super::*;

/// Sends `token` to the API on a connection of `client`.
fn show(bank: &Bank, client: &TokenClient, token: &str) -> Response {
    let url = bank.urls().dnb_api.parse().unwrap();
    let request = Request::new(Method::Get, url)
        .header("Authorization", format!("Bearer {token}"))
        .header("Connection", "close");
    client.transport().send(&request, &Call::none()).unwrap()
}

#[test]
fn who_shows_no_certificate_gets_no_token() {
    let bank = Bank::new("");
    let client = bank.client(&key("assertion"), &bank.no_certificate());
    let error = bank.call(&client).unwrap_err();
    assert_eq!(error.code(), ErrorCode::TokenInvalidClient, "{error:?}");
    let told = error.details().oauth_error_description.as_deref();
    assert!(told.unwrap().contains("a client certificate is needed"));
    assert_eq!(bank.simulator.requests().dnb_api, 0);
}

#[test]
fn a_token_is_good_with_its_certificate_only() {
    let bank = Bank::new("");
    let certificates =
        ["tls-rsa", "tls-ec"].map(|object| bank.certify(&key(object), object, VALID));
    let with = |object: &str| bank.client(&key("assertion"), &bank.tls(&key(object), object));
    let (one, other) = (with("tls-rsa"), with("tls-ec"));
    bank.lets_in(&one, &certificates[0]);
    let token = one.token(&TokenRequest::default(), &Call::none()).unwrap();
    assert_eq!(show(&bank, &one, token.access_token()).status, 200);

    let answer = show(&bank, &other, token.access_token());
    assert_eq!(answer.status, 401);
    assert!(description(&answer).contains("another certificate"));
    let error = require_success(&answer, "the API").unwrap_err();
    assert_eq!(error.details().http_status, Some(401), "{error:?}");

    let without = bank.settings(&key("assertion"), &bank.no_certificate());
    let answer = show(&bank, &build(&without).unwrap(), token.access_token());
    assert_eq!(answer.status, 401);
    assert!(description(&answer).contains("a client certificate is needed"));
}

#[test]
fn a_strict_host_ends_the_handshake() {
    let bank = Bank::new("client_certificates = 'require'");
    let settings = bank.settings(&key("assertion"), &bank.no_certificate());
    let client = Arc::new(build(&bank.registered(settings)).unwrap());
    let error = bank.call(&client).unwrap_err();
    assert_eq!(
        error.code(),
        ErrorCode::ClientCertificateRequired,
        "{error:?}"
    );
    assert!(!error.details().retryable);

    let uri = key("tls-ec");
    let public = segl::keys::open(&uri.parse().unwrap(), None, &Call::none()).unwrap();
    let public = public.public_key().to_spki_der().unwrap();
    let public = PKey::public_key_from_der(&public).unwrap();
    let foreign = Authority::new("A stranger").client(&public, "foreign", VALID);
    bank.write("foreign.pem", &foreign.to_pem().unwrap());
    let client = bank.client(&key("assertion"), &bank.tls(&uri, "foreign"));
    let error = bank.call(&client).unwrap_err();
    assert_eq!(
        error.code(),
        ErrorCode::ClientCertificateRefused,
        "{error:?}"
    );

    let x509 = bank.certify(&uri, "good", VALID);
    let client = bank.client(&key("assertion"), &bank.tls(&uri, "good"));
    bank.lets_in(&client, &x509);
}

#[test]
fn an_expired_certificate_is_refused_on_both_sides() {
    let bank = Bank::new("");
    let uri = key("tls-ec");
    bank.certify(&uri, "expired", -5..-1);
    let expired = bank.settings(&key("assertion"), &bank.tls(&uri, "expired"));
    let error = build(&expired).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Certificate, "{error:?}");

    // The bank's clock is two days ahead, so that it alone sees the end.
    let later = UnixTime::from_seconds(support::now() + 2 * 86_400);
    for (tls, code) in [
        ("", ErrorCode::TokenInvalidClient),
        (
            "client_certificates = 'require'",
            ErrorCode::ClientCertificateRefused,
        ),
    ] {
        let bank = Bank::at(tls, Arc::new(FixedClock::new(later)));
        bank.certify(&uri, "ends", -2..1);
        let mut settings = bank.settings(&key("assertion"), &bank.tls(&uri, "ends"));
        settings["client_id"] = json!("c");
        let error = bank.call(&Arc::new(build(&settings).unwrap())).unwrap_err();
        assert_eq!(error.code(), code, "{error:?}");
        assert_eq!(bank.simulator.requests().dnb_issued, 0);
    }
}

/// As `openssl x509 -req` makes them when it is given no extensions.
#[test]
fn a_certificate_of_version_1_says_what_it_lacks() {
    let bank = Bank::new("");
    let uri = key("tls-ec");
    let v3 = bank.certify(&uri, "v1", VALID);
    let mut builder = X509::builder().unwrap();
    builder.set_subject_name(v3.subject_name()).unwrap();
    builder.set_issuer_name(v3.issuer_name()).unwrap();
    builder.set_not_before(v3.not_before()).unwrap();
    builder.set_not_after(v3.not_after()).unwrap();
    builder.set_pubkey(&v3.public_key().unwrap()).unwrap();
    builder
        .sign(&world().authority.key, MessageDigest::sha256())
        .unwrap();
    bank.write("v1.pem", &builder.build().to_pem().unwrap());
    let settings = bank.settings(&key("assertion"), &bank.tls(&uri, "v1"));
    let error = build(&settings).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Certificate, "{error:?}");
    assert!(error.message().contains("version 3"), "{error}");
}

#[test]
fn tokens_go_to_the_apis_of_the_settings_only() {
    let bank = Bank::new("");
    bank.certify(&key("tls-ec"), "ec", VALID);
    let client = bank.client(&key("assertion"), &bank.tls(&key("tls-ec"), "ec"));
    let request = ApiRequest::new("GET", &bank.urls().helseid_api).unwrap();
    let error = request
        .send(&client, TokenRequest::default(), &Call::none())
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::ApiNotAllowed);
    assert_eq!(bank.simulator.requests().dnb_issued, 0);
}
