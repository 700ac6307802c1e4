//! The keys that tokens are bound to.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use segl::apis::Authorized;
use segl::http::{Request, Response, Transport};
use segl::profiles::ClientSettings;
use segl::{Call, Result, TokenClient, TokenRequest};
use serde_json::{Value, json};

use crate::dpop_server::{Nonces, Proof, StrictServer};
use crate::support::{ec_key, p256_key, rsa_key, signer};
use crate::{SETTINGS, call, get};

#[test]
fn keys_of_every_type_make_proofs() {
    let p384 = ec_key(Nid::SECP384R1);
    for (key, settings, alg) in [
        (p256_key(), json!({}), "ES256"),
        (p384, json!({}), "ES384"),
        (rsa_key(), json!({}), "RS256"),
        (rsa_key(), json!({"alg": "PS256"}), "PS256"),
    ] {
        let server = StrictServer::new(Nonces::NewAfter(100), Nonces::NewAfter(100));
        let mut client: Value = serde_json::from_str(SETTINGS).unwrap();
        client["dpop"] = settings;
        let client = TokenClient::builder(ClientSettings::from_json(&client.to_string()).unwrap())
            .signer(signer(&key))
            .transport(server.clone())
            .build(&call())
            .unwrap();
        let api = Authorized::new(client.into(), TokenRequest::default());
        let answer = api.send(&get("https://one.example/a"), &call()).unwrap();
        assert_eq!(answer.status, 200, "{alg}: {:?}", server.problems());
        assert!(
            server.seen().iter().all(|seen| seen.header["alg"] == alg),
            "{alg}"
        );
    }
}

#[test]
fn the_clients_own_key_proves_with_the_algorithm_of_its_assertions() {
    let server = StrictServer::new(Nonces::Unasked, Nonces::Unasked);
    let settings = SETTINGS.replace(r#""kid""#, r#""alg":"PS256","kid""#);
    let client = TokenClient::builder(ClientSettings::from_json(&settings).unwrap())
        .signer(signer(&rsa_key()))
        .transport(server.clone())
        .build(&call())
        .unwrap();
    crate::token(&client);
    assert_eq!(server.seen()[0].header["alg"], "PS256");
}

#[test]
fn a_key_that_the_settings_name_is_opened() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let [own, dpop] = ["dpop-own.pem", "dpop-dpop.pem"].map(|name| folder.join(name));
    for (path, key) in [(&own, rsa_key()), (&dpop, p256_key())] {
        std::fs::write(path, crate::support::pem(&key)).unwrap();
    }
    let uri = |path: &std::path::Path| format!("file:{}", path.display());
    let mut settings: Value = serde_json::from_str(SETTINGS).unwrap();
    settings["key"] = json!(uri(&own));
    settings["dpop"] = json!({"key": uri(&dpop)});
    let server = StrictServer::new(Nonces::Unasked, Nonces::Unasked);
    let client = TokenClient::builder(ClientSettings::from_json(&settings.to_string()).unwrap())
        .transport(server.clone())
        .build(&call())
        .unwrap();
    crate::token(&client);
    assert_eq!(server.seen()[0].header["alg"], "ES256");
    let thumbprint = signer(&p256_key()).public_key().thumbprint().to_owned();
    assert_eq!(client.dpop_thumbprint(), Some(&*thumbprint));
}

/// Answers from a list and keeps what it was sent.
#[derive(Debug, Default)]
struct Listed {
    answers: Mutex<VecDeque<Response>>,
    sent: Mutex<Vec<Request>>,
}

impl Transport for Listed {
    fn send(&self, request: &Request, _: &Call) -> Result<Response> {
        self.sent.lock().unwrap().push(request.clone());
        Ok(self.answers.lock().unwrap().pop_front().unwrap())
    }
}

fn pem_uri(folder: &tempfile::TempDir, name: &str, key: &PKey<Private>) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, crate::support::pem(key)).unwrap();
    format!("file:{}", path.display())
}

#[test]
fn the_next_key_of_the_client_proves_with_the_same_dpop_key() {
    let folder = tempfile::tempdir().unwrap();
    let uri = |name, key| pem_uri(&folder, name, &key);
    let mut settings: Value = serde_json::from_str(SETTINGS).unwrap();
    settings.as_object_mut().unwrap().remove("kid");
    settings["keys"] = json!([
        {"key": uri("a.pem", rsa_key()), "kid": "a"},
        {"key": uri("b.pem", ec_key(Nid::SECP384R1)), "kid": "b"},
    ]);
    settings["dpop"] = json!({"key": uri("dpop.pem", p256_key())});
    let nonce = |number: u16, status, body: &str| {
        let headers = [
            ("content-type", "application/json".to_owned()),
            ("dpop-nonce", format!("n{number}")),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value));
        Response::new(status, headers.into(), body.into())
    };
    let transport = Arc::new(Listed::default());
    *transport.answers.lock().unwrap() = VecDeque::from([
        nonce(1, 400, r#"{"error":"use_dpop_nonce"}"#),
        nonce(2, 401, r#"{"error":"invalid_client"}"#),
        nonce(
            3,
            200,
            r#"{"access_token":"t","token_type":"DPoP","expires_in":60}"#,
        ),
    ]);
    let client = TokenClient::builder(ClientSettings::from_json(&settings.to_string()).unwrap())
        .transport(transport.clone())
        .build(&call())
        .unwrap();
    crate::token(&client);
    let sent = transport.sent.lock().unwrap();
    let kids: Vec<_> = sent
        .iter()
        .map(|request| {
            let form = std::str::from_utf8(&request.body).unwrap();
            let assertion = form
                .split('&')
                .find_map(|pair| pair.strip_prefix("client_assertion="));
            crate::support::header(assertion.unwrap())["kid"].clone()
        })
        .collect();
    assert_eq!(kids, ["a", "a", "b"]);
    let proofs: Vec<_> = sent
        .iter()
        .map(|request| {
            let proof = request.headers.iter().find(|(name, _)| name == "DPoP");
            Proof::verified(proof.unwrap().1.as_str()).unwrap()
        })
        .collect();
    let nonces: Vec<_> = proofs
        .iter()
        .map(|proof| proof.claims["nonce"].clone())
        .collect();
    assert_eq!(nonces, [Value::Null, json!("n1"), json!("n2")]);
    for proof in &proofs {
        assert_eq!(Some(&*proof.thumbprint()), client.dpop_thumbprint());
    }
}

#[test]
fn the_health_of_the_dpop_key_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let server = StrictServer::new(Nonces::Unasked, Nonces::Unasked);
    let build = |settings: &Value, given: bool| {
        let settings = ClientSettings::from_json(&settings.to_string()).unwrap();
        let mut builder = TokenClient::builder(settings).transport(server.clone());
        builder = builder.signer(signer(&rsa_key()));
        if given {
            builder = builder.dpop_signer(signer(&p256_key()));
        }
        builder.build(&call()).unwrap()
    };
    let own: Value = serde_json::from_str(SETTINGS).unwrap();
    let mut named = own.clone();
    named["dpop"]["key"] = json!(pem_uri(&folder, "dpop.pem", &p256_key()));
    for (settings, given, name) in [
        (&own, false, "signer"),
        (&own, true, "dpop_signer"),
        (&named, false, "dpop.key"),
    ] {
        let health = build(settings, given).dpop_health().unwrap();
        assert_eq!((&*health.name, health.opened), (name, true));
        assert_eq!(health.health.state, segl::keys::HealthState::Ready);
    }
    let mut unbound = own;
    unbound.as_object_mut().unwrap().remove("dpop");
    assert_eq!(build(&unbound, false).dpop_health(), None);
}
