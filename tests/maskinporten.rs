//! Maskinporten grants: what goes in, and what is refused before it is sent.

mod support;

use std::sync::{Arc, Mutex};

use openssl::nid::Nid;
use serde_json::{Value, json};

use segl::log::Level;
use segl::{Call, ErrorCode, TokenRequest};
use support::{
    OrgId, ScriptedTransport, builder, certificate, claims, ec_key, header, json_answer, rsa_key,
    signer,
};

const WITH_KID: &str = r#"{"profile":"maskinporten","environment":"test","client_id":"c1","kid":"k1","scopes":["a:b"]}"#;

/// The claims of an assertion that was made at 1,700,000,000.
fn claims_of(settings: &str, request: &TokenRequest) -> Value {
    let client = builder(settings, signer(&rsa_key()), 1_700_000_000)
        .build(&Call::none())
        .unwrap_or_else(|error| panic!("{settings}: {error}"));
    claims(&client.assertion(request, &Call::none()).unwrap())
}

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
        json!({"aud":"https://test.maskinporten.no/","exp":1_700_000_118,"iat":1_699_999_998,
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
            "pid":"23079422568","authorization_details":[{"type":"urn:example:account","id":7}]}"#,
    );
    let claims = claims(&client.assertion(&request, &Call::none()).unwrap());
    assert_eq!(claims["scope"], "x:1 x:2");
    assert_eq!(claims["resource"], json!(["https://bank.example/api"]));
    assert_eq!(claims["consumer_org"], "910753614");
    assert_eq!(claims["pid"], "23079422568");
    assert_eq!(
        claims["authorization_details"],
        json!([{"type":"urn:example:account","id":7}])
    );
    assert!(
        !format!("{request:?}").contains("23079422568"),
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
fn iat_lies_back_and_exp_is_counted_from_it() {
    for (settings, iat, exp) in [
        ("", -2, 118),
        (r#","backdate_seconds":0"#, 0, 120),
        (r#","backdate_seconds":9,"lifetime_seconds":100"#, -9, 91),
        (r#","nbf":true"#, -2, 118),
    ] {
        let settings = WITH_KID.replace('}', &format!("{settings}}}"));
        let claims = claims_of(&settings, &TokenRequest::default());
        assert_eq!(claims["iat"], 1_700_000_000 + iat, "{settings}");
        assert_eq!(claims["exp"], 1_700_000_000 + exp, "{settings}");
        match settings.contains("nbf") {
            true => assert_eq!(claims["nbf"], claims["iat"]),
            false => assert!(claims.get("nbf").is_none()),
        }
    }
}

#[test]
fn each_environment_has_its_audience_letter_for_letter() {
    for (settings, aud) in [
        (
            r#""profile":"maskinporten","environment":"prod""#,
            "https://maskinporten.no/",
        ),
        (
            r#""profile":"maskinporten","environment":"test""#,
            "https://test.maskinporten.no/",
        ),
        (
            r#""profile":"maskinporten","issuer":"https://test.maskinporten.no/""#,
            "https://test.maskinporten.no/",
        ),
        (
            r#""profile":"skyporten","environment":"prod""#,
            "https://sky.maskinporten.no",
        ),
        (
            r#""profile":"skyporten","environment":"test""#,
            "https://test.sky.maskinporten.no",
        ),
        (
            r#""profile":"maskinporten","issuer":"https://as.example/realm""#,
            "https://as.example/realm",
        ),
        (
            r#""profile":"maskinporten","environment":"test","audience":"urn:x""#,
            "urn:x",
        ),
    ] {
        let settings = format!(r#"{{{settings},"client_id":"c1","kid":"k1","scopes":["a:b"]}}"#);
        assert_eq!(claims_of(&settings, &TokenRequest::default())["aud"], aud);
    }
}

#[test]
fn skyporten_is_asked_at_its_own_endpoint() {
    let transport = ScriptedTransport::answering([json_answer(
        400,
        r#"{"error":"invalid_scope","error_description":"Token request contains invalid scopes for client"}"#,
    )]);
    let settings = WITH_KID.replace("maskinporten", "skyporten");
    let client = builder(&settings, signer(&rsa_key()), support::now())
        .transport(transport)
        .build(&Call::none())
        .unwrap();
    let error = client
        .token(&TokenRequest::default(), &Call::none())
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::TokenScopeNotOnClient);
    let who = "skyporten (test.sky.maskinporten.no)";
    assert!(error.message().starts_with(who), "{error}");
}

#[test]
fn a_request_names_its_consumer_or_does_without_the_clients() {
    let settings = WITH_KID.replace('}', r#","consumer_org":"910753614"}"#);
    for (json, consumer) in [
        ("{}", json!("910753614")),
        (r#"{"consumer_org":"974760673"}"#, json!("974760673")),
        (r#"{"consumer_org":null}"#, json!(null)),
        (
            r#"{"consumer_org":null,"iss_onbehalfof":"customer"}"#,
            json!(null),
        ),
    ] {
        let claims = claims_of(&settings, &request(json));
        assert_eq!(claims["consumer_org"], consumer, "{json}");
        assert_eq!(claims.get("consumer_org").is_none(), consumer.is_null());
    }
    let null = request(r#"{"consumer_org":null}"#);
    assert_ne!(request("{}"), null, "each has its own token in the cache");
}

#[test]
fn the_deprecated_claim_is_sent_and_warned_about() {
    struct Records(Arc<Mutex<Vec<String>>>);
    impl segl::log::Sink for Records {
        fn log(&self, level: Level, _target: &'static str, message: &str) {
            let record = format!("{level:?} {message}");
            self.0.lock().unwrap().push(record);
        }
    }
    let records = Arc::new(Mutex::new(Vec::new()));
    let sink = Records(Arc::clone(&records));
    segl::log::set_sink(Some(Box::new(sink)), Level::Warn);
    let claims = claims_of(WITH_KID, &request(r#"{"iss_onbehalfof":"customer"}"#));
    segl::log::set_sink(None, Level::Warn);
    assert_eq!(claims["iss_onbehalfof"], "customer");
    let records = records.lock().unwrap().join("\n");
    let warning = "Warn iss_onbehalfof is deprecated";
    assert!(records.contains(warning), "{records}");
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
fn an_eseal_sends_its_whole_chain_and_needs_no_client_id() {
    let ca_key = ec_key(Nid::X9_62_PRIME256V1);
    let ca = certificate(&ca_key, None, &OrgId::Nothing, 10);
    let leaf = |org: &OrgId<'_>| certificate(&rsa_key(), Some((&ca_key, &ca)), org, 10);
    let foreign = leaf(&OrgId::OrganizationIdentifier("VATSE-556000000001"));
    let nameless = leaf(&OrgId::SerialNumber("910753614"));
    let folder = tempfile::tempdir().unwrap();
    let build = |name: &str, chain: &[&openssl::x509::X509], more: &str| {
        let path = folder.path().join(name);
        let pem: Vec<u8> = chain.iter().flat_map(|c| c.to_pem().unwrap()).collect();
        std::fs::write(&path, pem).unwrap();
        let settings = format!(
            r#"{{"profile":"maskinporten","environment":"test","eseal":true,"scopes":["a:b"],
                "certificate":"file:{}"{more}}}"#,
            path.display()
        );
        builder(&settings, signer(&rsa_key()), support::now()).build(&Call::none())
    };
    for (more, iss) in [
        ("", "VATSE-556000000001"),
        (r#","client_id":"c1""#, "c1"),
        (r#","x5c":"chain""#, "VATSE-556000000001"),
    ] {
        let client = build("good.pem", &[&foreign, &ca], more).unwrap();
        let jwt = client
            .assertion(&TokenRequest::default(), &Call::none())
            .unwrap();
        assert_eq!(header(&jwt)["x5c"].as_array().unwrap().len(), 2);
        assert!(header(&jwt).get("kid").is_none());
        assert_eq!(claims(&jwt)["iss"], iss);
    }
    let leaf_only = r#","x5c":"leaf""#;
    for (chain, more, path, says) in [
        (vec![&foreign], "", "certificate", "whole chain"),
        (vec![&foreign, &ca], leaf_only, "x5c", "eseal"),
        (
            vec![&nameless, &ca],
            "",
            "certificate",
            "organizationIdentifier",
        ),
    ] {
        let error = build("bad.pem", &chain, more).unwrap_err();
        assert_eq!(error.details().config_path.as_deref(), Some(path));
        assert!(error.message().contains(says), "{error}");
    }
    let kid = r#"{"profile":"maskinporten","environment":"test","eseal":true,"kid":"k"}"#;
    let error = builder(kid, signer(&rsa_key()), support::now())
        .build(&Call::none())
        .unwrap_err();
    assert_eq!(error.details().config_path.as_deref(), Some("kid"));
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
fn wrong_requests_are_refused_and_show_no_person() {
    for json in [
        r#"{"scopes":["a:b,c:d"]}"#,
        r#"{"scopes":["a:b c:d"]}"#,
        r#"{"scopes":["a%20b"]}"#,
        r#"{"scopes":[""]}"#,
        r#"{"scope":"a:b"}"#,
        r#"{"pid":"2307942256x"}"#,
        r#"{"pid":"230794225682"}"#,
        r#"{"consumer_org":"123"}"#,
        r#"{"consumer_org":"0192:910753614"}"#,
        r#"{"authorization_details":[{"id":"1"}]}"#,
        r#"{"authorization_details":{"type":"x"}}"#,
        "[null,null,null,null,null,null]",
        r#"{"scopes":["a:b"]} {"pid":"23079422568"}"#,
        "",
    ] {
        let error = TokenRequest::from_json(json).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{json}: {error}");
        assert!(!error.to_string().contains("2307942256"), "{error}");
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
    let members = |detail: &AuthorizationDetail| Value::Object(detail.members().clone());
    let documented = json!({"type":"urn:altinn:systemuser","externalRef":"kunde-7",
        "systemuser_org":{"authority":"iso6523-actorid-upis","ID":"0192:910753614"}});
    assert_eq!(members(&detail), documented);
    assert!(AuthorizationDetail::system_user(&org, Some("blank in it")).is_err());
    let id = "8b1f9f2e-6b1c-4f0e-9e0c-1d2f3a4b5c6d";
    let person = "urn:altinn:person:identifier-no:23079422568";
    let consent = AuthorizationDetail::consent(id, person).unwrap();
    assert!(!format!("{consent:?}").contains("23079422568"));
    let error = AuthorizationDetail::consent(id, "23079422568").unwrap_err();
    assert!(!error.to_string().contains("23079422568"), "{error}");

    // The same from JSON.
    for element in [documented, members(&consent)] {
        let request = request(&json!({"authorization_details": [element]}).to_string());
        let claims = claims_of(WITH_KID, &request);
        assert_eq!(claims["authorization_details"], json!([element]));
        assert!(!format!("{request:?}").contains("23079422568"));
    }
}

#[test]
fn wrong_authorization_details_are_refused_before_they_are_sent() {
    let org = r#""systemuser_org":{"authority":"iso6523-actorid-upis","ID":"0192:910753614"}"#;
    let user = |members: &str| format!(r#"{{"type":"urn:altinn:systemuser",{members}}}"#);
    let consent = |members: &str| format!(r#"{{"type":"urn:altinn:consent",{members}}}"#);
    let id = r#""id":"8b1f9f2e-6b1c-4f0e-9e0c-1d2f3a4b5c6d""#;
    let from = r#""from":"urn:altinn:person:identifier-no:23079422568""#;
    let long = "a".repeat(256);
    for (element, says) in [
        (user(r#""externalRef":"a""#), "systemuser_org"),
        (user(r#""systemuser_org":"910753614""#), "systemuser_org"),
        (user(&org.replace("0192:", "0184:")), "0192:"),
        (user(&org.replace("iso6523", "iso9999")), "authority"),
        (
            user(&org.replace("910753614", "910753615")),
            "check digit (modulo 11)",
        ),
        (
            user(&org.replace('}', r#","name":"x"}"#)),
            "does not know; it has authority, ID",
        ),
        (
            user(&format!(r#"{org},"systemuser_id":["x"]"#)),
            "does not know; it has type, systemuser_org, externalRef",
        ),
        (
            user(&format!(r#"{org},"externalRef":"a b""#)),
            "externalRef",
        ),
        (user(&format!(r#"{org},"externalRef":"""#)), "externalRef"),
        (user(&format!(r#"{org},"externalRef":7"#)), "externalRef"),
        (user(&format!(r#"{org},"externalRef":"{long}""#)), "255"),
        (consent(id), "needs \"from\""),
        (consent(from), "needs \"id\""),
        (consent(&format!(r#""id":"7",{from}"#)), "UUID"),
        (consent(&format!(r#"{id},"from":"23079422568""#)), "from"),
        (
            consent(&format!(r#"{id},{from},"to":"x""#)),
            "does not know; it has type, id, from",
        ),
    ] {
        let json = format!(r#"{{"authorization_details":[{element}]}}"#);
        let error = TokenRequest::from_json(&json).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{json}: {error}");
        assert!(error.message().contains(says), "{json}: {error}");
        assert!(!format!("{error:?}").contains("23079422568"), "{error:?}");
    }
    // 255 are allowed, and Norwegian letters are one character each.
    let long = user(&format!(r#"{org},"externalRef":"{}""#, "æ".repeat(255)));
    request(&format!(r#"{{"authorization_details":[{long}]}}"#));
}

#[test]
fn a_request_is_for_one_system_user_or_one_consent() {
    let user = r#"{"type":"urn:altinn:systemuser",
        "systemuser_org":{"authority":"iso6523-actorid-upis","ID":"0192:910753614"}}"#;
    let consent = r#"{"type":"urn:altinn:consent","id":"8b1f9f2e-6b1c-4f0e-9e0c-1d2f3a4b5c6d",
        "from":"urn:altinn:organization:identifier-no:910753614"}"#;
    let other = r#"{"type":"urn:example:x"}"#;
    let client = builder(WITH_KID, signer(&rsa_key()), support::now())
        .build(&Call::none())
        .unwrap();
    let make = |elements: &str| {
        let json = format!(r#"{{"authorization_details":[{elements}]}}"#);
        client.assertion(&request(&json), &Call::none())
    };
    for elements in [
        format!("{user},{user}"),
        format!("{user},{consent}"),
        format!("{consent},{other}"),
    ] {
        let error = make(&elements).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
        assert!(error.message().contains("one request for each"), "{error}");
    }
    make(&format!("{other},{other}")).unwrap();
}
