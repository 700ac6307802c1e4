//! Maskinporten grants: what goes in, and what is refused before it is sent.

mod support;

use openssl::nid::Nid;
use serde_json::json;

use segl::{Call, ErrorCode, TokenRequest};
use support::{OrgId, builder, certificate, claims, ec_key, header, rsa_key, signer};

const WITH_KID: &str = r#"{"profile":"maskinporten","environment":"test","client_id":"c1","kid":"k1","scopes":["a:b"]}"#;

fn request(json: &str) -> TokenRequest {
    TokenRequest::from_json(json).unwrap()
}

#[test]
fn the_minimal_grant_has_the_documented_claims_and_no_more() {
    let client = builder(WITH_KID, signer(&rsa_key()), 1_700_000_000)
        .build(&Call::none())
        .unwrap();
    let jwt = client
        .assertion(&TokenRequest::default(), &Call::none())
        .unwrap();
    assert_eq!(header(&jwt), json!({"alg":"RS256","kid":"k1"}));
    let mut claims = claims(&jwt);
    assert!(uuid::Uuid::parse_str(claims["jti"].as_str().unwrap()).is_ok());
    claims["jti"] = json!("");
    assert_eq!(
        claims,
        json!({"aud":"https://test.maskinporten.no/","exp":1_700_000_120,"iat":1_700_000_000,
               "iss":"c1","jti":"","scope":"a:b"})
    );
}

#[test]
fn every_documented_claim_has_a_place() {
    let client = builder(WITH_KID, signer(&rsa_key()), 1_700_000_000)
        .build(&Call::none())
        .unwrap();
    let request = request(
        r#"{"scopes":["x:1","x:2"],"resource":["https://bank.example/api"],"consumer_org":"910753614",
            "pid":"12345678901","authorization_details":[{"type":"urn:altinn:systemuser"}]}"#,
    );
    let claims = claims(&client.assertion(&request, &Call::none()).unwrap());
    assert_eq!(claims["scope"], "x:1 x:2");
    assert_eq!(claims["resource"], json!(["https://bank.example/api"]));
    assert_eq!(claims["consumer_org"], "910753614");
    assert_eq!(claims["pid"], "12345678901");
    assert_eq!(
        claims["authorization_details"],
        json!([{"type":"urn:altinn:systemuser"}])
    );
    assert!(
        !format!("{request:?}").contains("12345678901"),
        "a pid is never printed"
    );
}

#[test]
fn each_assertion_has_its_own_jti() {
    let client = builder(WITH_KID, signer(&rsa_key()), 1_700_000_000)
        .build(&Call::none())
        .unwrap();
    let jti = || {
        claims(
            &client
                .assertion(&TokenRequest::default(), &Call::none())
                .unwrap(),
        )["jti"]
            .clone()
    };
    assert_ne!(jti(), jti());
}

#[test]
fn production_and_overrides_change_the_audience() {
    for (settings, aud) in [
        (r#""environment":"prod""#, "https://maskinporten.no/"),
        (
            r#""issuer":"https://sky.maskinporten.no""#,
            "https://sky.maskinporten.no",
        ),
        (r#""environment":"test","audience":"urn:x""#, "urn:x"),
    ] {
        let settings = format!(
            r#"{{"profile":"maskinporten",{settings},"client_id":"c1","kid":"k1","scopes":["a:b"]}}"#
        );
        let client = builder(&settings, signer(&rsa_key()), 1_700_000_000)
            .build(&Call::none())
            .unwrap();
        let jwt = client
            .assertion(&TokenRequest::default(), &Call::none())
            .unwrap();
        assert_eq!(claims(&jwt)["aud"], aud);
    }
}

#[test]
fn a_certificate_goes_into_x5c_leaf_or_chain() {
    let ca_key = ec_key(Nid::X9_62_PRIME256V1);
    let ca = certificate(&ca_key, None, &OrgId::Nothing, 10);
    let leaf = certificate(
        &rsa_key(),
        Some((&ca_key, &ca)),
        &OrgId::SerialNumber("910753614"),
        10,
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chain.pem");
    // The issuer stands first, so that the order is found and not copied.
    std::fs::write(
        &path,
        [ca.to_pem().unwrap(), leaf.to_pem().unwrap()].concat(),
    )
    .unwrap();
    for (x5c, count) in [("leaf", 1), ("chain", 2)] {
        let settings = format!(
            r#"{{"profile":"maskinporten","environment":"test","client_id":"c1","scopes":["a:b"],
                "certificate":"file:{}","x5c":"{x5c}","x5t_s256":true}}"#,
            path.display()
        );
        let client = builder(&settings, signer(&rsa_key()), support::now())
            .build(&Call::none())
            .unwrap();
        let header = header(
            &client
                .assertion(&TokenRequest::default(), &Call::none())
                .unwrap(),
        );
        let x5c = header["x5c"].as_array().unwrap();
        assert_eq!(x5c.len(), count);
        let first = openssl::base64::decode_block(x5c[0].as_str().unwrap()).unwrap();
        assert_eq!(first, leaf.to_der().unwrap());
        assert_eq!(header["x5t#S256"].as_str().unwrap().len(), 43);
        assert!(header.get("kid").is_none(), "exactly one of kid and x5c");

        let own = request(r#"{"consumer_org":"910753614"}"#);
        let error = client.assertion(&own, &Call::none()).unwrap_err();
        assert!(error.message().contains("own organisation"), "{error}");
    }
}

#[test]
fn the_orgno_is_read_from_both_generations_of_certificates() {
    for (org, expected) in [
        (OrgId::SerialNumber("910753614"), Some("910753614")),
        (
            OrgId::OrganizationIdentifier("NTRNO-910753614"),
            Some("910753614"),
        ),
        (OrgId::OrganizationIdentifier("VATNO-910753614"), None),
        (OrgId::SerialNumber("910753615"), None),
        (OrgId::Nothing, None),
    ] {
        let x509 = certificate(&rsa_key(), None, &org, 10);
        let certificate = segl::keys::Certificate::from_der(&x509.to_der().unwrap()).unwrap();
        assert_eq!(
            certificate.org_number().as_ref().map(|org| org.as_str()),
            expected
        );
    }
}

#[test]
fn wrong_settings_name_themselves() {
    let base = r#""profile":"maskinporten","client_id":"c1","scopes":["a:b"]"#;
    for (rest, path) in [
        (r#""environment":"test""#, "kid"),
        (r#""kid":"k""#, "environment"),
        (
            r#""environment":"test","kid":"k","certificate":"file:x""#,
            "kid",
        ),
        (r#""environment":"test","kid":"""#, "kid"),
        (
            r#""environment":"test","kid":"k","lifetime_seconds":121"#,
            "lifetime_seconds",
        ),
        (
            r#""environment":"test","kid":"k","lifetime_seconds":0"#,
            "lifetime_seconds",
        ),
        (r#""environment":"test","kid":"k","alg":"PS256""#, "alg"),
        (
            r#""environment":"test","kid":"k","consumer_org":"910753615""#,
            "consumer_org",
        ),
        (
            r#""environment":"test","kid":"k","grant":"jwt_bearer""#,
            "grant",
        ),
        (
            r#""environment":"test","kid":"k","key":"file:also.pem""#,
            "key",
        ),
        (r#""environment":"test","x5c":"chain""#, "x5c"),
    ] {
        let error = builder(
            &format!("{{{base},{rest}}}"),
            signer(&rsa_key()),
            support::now(),
        )
        .build(&Call::none())
        .unwrap_err();
        assert_eq!(error.code(), ErrorCode::Config, "{rest}: {error}");
        assert_eq!(
            error.details().config_path.as_deref(),
            Some(path),
            "{rest}: {error}"
        );
    }
}

#[test]
fn keys_and_certificates_that_cannot_work_are_refused() {
    let error = builder(WITH_KID, signer(&support::p256_key()), support::now())
        .build(&Call::none())
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::KeyType);
    assert!(error.message().contains("RS256"), "{error}");

    let folder = tempfile::tempdir().unwrap();
    let build = |x509: openssl::x509::X509| {
        let path = folder.path().join("cert.pem");
        std::fs::write(&path, x509.to_pem().unwrap()).unwrap();
        let settings = format!(
            r#"{{"profile":"maskinporten","environment":"test","client_id":"c1","certificate":"file:{}"}}"#,
            path.display()
        );
        builder(&settings, signer(&rsa_key()), support::now())
            .build(&Call::none())
            .unwrap_err()
    };
    let other = ec_key(Nid::X9_62_PRIME256V1);
    let error = build(certificate(&other, None, &OrgId::Nothing, 10));
    assert_eq!(error.code(), ErrorCode::CertificateMismatch, "{error}");
    let error = build(certificate(&rsa_key(), None, &OrgId::Nothing, 1));
    assert_eq!(error.code(), ErrorCode::Certificate, "{error}");
    assert!(error.message().contains("expired"), "{error}");
}

#[test]
fn wrong_requests_are_refused_and_show_no_person() {
    for json in [
        r#"{"scopes":["a:b,c:d"]}"#,
        r#"{"scopes":["a:b c:d"]}"#,
        r#"{"scopes":["a%20b"]}"#,
        r#"{"scopes":[""]}"#,
        r#"{"scope":"a:b"}"#,
        r#"{"pid":"1234567890x"}"#,
        r#"{"pid":"123456789012"}"#,
        r#"{"consumer_org":"123"}"#,
        r#"{"consumer_org":"0192:910753614"}"#,
        r#"{"authorization_details":[{"id":"1"}]}"#,
        r#"{"authorization_details":{"type":"x"}}"#,
        "[null,null,null,null,null,null]",
        r#"{"scopes":["a:b"]} {"pid":"12345678901"}"#,
        "",
    ] {
        let error = TokenRequest::from_json(json).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{json}: {error}");
        assert!(!error.to_string().contains("1234567890"), "{error}");
    }
    let client = builder(WITH_KID, signer(&rsa_key()), support::now())
        .build(&Call::none())
        .unwrap();
    for json in [
        r#"{"scopes":[]}"#,
        r#"{"resource":["bank.example"]}"#,
        r#"{"resource":["https://bank.example/#part"]}"#,
        r#"{"consumer_org":"910753614","iss_onbehalfof":"x"}"#,
    ] {
        let error = client.assertion(&request(json), &Call::none()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{json}: {error}");
    }
}

#[test]
fn typed_authorization_details_have_the_documented_form() {
    use segl::profiles::AuthorizationDetail;
    let org = "910753614".parse().unwrap();
    let detail = AuthorizationDetail::system_user(&org, Some("kunde-7")).unwrap();
    assert_eq!(
        serde_json::Value::Object(detail.members().clone()),
        json!({"type":"urn:altinn:systemuser","externalRef":"kunde-7",
               "systemuser_org":{"authority":"iso6523-actorid-upis","ID":"0192:910753614"}})
    );
    assert!(AuthorizationDetail::system_user(&org, Some("blank in it")).is_err());
    let id = "8b1f9f2e-6b1c-4f0e-9e0c-1d2f3a4b5c6d";
    assert!(
        AuthorizationDetail::consent(id, "urn:altinn:person:identifier-no:12345678901").is_ok()
    );
    let error = AuthorizationDetail::consent(id, "12345678901").unwrap_err();
    assert!(!error.to_string().contains("12345678901"), "{error}");
}
