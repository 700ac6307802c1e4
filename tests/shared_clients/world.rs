//! A simulator, a Redis, and instances of a service that use both.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use segl::clock::{Clock, FixedClock, SystemClock, UnixTime};
use segl::profiles::ClientSettings;
use segl::simulator::{RunningSimulator, Simulator, SimulatorConfig};
use segl::token::TokenClientBuilder;
use segl::{Algorithm, Call, Token, TokenClient, TokenRequest};
use serde_json::{Value, json};

use crate::redis_server::Server;
use crate::support::{pem, rsa_key, signer};

/// How many tokens a client can ask for.
pub const TOKENS: usize = 20;

/// Tokens live for so many seconds unless a test says otherwise.
pub const LIFE: i64 = 120;

/// The clock's first second where a test moves it.
pub const START: i64 = 1_800_000_000;

/// Longer than any machine needs.
pub const LONG: Duration = Duration::from_secs(30);

pub struct World {
    pub simulator: RunningSimulator,
    pub redis: Server,
    pub clock: Arc<dyn Clock>,
}

impl World {
    /// With the operating system's clock.
    pub fn new(life: i64) -> Self {
        Self::with_clock(life, Arc::new(SystemClock))
    }

    /// With a clock that the test moves.
    pub fn standing_still() -> (Self, Arc<FixedClock>) {
        let clock = Arc::new(FixedClock::new(UnixTime::from_seconds(START)));
        (Self::with_clock(LIFE, clock.clone()), clock)
    }

    fn with_clock(life: i64, clock: Arc<dyn Clock>) -> Self {
        Self {
            simulator: simulator(life, clock.clone()),
            redis: Server::start(),
            clock,
        }
    }

    /// The settings of an instance.
    pub fn settings(&self) -> Value {
        json!({
            "profile": "maskinporten",
            "issuer": self.simulator.urls().maskinporten_issuer,
            "client_id": "one",
            "kid": "one-a",
            "scopes": ["a:0"],
            "shared_cache": self.redis.settings_json(json!({})),
        })
    }

    /// One instance of the service, with a cache and connections of its own.
    pub fn instance(&self) -> Arc<TokenClient> {
        self.instance_with(&self.settings())
    }

    pub fn instance_with(&self, settings: &Value) -> Arc<TokenClient> {
        build(builder(settings).clock(self.clock.clone()))
    }

    /// An instance on another machine, whose clock is its own.
    pub fn instance_at(&self, clock: &Arc<FixedClock>) -> Arc<TokenClient> {
        build(builder(&self.settings()).clock(clock.clone()))
    }

    /// How many tokens were issued.
    pub fn issued(&self) -> u64 {
        self.simulator.requests().maskinporten_issued
    }
}

/// A simulator that knows the client `one` with the keys `one-a` and `one-b`, and `two`
/// with `two-a`, which is the same key as `one-a`.
pub fn simulator(life: i64, clock: Arc<dyn Clock>) -> RunningSimulator {
    let jwk = |key: PKey<Private>, kid: &str| {
        let signer = signer(&key);
        signer.public_key().to_registration(kid, Algorithm::RS256)
    };
    let one = json!({ "keys": [jwk(rsa_key(), "one-a"), jwk(other_key(), "one-b")] });
    let two = json!({ "keys": [jwk(rsa_key(), "two-a")] });
    let scopes: Vec<_> = (0..TOKENS).map(|number| format!("a:{number}")).collect();
    let config: String = [("one", one), ("two", two)]
        .into_iter()
        .map(|(name, jwks)| {
            format!(
                "[[maskinporten.clients]]\nclient_id = '{name}'\norgno = '910753614'\nscopes = {scopes:?}\n\
                 access_token_lifetime = {life}\njwks = '{jwks}'\n"
            )
        })
        .collect();
    let config = SimulatorConfig::from_toml(&config).unwrap();
    Simulator::start_with_clock(config, ([127, 0, 0, 1], 0).into(), clock).unwrap()
}

pub fn other_key() -> PKey<Private> {
    static KEY: OnceLock<PKey<Private>> = OnceLock::new();
    KEY.get_or_init(|| PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap())
        .clone()
}

/// With the key `one-a`.
pub fn builder(settings: &Value) -> TokenClientBuilder {
    let settings = ClientSettings::from_json(&settings.to_string()).unwrap();
    TokenClient::builder(settings).signer(signer(&rsa_key()))
}

pub fn build(builder: TokenClientBuilder) -> Arc<TokenClient> {
    Arc::new(builder.build(&Call::none()).unwrap())
}

/// The request for one of the tokens.
pub fn request(number: usize) -> TokenRequest {
    TokenRequest::from_json(&json!({ "scopes": [format!("a:{number}")] }).to_string()).unwrap()
}

/// One of the tokens.
pub fn token(client: &TokenClient, number: usize) -> Arc<Token> {
    client.token(&request(number), &Call::within(LONG)).unwrap()
}

/// Waits for a successor that is fetched in advance.
pub fn wait_for_successor(client: &TokenClient, number: usize, old: &Token) -> Arc<Token> {
    let until = Instant::now() + LONG;
    loop {
        let token = token(client, number);
        if token.generation() != old.generation() {
            return token;
        }
        let health = client.token_health();
        assert!(Instant::now() < until, "no successor comes: {health:?}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Lets an instance learn the service's time, by a token that nobody else asks for.
pub fn learn(client: &TokenClient, number: usize) {
    client.fetch(&request(number), &Call::within(LONG)).unwrap();
    assert!(client.token_health().clock_skew_ms.is_some());
}

/// The RSA key as a file for another process.
pub fn key_file(world: &World) -> String {
    let path = world.redis.dir.path().join("rsa.pem");
    fs::write(&path, pem(&rsa_key())).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    format!("file:{}", path.display())
}
