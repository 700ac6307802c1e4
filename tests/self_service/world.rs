//! A simulator with a clock that the test moves, an admin client, and a client
//! that has no keys yet.

use std::sync::{Arc, LazyLock};

use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use segl::apis::{Authorized, SelfService, WantedKey};
use segl::clock::{Clock, FixedClock, UnixTime};
use segl::profiles::{ClientId, ClientSettings};
use segl::simulator::{RunningSimulator, Simulator, SimulatorConfig};
use segl::{Algorithm, Call, Result, Token, TokenClient, TokenRequest};
use serde_json::{Value, json};

use crate::support::{now, rsa_key, signer};

pub const ORG: &str = "910753614";
pub const STRANGER: &str = "991825827";
pub const DAY: i64 = 86_400;

pub static ADMIN_KEY: LazyLock<PKey<Private>> = LazyLock::new(rsa_key);
pub static OLD_KEY: LazyLock<PKey<Private>> = LazyLock::new(new_rsa_key);
pub static NEW_KEY: LazyLock<PKey<Private>> = LazyLock::new(new_rsa_key);

fn new_rsa_key() -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap()
}

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
        let clock = Arc::new(FixedClock::new(UnixTime::from_seconds(now())));
        // The admin's key does not expire while a test moves the clock by years.
        let mut admin_key = jwk("admin-key", &ADMIN_KEY);
        admin_key["registered_at"] = json!(now() + 3650 * DAY);
        let set = json!({ "keys": [admin_key] }).to_string();
        let config = format!(
            r#"
            {toml}
            [[maskinporten.clients]]
            client_id = "admin"
            orgno = "{ORG}"
            scopes = ["idporten:dcr.read", "idporten:dcr.write", "some:other"]
            jwks = '{set}'

            [[maskinporten.clients]]
            client_id = "bank"
            orgno = "{ORG}"
            scopes = ["bank:saldo"]

            [[maskinporten.clients]]
            client_id = "stranger"
            orgno = "{STRANGER}"
            scopes = ["bank:saldo"]
            jwks = '{}'
            "#,
            json!([jwk("strangers-key", &ADMIN_KEY)])
        );
        let simulator = Simulator::start_with_clock(
            SimulatorConfig::from_toml(&config).unwrap(),
            ([127, 0, 0, 1], 0).into(),
            clock.clone(),
        )
        .unwrap();
        Self { simulator, clock }
    }

    pub fn later(&self, seconds: i64) {
        self.clock.set(self.clock.now().plus(seconds));
    }

    pub fn client_of(
        &self,
        client_id: &str,
        kid: &str,
        key: &PKey<Private>,
        scopes: Value,
    ) -> TokenClient {
        let settings = json!({
            "profile": "maskinporten",
            "issuer": self.simulator.urls().maskinporten_issuer,
            "client_id": client_id,
            "kid": kid,
            "scopes": scopes,
        });
        TokenClient::builder(ClientSettings::from_json(&settings.to_string()).unwrap())
            .signer(signer(key))
            .clock(self.clock.clone())
            .build(&Call::none())
            .unwrap()
    }

    pub fn admin_client(&self, scopes: Value) -> Arc<TokenClient> {
        Arc::new(self.client_of("admin", "admin-key", &ADMIN_KEY, scopes))
    }

    pub fn admin(&self) -> SelfService {
        let scopes = json!(["idporten:dcr.read", "idporten:dcr.write"]);
        self.self_service(self.admin_client(scopes))
    }

    pub fn self_service(&self, admin: Arc<TokenClient>) -> SelfService {
        SelfService::new(admin, &self.simulator.urls().self_service.parse().unwrap())
    }

    /// A token of the client `bank` by this key, always a new one.
    pub fn token(&self, kid: &str, key: &PKey<Private>) -> Result<Arc<Token>> {
        self.client_of("bank", kid, key, json!(["bank:saldo"]))
            .token(&TokenRequest::default(), &Call::none())
    }

    pub fn authorized(&self) -> Authorized {
        let client = self.admin_client(json!(["some:other"]));
        Authorized::new(client, TokenRequest::default())
    }
}

pub fn bank() -> ClientId {
    "bank".parse().unwrap()
}

pub fn wanted(kid: &str, key: &PKey<Private>) -> WantedKey {
    let key = signer(key).public_key().clone();
    WantedKey::new(kid, key, Algorithm::RS256).unwrap()
}

pub fn jwk(kid: &str, key: &PKey<Private>) -> Value {
    let key = signer(key).public_key().clone();
    Value::Object(key.to_registration(kid, Algorithm::RS256))
}
