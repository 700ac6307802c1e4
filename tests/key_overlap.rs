//! Two registered keys of one client: when the service refuses one, the other one's
//! assertion is sent in the same call.

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use segl::clock::{FixedClock, UnixTime};
use segl::http::{Request, Response, Transport};
use segl::profiles::ClientSettings;
use segl::token::KeyOpener;
use segl::{
    Algorithm, Call, Error, ErrorCode, PublicJwk, Result, Secret, Signer, TokenClient, TokenRequest,
};
use serde_json::json;
use support::{OrgId, certificate, claims, header, json_answer, rsa_key, signer};

const NOW: i64 = 1_700_000_000;
const GOOD: &str = r#"{"access_token":"t","token_type":"Bearer","expires_in":120}"#;

/// `home:0` and `home:1`, two key pairs.
#[derive(Debug)]
struct Opener([Arc<dyn Signer>; 2]);

impl KeyOpener for Opener {
    fn open(
        &self,
        uri: &str,
        _secret: Option<Secret>,
        _public_key: Option<&PublicJwk>,
        _call: &Call,
    ) -> Result<Arc<dyn Signer>> {
        Ok(self.0[usize::from(uri == "home:1")].clone())
    }
}

/// A service that answers as the test says, by the key that signed.
#[derive(Debug)]
struct Service {
    /// What it answers to each key.
    answers: [Mutex<Result<Response>>; 2],
    /// The assertions it got, and the time each call had left.
    got: Mutex<Vec<(String, Duration)>>,
}

impl Transport for Service {
    fn send(&self, request: &Request, call: &Call) -> Result<Response> {
        let time = call.remaining(Duration::MAX, "a test")?;
        let form = String::from_utf8(request.body.to_vec()).unwrap();
        let form = url::form_urlencoded::parse(form.as_bytes());
        let assertion = form
            .into_owned()
            .find(|(name, _)| name.ends_with("assertion"))
            .unwrap()
            .1;
        let key = usize::from(header(&assertion)["kid"] == "k1");
        self.got.lock().unwrap().push((assertion, time));
        match &*self.answers[key].lock().unwrap() {
            Ok(response) => Ok(response.clone()),
            Err(error) => Err(Error::new(error.code(), error.message())),
        }
    }
}

struct Setup {
    client: TokenClient,
    keys: [Arc<dyn Signer>; 2],
    service: Arc<Service>,
    clock: Arc<FixedClock>,
}

impl Setup {
    /// A client with the keys `k0` and `k1`, which the service takes.
    fn new() -> Self {
        Self::of(&json!({"profile": "maskinporten", "environment": "test"}))
    }

    /// The same at the service of these settings.
    fn of(service: &serde_json::Value) -> Self {
        let other: PKey<Private> = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
        let keys = [signer(&rsa_key()), signer(&other)];
        let mut settings = json!({"client_id": "c1", "scopes": ["a:b"],
            "keys": [{"key": "home:0", "kid": "k0"}, {"key": "home:1", "kid": "k1"}]});
        let members = settings.as_object_mut().unwrap();
        members.extend(service.as_object().unwrap().clone());
        let clock = Arc::new(FixedClock::new(UnixTime::from_seconds(NOW)));
        let service = Arc::new(Service {
            answers: [0, 1].map(|_| Mutex::new(Ok(json_answer(200, GOOD)))),
            got: Mutex::default(),
        });
        let client =
            TokenClient::builder(ClientSettings::from_json(&settings.to_string()).unwrap())
                .key_opener(Arc::new(Opener(keys.clone())))
                .transport(service.clone())
                .clock(clock.clone())
                .build(&Call::none())
                .unwrap();
        Self {
            client,
            keys,
            service,
            clock,
        }
    }

    fn answers(&self, key: usize, answer: Result<Response>) {
        *self.service.answers[key].lock().unwrap() = answer;
    }

    /// A new token, and the keys whose assertions were sent for it.
    fn fetch(&self) -> (Result<()>, Vec<String>) {
        self.service.got.lock().unwrap().clear();
        let call = Call::within(Duration::from_millis(500));
        let outcome = self.client.fetch(&TokenRequest::default(), &call);
        let got = self.service.got.lock().unwrap();
        let kid = |jwt: &str| header(jwt)["kid"].as_str().unwrap().to_owned();
        (
            outcome.map(drop),
            got.iter().map(|(jwt, _)| kid(jwt)).collect(),
        )
    }

    /// The keys whose assertions are sent for a new token, which must come.
    fn sent(&self) -> Vec<String> {
        let (outcome, sent) = self.fetch();
        outcome.unwrap();
        sent
    }

    fn later(&self, seconds: i64) {
        self.clock.set(UnixTime::from_seconds(NOW + seconds));
    }
}

fn refusal(error: &str, description: &str, code: Option<&str>) -> Result<Response> {
    let mut body = json!({"error": error, "error_description": description});
    if let Some(code) = code {
        body["error_uri"] = format!("https://test.maskinporten.no/errors/{code}").into();
    }
    Ok(json_answer(400, &body.to_string()))
}

fn expired() -> Result<Response> {
    let description =
        "Invalid assertion. Client authentication failed. Expired key. (trace_id: ab12)";
    refusal("invalid_grant", description, Some("MP-121"))
}

#[test]
fn a_key_that_is_refused_is_followed_by_the_next_in_the_same_call() {
    let setup = Setup::new();
    setup.answers(0, expired());
    assert_eq!(setup.sent(), ["k0", "k1"]);
    let got = setup.service.got.lock().unwrap();
    let [first, second] = &got[..] else {
        panic!("two requests")
    };
    assert_ne!(claims(&first.0)["jti"], claims(&second.0)["jti"]);
    for ((jwt, _), key) in got.iter().zip(&setup.keys) {
        let jwt = segl::jws::decode(jwt).unwrap();
        let input = jwt.signing_input.as_bytes();
        assert!(
            key.public_key()
                .verify(Algorithm::RS256, input, &jwt.signature)
        );
    }
}

#[test]
fn every_way_to_refuse_a_key_counts() {
    let setup = Setup::new();
    for (description, code) in [
        (
            "The JWT is signed with an invalid certificate.",
            Some("MP-120"),
        ),
        ("Expired key.", Some("MP-121")),
        ("Invalid JWT signature.", Some("MP-124")),
        (
            "Invalid assertion. Client authentication failed. Unknown key identifier (kid) for client. (trace_id: ab12)",
            None,
        ),
    ] {
        setup.answers(0, refusal("invalid_grant", description, code));
        assert_eq!(setup.sent(), ["k0", "k1"], "{description}");
        setup.answers(0, Ok(json_answer(200, GOOD)));
        setup.answers(1, expired());
        assert_eq!(setup.sent(), ["k1", "k0"], "{description}");
        setup.answers(1, Ok(json_answer(200, GOOD)));
    }
}

#[test]
fn it_is_left_for_last_for_a_minute_and_then_the_first_again() {
    let setup = Setup::new();
    setup.answers(0, expired());
    setup.sent();
    let health = setup.client.health();
    let refusal = health[0].refusal.as_deref().unwrap();
    assert!(refusal.contains("MP-121"), "{refusal}");
    assert_eq!(health[1].refusal, None);
    setup.later(59);
    assert_eq!(setup.sent(), ["k1"]);
    let jwt = setup
        .client
        .assertion(&TokenRequest::default(), &Call::none())
        .unwrap();
    assert_eq!(header(&jwt)["kid"], "k1", "for others to send too");
    setup.later(60);
    assert_eq!(setup.sent(), ["k0", "k1"], "it is tried");
    setup.later(119);
    assert_eq!(setup.sent(), ["k1"], "and refused again");
    setup.later(120);
    let jwt = setup
        .client
        .assertion(&TokenRequest::default(), &Call::none())
        .unwrap();
    assert_eq!(header(&jwt)["kid"], "k0");
    assert!(setup.client.health()[0].refusal.is_some(), "only signed");
    setup.answers(0, Ok(json_answer(200, GOOD)));
    assert_eq!(setup.sent(), ["k0"]);
    assert_eq!(setup.client.health()[0].refusal, None);
    setup.answers(0, expired());
    setup.sent();
    setup.later(-3600);
    assert_eq!(setup.sent(), ["k0", "k1"], "a clock that was set back");
}

#[test]
fn what_is_not_about_the_key_asks_no_other() {
    let setup = Setup::new();
    let invalid = "Invalid assertion. Client authentication failed.";
    let away = || Error::new(ErrorCode::Network, "the network is away");
    let cases = [
        (
            refusal("invalid_grant", "no such client", Some("MP-100")),
            ErrorCode::TokenClientUnknown,
        ),
        (
            refusal("invalid_grant", invalid, Some("MP-110")),
            ErrorCode::TokenAudienceRefused,
        ),
        (
            refusal("invalid_grant", invalid, None),
            ErrorCode::TokenInvalidGrant,
        ),
        (
            refusal("invalid_client", "no such client", None),
            ErrorCode::TokenInvalidClient,
        ),
        (
            refusal("invalid_scope", "no such scope", Some("MP-200")),
            ErrorCode::TokenScopeNotOnClient,
        ),
        (
            refusal("invalid_grant", "Grant is used before", Some("MP-012")),
            ErrorCode::TokenAssertionReused,
        ),
        (Ok(json_answer(503, "{}")), ErrorCode::TokenServer),
        (Err(away()), ErrorCode::Network),
    ];
    for (answer, code) in cases {
        setup.answers(0, answer);
        let (outcome, sent) = setup.fetch();
        let error = outcome.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(sent.iter().all(|kid| kid == "k0"), "{sent:?}: {error}");
        assert!(!error.message().contains("keys["), "{error}");
        assert_eq!(setup.client.health()[0].refusal, None);
    }
}

#[test]
fn invalid_client_is_all_that_a_server_without_codes_says_of_a_key() {
    let generic = |grant: &str| {
        Setup::of(
            &json!({"profile": "generic", "grant": grant, "issuer": "https://as.example",
            "token_endpoint": "https://as.example/t"}),
        )
    };
    let refused = || refusal("invalid_client", "client authentication failed", None);
    let setup = generic("client_credentials");
    setup.answers(0, refused());
    assert_eq!(setup.sent(), ["k0", "k1"]);
    assert!(setup.client.health()[0].refusal.is_some());
    assert_eq!(
        setup.sent(),
        ["k1"],
        "the refused one is used after the other"
    );

    // As a grant the assertion is no client authentication.
    let setup = generic("jwt_bearer");
    setup.answers(0, refused());
    let (outcome, sent) = setup.fetch();
    assert_eq!(
        outcome.unwrap_err().code(),
        ErrorCode::TokenInvalidClient,
        "{sent:?}"
    );
    assert!(sent.iter().all(|kid| kid == "k0"), "{sent:?}");
}

#[test]
fn when_all_are_refused_the_error_has_what_was_said_of_each_and_none_is_given_up() {
    let setup = Setup::new();
    setup.answers(0, expired());
    let description = "Unknown key identifier (kid) for client.";
    setup.answers(1, refusal("invalid_grant", description, None));
    let (outcome, sent) = setup.fetch();
    let error = outcome.unwrap_err();
    assert_eq!(error.code(), ErrorCode::TokenKeyExpired);
    assert_eq!(error.details().provider_code.as_deref(), Some("MP-121"));
    assert_eq!(error.details().http_status, Some(400));
    for said in [
        "keys[0]: maskinporten",
        "Expired key",
        "keys[1]: maskinporten",
        "Unknown key",
    ] {
        assert!(error.message().contains(said), "{said}: {error}");
    }
    assert_eq!(sent, ["k0", "k1"]);
    assert_eq!(setup.fetch().1, ["k0", "k1"], "in their order");
    setup.answers(1, Ok(json_answer(200, GOOD)));
    assert_eq!(setup.sent(), ["k0", "k1"]);
    assert_eq!(setup.sent(), ["k1"]);
}

#[test]
fn sending_has_all_the_time_that_is_left_and_not_a_key_s_share() {
    let setup = Setup::new();
    setup.answers(0, expired());
    setup.sent();
    let got = setup.service.got.lock().unwrap();
    let times: Vec<_> = got.iter().map(|got| got.1).collect();
    assert_eq!(times.len(), 2);
    // A try has 10 seconds; a key's share of them to sign would be 5.
    let bounds = Duration::from_secs(6)..=Duration::from_secs(10);
    assert!(times.iter().all(|time| bounds.contains(time)), "{times:?}");
}

#[test]
fn the_next_key_gets_tokens_when_the_first_ones_certificate_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("certificate.pem");
    let x509 = certificate(&rsa_key(), None, &OrgId::SerialNumber("910753614"), 22);
    let pem = x509.to_pem().unwrap();
    std::fs::write(&path, &pem).unwrap();
    let end = segl::keys::Certificate::read_chain(&pem).unwrap()[0]
        .not_after()
        .unwrap();
    let other: PKey<Private> = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let settings = json!({"profile": "maskinporten", "environment": "test", "client_id": "c1",
        "scopes": ["a:b"], "keys": [
            {"key": "home:0", "certificate": format!("file:{}", path.display())},
            {"key": "home:1", "kid": "k1"}]});
    let settings = ClientSettings::from_json(&settings.to_string()).unwrap();
    let good = || Mutex::new(Ok(json_answer(200, GOOD)));
    let service = Arc::new(Service {
        answers: [good(), good()],
        got: Mutex::default(),
    });
    let clock = Arc::new(FixedClock::new(end.plus(-60)));
    let client = TokenClient::builder(settings)
        .key_opener(Arc::new(Opener([signer(&rsa_key()), signer(&other)])))
        .transport(service.clone())
        .clock(clock.clone())
        .build(&Call::none())
        .unwrap();
    clock.set(end.plus(60));
    let token = client.token(&TokenRequest::default(), &Call::none());
    assert_eq!(token.unwrap().access_token(), "t");
    assert_eq!(header(&service.got.lock().unwrap()[0].0)["kid"], "k1");
}
