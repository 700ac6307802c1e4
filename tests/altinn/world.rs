//! A simulator with a clock that the test moves, and a bank's client.

use std::sync::Arc;

use segl::apis::{Altinn, Operation};
use segl::clock::{Clock, FixedClock, UnixTime};
use segl::keys::PublicJwk;
use segl::profiles::ClientSettings;
use segl::simulator::{RunningSimulator, Simulator, SimulatorConfig};
use segl::{Algorithm, Call, Result, TokenClient, TokenRequest};
use serde_json::{Value, json};

use crate::support::{now, rsa_key, signer};

pub const ORG: &str = "910753614";
pub const SUPPLIER: &str = "974760673";
pub const PERSON: &str = "23079422568";

pub struct World {
    pub simulator: RunningSimulator,
    pub clock: Arc<FixedClock>,
}

/// The key of every client, as it is registered.
pub fn jwks(kid: &str) -> Value {
    let signer = signer(&rsa_key());
    let key: &PublicJwk = signer.public_key();
    json!([key.to_registration(kid, Algorithm::RS256)])
}

pub fn config() -> String {
    format!(
        r#"
        [altinn.service_owners]
        "{ORG}" = "digdir"

        [[maskinporten.clients]]
        client_id = "bank"
        orgno = "{ORG}"
        access_token_lifetime = 600
        scopes = ["altinn:consentrequests.write", "altinn:consentrequests.read",
                  "altinn:serviceowner/instances.read", "owner:inntekt", "other:one"]
        jwks = '{}'

        [[maskinporten.clients]]
        client_id = "stranger"
        orgno = "{SUPPLIER}"
        scopes = ["altinn:consentrequests.write", "altinn:consentrequests.read", "owner:inntekt"]
        jwks = '{}'
        "#,
        jwks("bank-key"),
        jwks("stranger-key")
    )
}

impl World {
    pub fn new() -> Self {
        let clock = Arc::new(FixedClock::new(UnixTime::from_seconds(now())));
        let simulator = Simulator::start_with_clock(
            SimulatorConfig::from_toml(&config()).unwrap(),
            ([127, 0, 0, 1], 0).into(),
            clock.clone(),
        )
        .unwrap();
        Self { simulator, clock }
    }

    pub fn later(&self, seconds: i64) {
        self.clock.set(self.clock.now().plus(seconds));
    }

    pub fn client(&self, client_id: &str, scopes: &[&str]) -> Arc<TokenClient> {
        let urls = self.simulator.urls();
        let settings = json!({
            "profile": "maskinporten",
            "issuer": urls.maskinporten_issuer,
            "client_id": client_id,
            "kid": format!("{client_id}-key"),
            "scopes": scopes,
            "services": {"altinn": {"base_url": urls.altinn}},
        });
        let client =
            TokenClient::builder(ClientSettings::from_json(&settings.to_string()).unwrap())
                .signer(signer(&rsa_key()))
                .clock(self.clock.clone())
                .build(&Call::none());
        Arc::new(client.unwrap())
    }

    pub fn altinn(&self, client_id: &str, scopes: &[&str]) -> Altinn {
        Altinn::new(self.client(client_id, scopes), TokenRequest::default()).unwrap()
    }

    /// Asks the simulator's administration.
    pub fn admin(&self, path: &str, body: &Value) -> u16 {
        let url = format!("{}/{path}", self.simulator.urls().admin);
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .into();
        let answer = agent
            .post(&url)
            .header("Content-Type", "application/json")
            .send(body.to_string());
        answer.unwrap().status().as_u16()
    }
}

/// An operation by its name.
pub fn run(client: &Arc<TokenClient>, operation: &str, input: &Value) -> Result<Value> {
    let request = TokenRequest::default();
    let answer =
        Operation::named(operation)?.call(client, &request, &input.to_string(), &Call::none())?;
    Ok(serde_json::from_str(&answer).unwrap())
}
