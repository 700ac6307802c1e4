//! An issuer on no network: its keys, its tokens, and what it was asked.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, LazyLock, Mutex};

use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use segl::clock::{FixedClock, UnixTime};
use segl::http::{Request, Response, Transport};
use segl::validate::ValidatorSettings;
use segl::{Call, Error, ErrorCode, Requirements, Result, Validator, VerifiedToken, jws};
use serde_json::{Value, json};

use crate::support::{ec_key, json_answer, rsa_key, signer};

pub const NOW: i64 = 1_790_000_000;
pub const ISSUER: &str = "https://test.maskinporten.no/";
pub const ORGNO: &str = "910753614";
pub const SUPPLIER: &str = "974760673";
pub const PERSON: &str = "23079422568";
pub const OTHER_PERSON: &str = "05848998356";

pub static OTHER_RSA: LazyLock<PKey<Private>> =
    LazyLock::new(|| PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap());
pub static P384: LazyLock<PKey<Private>> = LazyLock::new(|| ec_key(Nid::SECP384R1));

/// What answers for the issuer. Its keys may change, and it may be away.
#[derive(Debug)]
pub struct Issuer {
    pub metadata: Mutex<Value>,
    pub jwks: Mutex<Vec<u8>>,
    pub is_away: AtomicBool,
    pub metadata_requests: AtomicUsize,
    pub jwks_requests: AtomicUsize,
    gate: Mutex<bool>,
    opened: Condvar,
}

impl Issuer {
    pub fn new(keys: &[Value]) -> Arc<Self> {
        Arc::new(Self {
            metadata: Mutex::new(json!({
                "issuer": ISSUER,
                "token_endpoint": format!("{ISSUER}token"),
                "jwks_uri": format!("{ISSUER}jwk"),
                "authorization_details_types_supported": ["urn:altinn:systemuser", "urn:altinn:consent"],
            })),
            jwks: Mutex::new(jwks(keys)),
            is_away: AtomicBool::new(false),
            metadata_requests: AtomicUsize::new(0),
            jwks_requests: AtomicUsize::new(0),
            gate: Mutex::new(true),
            opened: Condvar::new(),
        })
    }

    pub fn publish(&self, keys: &[Value]) {
        *self.jwks.lock().unwrap() = jwks(keys);
    }

    pub fn set_away(&self, is_away: bool) {
        self.is_away.store(is_away, Ordering::SeqCst);
    }

    /// Lets answers wait until it is opened again.
    pub fn set_gate(&self, is_open: bool) {
        *self.gate.lock().unwrap() = is_open;
        self.opened.notify_all();
    }

    pub fn fetches(&self) -> usize {
        self.jwks_requests.load(Ordering::SeqCst)
    }

    /// Requests of any kind.
    pub fn requests(&self) -> usize {
        self.fetches() + self.metadata_requests.load(Ordering::SeqCst)
    }
}

fn jwks(keys: &[Value]) -> Vec<u8> {
    json!({ "keys": keys }).to_string().into_bytes()
}

impl Transport for Issuer {
    fn send(&self, request: &Request, _call: &Call) -> Result<Response> {
        let url = request.url.as_str().to_owned();
        let is_jwks = url == format!("{ISSUER}jwk");
        match is_jwks {
            true => self.jwks_requests.fetch_add(1, Ordering::SeqCst),
            false => self.metadata_requests.fetch_add(1, Ordering::SeqCst),
        };
        let mut gate = self.gate.lock().unwrap();
        while !*gate {
            gate = self.opened.wait(gate).unwrap();
        }
        drop(gate);
        if self.is_away.load(Ordering::SeqCst) {
            return Err(
                Error::new(ErrorCode::Network, "no route to the issuer").with_retryable(true)
            );
        }
        if is_jwks {
            return Ok(Response::new(
                200,
                Vec::new(),
                self.jwks.lock().unwrap().clone(),
            ));
        }
        assert_eq!(
            url,
            format!("{ISSUER}.well-known/oauth-authorization-server")
        );
        Ok(json_answer(200, &self.metadata.lock().unwrap().to_string()))
    }
}

/// The public JWK of `key` under `kid`, as an issuer publishes it.
pub fn jwk(key: &PKey<Private>, kid: &str) -> Value {
    let signer = signer(key);
    let alg = signer.algorithms()[0];
    Value::Object(signer.public_key().to_registration(kid, alg))
}

/// The claims of a token as Maskinporten's, changed by `change`.
pub fn claims(change: impl FnOnce(&mut Value)) -> Value {
    let mut claims = json!({
        "iss": ISSUER,
        "client_id": "9c9f4b8a-2f7e-4f45-8e3f-4d3a0a7a0a11",
        "client_amr": "private_key_jwt",
        "consumer": {"authority": "iso6523-actorid-upis", "ID": format!("0192:{ORGNO}")},
        "scope": "bank:saldo.read bank:konto",
        "token_type": "Bearer",
        "iat": NOW - 5,
        "exp": NOW + 115,
        "jti": "Q5V0mW2bqGk1n5cP6v3l-Vd0rN1d2wE1yq5XzO5zJ3E",
    });
    change(&mut claims);
    claims
}

/// A token over `claims` signed with `key` under kid "k".
pub fn token(key: &PKey<Private>, claims: &Value) -> String {
    token_with(key, &json!({"alg": "RS256", "kid": "k"}), claims)
}

pub fn token_with(key: &PKey<Private>, header: &Value, claims: &Value) -> String {
    let payload = claims.to_string();
    jws::sign_json(
        signer(key).as_ref(),
        &header.to_string(),
        payload.as_bytes(),
        &Call::none(),
    )
    .unwrap()
}

/// A validator with the RSA key of the test program as the issuer's.
pub struct World {
    pub issuer: Arc<Issuer>,
    pub clock: Arc<FixedClock>,
    pub validator: Arc<Validator>,
}

impl World {
    pub fn new() -> Self {
        Self::with("{\"environment\":\"test\"}")
    }

    pub fn with(settings: &str) -> Self {
        Self::of(settings, Issuer::new(&[jwk(&rsa_key(), "k")]))
    }

    pub fn of(settings: &str, issuer: Arc<Issuer>) -> Self {
        let clock = Arc::new(FixedClock::new(UnixTime::from_seconds(NOW)));
        let validator = Validator::builder(ValidatorSettings::from_json(settings).unwrap())
            .transport(issuer.clone())
            .clock(clock.clone())
            .build()
            .unwrap();
        Self {
            issuer,
            clock,
            validator: Arc::new(validator),
        }
    }

    pub fn check(&self, token: &str, requirements: &str) -> Result<VerifiedToken> {
        let requirements = Requirements::from_json(requirements).unwrap();
        self.validator.check(token, &requirements, &Call::none())
    }

    /// What is wrong with a token that has these claims, rightly signed.
    pub fn refusal(&self, change: impl FnOnce(&mut Value), requirements: &str) -> Error {
        let token = token(&rsa_key(), &claims(change));
        self.check(&token, requirements).unwrap_err()
    }
}

/// Requires the answer that belongs to a refusal.
#[track_caller]
pub fn assert_refused(error: &Error, code: ErrorCode) {
    assert_eq!(error.code(), code, "{error}");
    let details = error.details();
    let is_insufficient = matches!(
        code,
        ErrorCode::AccessTokenScope
            | ErrorCode::AccessTokenConsumer
            | ErrorCode::AccessTokenSupplier
            | ErrorCode::AccessTokenPerson
    );
    let (status, oauth_error) = match is_insufficient {
        true => (403, "insufficient_scope"),
        false => (401, "invalid_token"),
    };
    assert_eq!(details.http_status, Some(status), "{error}");
    assert_eq!(details.oauth_error.as_deref(), Some(oauth_error), "{error}");
    for person in [PERSON, OTHER_PERSON] {
        assert!(!format!("{error:?}").contains(person), "{error:?}");
    }
}

/// Waits for what another thread does.
#[track_caller]
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let start = std::time::Instant::now();
    while !holds() {
        assert!(start.elapsed().as_secs() < 20, "{what}");
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}
