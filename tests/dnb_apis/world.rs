//! A simulator with a clock that the test moves, and a third party's client.

use std::sync::Arc;

use segl::apis::Operation;
use segl::clock::{Clock, FixedClock, UnixTime};
use segl::profiles::ClientSettings;
use segl::simulator::{RunningSimulator, Simulator, SimulatorConfig};
use segl::{Call, Result, TokenClient, TokenRequest};
use serde_json::{Value, json};

use crate::support::{now, p256_key, signer};

pub const PERSON: &str = "23079422568";
pub const SCOPE: &str = "openbanking.prevalidation.norway:validate";

pub struct World {
    pub simulator: RunningSimulator,
    pub clock: Arc<FixedClock>,
}

impl World {
    /// With more of the table `[dnb]`.
    pub fn new(toml: &str) -> Self {
        let clock = Arc::new(FixedClock::new(UnixTime::from_seconds(now())));
        let jwk = signer(&p256_key())
            .public_key()
            .to_registration("k", segl::Algorithm::ES256);
        let jwks = json!([jwk]);
        let config = format!(
            "[dnb]\n{toml}\n[[dnb.clients]]\nclient_id = 'bank'\nscopes = ['{SCOPE}']\njwks = '{jwks}'\n"
        );
        let simulator = Simulator::start_with_clock(
            SimulatorConfig::from_toml(&config).unwrap(),
            ([127, 0, 0, 1], 0).into(),
            clock.clone(),
        );
        Self {
            simulator: simulator.unwrap(),
            clock,
        }
    }

    pub fn later(&self, seconds: i64) {
        self.clock.set(self.clock.now().plus(seconds));
    }

    /// A client with these settings of services.
    pub fn client_with(&self, services: &Value) -> Arc<TokenClient> {
        let settings = json!({
            "profile": "dnb",
            "token_endpoint": self.simulator.urls().dnb_token_endpoint,
            "client_id": "bank",
            "kid": "k",
            "scopes": [SCOPE],
            "services": services,
        });
        let client =
            TokenClient::builder(ClientSettings::from_json(&settings.to_string()).unwrap())
                .signer(signer(&p256_key()))
                .clock(self.clock.clone())
                .build(&Call::none());
        Arc::new(client.unwrap())
    }

    pub fn client(&self) -> Arc<TokenClient> {
        let urls = self.simulator.urls();
        self.client_with(&json!({
            "dnb": {"base_url": format!("{}/dnb/api", urls.base)},
            "dnb_psd2": {"base_url": urls.dnb_psd2},
        }))
    }

    /// What a person does at the bank.
    pub fn approve(&self, id: &str) {
        let url = format!("{}/dnb/psd2/approve", self.simulator.urls().admin);
        ureq::post(&url)
            .header("Content-Type", "application/json")
            .send(json!({ "id": id }).to_string())
            .unwrap();
    }
}

/// An operation by its name.
pub fn run(client: &Arc<TokenClient>, operation: &str, input: &Value) -> Result<Value> {
    run_text(client, operation, &input.to_string())
        .map(|answer| serde_json::from_str(&answer).unwrap())
}

/// The same with texts, for numbers to the digit.
pub fn run_text(client: &Arc<TokenClient>, operation: &str, input: &str) -> Result<String> {
    let request = TokenRequest::default();
    let answer = Operation::named(operation)?.call(client, &request, input, &Call::none())?;
    Ok(answer.to_string())
}

impl World {
    /// The day of the clock and so many more.
    pub fn clock_day(&self, more: i64) -> String {
        let time = self.clock.now().plus(more * 86_400).to_string();
        time[..10].to_owned()
    }
}
