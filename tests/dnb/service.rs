//! A client of DNB's against the simulator.

use std::sync::Arc;

use segl::simulator::{RunningSimulator, Simulator, SimulatorConfig};
use segl::{Call, ErrorCode, Result, Signer, Token, TokenClient, TokenRequest};
use serde_json::{Value, json};

use crate::support::{builder, ec_key, now, signer};

const SCOPE: &str = "openbanking.prevalidation.norway:validate";

struct Bank(RunningSimulator);

impl Bank {
    fn open() -> Self {
        let config = SimulatorConfig::from_toml("").unwrap();
        Self(Simulator::start(config, ([127, 0, 0, 1], 0).into()).unwrap())
    }

    fn settings(&self, more: Value) -> String {
        let mut settings = json!({
            "profile": "dnb", "scopes": [SCOPE],
            "token_endpoint": self.0.urls().dnb_token_endpoint,
            "audience": "https://api.ciam.dnb.no/as/token.oauth2",
        });
        let members = settings.as_object_mut().unwrap();
        members.extend(more.as_object().unwrap().clone());
        members.retain(|_, value| !value.is_null());
        settings.to_string()
    }

    fn client(&self, more: Value, key: &Arc<dyn Signer>) -> TokenClient {
        builder(&self.settings(more), key.clone(), now())
            .build(&Call::none())
            .unwrap()
    }

    /// What the people behind the contact form do.
    fn register(&self, jwt: &str, client_id: Option<&str>) -> String {
        let query = client_id.map_or_else(String::new, |id| format!("?client_id={id}"));
        let url = format!("{}/dnb/register{query}", self.0.urls().admin);
        let answer = ureq::post(&url).send(jwt).unwrap().into_body();
        let answer: Value = serde_json::from_reader(answer.into_reader()).unwrap();
        answer["client_id"].as_str().unwrap().to_owned()
    }

    fn registered(&self, more: Value, key: &Arc<dyn Signer>) -> String {
        let jwt = self.client(more, key).registration(&Call::none()).unwrap();
        self.register(&jwt, None)
    }
}

fn new_key() -> Arc<dyn Signer> {
    signer(&ec_key(openssl::nid::Nid::X9_62_PRIME256V1))
}

fn token(client: &TokenClient) -> Result<Arc<Token>> {
    client.token(&TokenRequest::default(), &Call::none())
}

#[test]
fn every_form_of_the_assertion_that_dnb_shows_gets_a_token() {
    let bank = Bank::open();
    let key = new_key();
    let client_id = bank.registered(json!({}), &key);
    for more in [
        json!({}),
        json!({"audience_form": "string"}),
        json!({"audience": "https://mtls.auth.dnb.no/as/token.oauth2", "audience_form": "string"}),
        json!({"audience": null}),
        json!({"omit_kid": true}),
        json!({"typ": ""}),
        json!({"typ": "client-authentication+jwt"}),
        json!({"nbf": true, "jti": "base64url", "lifetime_seconds": 1200}),
        json!({"send_client_id": true}),
        json!({"token_endpoint": null, "discovery": true, "issuer": bank.0.urls().dnb_issuer}),
        json!({"token_endpoint": null, "metadata": bank.0.urls().dnb_metadata, "issuer": bank.0.urls().dnb_issuer}),
    ] {
        let mut settings = more.clone();
        settings["client_id"] = json!(client_id);
        let token = token(&bank.client(settings, &key));
        assert_eq!(token.unwrap().scope(), Some(SCOPE), "{more}");
    }
}

#[test]
fn the_issuer_of_the_metadata_must_be_set_as_the_server_has_it() {
    let bank = Bank::open();
    let key = new_key();
    let settings =
        json!({"client_id": "c", "token_endpoint": null, "metadata": bank.0.urls().dnb_metadata});
    let error = token(&bank.client(settings, &key)).unwrap_err();
    assert_eq!(error.code(), ErrorCode::MetadataInvalid, "{error}");
    assert!(
        error.message().contains(&bank.0.urls().dnb_issuer),
        "{error}"
    );
}

#[test]
fn a_kid_of_the_callers_is_the_registered_one() {
    let bank = Bank::open();
    let key = new_key();
    let client_id = bank.registered(json!({"kid": "our-key-1"}), &key);
    let with = |kid: Value| {
        let settings = json!({"client_id": client_id, "kid": kid});
        token(&bank.client(settings, &key))
    };
    assert!(with(json!("our-key-1")).is_ok());
    let error = with(Value::Null).unwrap_err();
    assert!(error.message().contains("kid"), "{error}");
}

#[test]
fn a_registration_jwt_authenticates_nobody() {
    let bank = Bank::open();
    let key = new_key();
    let client = bank.client(json!({}), &key);
    let jwt = client.registration(&Call::none()).unwrap();
    bank.register(&jwt, None);
    let form = [
        ("client_assertion", jwt.as_str()),
        (
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ),
        ("grant_type", "client_credentials"),
    ];
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .new_agent();
    let answer = agent
        .post(&bank.0.urls().dnb_token_endpoint)
        .send_form(form)
        .unwrap();
    assert_eq!(answer.status().as_u16(), 401);
    let body: Value = serde_json::from_reader(answer.into_body().into_reader()).unwrap();
    assert_eq!(body["error"], "invalid_client");
    // The key can sign both, and the client has no way to send one for the other.
    let error = token(&client).unwrap_err();
    assert_eq!(error.details().config_path.as_deref(), Some("client_id"));
}

/// `keys[0]` and `keys[1]` of one client, in files.
struct TwoKeys {
    _folder: tempfile::TempDir,
    signers: [Arc<dyn Signer>; 2],
    entries: [Value; 2],
}

impl TwoKeys {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = [(), ()].map(|()| ec_key(openssl::nid::Nid::X9_62_PRIME256V1));
        let entry = |index: usize| {
            let path = folder.path().join(format!("{index}.pem"));
            std::fs::write(&path, crate::support::pem(&keys[index])).unwrap();
            json!({"key": format!("file:{}", path.display()), "registered_until": "2999-01-01"})
        };
        Self {
            entries: [entry(0), entry(1)],
            signers: [signer(&keys[0]), signer(&keys[1])],
            _folder: folder,
        }
    }

    fn client(&self, bank: &Bank, client_id: &str) -> TokenClient {
        let settings = bank.settings(json!({"client_id": client_id, "keys": self.entries}));
        let settings = segl::profiles::ClientSettings::from_json(&settings).unwrap();
        TokenClient::builder(settings).build(&Call::none()).unwrap()
    }
}

#[test]
fn a_new_key_takes_over_from_the_old_one_without_a_pause() {
    let bank = Bank::open();
    let keys = TwoKeys::new();
    let client_id = bank.registered(json!({}), &keys.signers[0]);
    let client = keys.client(&bank, &client_id);
    let fetch = || client.fetch(&TokenRequest::default(), &Call::none());
    let kid_of = |index: usize| keys.signers[index].public_key().thumbprint();
    let refused = || -> Vec<bool> {
        let health = client.health();
        health.iter().map(|key| key.refusal.is_some()).collect()
    };

    // Only the old one is registered; the new one is in the settings already.
    fetch().unwrap();
    assert_eq!(refused(), [false, false]);

    // The new one's JWT is signed by the new one.
    let jwt = client.registration_of(1, &Call::none()).unwrap();
    let cnf = &crate::support::claims(&jwt)["cnf"]["jwk"]["kid"];
    assert_eq!(cnf, kid_of(1));
    assert_eq!(bank.register(&jwt, Some(&client_id)), client_id);
    fetch().unwrap();
    for index in [0, 1] {
        let alone = bank.client(json!({"client_id": client_id}), &keys.signers[index]);
        token(&alone).unwrap();
    }

    // DNB takes the old one away.
    let jwk = keys.signers[1]
        .public_key()
        .to_registration(kid_of(1), segl::Algorithm::ES256);
    let replaced = json!({"client_id": client_id, "scopes": [SCOPE], "jwks": {"keys": [jwk]}});
    ureq::post(&format!("{}/dnb/clients", bank.0.urls().admin))
        .header("Content-Type", "application/json")
        .send(replaced.to_string())
        .unwrap();
    fetch().unwrap();
    assert_eq!(refused(), [true, false]);
    let error = token(&bank.client(json!({"client_id": client_id}), &keys.signers[0])).unwrap_err();
    assert_eq!(error.details().http_status, Some(401), "{error}");
}
