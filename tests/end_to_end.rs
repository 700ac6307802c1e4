//! The token client against the simulator, over HTTP: what works, and what each
//! refusal becomes.
#![cfg(feature = "simulator")]

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use serde_json::json;

use segl::clock::{FixedClock, UnixTime};
use segl::keys::ForeignSigner;
use segl::keys::foreign::SignCallback;
use segl::profiles::ClientSettings;
use segl::simulator::{Outage, OutageKind, RunningSimulator, Simulator, SimulatorConfig};
use segl::token::KeyOpener;
use segl::{
    Algorithm, Call, Error, ErrorCode, PublicJwk, Secret, Signer, TokenClient, TokenRequest,
};
use support::{OrgId, certificate, p256_key, rsa_key, signer};

const ORG: &str = "910753614";

struct Setup {
    simulator: RunningSimulator,
    folder: tempfile::TempDir,
}

/// The key beside [`rsa_key`] of the client `two_keys`.
fn second_key() -> PKey<Private> {
    static KEY: OnceLock<PKey<Private>> = OnceLock::new();
    KEY.get_or_init(|| PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap())
        .clone()
}

/// A simulator that knows four clients of one organisation: `keyed` with a
/// registered key, `certified` with a certificate, `two_keys`, and `bank` at DNB.
fn setup() -> Setup {
    let folder = tempfile::tempdir().unwrap();
    let ca_key = support::ec_key(Nid::X9_62_PRIME256V1);
    let ca = certificate(&ca_key, None, &OrgId::Nothing, 100);
    for (name, org) in [("leaf.pem", ORG), ("stranger.pem", "974760673")] {
        let x509 = certificate(
            &rsa_key(),
            Some((&ca_key, &ca)),
            &OrgId::SerialNumber(org),
            100,
        );
        std::fs::write(folder.path().join(name), x509.to_pem().unwrap()).unwrap();
    }
    let rsa = signer(&rsa_key());
    let ec = signer(&p256_key());
    let set = |signer: &Arc<dyn Signer>, kid: &str| {
        json!({"keys": [signer.public_key().to_registration(kid, signer.algorithms()[0])]})
            .to_string()
    };
    let config = format!(
        r#"
        [maskinporten]
        trusted_certificates = ['''{ca}''']
        [maskinporten.scopes."a:closed"]
        consumers = ["974760673"]
        [maskinporten.scopes."a:other"]
        integration_types = ["idporten"]
        [[maskinporten.clients]]
        client_id = "keyed"
        orgno = "{ORG}"
        scopes = ["a:b", "a:closed", "a:other"]
        jwks = '{rsa}'
        [[maskinporten.clients]]
        client_id = "certified"
        orgno = "{ORG}"
        scopes = ["a:b"]
        [[maskinporten.clients]]
        client_id = "two_keys"
        orgno = "{ORG}"
        scopes = ["a:b"]
        jwks = '{both}'
        [[dnb.clients]]
        client_id = "bank"
        scopes = ["s"]
        jwks = '{ec}'
        "#,
        ca = String::from_utf8(ca.to_pem().unwrap()).unwrap(),
        rsa = set(&rsa, "registered"),
        both = json!({"keys": [
            rsa.public_key().to_registration("first", Algorithm::RS256),
            signer(&second_key()).public_key().to_registration("second", Algorithm::RS256),
        ]}),
        ec = set(&ec, ec.public_key().thumbprint()),
    );
    let config = SimulatorConfig::from_toml(&config).unwrap();
    Setup {
        simulator: Simulator::start(config, ([127, 0, 0, 1], 0).into()).unwrap(),
        folder,
    }
}

impl Setup {
    /// A Maskinporten client with settings that override the good ones.
    fn maskinporten(&self, overrides: serde_json::Value, skew: i64) -> TokenClient {
        let urls = self.simulator.urls();
        let mut settings = json!({
            "profile": "maskinporten", "issuer": urls.maskinporten_issuer,
            "client_id": "keyed", "kid": "registered", "scopes": ["a:b"],
        });
        for (name, value) in overrides.as_object().unwrap() {
            match value {
                serde_json::Value::Null => settings.as_object_mut().unwrap().remove(name),
                value => settings
                    .as_object_mut()
                    .unwrap()
                    .insert(name.clone(), value.clone()),
            };
        }
        let clock = FixedClock::new(UnixTime::from_seconds(support::now() + skew));
        TokenClient::builder(ClientSettings::from_json(&settings.to_string()).unwrap())
            .signer(signer(&rsa_key()))
            .clock(Arc::new(clock))
            .build(&Call::none())
            .unwrap()
    }

    fn refusal(&self, overrides: serde_json::Value, request: &str) -> Error {
        let client = self.maskinporten(overrides, 0);
        let request = TokenRequest::from_json(request).unwrap();
        client.token(&request, &Call::none()).unwrap_err()
    }

    fn certificate_uri(&self, name: &str) -> String {
        format!("file:{}", self.folder.path().join(name).display())
    }

    fn outage(&self, kind: OutageKind) -> Result<Arc<segl::Token>, Error> {
        self.simulator.set_outage(Some(Outage::new(kind)));
        let client = self.maskinporten(json!({}), 0);
        let call = Call::within(Duration::from_millis(700));
        let token = client.token(&TokenRequest::default(), &call);
        self.simulator.set_outage(None);
        token
    }
}

#[test]
fn tokens_come_with_kid_with_x5c_and_from_dnb() {
    let setup = setup();
    let keyed = setup.maskinporten(json!({}), 0);
    let certified = setup.maskinporten(
        json!({"client_id": "certified", "kid": null, "certificate": setup.certificate_uri("leaf.pem")}),
        0,
    );
    let dnb = json!({"profile": "dnb", "client_id": "bank", "scopes": ["s"],
                     "token_endpoint": setup.simulator.urls().dnb_token_endpoint});
    let dnb = TokenClient::builder(ClientSettings::from_json(&dnb.to_string()).unwrap())
        .signer(signer(&p256_key()))
        .build(&Call::none())
        .unwrap();
    for client in [&keyed, &certified, &dnb] {
        let token = client
            .token(&TokenRequest::default(), &Call::none())
            .unwrap();
        let claims = segl::jws::decode(token.access_token()).unwrap().claims;
        assert_eq!(
            claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
            {
                let response: serde_json::Value =
                    serde_json::from_str(token.response_json()).unwrap();
                response["expires_in"].as_i64().unwrap()
            }
        );
        client
            .token(&TokenRequest::default(), &Call::none())
            .unwrap();
    }
    let requests = setup.simulator.requests();
    assert_eq!(
        (requests.maskinporten_token, requests.dnb_token),
        (2, 1),
        "the second came from the cache"
    );
}

#[test]
fn an_eseal_gets_a_token_without_a_client() {
    let ca_key = support::ec_key(Nid::X9_62_PRIME256V1);
    let ca = certificate(&ca_key, None, &OrgId::Nothing, 100);
    let id = OrgId::OrganizationIdentifier("VATSE-556000000001");
    let leaf = certificate(&rsa_key(), Some((&ca_key, &ca)), &id, 100);
    let pem = String::from_utf8(ca.to_pem().unwrap()).unwrap();
    let config = format!(
        "[maskinporten.eseals]\ntrusted_certificates = ['''{pem}''']\n[maskinporten.scopes.\"a:b\"]\neseals = true"
    );
    let config = SimulatorConfig::from_toml(&config).unwrap();
    let simulator = Simulator::start(config, ([127, 0, 0, 1], 0).into()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("eseal.pem");
    std::fs::write(&path, [leaf.to_pem().unwrap(), pem.into_bytes()].concat()).unwrap();
    let settings = json!({
        "profile": "maskinporten", "issuer": simulator.urls().maskinporten_issuer, "eseal": true,
        "certificate": format!("file:{}", path.display()), "scopes": ["a:b"],
    });
    let client = TokenClient::builder(ClientSettings::from_json(&settings.to_string()).unwrap())
        .signer(signer(&rsa_key()))
        .build(&Call::none())
        .unwrap();
    let token = client
        .token(&TokenRequest::default(), &Call::none())
        .unwrap();
    let claims = segl::jws::decode(token.access_token()).unwrap().claims;
    assert_eq!(claims["consumer"]["ID"], "VATSE-556000000001");
}

#[test]
fn each_refusal_keeps_its_code_and_says_what_to_do() {
    let setup = setup();
    let certificate = |name| json!({"client_id": "certified", "kid": null, "certificate": setup.certificate_uri(name)});
    let plain = "{}";
    let cases = [
        (
            json!({"client_id": "nobody"}),
            plain,
            "MP-100",
            ErrorCode::TokenClientUnknown,
            "check client_id",
        ),
        (
            json!({"audience": "https://as.example"}),
            plain,
            "MP-110",
            ErrorCode::TokenAudienceRefused,
            "final slash",
        ),
        (
            certificate("stranger.pem"),
            plain,
            "MP-122",
            ErrorCode::TokenOrganisationMismatch,
            "organisation number",
        ),
        (
            json!({}),
            r#"{"scopes":["a:unknown"]}"#,
            "MP-200",
            ErrorCode::TokenScopeNotOnClient,
            "not on the client",
        ),
        (
            json!({}),
            r#"{"scopes":["a:other"]}"#,
            "MP-201",
            ErrorCode::TokenScopeNotAllowed,
            "integration type",
        ),
        (
            json!({}),
            r#"{"scopes":["a:closed"]}"#,
            "MP-250",
            ErrorCode::TokenScopeNotGranted,
            "API's owner",
        ),
        (
            json!({}),
            r#"{"consumer_org":"974760673"}"#,
            "MP-251",
            ErrorCode::TokenNotDelegated,
            "Altinn",
        ),
        (
            json!({}),
            r#"{"authorization_details":[{"type":"urn:altinn:unknown"}]}"#,
            "MP-301",
            ErrorCode::TokenDetailsTypeUnknown,
            "type",
        ),
        (
            json!({}),
            r#"{"authorization_details":[{"type":"urn:altinn:systemuser","systemuser_org":{"authority":"iso6523-actorid-upis","ID":"0192:974760673"}}]}"#,
            "MP-303",
            ErrorCode::TokenDetailsRefused,
            "system user",
        ),
    ];
    for (overrides, request, provider_code, code, remedy) in cases {
        let error = setup.refusal(overrides, request);
        assert_eq!(
            error.details().provider_code.as_deref(),
            Some(provider_code),
            "{error}"
        );
        assert_eq!(error.code(), code, "{error}");
        assert!(error.message().contains(remedy), "{provider_code}: {error}");
        assert!(error.details().trace_id.is_some(), "{error}");
        assert!(error.details().error_uri.is_some(), "{error}");
        assert!(!error.retryable());
    }
}

#[test]
fn refusals_without_a_code_are_explained_by_their_text() {
    let setup = setup();
    let certificate = setup.certificate_uri("leaf.pem");
    let cases = [
        (
            json!({"kid": "unknown"}),
            "{}",
            "not registered on this client",
        ),
        (
            json!({"kid": null, "certificate": certificate}),
            "{}",
            "set \"kid\" instead of a certificate",
        ),
        (json!({}), r#"{"consumer_org":"910753614"}"#, "leave it out"),
    ];
    for (overrides, request, remedy) in cases {
        let error = setup.refusal(overrides, request);
        assert!(error.message().contains(remedy), "{error}");
        assert_eq!(error.details().http_status, Some(400), "{error}");
    }
}

/// The skew is what the service's clock is ahead of the client's.
#[test]
fn a_wrong_clock_is_learned_from_the_service_and_reported() {
    let setup = setup();
    for (ahead_s, requests) in [(-9, 1), (9, 1), (30, 2), (-200, 2)] {
        let client = setup.maskinporten(json!({}), ahead_s);
        client
            .token(&TokenRequest::default(), &Call::none())
            .unwrap();
        let health = client.token_health();
        assert_eq!(health.requests, requests, "{ahead_s} s");
        let skew = health.clock_skew_ms.unwrap();
        assert!(
            (skew + ahead_s * 1000).abs() <= 1_500,
            "{ahead_s} s: {skew} ms"
        );
        let now = support::now();
        let assertion = client
            .assertion(&TokenRequest::default(), &Call::none())
            .unwrap();
        let iat = support::claims(&assertion)["iat"].as_i64().unwrap();
        assert!((iat - now).abs() <= 4, "{ahead_s} s: {}", iat - now);
    }
}

#[test]
fn a_clock_that_is_wrong_by_hours_is_told_and_not_followed() {
    let setup = setup();
    for (ahead_s, says) in [
        (4000, "clock is ahead"),
        (-4000, "check this machine's clock"),
    ] {
        let client = setup.maskinporten(json!({}), ahead_s);
        let error = client
            .token(&TokenRequest::default(), &Call::none())
            .unwrap_err();
        assert!(error.message().contains(says), "{error}");
        let skew = client.token_health().clock_skew_ms.unwrap();
        assert!((skew + ahead_s * 1000).abs() <= 1_500, "{skew} ms");
        assert_eq!(client.token_health().requests, 1);
    }
}

#[test]
fn dnb_refuses_a_registration_jwt_and_an_unknown_client() {
    let setup = setup();
    let client = |client_id: &str| {
        let settings = json!({"profile": "dnb", "client_id": client_id,
                              "token_endpoint": setup.simulator.urls().dnb_token_endpoint});
        TokenClient::builder(ClientSettings::from_json(&settings.to_string()).unwrap())
            .signer(signer(&p256_key()))
            .build(&Call::none())
            .unwrap()
    };
    let error = client("nobody")
        .token(&TokenRequest::default(), &Call::none())
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::TokenInvalidClient, "{error}");
    assert!(error.message().contains("check client_id"), "{error}");

    let registration = client("bank").registration(&Call::none()).unwrap();
    let form = format!(
        "client_assertion={registration}&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&grant_type=client_credentials"
    );
    let url = setup.simulator.urls().dnb_token_endpoint.parse().unwrap();
    let answer = segl::http::Transport::send(
        &segl::http::UreqTransport::new(Default::default()),
        &segl::http::Request::post_form(url, form),
        &Call::none(),
    )
    .unwrap();
    assert_eq!(answer.status, 401);
    assert!(String::from_utf8_lossy(&answer.body).contains("invalid_client"));
}

#[test]
fn every_outage_is_a_clear_error() {
    let setup = setup();
    for (kind, code, retryable) in [
        (OutageKind::ServiceUnavailable, ErrorCode::TokenServer, true),
        (
            OutageKind::TooManyRequests,
            ErrorCode::TokenRateLimited,
            true,
        ),
        (OutageKind::Cut, ErrorCode::Network, true),
        (OutageKind::Html, ErrorCode::TokenBadResponse, false),
        (OutageKind::Huge, ErrorCode::ResponseTooLarge, false),
        (OutageKind::WrongContent, ErrorCode::TokenBadResponse, false),
    ] {
        let error = setup.outage(kind).unwrap_err();
        assert_eq!(error.code(), code, "{kind:?}: {error}");
        assert_eq!(error.retryable(), retryable, "{kind:?}: {error}");
    }
    let client = setup.maskinporten(json!({}), 0);
    assert!(
        client
            .token(&TokenRequest::default(), &Call::none())
            .is_ok()
    );
}

/// The first key of `two_keys`, in a home that can be away.
struct FirstKey(Arc<AtomicBool>);

impl SignCallback for FirstKey {
    fn sign(&self, alg: Algorithm, message: &[u8], call: &Call) -> segl::Result<Vec<u8>> {
        match self.0.load(Ordering::SeqCst) {
            true => Err(Error::new(ErrorCode::CallbackFailed, "the vault is away")),
            false => signer(&rsa_key()).sign(alg, message, call),
        }
    }
}

#[derive(Debug)]
struct Vault {
    is_away: Arc<AtomicBool>,
}

impl KeyOpener for Vault {
    fn open(
        &self,
        uri: &str,
        _secret: Option<Secret>,
        _public_key: Option<&PublicJwk>,
        _call: &Call,
    ) -> segl::Result<Arc<dyn Signer>> {
        Ok(match uri {
            "vault:first" => Arc::new(ForeignSigner::new(
                signer(&rsa_key()).public_key().clone(),
                Box::new(FirstKey(self.is_away.clone())),
            )),
            _ => signer(&second_key()),
        })
    }
}

#[test]
fn a_service_that_knows_both_keys_takes_either() {
    let setup = setup();
    let settings = json!({
        "profile": "maskinporten", "issuer": setup.simulator.urls().maskinporten_issuer,
        "client_id": "two_keys", "scopes": ["a:b"],
        "keys": [{"key": "vault:first", "kid": "first"}, {"key": "vault:second", "kid": "second"}],
    });
    let is_away = Arc::new(AtomicBool::new(false));
    let vault = Vault {
        is_away: is_away.clone(),
    };
    let settings = ClientSettings::from_json(&settings.to_string()).unwrap();
    let client = TokenClient::builder(settings)
        .key_opener(Arc::new(vault))
        .build(&Call::none())
        .unwrap();
    for (away, kid) in [(false, "first"), (true, "second"), (false, "first")] {
        is_away.store(away, Ordering::SeqCst);
        let request = TokenRequest::default();
        client.fetch(&request, &Call::none()).unwrap();
        let assertion = client.assertion(&request, &Call::none()).unwrap();
        assert_eq!(support::header(&assertion)["kid"], kid);
    }
    assert_eq!(setup.simulator.requests().maskinporten_token, 3);
}

#[test]
fn a_key_is_replaced_without_a_call_that_fails() {
    let setup = setup();
    let folder = setup.folder.path();
    let key = |name: &str, key: &PKey<Private>| {
        std::fs::write(folder.join(name), support::pem(key)).unwrap();
        format!("file:{}", folder.join(name).display())
    };
    let unregistered = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    // A kid that is not known yet, and one that belongs to another key.
    for (kid, said) in [("new", "Unknown key identifier"), ("first", "MP-124")] {
        let settings = json!({
            "profile": "maskinporten", "issuer": setup.simulator.urls().maskinporten_issuer,
            "client_id": "two_keys", "scopes": ["a:b"],
            "keys": [
                {"key": key("new.pem", &unregistered), "kid": kid},
                {"key": key("old.pem", &second_key()), "kid": "second"},
            ],
        });
        let settings = ClientSettings::from_json(&settings.to_string()).unwrap();
        let client = TokenClient::builder(settings).build(&Call::none()).unwrap();
        let before = setup.simulator.requests().maskinporten_token;
        for _ in 0..2 {
            client
                .fetch(&TokenRequest::default(), &Call::none())
                .unwrap();
        }
        let sent = setup.simulator.requests().maskinporten_token - before;
        assert_eq!(sent, 3, "the refused key is asked once");
        let refusal = client.health()[0].refusal.clone().unwrap();
        assert!(refusal.contains(said), "{refusal}");
    }
}
