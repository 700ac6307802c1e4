//! A register with some persons, and clients with different scopes.

use std::sync::{Arc, Mutex};

use segl::apis::Krr;
use segl::clock::{FixedClock, UnixTime};
use segl::http::{Request, Response, Transport};
use segl::profiles::ClientSettings;
use segl::simulator::{RunningSimulator, Simulator, SimulatorConfig};
use segl::{Algorithm, Call, PersonId, Result, TokenClient, TokenRequest};
use serde_json::{Value, json};

use crate::support::{json_answer, rsa_key, signer};

pub const CONTACT: &str = Krr::CONTACT_SCOPE;
pub const DIGITAL_POST: &str = Krr::DIGITAL_POST_SCOPE;
/// 2026-11-21T12:00:00Z.
pub const NOW: i64 = 1_795_262_400;
/// 2026-06-29T10:14:52+02.
pub const VERIFIED: i64 = 1_782_720_892;
/// Registered, with everything.
pub const KARI: &str = "23079421936";
/// Registered, reserved, without contact information.
pub const OLA: &str = "05848998356";
/// Not registered.
pub const NOBODY: &str = "23079422568";

pub struct World {
    pub simulator: RunningSimulator,
    pub clock: Arc<FixedClock>,
}

impl World {
    pub fn new() -> Self {
        Self::with("")
    }

    /// With more of the simulator's configuration.
    pub fn with(toml: &str) -> Self {
        Self::at(NOW, toml)
    }

    /// Where Kari verified her address five months before `now`.
    pub fn at(now: i64, toml: &str) -> Self {
        let now = UnixTime::from_seconds(now);
        let clock = Arc::new(FixedClock::new(now));
        let config = format!("{}\n{toml}", simulator_config(now.plus(-NOW + VERIFIED)));
        let simulator = Simulator::start_with_clock(
            SimulatorConfig::from_toml(&config).unwrap(),
            ([127, 0, 0, 1], 0).into(),
            clock.clone(),
        )
        .unwrap();
        Self { simulator, clock }
    }

    pub fn settings(&self, scopes: &[&str]) -> Value {
        json!({
            "profile": "maskinporten",
            "issuer": self.simulator.urls().maskinporten_issuer,
            "client_id": "bank",
            "kid": "bank-key",
            "scopes": scopes,
            "services": { "krr": { "base_url": self.simulator.urls().krr } },
        })
    }

    pub fn client(&self, settings: &Value) -> Arc<TokenClient> {
        let settings = ClientSettings::from_json(&settings.to_string()).unwrap();
        let client = TokenClient::builder(settings)
            .signer(signer(&rsa_key()))
            .clock(self.clock.clone())
            .build(&Call::none());
        Arc::new(client.unwrap())
    }

    pub fn krr(&self, scopes: &[&str]) -> Krr {
        let client = self.client(&self.settings(scopes));
        Krr::new(client, TokenRequest::default()).unwrap()
    }
}

/// A simulator's configuration with the client `bank`.
fn simulator_config(verified: UnixTime) -> String {
    // As the register writes it in summer.
    let verified = verified.plus(7200).to_string().replace('Z', "+02");
    let key = signer(&rsa_key()).public_key().clone();
    let key = Value::Object(key.to_registration("bank-key", Algorithm::RS256));
    format!(
        r#"
        [[maskinporten.clients]]
        client_id = "bank"
        orgno = "910753614"
        scopes = ["{CONTACT}", "{DIGITAL_POST}", "krr:global/kontaktinfo.read", "some:other"]
        jwks = '{}'

        [krr.persons.{KARI}]
        varslingsstatus = "KAN_VARSLES"
        sertifikat = "MIIB"
        spraak = "nn"
        spraak_oppdatert = "2023-06-29T10:14:52+02"
        [krr.persons.{KARI}.kontaktinformasjon]
        epostadresse = "kari@example.no"
        epostadresse_oppdatert = "2010-12-16T13:32:05.000+01:00"
        epostadresse_sist_verifisert = "{verified}"
        mobiltelefonnummer = "+4799999999"
        mobiltelefonnummer_oppdatert = "2018-06-29T10:14:52Z"
        [krr.persons.{KARI}.digital_post]
        postkasseadresse = "kari#9YDT"
        postkasseleverandoeradresse = "984661185"

        [krr.persons.{OLA}]
        reservasjon = "JA"
        reservasjon_oppdatert = "2023-06-29T10:14:52+02"
        varslingsstatus = "KAN_IKKE_VARSLES"
        "#,
        json!([key])
    )
}

pub fn ids(digits: &[&str]) -> Vec<PersonId> {
    digits
        .iter()
        .map(|digits| digits.parse().unwrap())
        .collect()
}

pub fn digits(persons: &[PersonId]) -> Vec<&str> {
    persons.iter().map(PersonId::expose).collect()
}

/// A transport that gives tokens, and answers KRR's requests from a list. It keeps their
/// URLs and bodies.
#[derive(Debug, Default)]
pub struct Register {
    answers: Mutex<Vec<Response>>,
    pub asked: Mutex<Vec<(String, String)>>,
}

impl Register {
    pub fn answering(answers: impl IntoIterator<Item = (u16, &'static str)>) -> Arc<Self> {
        let answers = answers.into_iter();
        let answers = answers.map(|(status, body)| json_answer(status, body));
        let mut answers: Vec<_> = answers.collect();
        answers.reverse();
        Arc::new(Self {
            answers: Mutex::new(answers),
            asked: Mutex::default(),
        })
    }

    /// A client of the test environment that speaks with it.
    pub fn krr(self: &Arc<Self>) -> Krr {
        let settings = json!({
            "profile": "maskinporten", "environment": "test", "client_id": "bank",
            "kid": "bank-key", "scopes": [CONTACT],
        });
        let transport: Arc<dyn Transport> = self.clone();
        let client =
            TokenClient::builder(ClientSettings::from_json(&settings.to_string()).unwrap())
                .signer(signer(&rsa_key()))
                .transport(transport)
                .build(&Call::none())
                .unwrap();
        Krr::new(Arc::new(client), TokenRequest::default()).unwrap()
    }
}

impl Transport for Register {
    fn send(&self, request: &Request, _: &Call) -> Result<Response> {
        if request.url.as_str().ends_with("/token") {
            let token = r#"{"access_token":"T","token_type":"Bearer","expires_in":120}"#;
            return Ok(json_answer(200, token));
        }
        assert!(
            request
                .headers
                .contains(&("Authorization".into(), "Bearer T".into()))
        );
        let body = String::from_utf8(request.body.to_vec()).unwrap();
        let asked = (request.url.as_str().to_owned(), body);
        self.asked.lock().unwrap().push(asked);
        Ok(self
            .answers
            .lock()
            .unwrap()
            .pop()
            .expect("one answer too few"))
    }
}
