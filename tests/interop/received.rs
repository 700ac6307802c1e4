//! Access tokens and DPoP proofs that PyJWT and jwcrypto made, and segl checks.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use segl::clock::{Clock, SystemClock};
use segl::http::{Request, Response, Transport};
use segl::validate::ValidatorSettings;
use segl::{Call, ErrorCode, Requirements, Validator};
use serde_json::{Value, json};

const ISSUER: &str = "https://issuer.example/";
const URL: &str = "https://api.example/accounts";

/// Six algorithms, by two libraries.
const TOKENS: usize = 12;

#[derive(Debug)]
struct Keys(Vec<u8>);

impl Transport for Keys {
    fn send(&self, _: &Request, _: &Call) -> segl::Result<Response> {
        Ok(Response::new(200, Vec::new(), self.0.clone()))
    }
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test interop"]
fn tokens_and_proofs_of_other_libraries_are_checked() {
    let now = SystemClock.now().seconds();
    let issued = issue(&json!({
        "claims": {
            "iss": ISSUER,
            "aud": ["https://api.example"],
            "scope": "accounts",
            "iat": now,
            "exp": now + 100,
            "client_id": "Blåbær",
        },
        "method": "POST",
        "url": URL,
    }));
    let settings = json!({
        "issuer": ISSUER,
        "jwks_uri": "https://issuer.example/jwks",
        "algorithms": ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384"],
        "scopes": ["accounts"],
        "audience": "https://api.example",
    });
    let settings = ValidatorSettings::from_json(&settings.to_string()).unwrap();
    let keys = json!({ "keys": issued["keys"] }).to_string().into_bytes();
    let validator = Validator::builder(settings)
        .transport(Arc::new(Keys(keys)))
        .build()
        .unwrap();
    let check = |token: &str, proof: &str| {
        let dpop = json!({ "dpop": { "proof": proof, "method": "POST", "url": URL } });
        let requirements = Requirements::from_json(&dpop.to_string()).unwrap();
        validator.check(token, &requirements, &Call::none())
    };
    let tokens = issued["tokens"].as_array().unwrap();
    assert_eq!(tokens.len(), TOKENS);
    for (index, issued) in tokens.iter().enumerate() {
        let name = &issued["name"];
        let text = |member: &str| issued[member].as_str().unwrap();
        let (token, proof) = (text("jwt"), text("proof"));

        let refused = |token: &str, proof: &str, code| {
            let error = check(token, proof).unwrap_err();
            assert_eq!(error.code(), code, "{name}: {error}");
        };
        refused(&forged(token), proof, ErrorCode::AccessTokenSignature);
        refused(token, &forged(proof), ErrorCode::DpopProofInvalid);
        let other = &tokens[(index + 1) % TOKENS];
        let other = other["proof"].as_str().unwrap();
        refused(token, other, ErrorCode::DpopProofInvalid);

        let verified = check(token, proof).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(verified.client_id(), Some("Blåbær"), "{name}");
        refused(token, proof, ErrorCode::DpopProofInvalid);
    }
}

/// With another signature of the same length.
fn forged(jwt: &str) -> String {
    let (input, signature) = jwt.rsplit_once('.').unwrap();
    let middle = signature.len() / 2;
    let other = match &signature[middle..=middle] {
        "A" => "B",
        _ => "A",
    };
    format!(
        "{input}.{}{other}{}",
        &signature[..middle],
        &signature[middle + 1..]
    )
}

fn issue(asked: &Value) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut python = Command::new(root.join("build/venv/bin/python"))
        .arg(root.join("tests/interop/issue.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("python: {error}; run scripts/setup test"));
    let mut input = python.stdin.take().unwrap();
    input.write_all(asked.to_string().as_bytes()).unwrap();
    drop(input);
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}
