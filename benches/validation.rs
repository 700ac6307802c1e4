//! What checking an access token costs, with the issuer's keys known: against the bare
//! signature verification, and beside others' libraries.

#[path = "../tests/support/mod.rs"]
mod fixtures;
mod support;

use std::process::Command;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use jsonwebtoken::crypto::aws_lc;
use jsonwebtoken::{DecodingKey, Validation};
use openssl::md::Md;
use openssl::pkey::{PKey, Private, Public};
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::Padding;
use openssl::sha::sha256;
use segl::validate::ValidatorSettings;
use segl::{Call, Requirements, Validator, jws};
use serde::Deserialize;
use serde_json::{Value, json};

use fixtures::{ScriptedTransport, json_answer, p256_key, rsa_key, signer};

const ISSUER: &str = "https://test.maskinporten.no/";
const REQUIREMENTS: &str = r#"{"scopes":["bank:konto"],"consumer":"910753614"}"#;

/// A token as Maskinporten's, good for an hour.
fn token(key: &PKey<Private>, alg: &str) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.unwrap().as_secs();
    let claims = json!({
        "scope": "bank:saldo.read bank:konto",
        "iss": ISSUER,
        "client_amr": "private_key_jwt",
        "token_type": "Bearer",
        "exp": now + 3600,
        "iat": now,
        "client_id": "9c9f4b8a-2f7e-4f45-8e3f-4d3a0a7a0a11",
        "jti": "Q5V0mW2bqGk1n5cP6v3l-Vd0rN1d2wE1yq5XzO5zJ3E",
        "consumer": {"authority": "iso6523-actorid-upis", "ID": "0192:910753614"},
    });
    let header = json!({"kid": "a-key-of-the-issuer", "alg": alg}).to_string();
    let claims = claims.to_string();
    let signer = signer(key);
    jws::sign_json(signer.as_ref(), &header, claims.as_bytes(), &Call::none()).unwrap()
}

fn jwk(key: &PKey<Private>) -> Value {
    let signer = signer(key);
    let alg = signer.algorithms()[0];
    let jwk = signer
        .public_key()
        .to_registration("a-key-of-the-issuer", alg);
    Value::Object(jwk)
}

/// A validator that has read the key.
fn validator(key: &PKey<Private>, alg: &str) -> Validator {
    let settings = json!({
        "environment": "test", "jwks_uri": "https://test.maskinporten.no/jwk", "algorithms": [alg],
    });
    let answer = json_answer(200, &json!({ "keys": [jwk(key)] }).to_string());
    Validator::builder(ValidatorSettings::from_json(&settings.to_string()).unwrap())
        .transport(ScriptedTransport::answering([answer]))
        .build()
        .unwrap()
}

/// The signature and what it covers, taken apart before.
struct Floor {
    context: PkeyCtx<Public>,
    message: Vec<u8>,
    signature: Vec<u8>,
}

impl Floor {
    fn new(key: &PKey<Private>, token: &str) -> Self {
        let public = PKey::public_key_from_der(&key.public_key_to_der().unwrap()).unwrap();
        let mut context = PkeyCtx::new(&public).unwrap();
        context.verify_init().unwrap();
        let decoded = jws::decode(token).unwrap();
        let signature = match key.rsa() {
            Ok(_) => {
                context.set_rsa_padding(Padding::PKCS1).unwrap();
                decoded.signature
            }
            Err(_) => der(&decoded.signature),
        };
        context.set_signature_md(Md::sha256()).unwrap();
        Self {
            context,
            message: decoded.signing_input.into_bytes(),
            signature,
        }
    }

    fn verify(&mut self) -> bool {
        self.context
            .verify(&sha256(&self.message), &self.signature)
            .unwrap()
    }
}

fn der(signature: &[u8]) -> Vec<u8> {
    let number = |bytes| openssl::bn::BigNum::from_slice(bytes).unwrap();
    let (r, s) = signature.split_at(signature.len() / 2);
    let signature = openssl::ecdsa::EcdsaSig::from_private_components(number(r), number(s));
    signature.unwrap().to_der().unwrap()
}

fn checks(criterion: &mut Criterion) {
    let requirements = Requirements::from_json(REQUIREMENTS).unwrap();
    for (alg, key) in [("RS256", rsa_key()), ("ES256", p256_key())] {
        let token = token(&key, alg);
        let mut floor = Floor::new(&key, &token);
        let validator = Arc::new(validator(&key, alg));
        let call = Call::none();
        validator.check(&token, &requirements, &call).unwrap();
        support::compare(
            criterion,
            &format!("check of an access token, {alg}, to OpenSSL's verification alone"),
            || assert!(floor.verify()),
            || validator.check(&token, &requirements, &call).unwrap(),
        );
    }
}

/// What a program reads that uses jsonwebtoken.
#[derive(Deserialize)]
#[allow(dead_code, reason = "it is read as a program would")]
struct Claims {
    iss: String,
    exp: u64,
    iat: u64,
    scope: String,
    client_id: String,
    jti: String,
    consumer: Consumer,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "it is read as a program would")]
struct Consumer {
    authority: String,
    #[serde(rename = "ID")]
    id: String,
}

/// Its signature, issuer and times only, with a key that is prepared.
fn beside_jsonwebtoken(criterion: &mut Criterion) {
    aws_lc::DEFAULT_PROVIDER.install_default().unwrap();
    let requirements = Requirements::from_json(REQUIREMENTS).unwrap();
    let key = rsa_key();
    let token = token(&key, "RS256");
    let jwk = jwk(&key);
    let part = |name: &str| jwk[name].as_str().unwrap();
    let decoding = DecodingKey::from_rsa_components(part("n"), part("e")).unwrap();
    let mut validation = Validation::new(jsonwebtoken::Algorithm::RS256);
    validation.set_issuer(&[ISSUER]);
    validation.validate_aud = false;
    let validator = validator(&key, "RS256");
    let call = Call::none();
    support::compare(
        criterion,
        "check of an access token, RS256, to jsonwebtoken's decode",
        || jsonwebtoken::decode::<Claims>(&token, &decoding, &validation).unwrap(),
        || validator.check(&token, &requirements, &call).unwrap(),
    );
}

/// PyJWT in the environment of the interop tests, when that is there. It prints
/// nanoseconds, which are compared by hand.
fn beside_pyjwt(_: &mut Criterion) {
    let root = env!("CARGO_MANIFEST_DIR");
    let python = format!("{root}/build/venv/bin/python");
    if !std::path::Path::new(&python).exists() {
        println!("validation: PyJWT is left out; scripts/setup installs it under build/venv");
        return;
    }
    let key = rsa_key();
    let folder = tempfile::tempdir().unwrap();
    let public = folder.path().join("key.pem");
    std::fs::write(&public, key.public_key_to_pem().unwrap()).unwrap();
    let output = Command::new(python)
        .arg(format!("{root}/benches/validation.py"))
        .arg(&public)
        .arg(token(&key, "RS256"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    print!("{}", String::from_utf8(output.stdout).unwrap());
}

criterion_group!(benches, checks, beside_jsonwebtoken, beside_pyjwt);
criterion_main!(benches);
