//! An issuer, Altinn 2, and an API's validator, with a clock that the test sets. Tokens are
//! signed here and not by segl's own code.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::ecdsa::EcdsaSig;
use openssl::hash::MessageDigest;
use openssl::pkey::{Id, PKey, Private};
use openssl::rsa::Rsa;
use openssl::sha::sha256;
use openssl::sign::Signer;
use segl::clock::{FixedClock, UnixTime};
use segl::http::{Request, Response, Transport};
use segl::validate::ValidatorSettings;
use segl::{Call, Error, Requirements, Result, Validator, VerifiedToken};
use serde_json::{Value, json};

use crate::support::{json_answer, p256_key, rsa_key};

/// 2026-09-21T14:13:20Z
pub const NOW: i64 = 1_790_000_000;
pub const ISSUER: &str = "https://test.maskinporten.no/";
pub const KEYS: &str = "https://keys.example/maskinporten";
pub const ALTINN: &str = "https://altinn.example/.well-known/oauth-authorization-server";
pub const ALTINN_KEYS: &str = "https://altinn.example/keys";
pub const ORG: &str = "910753614";
pub const STRANGER: &str = "991825827";
pub const PERSON: &str = "05848998356";
pub const OTHER_PERSON: &str = "23079422568";

pub static ALTINN_KEY: LazyLock<PKey<Private>> =
    LazyLock::new(|| PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap());

/// Answers by URL, and counts.
#[derive(Debug, Default)]
pub struct Sites {
    answers: Mutex<HashMap<String, (u16, String)>>,
    asked: Mutex<Vec<String>>,
}

impl Sites {
    pub fn put(&self, url: &str, status: u16, body: &Value) {
        let answer = (status, body.to_string());
        self.answers.lock().unwrap().insert(url.to_owned(), answer);
    }

    pub fn asked(&self, url: &str) -> usize {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|asked| *asked == url).count()
    }
}

impl Transport for Sites {
    fn send(&self, request: &Request, _: &Call) -> Result<Response> {
        let url = request.url.to_string();
        self.asked.lock().unwrap().push(url.clone());
        let answers = self.answers.lock().unwrap();
        let (status, body) = answers.get(&url).cloned().unwrap_or((404, "{}".to_owned()));
        Ok(json_answer(status, &body))
    }
}

pub struct World {
    pub sites: Arc<Sites>,
    pub clock: Arc<FixedClock>,
    pub validator: Validator,
}

impl World {
    pub fn new() -> Self {
        Self::with(json!({}))
    }

    /// With more settings.
    pub fn with(more: Value) -> Self {
        let sites = Arc::new(Sites::default());
        sites.put(KEYS, 200, &json!({ "keys": [rsa_jwk("k1", &rsa_key())] }));
        // As Altinn's: another issuer than in tokens, no token endpoint, and an alg that
        // is none of signatures.
        let mut key = rsa_jwk("A1B2", &ALTINN_KEY);
        key["alg"] = "RSA-OAEP-256".into();
        sites.put(ALTINN_KEYS, 200, &json!({ "keys": [key] }));
        let metadata = json!({ "issuer": "https://altinn.example/", "jwks_uri": ALTINN_KEYS });
        sites.put(ALTINN, 200, &metadata);
        let clock = Arc::new(FixedClock::new(UnixTime::from_seconds(NOW)));
        let mut settings = json!({ "environment": "test", "jwks_uri": KEYS });
        settings
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let validator =
            Validator::builder(ValidatorSettings::from_json(&settings.to_string()).unwrap())
                .transport(sites.clone())
                .clock(clock.clone())
                .build()
                .unwrap();
        Self {
            sites,
            clock,
            validator,
        }
    }

    pub fn set_time(&self, seconds: i64) {
        self.clock.set(UnixTime::from_seconds(seconds));
    }

    pub fn check(&self, claims: &Value, requirements: &Value) -> Result<VerifiedToken> {
        self.check_token(&token(claims), requirements)
    }

    pub fn check_token(&self, token: &str, requirements: &Value) -> Result<VerifiedToken> {
        let requirements = Requirements::from_json(&requirements.to_string())?;
        self.validator.check(token, &requirements, &Call::none())
    }

    pub fn refusal(&self, claims: &Value, requirements: &Value) -> Error {
        self.check(claims, requirements).unwrap_err()
    }
}

/// The claims of a token of Maskinporten's at [`NOW`].
pub fn claims() -> Value {
    json!({
        "iss": ISSUER,
        "client_id": "oidc_bank",
        "client_amr": "private_key_jwt",
        "consumer": organisation(ORG),
        "scope": "bank:saldo",
        "token_type": "Bearer",
        "iat": NOW,
        "exp": NOW + 120,
        "jti": uuid::Uuid::new_v4().to_string(),
    })
}

pub fn organisation(orgno: &str) -> Value {
    json!({ "authority": "iso6523-actorid-upis", "ID": format!("0192:{orgno}") })
}

/// `claims`, signed by Maskinporten.
pub fn token(claims: &Value) -> String {
    jws(&json!({ "alg": "RS256", "kid": "k1" }), claims, &rsa_key())
}

/// A compact JWS with SHA-256, by `key`.
pub fn jws(header: &Value, claims: &Value, key: &PKey<Private>) -> String {
    jws_of(header, &claims.to_string(), key)
}

/// As [`jws`], with a payload that is sent as it is.
pub fn jws_of(header: &Value, payload: &str, key: &PKey<Private>) -> String {
    let input = format!("{}.{}", base64url(header.to_string()), base64url(payload));
    let mut signer = Signer::new(MessageDigest::sha256(), key).unwrap();
    let mut signature = signer.sign_oneshot_to_vec(input.as_bytes()).unwrap();
    if key.id() == Id::EC {
        let parts = EcdsaSig::from_der(&signature).unwrap();
        signature = parts.r().to_vec_padded(32).unwrap();
        signature.extend(parts.s().to_vec_padded(32).unwrap());
    }
    format!("{input}.{}", base64url(signature))
}

pub fn rsa_jwk(kid: &str, key: &PKey<Private>) -> Value {
    let rsa = key.rsa().unwrap();
    json!({
        "kty": "RSA", "use": "sig", "kid": kid,
        "n": base64url(rsa.n().to_vec()), "e": base64url(rsa.e().to_vec()),
    })
}

pub fn ec_jwk(key: &PKey<Private>) -> Value {
    let ec = key.ec_key().unwrap();
    let mut context = openssl::bn::BigNumContext::new().unwrap();
    let (mut x, mut y) = (
        openssl::bn::BigNum::new().unwrap(),
        openssl::bn::BigNum::new().unwrap(),
    );
    ec.public_key()
        .affine_coordinates(ec.group(), &mut x, &mut y, &mut context)
        .unwrap();
    let coordinate = |number: &openssl::bn::BigNum| base64url(number.to_vec_padded(32).unwrap());
    json!({ "crv": "P-256", "kty": "EC", "x": coordinate(&x), "y": coordinate(&y) })
}

/// The thumbprint of a P-256 key (RFC 7638).
pub fn thumbprint(key: &PKey<Private>) -> String {
    // serde_json's members stand in alphabetical order, as the RFC wants.
    base64url(sha256(ec_jwk(key).to_string().as_bytes()))
}

pub fn sender_key() -> PKey<Private> {
    p256_key()
}

pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
