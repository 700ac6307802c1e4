//! Tokens that are good, and what is read from them.

use openssl::pkey::{PKey, Private};
use serde_json::{Value, json};

use crate::support::{p256_key, rsa_key};
use crate::world::{
    ISSUER, Issuer, NOW, ORGNO, P384, PERSON, SUPPLIER, World, claims, jwk, token, token_with,
};

#[test]
fn a_token_is_read_into_types() {
    let world = World::new();
    let claims = claims(|claims| {
        claims["supplier"] =
            json!({"authority": "iso6523-actorid-upis", "ID": format!("0192:{SUPPLIER}")});
        claims["delegation_source"] = "https://tt02.altinn.no/".into();
        claims["aud"] = json!(["https://api.bank.example", "https://other.example"]);
        claims["pid"] = PERSON.into();
        claims["authorization_details"] = json!([{"type": "urn:altinn:systemuser"}]);
        claims["nbf"] = NOW.into();
    });
    let token = world.check(&token(&rsa_key(), &claims), "{}").unwrap();
    assert_eq!(token.issuer(), ISSUER);
    assert_eq!(token.expires_at().seconds(), NOW + 115);
    assert_eq!(token.issued_at().unwrap().seconds(), NOW - 5);
    assert_eq!(token.id(), claims["jti"].as_str());
    assert_eq!(token.client_id(), claims["client_id"].as_str());
    assert_eq!(token.client_amr(), Some("private_key_jwt"));
    assert_eq!(
        token.scopes().collect::<Vec<_>>(),
        ["bank:saldo.read", "bank:konto"]
    );
    assert!(token.has_scope("bank:konto") && !token.has_scope("bank"));
    let audiences: Vec<_> = token.audiences().collect();
    assert_eq!(
        audiences,
        ["https://api.bank.example", "https://other.example"]
    );
    assert_eq!(
        token.consumer().unwrap().org_number().unwrap().as_str(),
        ORGNO
    );
    assert_eq!(token.supplier().unwrap().id(), format!("0192:{SUPPLIER}"));
    assert_eq!(token.delegation_source(), Some("https://tt02.altinn.no/"));
    assert_eq!(token.person().unwrap().expose(), PERSON);
    assert!(token.confirmation().is_none());
    assert_eq!(
        token.authorization_details(),
        Some(&claims["authorization_details"])
    );
    let payload: Value = serde_json::from_str(token.payload()).unwrap();
    assert_eq!(payload, claims);

    let json = token.to_json().unwrap();
    assert_eq!(json["claims"], claims);
    assert_eq!(json["scopes"], json!(["bank:saldo.read", "bank:konto"]));
    assert_eq!(
        json["consumer"],
        json!({"authority": "iso6523-actorid-upis", "id": format!("0192:{ORGNO}"), "orgno": ORGNO})
    );
    assert_eq!(json["expires_at"], NOW + 115);
    assert_eq!(json["pid"], PERSON);
    assert!(!format!("{token:?} {json:?}").contains(PERSON));
}

#[test]
fn what_is_absent_is_null_or_empty() {
    let world = World::new();
    let bare = json!({"iss": ISSUER, "exp": NOW + 1});
    let token = world.check(&token(&rsa_key(), &bare), "{}").unwrap();
    let json = token.to_json().unwrap();
    for member in [
        "issued_at",
        "id",
        "client_id",
        "client_amr",
        "consumer",
        "supplier",
        "delegation_source",
        "pid",
    ] {
        assert!(json.get(member).is_some_and(Value::is_null), "{member}");
    }
    assert_eq!(json["scopes"], json!([]));
    assert_eq!(json["audiences"], json!([]));
}

#[test]
fn claims_that_cannot_be_written_are_the_tokens_fault() {
    let world = World::new();
    let payload = claims(|_| {}).to_string();
    let deep = format!("{}1{}", "[".repeat(500), "]".repeat(500));
    let payload = format!("{},\"other\":{deep}}}", payload.strip_suffix('}').unwrap());
    let token = segl::jws::sign_json(
        crate::support::signer(&rsa_key()).as_ref(),
        r#"{"alg":"RS256","kid":"k"}"#,
        payload.as_bytes(),
        &segl::Call::none(),
    )
    .unwrap();
    let verified = world.check(&token, "{}").unwrap();
    let error = verified.to_json().unwrap_err();
    crate::world::assert_refused(&error, segl::ErrorCode::AccessTokenMalformed);
}

#[test]
fn what_is_required_is_there() {
    let world = World::new();
    let delegated = claims(|claims| {
        claims["supplier"] =
            json!({"authority": "iso6523-actorid-upis", "ID": format!("0192:{SUPPLIER}")});
        // One of Digdir's examples lacks the slash.
        claims["delegation_source"] = "https://tt02.altinn.no".into();
        claims["aud"] = "https://api.bank.example".into();
        claims["pid"] = PERSON.into();
    });
    for requirements in [
        json!({}),
        json!({"scopes": ["bank:konto"]}),
        json!({"scopes": ["bank:konto", "bank:saldo.read"]}),
        json!({"any_scope": ["bank:other", "bank:konto"]}),
        json!({"audience": "https://api.bank.example"}),
        json!({"consumer": ORGNO}),
        json!({"supplier": SUPPLIER}),
        json!({"delegation_source": "https://tt02.altinn.no/"}),
        json!({"delegation_source": "https://tt02.altinn.no"}),
        json!({"pid": PERSON}),
    ] {
        let token = token(&rsa_key(), &delegated);
        world.check(&token, &requirements.to_string()).unwrap();
    }
    let own = token(&rsa_key(), &claims(|_| {}));
    world.check(&own, r#"{"supplier": null}"#).unwrap();
}

#[test]
fn scopes_may_be_an_array_and_blanks_repeated() {
    let world = World::new();
    for scope in [json!(["a:b", "bank:konto"]), json!(" a:b  bank:konto ")] {
        let token = token(&rsa_key(), &claims(|claims| claims["scope"] = scope));
        world
            .check(&token, r#"{"scopes": ["bank:konto", "a:b"]}"#)
            .unwrap();
    }
}

#[test]
fn requirements_go_before_the_settings() {
    let world = World::with(
        r#"{"environment":"test","scopes":["a:b"],"audience":"https://standing.example"}"#,
    );
    let token = token(
        &rsa_key(),
        &claims(|claims| claims["aud"] = "https://own.example".into()),
    );
    assert!(world.check(&token, "{}").is_err());
    assert!(world.check(&token, r#"{"scopes":["bank:konto"]}"#).is_err());
    assert!(
        world
            .check(&token, r#"{"audience":"https://own.example"}"#)
            .is_err()
    );
    world
        .check(
            &token,
            r#"{"scopes":["bank:konto"],"audience":"https://own.example"}"#,
        )
        .unwrap();
}

#[test]
fn each_algorithm_is_accepted_when_it_is_allowed_and_only_then() {
    let keys: [(&PKey<Private>, &str); 3] = [(&rsa_key(), "r"), (&p256_key(), "e"), (&P384, "f")];
    let published: Vec<_> = keys.iter().map(|(key, kid)| jwk(key, kid)).collect();
    for (alg, index) in [
        ("RS256", 0),
        ("RS384", 0),
        ("RS512", 0),
        ("PS256", 0),
        ("ES256", 1),
        ("ES384", 2),
    ] {
        let (key, kid) = keys[index];
        let token = token_with(key, &json!({"alg": alg, "kid": kid}), &claims(|_| {}));
        for allowed in ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384"] {
            let settings = json!({"environment": "test", "algorithms": [allowed]});
            let world = World::of(&settings.to_string(), Issuer::new(&published));
            // Twice: the second check finds the header known.
            for _ in 0..2 {
                let checked = world.check(&token, "{}");
                assert_eq!(checked.is_ok(), alg == allowed, "{alg} {allowed}");
            }
        }
        let usual = World::of(r#"{"environment":"test"}"#, Issuer::new(&published));
        assert_eq!(
            usual.check(&token, "{}").is_ok(),
            alg.starts_with("RS"),
            "{alg}"
        );
    }
}

#[test]
fn a_token_is_good_until_the_leeway_after_its_end() {
    let world = World::with(r#"{"environment":"test","leeway_seconds":3}"#);
    for (exp, iat, is_good) in [
        (NOW - 2, NOW - 10, true),
        (NOW - 3, NOW - 10, false),
        (NOW + 100, NOW + 3, true),
        (NOW + 100, NOW + 4, false),
    ] {
        let token = token(
            &rsa_key(),
            &claims(|claims| {
                claims["exp"] = exp.into();
                claims["iat"] = iat.into();
            }),
        );
        assert_eq!(world.check(&token, "{}").is_ok(), is_good, "{exp} {iat}");
    }
}
