//! nginx as the server, which tells in HTTP what it thinks of a certificate.

use std::sync::Arc;

use serde_json::json;

use crate::authority::VALID;
use crate::nginx::Nginx;
use crate::support::{p256_key, rsa_key, signer};
use crate::{Counting, certify, client, get, page, softhsm, world};
use segl::{Call, KeyUri, Signer};

const ECHO: &str = "ssl_verify_client on;\nssl_session_cache shared:s:1m;\n\
                    location / { return 200 \"$ssl_client_verify $ssl_protocol $ssl_client_s_dn\"; }";

#[test]
fn nginx_lets_a_client_in() {
    let world = world();
    for protocols in ["TLSv1.2", "TLSv1.3"] {
        let nginx = Nginx::start(
            &world.authority,
            &format!("ssl_protocols {protocols};\n{ECHO}"),
        );
        for (name, key) in [
            ("nginx-ec", signer(&p256_key())),
            ("nginx-rsa", signer(&rsa_key())),
            ("nginx-token-ec", in_token("ec")),
            ("nginx-token-rsa", in_token("rsa")),
        ] {
            let own = Counting::new(key);
            let client = client(&world.tls(&*own, name), Some(own.clone())).unwrap();
            let expected = format!("SUCCESS {protocols} CN={name},C=NO");
            for _ in 0..3 {
                assert_eq!(page(&client, &nginx.url()), expected);
            }
            assert_eq!(own.count(), 1, "{protocols}: the session is resumed");
        }
    }
}

fn in_token(object: &str) -> Arc<dyn Signer> {
    let uri = KeyUri::Pkcs11(softhsm::uri(&format!("token=nginx;object={object}")));
    segl::keys::open(&uri, softhsm::pin(), &Call::none()).unwrap()
}

#[test]
fn nginx_answers_whom_it_does_not_let_in() {
    let world = world();
    let nginx = Nginx::start(&world.authority, ECHO);
    let own = signer(&p256_key());
    let certificate = certify(&world.stranger, &*own, "strange", VALID);
    let with = json!({
        "certificate": world.file("strange.pem", &certificate.to_pem().unwrap()),
        "ca_file": world.dir.join("ca.pem"),
    });
    let without = json!({ "ca_file": world.dir.join("ca.pem") });
    for (tls, given, words) in [
        (with, Some(own), "The SSL certificate error"),
        (without, None, "No required SSL certificate was sent"),
    ] {
        let client = client(&tls, given).unwrap();
        let answer = get(&client, &nginx.url(), &Call::none()).unwrap();
        assert_eq!(answer.status, 400);
        let page = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(page.contains(words), "{page}");
    }
}
