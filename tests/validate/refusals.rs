//! Tokens that are refused: rightly signed, but not for this.

use segl::validate::{ConsentRequirement, Party};
use segl::{Call, ErrorCode, Requirements};
use serde_json::{Value, json};

use crate::rows::check_rows;
use crate::support::rsa_key;
use crate::world::{
    NOW, ORGNO, OTHER_PERSON, OTHER_RSA, PERSON, SUPPLIER, World, assert_refused, claims, token,
};

fn organisation(id: &str) -> Value {
    json!({"authority": "iso6523-actorid-upis", "ID": id})
}

#[test]
fn each_claim_is_compared_with_what_is_required() {
    use ErrorCode::*;
    let cases: Vec<(Value, Value, ErrorCode, &[&str])> = vec![
        (
            json!({"iss": "https://maskinporten.no/"}),
            json!({}),
            AccessTokenIssuer,
            &["https://maskinporten.no/"],
        ),
        // One stored configuration lacks the slash; the token never does.
        (
            json!({"iss": "https://test.maskinporten.no"}),
            json!({}),
            AccessTokenIssuer,
            &[],
        ),
        (
            json!({"exp": NOW - 10}),
            json!({}),
            AccessTokenExpired,
            &["2026-09-21"],
        ),
        (
            json!({"iat": NOW + 11}),
            json!({}),
            AccessTokenNotYetValid,
            &["iat"],
        ),
        (
            json!({"nbf": NOW + 11}),
            json!({}),
            AccessTokenNotYetValid,
            &["nbf"],
        ),
        (
            json!({}),
            json!({"scopes": ["bank:konto", "bank:skriv"]}),
            AccessTokenScope,
            &["bank:skriv", "bank:saldo.read"],
        ),
        (
            json!({}),
            json!({"scopes": ["bank"]}),
            AccessTokenScope,
            &[],
        ),
        // The token's is longer.
        (
            json!({}),
            json!({"scopes": ["bank:saldo"]}),
            AccessTokenScope,
            &[],
        ),
        (
            json!({"scope": "bank:konto\tbank:skriv"}),
            json!({"scopes": ["bank:skriv"]}),
            AccessTokenScope,
            &[],
        ),
        (
            json!({"scope": ""}),
            json!({"scopes": ["bank:konto"]}),
            AccessTokenScope,
            &[],
        ),
        (
            json!({"scope": null}),
            json!({"scopes": ["bank:konto"]}),
            AccessTokenScope,
            &[],
        ),
        (
            json!({}),
            json!({"any_scope": ["a:b", "c:d"]}),
            AccessTokenScope,
            &["a:b or c:d"],
        ),
        (
            json!({}),
            json!({"consumer": SUPPLIER}),
            AccessTokenConsumer,
            &[SUPPLIER, ORGNO],
        ),
        (
            json!({"consumer": null}),
            json!({"consumer": ORGNO}),
            AccessTokenConsumer,
            &["none"],
        ),
        (
            json!({"consumer": {"authority": "etsi-en-319-412", "ID": format!("NTRNO-{ORGNO}")}}),
            json!({"consumer": ORGNO}),
            AccessTokenConsumer,
            &["NTRNO"],
        ),
        (
            json!({"consumer": organisation(&format!("0088:{ORGNO}"))}),
            json!({"consumer": ORGNO}),
            AccessTokenConsumer,
            &["0088"],
        ),
        // Registers of persons are not shown (checked for each row).
        (
            json!({"consumer": {"authority": "etsi-en-319-412", "ID": format!("PNONO-{PERSON}")}}),
            json!({"consumer": ORGNO}),
            AccessTokenConsumer,
            &["PNONO"],
        ),
        (
            json!({}),
            json!({"supplier": SUPPLIER}),
            AccessTokenSupplier,
            &[SUPPLIER, "none"],
        ),
        (
            json!({"supplier": organisation(&format!("0192:{SUPPLIER}"))}),
            json!({"supplier": null}),
            AccessTokenSupplier,
            &["must not be delegated", SUPPLIER],
        ),
        (
            json!({"delegation_source": "https://tt02.altinn.no/"}),
            json!({"supplier": null}),
            AccessTokenSupplier,
            &[],
        ),
        (
            json!({"supplier": organisation(&format!("0192:{SUPPLIER}"))}),
            json!({"supplier": ORGNO}),
            AccessTokenSupplier,
            &[ORGNO, SUPPLIER],
        ),
        (
            json!({}),
            json!({"delegation_source": "https://www.altinn.no/"}),
            AccessTokenSupplier,
            &["none"],
        ),
        (
            json!({"delegation_source": "https://tt02.altinn.no/"}),
            json!({"delegation_source": "https://www.altinn.no/"}),
            AccessTokenSupplier,
            &["tt02"],
        ),
        (
            json!({}),
            json!({"audience": "https://api.example"}),
            AccessTokenAudience,
            &["https://api.example", "resource"],
        ),
        (
            json!({"aud": "unspecified"}),
            json!({"audience": "https://api.example"}),
            AccessTokenAudience,
            &["unspecified"],
        ),
        (
            json!({"aud": []}),
            json!({"audience": "https://api.example"}),
            AccessTokenAudience,
            &[],
        ),
        (
            json!({"aud": ["https://api.example/", "unspecified"]}),
            json!({"audience": "https://api.example"}),
            AccessTokenAudience,
            &["https://api.example/"],
        ),
        (
            json!({}),
            json!({"pid": PERSON}),
            AccessTokenPerson,
            &["none"],
        ),
        (
            json!({"pid": OTHER_PERSON}),
            json!({"pid": PERSON}),
            AccessTokenPerson,
            &["another"],
        ),
    ];
    let world = World::new();
    check_rows(cases, |(changes, requirements, code, says)| {
        let error = world.refusal(|claims| change(claims, changes), &requirements.to_string());
        assert_refused(&error, *code);
        for part in *says {
            assert!(error.message().contains(part), "{part}: {error}");
        }
    });
}

fn change(claims: &mut Value, changes: &Value) {
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
}

#[test]
fn an_unspecified_audience_is_accepted_only_when_that_is_set() {
    let world = World::with(
        r#"{"environment":"test","audience":"https://api.example","allow_unspecified_audience":true}"#,
    );
    for (aud, is_good) in [
        (Value::Null, true),
        (json!("unspecified"), true),
        (json!([]), true),
        (json!("https://api.example"), true),
        (json!("https://other.example"), false),
        (json!(["https://other.example", "unspecified"]), false),
    ] {
        let token = token(&rsa_key(), &claims(|claims| claims["aud"] = aud.clone()));
        assert_eq!(world.check(&token, "{}").is_ok(), is_good, "{aud}");
    }
}

#[test]
fn claims_that_cannot_be_read_are_named_and_not_shown() {
    let world = World::new();
    let rows = [
        (json!({"exp": null}), "exp"),
        (json!({"exp": "soon"}), "seconds"),
        (json!({"exp": -1}), "time"),
        (json!({"exp": 1e300}), "time"),
        (json!({"iss": 7}), ""),
        (json!({"scope": [1]}), ""),
        (json!({"scope": {}}), ""),
        (json!({"consumer": "0192:910753614"}), ""),
        (json!({"consumer": {"ID": "0192:910753614"}}), "authority"),
        (
            json!({"consumer": organisation("0192:910753615")}),
            "consumer",
        ),
        (json!({"supplier": organisation("910753614")}), "supplier"),
        (json!({"pid": "23079422569"}), "pid"),
        (json!({"pid": 23079422568u64}), ""),
        (json!({"cnf": {"jkt": 1}}), ""),
        (json!({"scope": ["bank:konto", "a:b c:d"]}), "blank"),
        // The values of an object are no object.
        (json!({"cnf": ["jkt", "x5t"]}), ""),
        (
            json!({"consumer": ["iso6523-actorid-upis", "0192:910753614"]}),
            "",
        ),
    ];
    check_rows(rows, |(changes, says)| {
        let error = world.refusal(|claims| change(claims, changes), "{}");
        assert_refused(&error, ErrorCode::AccessTokenMalformed);
        assert!(error.message().contains(says), "{changes}: {error}");
        assert!(!error.message().contains("2307942"), "{error}");
        assert!(!error.message().contains("91075361"), "{error}");
    });
}

#[test]
fn a_claim_that_is_there_twice_is_refused() {
    let world = World::new();
    let signer = crate::support::signer(&rsa_key());
    for twice in [
        r#""iss":"https://test.maskinporten.no/""#,
        r#""scope":"x""#,
        r#""exp":9999999999"#,
        r#""\u0065xp":9999999999"#,
        r#""authorization_details":[{"type":"urn:altinn:consent","to":"a","to":"b"}]"#,
        r#""authorization_details":[{"from":{"a":1,"\u0061":2}}]"#,
    ] {
        let json = claims(|_| {}).to_string();
        let payload = format!("{},{twice}}}", json.trim_end_matches('}'));
        // The claims end with an object's brace of their own only once.
        assert!(serde_json::from_str::<Value>(&payload).is_ok(), "{payload}");
        let header = r#"{"alg":"RS256","kid":"k"}"#;
        let token =
            segl::jws::sign_json(signer.as_ref(), header, payload.as_bytes(), &Call::none())
                .unwrap();
        assert_refused(
            &world.check(&token, "{}").unwrap_err(),
            ErrorCode::AccessTokenMalformed,
        );
    }
}

#[test]
fn nothing_is_believed_before_the_signature() {
    let world = World::new();
    let expired = claims(|claims| claims["exp"] = 0.into());
    let error = world.check(&token(&OTHER_RSA, &expired), "{}").unwrap_err();
    assert_refused(&error, ErrorCode::AccessTokenSignature);
    let world = World::new();
    world
        .check(&token(&rsa_key(), &claims(|_| {})), "{}")
        .unwrap();
    // The header is known now, from the token before.
    let error = world.check(&token(&OTHER_RSA, &expired), "{}").unwrap_err();
    assert_refused(&error, ErrorCode::AccessTokenSignature);
}

#[test]
fn requirements_that_are_none_are_refused_by_name() {
    for (json, says) in [
        ("[]", "object"),
        ("", "object"),
        ("{", ""),
        (r#"{"scopes":[]}"#, "scopes"),
        (r#"{"scope":["a:b"]}"#, "scope"),
        (r#"{"scopes":["a b"]}"#, "scopes[0]"),
        (r#"{"any_scope":[]}"#, "any_scope"),
        (r#"{"audience":""}"#, "audience"),
        (r#"{"delegation_source":""}"#, "delegation_source"),
        (r#"{"consumer":"910753615"}"#, "consumer"),
        (r#"{"consumer":910753614}"#, "consumer"),
        (r#"{"supplier":"0192:910753614"}"#, "supplier"),
        (r#"{"pid":"23079422569"}"#, "pid"),
        (r#"{"pid":23079422568}"#, "pid"),
        (r#"{} {}"#, ""),
    ] {
        let error = Requirements::from_json(json).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{json}");
        assert!(error.message().contains(says), "{json}: {error}");
        assert!(!format!("{error:?}").contains("2307942"), "{error:?}");
    }
}

#[test]
fn requirements_that_a_program_left_empty_are_refused() {
    let world = World::with(r#"{"environment":"test","scopes":["bank:saldo"]}"#);
    let good = token(&rsa_key(), &claims(|_| {}));
    let consent = ConsentRequirement {
        from: Party::Person(PERSON.parse().unwrap()),
        resources: Vec::new(),
        action: None,
    };
    for (member, lose) in [
        (
            "scopes",
            &(|required: &mut Requirements| required.scopes = Some(Vec::new()))
                as &dyn Fn(&mut Requirements),
        ),
        ("any_scope", &|required| {
            required.any_scope = Some(Vec::new())
        }),
        ("consent.resources", &|required| {
            required.consent = Some(consent.clone())
        }),
    ] {
        let mut requirements = Requirements::default();
        lose(&mut requirements);
        let checked = world.validator.check(&good, &requirements, &Call::none());
        let error = checked.unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{error}");
        assert!(error.message().contains(member), "{error}");
    }
}

#[test]
fn requirements_that_are_null_are_refused() {
    for member in [
        "scopes",
        "any_scope",
        "audience",
        "consumer",
        "delegation_source",
        "pid",
        "consent",
        "legacy_consent",
        "dpop",
        "client_certificate",
    ] {
        let error = Requirements::from_json(&json!({ member: null }).to_string()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
        assert!(error.message().contains(member), "{error}");
    }
}

#[test]
fn a_number_that_may_be_a_persons_is_not_repeated() {
    // Cut off in the middle it would be recognised no more.
    let scope = format!("a:{} bank:{PERSON}", "b".repeat(82));
    let world = World::new();
    for (name, value, required) in [
        ("scope", json!(scope), json!({"scopes": ["bank:konto"]})),
        ("iss", json!(format!("https://{PERSON}.example")), json!({})),
        (
            "delegation_source",
            json!(PERSON),
            json!({"delegation_source": "https://x.example"}),
        ),
    ] {
        let claims = claims(|claims| claims[name] = value);
        let refused = world.check(&token(&rsa_key(), &claims), &required.to_string());
        let error = refused.unwrap_err();
        assert!(!error.message().contains(&PERSON[..8]), "{error}");
    }
}
