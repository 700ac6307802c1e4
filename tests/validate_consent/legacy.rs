//! Consent tokens of Altinn 2.

use proptest::prelude::*;
use segl::ErrorCode;
use serde_json::{Value, json};

use crate::rows::check_rows;
use crate::support::rsa_key;
use crate::world::{
    ALTINN, ALTINN_KEY, ALTINN_KEYS, NOW, ORG, OTHER_PERSON, PERSON, STRANGER, World, claims, jws,
    token,
};

fn world() -> World {
    World::with(json!({ "legacy_consent": { "metadata": ALTINN } }))
}

fn header() -> Value {
    json!({ "alg": "RS256", "typ": "JWT", "kid": "A1B2", "x5t": "A1B2" })
}

/// As Altinn 2 made them.
fn consent() -> Value {
    json!({
        "AuthorizationCode": "5f2f5c9f-5a51-4b0b-8f2e-2f2d1c6b5a10",
        "OfferedBy": PERSON,
        "CoveredBy": ORG,
        "DelegatedDate": NOW - 100,
        "ValidToDate": NOW + 1000,
        "Services": ["5498_1", "5498_1_Navn=Kari Nordmann"],
        "iss": "altinn.no",
        "nbf": NOW,
        "iat": NOW,
        "exp": NOW + 30,
    })
}

fn changed(name: &str, value: Value) -> Value {
    let mut claims = consent();
    match value {
        Value::Null => claims.as_object_mut().unwrap().remove(name),
        value => claims
            .as_object_mut()
            .unwrap()
            .insert(name.to_owned(), value),
    };
    claims
}

fn signed(claims: &Value) -> String {
    jws(&header(), claims, &ALTINN_KEY)
}

fn required(token: &str) -> Value {
    json!({ "legacy_consent": { "token": token, "from": PERSON, "services": ["5498_1"] } })
}

fn check(world: &World, consent: &str) -> segl::Result<segl::VerifiedToken> {
    world.check(&claims(), &required(consent))
}

#[test]
fn a_consent_token_beside_the_access_token() {
    let world = world();
    let verified = check(&world, &signed(&consent())).unwrap();
    let consent = verified.legacy_consent().unwrap();
    let service = "5498_1".parse().unwrap();
    assert_eq!(consent.to.as_str(), ORG);
    assert_eq!(consent.parameter(&service, "Navn"), Some("Kari Nordmann"));
    assert!(!format!("{verified:?} {consent:?}").contains(PERSON));
    assert!(!format!("{verified:?} {consent:?}").contains("Kari"));
    let json = verified.to_json().unwrap();
    assert_eq!(
        json["legacy_consent"]["services"]["5498_1"]["Navn"],
        "Kari Nordmann"
    );
    check(&world, &signed(&crate::legacy::consent())).unwrap();
    assert_eq!(world.sites.asked(ALTINN), 1);
    assert_eq!(world.sites.asked(ALTINN_KEYS), 1);
}

#[test]
fn forms_that_were_seen_are_read() {
    let world = world();
    let plain = signed(&consent());
    for token in [
        format!("\"{plain}\""),
        format!("'{plain}'"),
        format!(" \"{plain}\"\n"),
        signed(&changed("Services", json!("5498_1"))),
        signed(&changed("ValidToDate", json!((NOW + 5).to_string()))),
        signed(&changed("ValidToDate", json!("2026-09-21T16:13:25+02:00"))),
        signed(&changed("HandledBy", json!(""))),
        signed(&changed("HandledBy", json!(STRANGER))),
    ] {
        check(&world, &token).unwrap();
    }
    let mut prose = changed("ValidToDate", Value::Null);
    prose["ValidTo"] = json!(NOW + 5);
    check(&world, &signed(&prose)).unwrap();
}

#[test]
fn it_is_off_unless_it_is_set() {
    let error = check(&World::new(), &signed(&consent())).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Config);
    assert!(error.message().contains("legacy_consent"), "{error}");
}

#[test]
fn each_fault_has_its_number() {
    use ErrorCode::*;
    let forged = jws(&header(), &consent(), &rsa_key());
    let of_key = |kid: &str| {
        jws(
            &json!({ "alg": "RS256", "kid": kid }),
            &consent(),
            &ALTINN_KEY,
        )
    };
    let alg = |alg: &str| {
        jws(
            &json!({ "alg": alg, "kid": "A1B2" }),
            &consent(),
            &ALTINN_KEY,
        )
    };
    let mut both = consent();
    both["ValidTo"] = json!(NOW);
    let claims_cases = [
        (
            "iss",
            json!("https://altinn.no"),
            AccessTokenIssuer,
            "altinn.no",
        ),
        ("iss", Value::Null, AccessTokenIssuer, "iss"),
        ("exp", json!(NOW - 11), ConsentExpired, "cached"),
        ("exp", Value::Null, ConsentMalformed, "exp"),
        ("iat", json!(NOW + 11), ConsentExpired, "future"),
        ("nbf", json!(NOW + 11), ConsentExpired, "future"),
        ("ValidToDate", json!(NOW), ConsentExpired, "ended"),
        ("ValidToDate", Value::Null, ConsentMalformed, "ValidToDate"),
        (
            "ValidToDate",
            json!("21.09.2027"),
            ConsentMalformed,
            "ValidToDate",
        ),
        ("CoveredBy", json!(STRANGER), ConsentOrganisation, ORG),
        ("CoveredBy", json!("x"), ConsentMalformed, "CoveredBy"),
        ("OfferedBy", json!(OTHER_PERSON), ConsentGiver, "not"),
        ("OfferedBy", Value::Null, ConsentMalformed, "OfferedBy"),
        ("Services", json!(["5498_2"]), ConsentRight, "5498_2"),
        ("Services", json!([]), ConsentRight, "5498_1"),
        ("Services", json!("x"), ConsentMalformed, "Services"),
    ];
    let mut cases: Vec<_> = claims_cases
        .into_iter()
        .map(|(name, value, code, words)| (signed(&changed(name, value)), code, words))
        .collect();
    cases.extend([
        (signed(&both), ConsentExpired, "ended"),
        (String::new(), ConsentMissing, "no consent token"),
        ("\"\"".to_owned(), ConsentMissing, "no consent token"),
        ("a.b".to_owned(), ConsentMalformed, "has three"),
        (forged, AccessTokenSignature, "consent token"),
        (of_key("A1B3"), AccessTokenKeyUnknown, "A1B3"),
        (alg("RS512"), AccessTokenAlgorithm, "RS512"),
        (alg("none"), AccessTokenAlgorithm, "none"),
        (alg("HS256"), AccessTokenAlgorithm, "HS256"),
        (token(&claims()), AccessTokenKeyUnknown, "k1"),
    ]);
    let world = world();
    check_rows(cases, |(token, code, words)| {
        let error = check(&world, token).unwrap_err();
        assert_eq!(error.code(), *code, "{error}");
        assert!(error.message().contains(words), "{error}");
        assert!(error.message().contains("consent"), "{error}");
        for person in [PERSON, OTHER_PERSON, "Kari"] {
            assert!(!format!("{error:?}").contains(person), "{error:?}");
        }
        assert_eq!(error.details().http_status, Some(403), "{error}");
    });
}

#[test]
fn of_a_cached_token_only_the_end_of_the_consent_counts() {
    let world = world();
    let token = signed(&changed("ValidToDate", json!(NOW + 1000)));
    let cached = |is_cached: bool, end: i64| {
        world.set_time(end);
        let mut access = claims();
        access["iat"] = json!(end);
        access["exp"] = json!(end + 120);
        let mut required = required(&token);
        required["legacy_consent"]["cached"] = is_cached.into();
        world
            .check(&access, &required)
            .map_err(|error| error.code())
    };
    cached(false, NOW + 39).unwrap();
    assert_eq!(
        cached(false, NOW + 40).unwrap_err(),
        ErrorCode::ConsentExpired
    );
    cached(true, NOW + 999).unwrap();
    assert_eq!(
        cached(true, NOW + 1000).unwrap_err(),
        ErrorCode::ConsentExpired
    );
}

#[test]
fn the_access_token_is_checked_first() {
    let world = world();
    let mut expired = claims();
    expired["exp"] = json!(NOW - 100);
    let error = world.refusal(&expired, &required(&signed(&consent())));
    assert_eq!(error.code(), ErrorCode::AccessTokenExpired);
    assert_eq!(world.sites.asked(ALTINN), 0);
}

#[test]
fn other_places_and_issuers_can_be_set() {
    let world = World::with(json!({
        "legacy_consent": { "issuer": "altinn.example", "jwks_uri": ALTINN_KEYS },
    }));
    check(&world, &signed(&changed("iss", json!("altinn.example")))).unwrap();
    let error = check(&world, &signed(&consent())).unwrap_err();
    assert_eq!(error.code(), ErrorCode::AccessTokenIssuer);
    assert_eq!(world.sites.asked(ALTINN), 0);
}

#[test]
fn altinns_own_address_follows_from_the_environment() {
    let world = World::with(json!({ "legacy_consent": {} }));
    let error = check(&world, &signed(&consent())).unwrap_err();
    assert_eq!(error.code(), ErrorCode::JwksUnavailable, "{error}");
    let url = "https://tt02.altinn.no/.well-known/oauth-authorization-server";
    assert_eq!(world.sites.asked(url), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn no_claims_panic(name in "OfferedBy|CoveredBy|ValidToDate|ValidTo|Services|HandledBy|exp|iat|iss", text in "\\PC{0,20}", number in any::<i64>()) {
        let world = world();
        for value in [json!(text), json!(number), json!([text]), json!({ "x": text })] {
            let _ = check(&world, &signed(&changed(&name, value)));
        }
        let _ = check(&world, &text);
    }
}
