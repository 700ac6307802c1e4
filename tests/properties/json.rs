//! What servers and programs write in JSON.

use openssl::nid::Nid;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use segl::profiles::ConsumerOrg;
use segl::token::ServerMetadata;
use segl::{Call, ErrorCode, PublicJwk, TokenRequest};
use serde_json::{Value, json};

use crate::support::{ScriptedTransport, builder, ec_key, json_answer, p256_key, signer};

const NOW: i64 = 1_700_000_000;

proptest! {
    #[test]
    fn token_requests_are_read_member_by_member(
        scopes in option::of(vec("[a-z:/.]{1,20}", 0..3)),
        resource in option::of(vec("https://[a-z]{1,8}/", 0..3)),
        consumer in option::of(select(vec![json!("910753614"), json!("974760673"), Value::Null])),
        pid in option::of(select(vec!["23079422568", "05848998356"])),
    ) {
        let mut members = serde_json::Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            members.extend(value.map(|value| (name.to_owned(), value)));
        };
        put("scopes", scopes.clone().map(Value::from));
        put("resource", resource.clone().map(Value::from));
        put("consumer_org", consumer.clone());
        put("pid", pid.map(Value::from));
        let read = TokenRequest::from_json(&Value::Object(members.clone()).to_string()).unwrap();
        let texts = read.scopes.map(|scopes| scopes.iter().map(|s| s.as_str().to_owned()).collect());
        prop_assert_eq!(texts, scopes);
        prop_assert_eq!(read.resource, resource);
        prop_assert_eq!(read.pid.as_ref().map(|pid| pid.expose()), pid);
        let org = match &read.consumer_org {
            ConsumerOrg::OfClient => None,
            ConsumerOrg::Own => Some(Value::Null),
            ConsumerOrg::Org(number) => Some(number.as_str().into()),
        };
        prop_assert_eq!(org, consumer);
        members.insert("other".into(), true.into());
        let error = TokenRequest::from_json(&Value::Object(members).to_string()).unwrap_err();
        prop_assert_eq!(error.code(), ErrorCode::InvalidArgument);
    }

    #[test]
    fn metadata_are_taken_from_their_issuer_only(
        host in "[a-z]{1,10}\\.example",
        path in "(/[a-z]{1,5}){0,2}/?",
        other in "[a-z]{1,10}\\.example",
        lists in vec(option::of(vec("[A-Za-z0-9_-]{1,10}", 0..4)), 3),
        aliased in any::<bool>(),
    ) {
        let issuer = format!("https://{host}{path}");
        let mut json = json!({
            "issuer": issuer, "token_endpoint": format!("https://{host}/token"), "unknown": [1],
            "scopes_supported": lists[0], "dpop_signing_alg_values_supported": lists[1],
            "grant_types_supported": lists[2],
        });
        if aliased {
            json["mtls_endpoint_aliases"] = json!({"token_endpoint": format!("https://mtls.{host}/token")});
        }
        let bytes = json.to_string().into_bytes();
        let read = ServerMetadata::from_json(&bytes, &issuer).unwrap();
        prop_assert_eq!(&read.issuer, &issuer);
        prop_assert_eq!([&read.scopes, &read.dpop_signing_algs, &read.grant_types], [&lists[0], &lists[1], &lists[2]]);
        let usual = format!("https://{host}/token");
        prop_assert_eq!(read.token_endpoint_for(false).as_str(), &usual);
        prop_assert_eq!(read.token_endpoint_for(true).as_str() != usual, aliased);
        let wrong = format!("https://{other}{path}");
        prop_assert_eq!(ServerMetadata::from_json(&bytes, &wrong).is_ok(), wrong == issuer);
    }

    #[test]
    fn a_token_is_the_one_in_the_answer(
        token in "[!-~]{1,60}", seconds in 1_i64..100_000, as_text in any::<bool>(),
        kind in select(vec!["Bearer", "bearer", "BEARER"]), scope in option::of("[ -!#-\\[\\]-~]{0,30}"),
    ) {
        let expires = if as_text { json!(seconds.to_string()) } else { json!(seconds) };
        let answer = json!({
            "access_token": token, "token_type": kind, "expires_in": expires, "scope": scope,
        }).to_string();
        let settings = r#"{"profile":"generic","issuer":"https://as.example","client_id":"c","kid":"k",
            "token_endpoint":"https://as.example/token"}"#;
        let client = builder(settings, signer(&p256_key()), NOW)
            .transport(ScriptedTransport::answering([json_answer(200, &answer)]))
            .build(&Call::none())
            .unwrap();
        let read = client.token(&TokenRequest::default(), &Call::none()).unwrap();
        prop_assert_eq!(read.access_token(), &token);
        let authorization = read.authorization();
        prop_assert_eq!(authorization.as_str(), format!("Bearer {token}"));
        prop_assert_eq!(read.scope(), scope.as_deref());
        prop_assert_eq!(read.expires_at().seconds(), NOW + seconds);
        prop_assert_eq!(read.response_json(), &answer);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn new_keys_are_the_same_in_every_form(is_p384 in any::<bool>(), more in "[a-z]{3,8}") {
        let curve = if is_p384 { Nid::SECP384R1 } else { Nid::X9_62_PRIME256V1 };
        let der = ec_key(curve).public_key_to_der().unwrap();
        let key = PublicJwk::from_spki_der(&der).unwrap();
        prop_assert_eq!(key.to_spki_der().unwrap(), der);
        let mut members = key.members();
        members.insert(more, "x".into());
        prop_assert_eq!(&PublicJwk::from_json(&Value::Object(members.clone()).to_string()).unwrap(), &key);
        // Off the curve.
        let (x, y) = (members["x"].clone(), members["y"].clone());
        (members["x"], members["y"]) = (y, x);
        let error = PublicJwk::from_json(&Value::Object(members).to_string()).unwrap_err();
        prop_assert_eq!(error.code(), ErrorCode::KeyFormat);
    }
}
