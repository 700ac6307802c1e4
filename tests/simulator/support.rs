//! Keys, assertions and HTTP, none of it by segl's own code.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey};
use openssl::ecdsa::EcdsaSig;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Private, Public};
use openssl::rsa::{Padding, Rsa};
use openssl::sign::{RsaPssSaltlen, Signer, Verifier};
use segl::clock::{FixedClock, UnixTime};
use segl::simulator::{RunningSimulator, Simulator, SimulatorConfig};
use serde_json::{Value, json};

/// What the simulator's clock shows at first.
pub const NOW: i64 = 1_790_000_000;
pub const ORGNO: &str = "910753614";
pub const CUSTOMER: &str = "974760673";
pub const STRANGER: &str = "991825827";

pub static RSA_KEY: LazyLock<PKey<Private>> = LazyLock::new(rsa);
pub static OTHER_RSA_KEY: LazyLock<PKey<Private>> = LazyLock::new(rsa);
pub static EC_KEY: LazyLock<PKey<Private>> = LazyLock::new(ec);
pub static OTHER_EC_KEY: LazyLock<PKey<Private>> = LazyLock::new(ec);

fn rsa() -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap()
}

fn ec() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

/// A simulator whose clock stands at [`NOW`].
pub struct Fixture {
    pub simulator: RunningSimulator,
    pub clock: Arc<FixedClock>,
}

impl Fixture {
    pub fn new(toml: &str) -> Self {
        let clock = Arc::new(FixedClock::new(UnixTime::from_seconds(NOW)));
        let simulator = Simulator::start_with_clock(
            SimulatorConfig::from_toml(toml).unwrap(),
            ([127, 0, 0, 1], 0).into(),
            clock.clone(),
        )
        .unwrap();
        Self { simulator, clock }
    }

    pub fn set_time(&self, seconds: i64) {
        self.clock.set(UnixTime::from_seconds(seconds));
    }

    /// Posts JSON to an admin endpoint.
    pub fn admin(&self, path: &str, body: &Value) -> Answer {
        let url = format!("{}/{path}", self.simulator.urls().admin);
        post(&url, "application/json", &body.to_string())
    }

    /// Posts a grant to Maskinporten.
    pub fn grant(&self, assertion: &str) -> Answer {
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("assertion", assertion),
        ];
        post_form(&self.simulator.urls().maskinporten_token_endpoint, &form)
    }

    /// Posts a client assertion to DNB.
    pub fn dnb_token(&self, assertion: &str, scope: &str) -> Answer {
        let form = [
            ("client_assertion", assertion),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
            ("grant_type", "client_credentials"),
            ("scope", scope),
        ];
        post_form(&self.simulator.urls().dnb_token_endpoint, &form)
    }
}

/// A `jti` that no other has.
pub fn fresh_jti() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("jti-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A compact JWS. `alg` of the header chooses how `key` signs.
pub fn jws(header: &Value, claims: &Value, key: &PKey<Private>) -> String {
    jws_of(&header.to_string(), &claims.to_string(), key)
}

/// As [`jws`], from JSON text that is sent as it is.
pub fn jws_of(header: &str, claims: &str, key: &PKey<Private>) -> String {
    let input = format!("{}.{}", base64url(header), base64url(claims));
    let alg = serde_json::from_str::<Value>(header)
        .ok()
        .and_then(|header| header["alg"].as_str().map(str::to_owned))
        .unwrap_or_default();
    let signature = sign(&alg, input.as_bytes(), key);
    format!("{input}.{}", base64url(signature))
}

fn sign(alg: &str, input: &[u8], key: &PKey<Private>) -> Vec<u8> {
    let digest = match alg.get(2..) {
        Some("384") => MessageDigest::sha384(),
        Some("512") => MessageDigest::sha512(),
        _ => MessageDigest::sha256(),
    };
    let mut signer = Signer::new(digest, key).unwrap();
    if alg == "PS256" {
        signer.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
        signer
            .set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)
            .unwrap();
    }
    let signature = signer.sign_oneshot_to_vec(input).unwrap();
    if key.id() != Id::EC {
        return signature;
    }
    let signature = EcdsaSig::from_der(&signature).unwrap();
    let mut jose = signature.r().to_vec_padded(32).unwrap();
    jose.extend(signature.s().to_vec_padded(32).unwrap());
    jose
}

/// The public JWK of an RSA key, as the self-service asks for it.
pub fn rsa_jwk(kid: &str, key: &PKey<Private>) -> Value {
    let rsa = key.rsa().unwrap();
    json!({
        "kty": "RSA",
        "use": "sig",
        "alg": "RS256",
        "kid": kid,
        "n": base64url(rsa.n().to_vec()),
        "e": base64url(rsa.e().to_vec()),
    })
}

/// The public JWK of a P-256 key.
pub fn ec_jwk(kid: &str, key: &PKey<Private>) -> Value {
    let ec = key.ec_key().unwrap();
    let (mut x, mut y) = (BigNum::new().unwrap(), BigNum::new().unwrap());
    let mut context = BigNumContext::new().unwrap();
    ec.public_key()
        .affine_coordinates(ec.group(), &mut x, &mut y, &mut context)
        .unwrap();
    json!({
        "kty": "EC",
        "crv": "P-256",
        "kid": kid,
        "x": base64url(x.to_vec_padded(32).unwrap()),
        "y": base64url(y.to_vec_padded(32).unwrap()),
    })
}

/// The RFC 7638 thumbprint of a P-256 key.
pub fn thumbprint(key: &PKey<Private>) -> String {
    let jwk = ec_jwk("", key);
    let canonical = format!(
        r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#,
        jwk["x"], jwk["y"]
    );
    base64url(openssl::sha::sha256(canonical.as_bytes()))
}

/// The claims of an access token, after its signature was checked with the key
/// of that `kid` and `alg` from `jwks_uri`.
pub fn verified_claims(token: &str, jwks_uri: &str) -> Value {
    let (input, signature) = token.rsplit_once('.').unwrap();
    let (header, payload) = input.split_once('.').unwrap();
    let json = |part: &str| -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    let header = json(header);
    let jwks = get(jwks_uri).json;
    let jwk = jwks["keys"]
        .as_array()
        .unwrap()
        .iter()
        .find(|jwk| jwk["kid"] == header["kid"] && jwk["alg"] == header["alg"])
        .unwrap();
    let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let key = match header["alg"].as_str() {
        Some("RS256") => {
            PKey::from_rsa(Rsa::from_public_components(number(jwk, "n"), number(jwk, "e")).unwrap())
        }
        Some("ES256") => {
            let half = |range| BigNum::from_slice(&signature[range]).unwrap();
            let jose = EcdsaSig::from_private_components(half(0..32), half(32..64)).unwrap();
            assert_eq!(signature.len(), 64);
            signature = jose.to_der().unwrap();
            let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
            let (x, y) = (number(jwk, "x"), number(jwk, "y"));
            PKey::from_ec_key(EcKey::from_public_key_affine_coordinates(&group, &x, &y).unwrap())
        }
        other => panic!("an access token is signed with {other:?}"),
    };
    let key: PKey<Public> = key.unwrap();
    let mut verifier = Verifier::new(MessageDigest::sha256(), &key).unwrap();
    assert!(
        verifier
            .verify_oneshot(&signature, input.as_bytes())
            .unwrap()
    );
    json(payload)
}

fn number(jwk: &Value, name: &str) -> BigNum {
    let bytes = URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
    BigNum::from_slice(&bytes).unwrap()
}

/// An HTTP answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: String,
    /// `null` when the body is not JSON.
    pub json: Value,
}

impl Answer {
    pub fn access_token(&self) -> &str {
        assert_eq!(self.status, 200, "{self:?}");
        self.json["access_token"].as_str().unwrap()
    }
}

/// Answers with any status, and does not wait for ever.
pub fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(60)))
        .build()
        .into()
}

pub fn get(url: &str) -> Answer {
    answer(agent().get(url).call().unwrap())
}

pub fn delete(url: &str) -> Answer {
    answer(agent().delete(url).call().unwrap())
}

pub fn post(url: &str, content_type: &str, body: &str) -> Answer {
    let request = agent().post(url).header("Content-Type", content_type);
    answer(request.send(body).unwrap())
}

/// A request with these headers, and a body with its media type if there is any.
pub fn send(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: Option<(&str, &str)>,
) -> Answer {
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    answer(match body {
        Some((media_type, body)) => {
            let request = request.header("Content-Type", media_type);
            agent().run(request.body(body.to_owned()).unwrap()).unwrap()
        }
        None => agent().run(request.body(()).unwrap()).unwrap(),
    })
}

/// A request with an access token, and JSON if there is any.
pub fn with_token(method: &str, url: &str, token: &str, body: Option<&Value>) -> Answer {
    let request = ureq::http::Request::builder()
        .method(method)
        .uri(url)
        .header("Authorization", format!("Bearer {token}"));
    let agent = agent();
    answer(match body {
        Some(body) => {
            let request = request.header("Content-Type", "application/json");
            agent.run(request.body(body.to_string()).unwrap()).unwrap()
        }
        None => agent.run(request.body(()).unwrap()).unwrap(),
    })
}

pub fn post_form(url: &str, form: &[(&str, &str)]) -> Answer {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    post(url, "application/x-www-form-urlencoded", &body)
}

fn answer(mut response: ureq::http::Response<ureq::Body>) -> Answer {
    let body = response
        .body_mut()
        .with_config()
        .limit(64 << 20)
        .read_to_string()
        .unwrap();
    Answer {
        status: response.status().as_u16(),
        headers: response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect(),
        json: serde_json::from_str(&body).unwrap_or(Value::Null),
        body,
    }
}
