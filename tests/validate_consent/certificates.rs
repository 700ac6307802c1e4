//! Tokens that are bound to a client certificate (RFC 8705 section 3).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use openssl::sha::sha256;
use segl::{Error, ErrorCode};
use serde_json::{Value, json};

use crate::support::{OrgId, certificate, p256_key, rsa_key};
use crate::world::{World, base64url, claims};

fn refused(error: &Error) {
    assert_eq!(error.code(), ErrorCode::AccessTokenBinding, "{error}");
    assert_eq!(error.details().http_status, Some(401));
    assert_eq!(
        error.details().oauth_error.as_deref(),
        Some("invalid_token")
    );
}

#[test]
fn a_token_is_the_certificates_holders() {
    let world = World::new();
    let clients = certificate(&p256_key(), None, &OrgId::Nothing, 30);
    let others = certificate(&rsa_key(), None, &OrgId::Nothing, 30);
    let der = clients.to_der().unwrap();
    let mut bound = claims();
    bound["cnf"] = json!({ "x5t#S256": base64url(sha256(&der)) });
    let pem = |certificate: &openssl::x509::X509| {
        String::from_utf8(certificate.to_pem().unwrap()).unwrap()
    };
    let packed = STANDARD.encode(&der);
    let (first, second) = packed.split_at(64);
    for text in [
        pem(&clients),
        format!("\n{}", pem(&clients)),
        packed.clone(),
        format!("{first}\r\n{second}\r\n"),
        format!(":{packed}:"),
    ] {
        let required = json!({ "client_certificate": text });
        let verified = world.check(&bound, &required).unwrap();
        let confirmation = verified.confirmation().unwrap();
        assert_eq!(
            confirmation.x5t_s256.as_deref(),
            bound["cnf"]["x5t#S256"].as_str()
        );
        assert!(confirmation.jkt.is_none());
        refused(&world.refusal(&claims(), &required));
    }
    refused(&world.refusal(&bound, &json!({ "client_certificate": pem(&others) })));
    refused(&world.refusal(&bound, &json!({})));
}

#[test]
fn a_token_can_be_bound_to_both() {
    let world = World::new();
    let clients = certificate(&p256_key(), None, &OrgId::Nothing, 30);
    let der = clients.to_der().unwrap();
    let mut bound = claims();
    bound["cnf"] = json!({ "x5t#S256": base64url(sha256(&der)), "jkt": "x" });
    let required = json!({ "client_certificate": STANDARD.encode(der) });
    let error = world.refusal(&bound, &required);
    assert_eq!(error.code(), ErrorCode::DpopProofInvalid);
}

#[test]
fn what_is_no_certificate_is_refused() {
    let world = World::new();
    let one = certificate(&p256_key(), None, &OrgId::Nothing, 30);
    let pem = String::from_utf8(one.to_pem().unwrap()).unwrap();
    let escaped = pem.replace('\n', "%0A").replace(' ', "%20");
    for text in [
        json!(""),
        json!("x"),
        json!("AAAA"),
        json!(format!("{pem}{pem}")),
        json!(escaped),
        json!("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        Value::from(7),
    ] {
        let error = world.refusal(&claims(), &json!({ "client_certificate": text }));
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{error}");
        assert!(error.message().contains("client_certificate"), "{error}");
    }
}
