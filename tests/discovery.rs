//! The token endpoint as the server's metadata say it.

mod support;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use segl::clock::{FixedClock, UnixTime};
use segl::http::{Request, Response, Transport};
use segl::profiles::{ClientSettings, TokenEndpoint, token_endpoint};
use segl::token::{Discovery, ServerMetadata};
use segl::{Call, Error, ErrorCode, Result};
use support::{builder, json_answer, rsa_key, signer};

const ISSUER: &str = "https://test.maskinporten.no/";
const START: i64 = 1_700_000_000;

/// The test environment's document, shape and members as published.
fn published() -> Value {
    json!({
        "authorization_details_types_supported": ["urn:altinn:systemuser", "urn:altinn:consent"],
        "grant_types_supported": ["urn:ietf:params:oauth:grant-type:jwt-bearer"],
        "issuer": ISSUER,
        "jwks_uri": "https://test.maskinporten.no/jwk",
        "token_endpoint": "https://test.maskinporten.no/token",
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS256", "RS384", "RS512"],
    })
}

/// Answers from a list, and keeps method and URL of what it was sent.
#[derive(Debug, Default)]
struct Server {
    answers: Mutex<VecDeque<Result<Response>>>,
    sent: Mutex<Vec<String>>,
}

impl Server {
    fn answering(answers: impl IntoIterator<Item = Result<Response>>) -> Arc<Self> {
        Arc::new(Self {
            answers: Mutex::new(answers.into_iter().collect()),
            sent: Mutex::default(),
        })
    }

    fn sent(&self) -> Vec<String> {
        self.sent.lock().unwrap().clone()
    }
}

impl Transport for Server {
    fn send(&self, request: &Request, _call: &Call) -> Result<Response> {
        let line = format!("{} {}", request.method, request.url);
        self.sent.lock().unwrap().push(line);
        let next = self.answers.lock().unwrap().pop_front();
        next.expect("more requests than the test expects")
    }
}

fn down() -> Result<Response> {
    Err(Error::new(ErrorCode::Network, "the server is down").with_retryable(true))
}

fn document(token_endpoint: &str) -> Result<Response> {
    let mut document = published();
    document["token_endpoint"] = token_endpoint.into();
    Ok(json_answer(200, &document.to_string()))
}

fn source(settings: &str) -> Result<TokenEndpoint> {
    token_endpoint(&ClientSettings::from_json(settings).unwrap())
}

fn maskinporten() -> Discovery {
    let settings = r#"{"profile":"maskinporten","environment":"test","discovery":true}"#;
    Discovery::new(source(settings).unwrap())
}

#[test]
fn the_published_document_is_read_and_the_least_one_too() {
    let read = ServerMetadata::from_json(published().to_string().as_bytes(), ISSUER).unwrap();
    assert_eq!(
        read.token_endpoint.as_str(),
        "https://test.maskinporten.no/token"
    );
    assert_eq!(
        read.jwks_uri.unwrap().as_str(),
        "https://test.maskinporten.no/jwk"
    );
    assert_eq!(
        read.token_endpoint_auth_signing_algs.unwrap(),
        ["RS256", "RS384", "RS512"]
    );
    assert_eq!(read.authorization_details_types.unwrap().len(), 2);
    assert_eq!(read.scopes, None);

    let least = json!({"issuer": "i", "token_endpoint": "https://as.example/t", "novel": {"a": 1}});
    let read = ServerMetadata::from_json(least.to_string().as_bytes(), "i").unwrap();
    assert_eq!((read.jwks_uri, read.grant_types), (None, None));
}

#[test]
fn metadata_that_cannot_be_trusted_are_refused() {
    let with = |name: &str, value: Value| {
        let mut document = published();
        document[name] = value;
        document.to_string()
    };
    for (document, says) in [
        // Letter for letter: a slash less is another issuer.
        (
            with("issuer", json!("https://test.maskinporten.no")),
            "and not of",
        ),
        (
            with("issuer", json!("https://evil.example/")),
            "evil.example",
        ),
        (with("issuer", json!(null)), "needs \"issuer\""),
        (
            with("token_endpoint", json!(null)),
            "needs \"issuer\" and \"token_endpoint\"",
        ),
        (
            with("token_endpoint", json!("http://test.maskinporten.no/token")),
            "not https",
        ),
        (
            with("token_endpoint", json!("https://user:secret@host/token")),
            "password",
        ),
        (with("token_endpoint", json!("/token")), "token_endpoint"),
        (
            with("jwks_uri", json!("http://test.maskinporten.no/jwk")),
            "jwks_uri",
        ),
        (with("grant_types_supported", json!("one")), "another type"),
        ("<html>".to_owned(), "not JSON"),
        ("[]".to_owned(), "lacks a member"),
    ] {
        let error = ServerMetadata::from_json(document.as_bytes(), ISSUER).unwrap_err();
        assert_eq!(error.code(), ErrorCode::MetadataInvalid, "{error}");
        assert!(error.message().contains(says), "{says}: {error}");
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    }
}

#[test]
fn metadata_are_where_the_service_or_the_rfc_puts_them() {
    let generic = r#""profile":"generic","client_id":"c","discovery":true"#;
    for (settings, url) in [
        (
            r#""profile":"maskinporten","environment":"prod","discovery":true"#.to_owned(),
            "https://maskinporten.no/.well-known/oauth-authorization-server",
        ),
        (
            r#""profile":"skyporten","environment":"test","discovery":true"#.to_owned(),
            "https://test.sky.maskinporten.no/.well-known/oauth-authorization-server",
        ),
        (
            r#""profile":"maskinporten","issuer":"http://localhost:1/mp/","discovery":true"#
                .to_owned(),
            "http://localhost:1/mp/.well-known/oauth-authorization-server",
        ),
        (
            r#""profile":"maskinporten","environment":"test","metadata":"https://as.example/m"#
                .to_owned()
                + "\"",
            "https://as.example/m",
        ),
        (
            format!(r#"{generic},"issuer":"https://as.example""#),
            "https://as.example/.well-known/oauth-authorization-server",
        ),
        // RFC 8414 section 3.1.
        (
            format!(r#"{generic},"issuer":"https://example.com/issuer1""#),
            "https://example.com/.well-known/oauth-authorization-server/issuer1",
        ),
        (
            format!(r#"{generic},"issuer":"https://example.com/a/b/""#),
            "https://example.com/.well-known/oauth-authorization-server/a/b",
        ),
    ] {
        match source(&format!("{{{settings}}}")).unwrap() {
            TokenEndpoint::InMetadata { metadata, .. } => assert_eq!(metadata.as_str(), url),
            other => panic!("{settings}: {other:?}"),
        }
    }
    for (settings, path) in [
        (
            format!(r#"{generic},"audience":"https://as.example""#),
            "issuer",
        ),
        (
            format!(
                r#"{generic},"issuer":"https://as.example","token_endpoint":"https://as.example/t""#
            ),
            "token_endpoint",
        ),
        (
            format!(r#"{generic},"issuer":"https://as.example","metadata":"http://as.example/m""#),
            "metadata",
        ),
        (
            format!(r#"{generic},"issuer":"http://as.example""#),
            "issuer",
        ),
    ] {
        let error = source(&format!("{{{settings}}}")).unwrap_err();
        assert_eq!(
            error.details().config_path.as_deref(),
            Some(path),
            "{error}"
        );
    }
}

#[test]
fn metadata_are_kept_for_a_day_and_outlive_the_server() {
    let first = "https://test.maskinporten.no/token";
    let second = "https://test.maskinporten.no/token2";
    let server = Server::answering([
        document(first),
        down(),
        Ok(json_answer(503, "busy")),
        Ok(json_answer(200, r#"{"issuer":"https://evil.example/"}"#)),
        document(second),
    ]);
    let clock = FixedClock::new(UnixTime::from_seconds(START));
    let discovery = maskinporten();
    assert_eq!(discovery.metadata(), None);
    let day = 24 * 3600;
    for (at, endpoint, sent) in [
        (0, first, 1),
        (day - 1, first, 1),
        // The server is down: tried once a minute, the old one counts.
        (day, first, 2),
        (day + 1, first, 2),
        (day + 59, first, 2),
        (day + 60, first, 3),
        (day + 120, first, 4),
        (day + 180, second, 5),
        (2 * day + 179, second, 5),
    ] {
        clock.set(UnixTime::from_seconds(START + at));
        let found = discovery
            .token_endpoint(&*server, &clock, &Call::none())
            .unwrap();
        assert_eq!(
            (found.as_str(), server.sent().len()),
            (endpoint, sent),
            "{at}"
        );
    }
    let url = "GET https://test.maskinporten.no/.well-known/oauth-authorization-server";
    assert!(server.sent().iter().all(|sent| sent == url));
    assert_eq!(discovery.metadata().unwrap().issuer, ISSUER);
}

#[test]
fn without_metadata_the_first_use_fails_and_the_next_asks_again() {
    let server = Server::answering([
        down(),
        Ok(json_answer(503, "busy")),
        Ok(Response::new(
            429,
            vec![("retry-after".into(), "7".into())],
            Vec::new(),
        )),
        Ok(json_answer(404, "gone")),
        Ok(json_answer(200, "<html>")),
        document("https://test.maskinporten.no/token"),
    ]);
    let clock = FixedClock::new(UnixTime::from_seconds(START));
    let discovery = maskinporten();
    let find = || discovery.token_endpoint(&*server, &clock, &Call::none());
    for (code, retryable) in [
        (ErrorCode::Network, true),
        (ErrorCode::TokenServer, true),
        (ErrorCode::TokenRateLimited, true),
        (ErrorCode::MetadataInvalid, false),
        (ErrorCode::MetadataInvalid, false),
    ] {
        let error = find().unwrap_err();
        let waits = error.details().retry_after.map(|wait| wait.as_secs());
        assert_eq!(waits, (code == ErrorCode::TokenRateLimited).then_some(7));
        assert_eq!(
            (error.code(), error.retryable()),
            (code, retryable),
            "{error}"
        );
    }
    find().unwrap();
}

#[test]
fn a_generic_server_may_have_the_metadata_where_openid_connect_has_them() {
    const ISSUER: &str = "https://as.example/a/";
    let settings =
        format!(r#"{{"profile":"generic","client_id":"c","discovery":true,"issuer":"{ISSUER}"}}"#);
    let metadata = |token_endpoint: &str| {
        let document = json!({"issuer": ISSUER, "token_endpoint": token_endpoint});
        Ok(json_answer(200, &document.to_string()))
    };
    let absent = || Ok(json_answer(404, "gone"));
    let (oauth, openid) = (
        "GET https://as.example/.well-known/oauth-authorization-server/a",
        "GET https://as.example/a/.well-known/openid-configuration",
    );
    let server = Server::answering([
        // Nowhere; then one place is out of order, which says nothing about the other.
        absent(),
        absent(),
        Ok(json_answer(503, "busy")),
        Ok(json_answer(200, "<html>")),
        absent(),
        down(),
        absent(),
        metadata("https://as.example/first"),
        // A day later the place is remembered; another day, and it has moved.
        metadata("https://as.example/second"),
        absent(),
        metadata("https://as.example/third"),
        metadata("https://as.example/fourth"),
    ]);
    let clock = FixedClock::new(UnixTime::from_seconds(START));
    let discovery = Discovery::new(source(&settings).unwrap());
    let find = || discovery.token_endpoint(&*server, &clock, &Call::none());
    let error = find().unwrap_err();
    assert_eq!(error.code(), ErrorCode::MetadataInvalid);
    for part in [oauth, openid, "set \"metadata\""] {
        assert!(error.message().contains(part), "{error}");
    }
    for code in [
        ErrorCode::TokenServer,
        ErrorCode::MetadataInvalid,
        ErrorCode::Network,
    ] {
        assert_eq!(find().unwrap_err().code(), code);
    }
    for (day, name) in ["first", "second", "third", "fourth"]
        .into_iter()
        .enumerate()
    {
        let at = START + i64::try_from(day).unwrap() * 24 * 3600;
        clock.set(UnixTime::from_seconds(at));
        assert_eq!(
            find().unwrap().as_str(),
            format!("https://as.example/{name}")
        );
    }
    assert_eq!(
        server.sent(),
        [
            oauth, openid, oauth, oauth, oauth, openid, oauth, openid, openid, openid, oauth,
            oauth,
        ]
    );
}

#[test]
fn metadata_that_the_settings_name_are_nowhere_else() {
    let settings = r#"{"profile":"generic","client_id":"c","issuer":"https://as.example",
        "metadata":"https://as.example/m"}"#;
    let server = Server::answering([Ok(json_answer(404, "gone"))]);
    let clock = FixedClock::new(UnixTime::from_seconds(START));
    let discovery = Discovery::new(source(settings).unwrap());
    let error = discovery.token_endpoint(&*server, &clock, &Call::none());
    assert_eq!(error.unwrap_err().code(), ErrorCode::MetadataInvalid);
}

#[test]
fn threads_that_meet_old_metadata_ask_once() {
    let first = "https://test.maskinporten.no/token";
    let server = Server::answering([document(first), down()]);
    let clock = FixedClock::new(UnixTime::from_seconds(START));
    let discovery = maskinporten();
    let find = || {
        discovery
            .token_endpoint(&*server, &clock, &Call::none())
            .unwrap()
    };
    find();
    clock.set(UnixTime::from_seconds(START + 24 * 3600));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(find().as_str(), first));
        }
    });
    assert_eq!(server.sent().len(), 2);
}

#[test]
fn a_client_asks_for_metadata_before_it_signs_and_posts_where_they_say() {
    const SETTINGS: &str = r#"{"profile":"maskinporten","environment":"test","client_id":"c1","kid":"k1",
        "scopes":["a:b"],"discovery":true}"#;
    let elsewhere = "https://elsewhere.example/token";
    let good = r#"{"access_token":"t","token_type":"Bearer","expires_in":120}"#;
    let server = Server::answering([
        document(elsewhere),
        Ok(json_answer(200, good)),
        Ok(json_answer(200, good)),
    ]);
    let client = builder(SETTINGS, signer(&rsa_key()), START)
        .transport(server.clone())
        .build(&Call::none())
        .unwrap();
    let request = segl::TokenRequest::default();
    client.fetch(&request, &Call::none()).unwrap();
    client.fetch(&request, &Call::none()).unwrap();
    let post = format!("POST {elsewhere}");
    assert_eq!(server.sent()[1..], [post.clone(), post]);
}

#[cfg(feature = "simulator")]
#[test]
fn the_simulators_metadata_lead_to_a_token_over_http() {
    use segl::simulator::{Outage, Simulator, SimulatorConfig};

    let key = signer(&rsa_key());
    let jwks = json!({"keys": [key.public_key().to_registration("k1", key.algorithms()[0])]});
    let config = format!(
        "[[maskinporten.clients]]\nclient_id = \"c1\"\norgno = \"910753614\"\nscopes = [\"a:b\"]\njwks = '{jwks}'"
    );
    let config = SimulatorConfig::from_toml(&config).unwrap();
    let simulator = Simulator::start(config, ([127, 0, 0, 1], 0).into()).unwrap();
    let clock = Arc::new(FixedClock::new(UnixTime::from_seconds(support::now())));
    let settings = json!({
        "profile": "maskinporten", "issuer": simulator.urls().maskinporten_issuer,
        "client_id": "c1", "kid": "k1", "scopes": ["a:b"], "discovery": true,
    });
    let client = builder(&settings.to_string(), key, 0)
        .clock(clock.clone())
        .build(&Call::none())
        .unwrap();
    let request = segl::TokenRequest::default();
    client.fetch(&request, &Call::none()).unwrap();

    // A day later, as the client's clock has it, the metadata are gone: the
    // endpoint known before is asked, which finds the clock wrong.
    let path = "/maskinporten/.well-known/oauth-authorization-server";
    let outage: Outage = serde_json::from_value(json!({"kind": "503", "path": path})).unwrap();
    simulator.set_outage(Some(outage));
    clock.set(UnixTime::from_seconds(support::now() + 24 * 3600));
    let error = client.fetch(&request, &Call::none()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::TokenAssertionFromFuture, "{error}");
}
