//! A simulator with persons who consented, and clients for each service.

use std::sync::{Arc, Mutex};

use segl::apis::{ConsentToken, Lanekassen, Nav, Skatteetaten};
use segl::clock::{FixedClock, UnixTime};
use segl::http::{Request, Response, Transport};
use segl::profiles::ClientSettings;
use segl::simulator::{RunningSimulator, Simulator, SimulatorConfig};
use segl::{Algorithm, Call, PersonId, Result, TokenClient, TokenRequest};
use serde_json::{Value, json};

use crate::support::{json_answer, now, rsa_key, signer};

pub const ORG: &str = "910753614";
pub const OTHER_ORG: &str = "991825827";
/// Consented, and has a loan.
pub const KARI: &str = "23079421936";
/// Consented, and is unknown to Lånekassen.
pub const OLA: &str = "05848998356";
/// The consent of Altinn 3.
pub const CONSENT_ID: &str = "0a7d59f8-8c62-4312-9fb4-62456664c96f";
/// For how long consents last.
pub const LIFE: i64 = 3600;

pub struct World {
    pub simulator: RunningSimulator,
    pub clock: Arc<FixedClock>,
}

impl World {
    pub fn new() -> Self {
        let now = now();
        let clock = Arc::new(FixedClock::new(UnixTime::from_seconds(now)));
        let valid_to = now + LIFE;
        let key = signer(&rsa_key()).public_key().clone();
        let key = Value::Object(key.to_registration("bank-key", Algorithm::RS256));
        let consent = |token: &str, service: &str, person: &str, org: &str| {
            format!(
                "[[consents]]\ntoken = \"{token}\"\nservice = \"{service}\"\noffered_by = \"{person}\"\n\
                 covered_by = \"{org}\"\nvalid_to = {valid_to}\n"
            )
        };
        let consents: String = [
            consent("kari.lanekassen.s", "lanekassen", KARI, ORG),
            consent("ola.lanekassen.s", "lanekassen", OLA, ORG),
            consent("kari.others.s", "lanekassen", KARI, OTHER_ORG),
            consent("kari.nav.s", "nav", KARI, ORG),
            consent("kari.skatteetaten.s", "skatteetaten", KARI, ORG),
        ]
        .concat();
        let config = format!(
            r#"
            [[maskinporten.clients]]
            client_id = "bank"
            orgno = "{ORG}"
            scopes = ["{}", "{}", "{}", "{}", "some:other"]
            jwks = '{}'
            [[maskinporten.clients.consents]]
            id = "{CONSENT_ID}"
            from = "urn:altinn:person:identifier-no:{KARI}"
            consented = {now}
            valid_to = {valid_to}
            consent_rights = []

            {consents}
            [lanekassen]
            api_key = "the-key"
            [[lanekassen.persons.{KARI}.accounts]]
            name = "Lån"
            amount = "123456.70"
            changed = "2026-06-29T10:14:52"
            [[lanekassen.persons.{KARI}.accounts]]
            name = "Renter"
            amount = "0.05"
            changed = "2026-06-29T10:14:52"
            "#,
            Lanekassen::BALANCE_SCOPE,
            Nav::DISABILITY_BENEFIT_SCOPE,
            Nav::WORK_ASSESSMENT_ALLOWANCE_SCOPE,
            Skatteetaten::INCOME_SCOPE,
            json!([key]),
        );
        let simulator = Simulator::start_with_clock(
            SimulatorConfig::from_toml(&config).unwrap(),
            ([127, 0, 0, 1], 0).into(),
            clock.clone(),
        )
        .unwrap();
        Self { simulator, clock }
    }

    /// With these settings of the services.
    pub fn client(&self, scope: &str, services: &Value) -> Arc<TokenClient> {
        let settings = json!({
            "profile": "maskinporten",
            "issuer": self.simulator.urls().maskinporten_issuer,
            "client_id": "bank",
            "kid": "bank-key",
            "scopes": [scope],
            "services": services,
        });
        let client =
            TokenClient::builder(ClientSettings::from_json(&settings.to_string()).unwrap())
                .signer(signer(&rsa_key()))
                .clock(self.clock.clone())
                .build(&Call::none());
        Arc::new(client.unwrap())
    }

    pub fn lanekassen(&self) -> Lanekassen {
        self.lanekassen_with(&json!({}), TokenRequest::default())
    }

    /// With these headers in the settings.
    pub fn lanekassen_with(&self, headers: &Value, request: TokenRequest) -> Lanekassen {
        let services = json!({ "lanekassen": {
            "base_url": self.simulator.urls().lanekassen,
            "api_key": format!("file:{}", key_file()),
            "headers": headers,
        }});
        let client = self.client(Lanekassen::BALANCE_SCOPE, &services);
        Lanekassen::new(client, request).unwrap()
    }

    pub fn nav(&self, scope: &str, request: TokenRequest) -> Nav {
        let services = json!({ "nav": { "base_url": self.simulator.urls().nav } });
        Nav::new(self.client(scope, &services), request).unwrap()
    }

    pub fn skatteetaten(&self, scope: &str, request: TokenRequest) -> Skatteetaten {
        let url = &self.simulator.urls().skatteetaten;
        let services = json!({ "skatteetaten": { "base_url": url } });
        Skatteetaten::new(self.client(scope, &services), request).unwrap()
    }
}

/// A file with Lånekassen's key.
pub fn key_file() -> String {
    use std::sync::LazyLock;
    static FILE: LazyLock<tempfile::NamedTempFile> = LazyLock::new(|| {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "the-key\n").unwrap();
        file
    });
    FILE.path().to_str().unwrap().to_owned()
}

pub fn person(digits: &str) -> PersonId {
    digits.parse().unwrap()
}

pub fn consent(token: &str) -> ConsentToken {
    token.parse().unwrap()
}

/// A token request with Kari's consent of Altinn 3.
pub fn with_consent() -> TokenRequest {
    let request = json!({ "authorization_details": [{
        "type": "urn:altinn:consent",
        "id": CONSENT_ID,
        "from": format!("urn:altinn:person:identifier-no:{KARI}"),
    }]});
    TokenRequest::from_json(&request.to_string()).unwrap()
}

/// A transport that gives tokens, and answers other requests from a list. It keeps
/// those.
#[derive(Debug, Default)]
pub struct Host {
    answers: Mutex<Vec<Response>>,
    pub requests: Mutex<Vec<Request>>,
}

impl Host {
    pub fn answering(answers: &[(u16, &str)]) -> Arc<Self> {
        let answers = answers.iter().rev();
        Arc::new(Self {
            answers: Mutex::new(
                answers
                    .map(|(status, body)| json_answer(*status, body))
                    .collect(),
            ),
            requests: Mutex::default(),
        })
    }

    /// A client of this environment that speaks with it.
    pub fn client(self: &Arc<Self>, environment: &str, services: &Value) -> Arc<TokenClient> {
        let settings = json!({
            "profile": "maskinporten", "environment": environment, "client_id": "bank",
            "kid": "bank-key", "scopes": ["a:scope"], "services": services,
        });
        let transport: Arc<dyn Transport> = self.clone();
        let client =
            TokenClient::builder(ClientSettings::from_json(&settings.to_string()).unwrap())
                .signer(signer(&rsa_key()))
                .transport(transport)
                .build(&Call::none());
        Arc::new(client.unwrap())
    }

    /// URL and headers of a request, without those of every request.
    pub fn sent(&self, index: usize) -> (String, Vec<(String, String)>) {
        let requests = self.requests.lock().unwrap();
        let request = &requests[index];
        let mut headers: Vec<_> = request
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.as_str().to_owned()))
            .filter(|(name, _)| name != "Accept")
            .collect();
        headers.sort();
        (request.url.as_str().to_owned(), headers)
    }
}

impl Transport for Host {
    fn send(&self, request: &Request, _: &Call) -> Result<Response> {
        if request.url.as_str().ends_with("/token") {
            let token = r#"{"access_token":"T","token_type":"Bearer","expires_in":120}"#;
            return Ok(json_answer(200, token));
        }
        self.requests.lock().unwrap().push(request.clone());
        Ok(self
            .answers
            .lock()
            .unwrap()
            .pop()
            .expect("one answer too few"))
    }
}
