//! The keys that tokens are bound to.

use openssl::nid::Nid;
use segl::apis::Authorized;
use segl::profiles::ClientSettings;
use segl::{TokenClient, TokenRequest};
use serde_json::{Value, json};

use crate::dpop_server::{Nonces, StrictServer};
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
