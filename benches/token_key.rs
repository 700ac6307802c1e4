//! A key in SoftHSM: a whole assertion, and one signature, against `C_SignInit`
//! and `C_Sign` in the same module and the verification that segl adds. Then what
//! it costs to run them on a thread of segl.

#[path = "support/raw.rs"]
mod raw;
#[path = "../tests/support/softhsm.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod softhsm;
mod support;

use std::path::Path;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use cryptoki_sys::*;
use openssl::sha::sha256;

use raw::Raw;
use segl::profiles::ClientSettings;
use segl::{Algorithm, Call, KeyUri, Secret, TokenClient, TokenRequest};
use softhsm::SoftHsm;

/// `DigestInfo` of SHA-256 without the digest (RFC 8017 section 9.2, note 1).
const DIGEST_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

/// The token that is called `threads` has that setting.
fn client(threads: &str, label: &str) -> TokenClient {
    let uri: KeyUri = format!(
        "pkcs11:token={threads};object={label}?threads={threads}&module-path={}",
        softhsm::module()
    )
    .parse()
    .unwrap();
    let secret = Secret::from(softhsm::PIN.as_bytes());
    let signer = segl::keys::open(&uri, Some(secret), &Call::none()).unwrap();
    let settings = r#"{"profile":"generic","issuer":"https://test.maskinporten.no/","kid":"registered",
        "token_endpoint":"https://test.maskinporten.no/token","grant":"jwt_bearer",
        "client_id":"7ea43b76-6b7d-49e8-af2b-4114ebb66c80","scopes":["lanekassen:lan/v1/saldoopplysninger"]}"#;
    TokenClient::builder(ClientSettings::from_json(settings).unwrap())
        .signer(signer)
        .build(&Call::none())
        .unwrap()
}

fn assertions(criterion: &mut Criterion) {
    let hsm = SoftHsm::new("bench");
    for token in ["caller", "own"] {
        hsm.init_token(token);
        hsm.generate(token, "rsa:2048", "01", "rsa", &[]);
        hsm.generate(token, "EC:prime256v1", "02", "ec", &[]);
    }
    for (label, id, alg, mechanism) in [
        ("ec", 2, Algorithm::ES256, CKM_ECDSA),
        ("rsa", 1, Algorithm::RS256, CKM_RSA_PKCS),
    ] {
        let clients = ["caller", "own"].map(|threads| client(threads, label));
        let assertion = |client: &TokenClient| {
            client
                .assertion(&TokenRequest::default(), &Call::none())
                .unwrap()
        };
        let jwt = assertion(&clients[0]);
        let message = jwt.rsplit_once('.').unwrap().0.as_bytes().to_vec();
        let signers = clients
            .each_ref()
            .map(|client| client.signers().remove(0).expect("the key is open"));
        let sign = |signer: usize| signers[signer].sign(alg, &message, &Call::none()).unwrap();
        let key = signers[0].public_key().clone();
        let raw = Raw::new(Path::new(softhsm::module()), "caller", id, mechanism);
        let mut buffer = [0; 512];
        let mut floor = || {
            let digest = sha256(&message);
            let mut data = match alg {
                Algorithm::RS256 => [&DIGEST_INFO[..], &digest].concat(),
                _ => digest.to_vec(),
            };
            let len = raw.sign(&mut data, &mut buffer);
            assert!(key.verify(alg, &message, &buffer[..len]));
        };
        let name = format!("{alg} assertion, SoftHSM key, to raw C_Sign and verification");
        support::compare(criterion, &name, &mut floor, || assertion(&clients[0]));
        let name = format!("{alg} signature, SoftHSM key, to raw C_Sign and verification");
        support::compare(criterion, &name, &mut floor, || sign(0));
        let name = format!("{alg} signature, SoftHSM key, threads=own to threads=caller");
        support::compare(criterion, &name, || sign(0), || sign(1));
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(2));
    targets = assertions
}
criterion_main!(benches);
