//! Texts with a form: URLs, scopes, dates, JWS, header values.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use segl::apis::Altinn;
use segl::apis::altinn::TokenExchange;
use segl::profiles::{ClientId, EndTime, Scope};
use segl::{Algorithm, Call, Endpoint, TokenRequest, jws};
use serde_json::{Map, Value, json};

use crate::support::{builder, json_answer, p256_key, signer};

const SCOPE: &str = r"[!#$&-+\-.-\[\]-~]{1,40}";

/// Any JSON without numbers that have no end.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((any::<String>(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn urls_are_read_and_cover_what_is_below(
        host in "[a-z][a-z0-9]{0,10}(\\.[a-z][a-z0-9]{0,5}){1,3}",
        port in proptest::option::of(1_u16..),
        path in vec("[a-zA-Z0-9_~-]{1,8}", 0..4),
        more in "[a-zA-Z0-9_~-]{1,8}",
    ) {
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        let text = format!("https://{host}{port}/{}", path.join("/"));
        let base: Endpoint = text.parse().unwrap();
        let below: Endpoint = format!("{}/{more}?q={more}", text.trim_end_matches('/')).parse().unwrap();
        prop_assert!(base.covers(&below) && !below.covers(&base));
        let beside: Endpoint = format!("{text}{more}").parse().unwrap();
        prop_assert_eq!(base.covers(&beside), path.is_empty());
        let plain = text.replacen("https", "http", 1).parse::<Endpoint>();
        prop_assert!(plain.is_err());
    }

    #[test]
    fn scopes_are_what_oauth_allows_and_no_list(
        scope in SCOPE, wrong in select(vec![' ', ',', '%', '"', '\\', '\n', '\u{e5}', '\0']), at in any::<Index>(),
    ) {
        let read: Scope = scope.parse().unwrap();
        prop_assert_eq!(read.as_str(), &scope);
        let mut text = scope.clone();
        text.insert(at.index(scope.len() + 1), wrong);
        prop_assert!(text.parse::<Scope>().is_err(), "{text}");
        if wrong != ',' && wrong != '%' && wrong != '"' && wrong != '\\' {
            prop_assert!(text.parse::<ClientId>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_date_is_the_same_in_every_offset(
        seconds in 0_i64..250_000_000_000, hours in -23_i64..=23, minutes in 0_i64..60,
    ) {
        let printed = |seconds: i64| segl::clock::UnixTime::from_seconds(seconds).to_string();
        let utc: EndTime = printed(seconds).parse().unwrap();
        prop_assert_eq!(utc.time().seconds(), seconds);
        prop_assert_eq!(utc.to_string(), printed(seconds));
        let offset = (hours.abs() * 60 + minutes) * 60 * if hours < 0 { -1 } else { 1 };
        let local = printed(seconds + offset);
        prop_assume!(local.len() == 20 && !local.starts_with('-'));
        let sign = if offset < 0 { '-' } else { '+' };
        let text = format!("{}{sign}{:02}:{minutes:02}", local.trim_end_matches('Z'), hours.abs());
        let there: EndTime = text.parse().unwrap();
        prop_assert_eq!(there, utc, "{}", text);
        let date: EndTime = printed(seconds)[..10].parse().unwrap();
        prop_assert_eq!(date.time().seconds(), seconds - seconds.rem_euclid(86_400));
    }

    #[test]
    fn what_is_signed_is_decoded(
        header in vec(("[a-z]{1,6}", value()), 0..4), claims in vec((any::<String>(), value()), 0..5),
    ) {
        let mut header: Map<String, Value> = header.into_iter().collect();
        for name in ["crit", "b64"] {
            header.remove(name);
        }
        header.insert("alg".into(), "ES256".into());
        let claims: Map<String, Value> = claims.into_iter().collect();
        let signer = signer(&p256_key());
        let payload = serde_json::to_vec(&claims).unwrap();
        let json = Value::Object(header.clone()).to_string();
        let jwt = jws::sign_json(&*signer, &json, &payload, &Call::none()).unwrap();
        let read = jws::decode(&jwt).unwrap();
        prop_assert_eq!((read.header, read.claims), (header, claims));
        let input = read.signing_input.as_bytes();
        prop_assert!(signer.public_key().verify(Algorithm::ES256, input, &read.signature));
    }

    #[test]
    fn header_values_have_the_token_where_the_setting_has_the_placeholder(
        parts in vec("[ -z|~]{0,10}", 1..4),
    ) {
        let value = parts.join("{access_token}");
        let settings = json!({
            "profile": "generic", "issuer": "https://as.example", "token_endpoint": "https://as.example/token",
            "client_id": "c", "kid": "k",
            "services": {"altinn": {"base_url": "https://altinn.example", "headers": {"X-Header": value}}},
        });
        let transport = Arc::new(Headers::default());
        let client = builder(&settings.to_string(), signer(&p256_key()), 1_700_000_000)
            .transport(transport.clone())
            .build(&Call::none())
            .unwrap();
        let altinn = Altinn::new(Arc::new(client), TokenRequest::default()).unwrap();
        altinn
            .exchange_token(TokenExchange::default(), &Call::none())
            .unwrap();
        let sent = transport.0.lock().unwrap();
        let expected = parts.join("TOKEN");
        let found = sent.iter().find(|(name, _)| name == "X-Header").map(|(_, value)| value.as_str());
        prop_assert_eq!(found.unwrap_or_default(), expected.trim_matches([' ', '\t']));
        let has_token = sent.iter().filter(|(_, value)| value.contains("TOKEN")).count();
        prop_assert!(has_token >= 1, "the token goes somewhere");
    }
}

/// Gives a token, and keeps the headers of the other request.
#[derive(Debug, Default)]
struct Headers(std::sync::Mutex<Vec<(String, String)>>);

impl segl::http::Transport for Headers {
    fn send(&self, request: &segl::http::Request, _: &Call) -> segl::Result<segl::http::Response> {
        if request.url.as_str() == "https://as.example/token" {
            let token = r#"{"access_token":"TOKEN","token_type":"Bearer","expires_in":600}"#;
            return Ok(json_answer(200, token));
        }
        let headers = request.headers.iter();
        let headers = headers.map(|(name, value)| (name.to_string(), value.as_str().to_owned()));
        self.0.lock().unwrap().extend(headers);
        Ok(json_answer(200, "a.b.c"))
    }
}
