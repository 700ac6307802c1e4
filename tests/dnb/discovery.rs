//! DNB's token endpoint from its metadata, and the one for clients with a client
//! certificate (RFC 8705 section 5), which every profile with metadata knows.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use segl::clock::{FixedClock, UnixTime};
use segl::http::{Request, Response, Transport};
use segl::profiles::{ClientSettings, TokenEndpoint, token_endpoint};
use segl::token::{Discovery, ServerMetadata};
use segl::{Call, ErrorCode, Result, TokenRequest};
use serde_json::{Value, json};

use crate::support::{
    OrgId, builder, certificate, claims, json_answer, now, p256_key, pem, signer,
};
use crate::wire::{self, TOKEN, Wire};

const ISSUER: &str = "https://api.ciam.dnb.no";
const PLAIN: &str = "https://api.ciam.dnb.no/as/token.oauth2";
const ALIAS: &str = "https://mtls.auth.dnb.no/as/token.oauth2";

fn document(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "jwks_uri": "https://api.ciam.dnb.no/jwks",
        "token_endpoint": PLAIN,
        "tls_client_certificate_bound_access_tokens": true,
        "mtls_endpoint_aliases": {"token_endpoint": ALIAS, "revocation_endpoint": "https://mtls.auth.dnb.no/r"},
    })
}

/// Answers from a list, and keeps what it was sent.
#[derive(Debug)]
struct Server {
    answers: Mutex<VecDeque<Response>>,
    sent: Mutex<Vec<(String, String)>>,
}

impl Server {
    fn answering(answers: impl IntoIterator<Item = Response>) -> Arc<Self> {
        Arc::new(Self {
            answers: Mutex::new(answers.into_iter().collect()),
            sent: Mutex::default(),
        })
    }
}

impl Transport for Server {
    fn send(&self, request: &Request, _call: &Call) -> Result<Response> {
        let line = format!("{} {}", request.method, request.url);
        let body = String::from_utf8(request.body.to_vec()).unwrap();
        self.sent.lock().unwrap().push((line, body));
        Ok(self.answers.lock().unwrap().pop_front().unwrap())
    }
}

fn source(settings: &str) -> Result<TokenEndpoint> {
    token_endpoint(&ClientSettings::from_json(settings).unwrap())
}

#[test]
fn the_metadata_are_where_openid_connect_puts_them() {
    for (more, url, wanted) in [
        (
            r#""discovery":true"#,
            "https://api.ciam.dnb.no/.well-known/openid-configuration",
            ISSUER,
        ),
        (
            r#""discovery":true,"environment":"prod""#,
            "https://api.ciam.dnb.no/.well-known/openid-configuration",
            ISSUER,
        ),
        // After the path, unlike RFC 8414.
        (
            r#""discovery":true,"issuer":"https://bank.example/as/""#,
            "https://bank.example/as/.well-known/openid-configuration",
            "https://bank.example/as/",
        ),
        (
            r#""metadata":"https://bank.example/m""#,
            "https://bank.example/m",
            ISSUER,
        ),
    ] {
        match source(&format!(r#"{{"profile":"dnb",{more}}}"#)).unwrap() {
            TokenEndpoint::InMetadata {
                metadata,
                otherwise: None,
                issuer,
            } => {
                assert_eq!((metadata.as_str(), issuer.as_str()), (url, wanted));
            }
            other => panic!("{more}: {other:?}"),
        }
    }
}

#[test]
fn what_does_not_fit_together_is_refused() {
    for (more, path) in [
        (
            r#""discovery":true,"token_endpoint":"https://a.example/t""#,
            "token_endpoint",
        ),
        (r#""discovery":true,"issuer":"http://a.example""#, "issuer"),
        // DNB documents no test environment: nothing of production is taken for it.
        (r#""environment":"test""#, "environment"),
        (r#""environment":"test","discovery":true"#, "issuer"),
        (
            r#""environment":"test","discovery":true,"issuer":"https://uat.example""#,
            "audience",
        ),
    ] {
        let error = source(&format!(r#"{{"profile":"dnb",{more}}}"#)).unwrap_err();
        assert_eq!(
            error.details().config_path.as_deref(),
            Some(path),
            "{error}"
        );
    }
    let test = r#"{"profile":"dnb","environment":"test","discovery":true,"issuer":"https://uat.example",
        "audience":"https://uat.example/t"}"#;
    assert!(source(test).is_ok());
}

#[test]
fn another_issuer_is_refused_by_the_name_that_it_gives_itself() {
    let document = document("https://api.ciam.dnb.no/").to_string();
    let error = ServerMetadata::from_json(document.as_bytes(), ISSUER).unwrap_err();
    assert_eq!(error.code(), ErrorCode::MetadataInvalid);
    let message = error.message();
    assert!(
        message.contains("\"https://api.ciam.dnb.no/\"") && message.contains("set \"issuer\""),
        "{message}"
    );
}

#[test]
fn the_alias_is_for_those_with_a_certificate() {
    let read =
        |document: &Value| ServerMetadata::from_json(document.to_string().as_bytes(), ISSUER);
    let metadata = read(&document(ISSUER)).unwrap();
    assert!(metadata.certificate_bound_tokens);
    assert_eq!(metadata.token_endpoint_for(true).as_str(), ALIAS);
    assert_eq!(metadata.token_endpoint_for(false).as_str(), PLAIN);

    for absent in [
        json!(null),
        json!({}),
        json!({"revocation_endpoint": "https://a.example/r"}),
    ] {
        let mut document = document(ISSUER);
        document["mtls_endpoint_aliases"] = absent;
        document["tls_client_certificate_bound_access_tokens"] = Value::Null;
        let metadata = read(&document).unwrap();
        assert!(!metadata.certificate_bound_tokens);
        assert_eq!(metadata.token_endpoint_for(true).as_str(), PLAIN);
    }
    for bad in [
        json!("https://a.example/t"),
        json!({"token_endpoint": "http://a.example/t"}),
    ] {
        let mut document = document(ISSUER);
        document["mtls_endpoint_aliases"] = bad;
        let error = read(&document).unwrap_err();
        assert_eq!(error.code(), ErrorCode::MetadataInvalid, "{error}");
    }
}

#[test]
fn every_profile_with_metadata_knows_the_alias_and_keeps_it() {
    for settings in [
        r#"{"profile":"dnb","discovery":true}"#.to_owned(),
        format!(r#"{{"profile":"generic","client_id":"c","discovery":true,"issuer":"{ISSUER}"}}"#),
        format!(r#"{{"profile":"maskinporten","discovery":true,"issuer":"{ISSUER}"}}"#),
    ] {
        for (has_certificate, endpoint) in [(true, ALIAS), (false, PLAIN)] {
            let server = Server::answering([
                json_answer(200, &document(ISSUER).to_string()),
                json_answer(503, "busy"),
            ]);
            let discovery =
                Discovery::new(source(&settings).unwrap()).with_client_certificate(has_certificate);
            let clock = FixedClock::new(UnixTime::from_seconds(now()));
            // The second is a day later, and the server is down.
            for day in [0, 86_400, 86_401] {
                clock.set(UnixTime::from_seconds(now() + day));
                let found = discovery.token_endpoint(&*server, &clock, &Call::none());
                assert_eq!(found.unwrap().as_str(), endpoint, "{settings}");
            }
        }
    }
}

#[test]
fn a_client_posts_where_the_metadata_say_and_its_audience_stays() {
    let folder = tempfile::tempdir().unwrap();
    let key = p256_key();
    let mut both = pem(&key);
    both.extend(
        certificate(&key, None, &OrgId::Nothing, 30)
            .to_pem()
            .unwrap(),
    );
    let path = folder.path().join("tls.pem");
    std::fs::write(&path, both).unwrap();
    for (with_certificate, endpoint) in [(false, "/token"), (true, "/mtls/token")] {
        let server = Wire::new(|seen| {
            let base = format!("http://{}", seen.all("host")[0]);
            let mut document = document(&base);
            document["token_endpoint"] = format!("{base}/token").into();
            document["mtls_endpoint_aliases"]["token_endpoint"] =
                format!("{base}/mtls/token").into();
            match &*seen.method {
                "GET" => wire::json(200, &document.to_string()),
                _ => wire::json(200, TOKEN),
            }
        });
        let mut settings =
            json!({"profile": "dnb", "client_id": "c", "discovery": true, "issuer": server.base});
        if with_certificate {
            settings["tls"] = json!({"key": format!("file:{}", path.display())});
        }
        let client = builder(&settings.to_string(), signer(&p256_key()), now())
            .build(&Call::none())
            .unwrap();
        client
            .token(&TokenRequest::default(), &Call::none())
            .unwrap();
        let seen = server.seen();
        let targets: Vec<_> = seen.iter().map(|seen| seen.target.as_str()).collect();
        assert_eq!(targets, ["/.well-known/openid-configuration", endpoint]);
        let form = url::form_urlencoded::parse(&seen[1].body);
        let assertion = form
            .into_owned()
            .find(|(name, _)| name == "client_assertion");
        // What DNB documents, whatever the issuer and the endpoint are.
        assert_eq!(claims(&assertion.unwrap().1)["aud"], json!([PLAIN]));
    }
}
