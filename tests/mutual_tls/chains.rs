//! Issuers between the certificate and the authority, and certificates for other ends.

use serde_json::json;

use crate::authority::{Authority, VALID};
use crate::openssl_server::OpensslServer;
use crate::support::{p256_key, signer};
use crate::{certify, client, get, page, world};
use segl::{Call, ErrorCode};

/// PEM of `certificates`, one after the other.
fn pem(certificates: &[&openssl::x509::X509]) -> Vec<u8> {
    let each = certificates.iter().map(|each| each.to_pem().unwrap());
    each.collect::<Vec<_>>().concat()
}

#[test]
fn issuers_are_sent_in_order_whatever_the_files() {
    let world = world();
    let between = Authority::under(&world.authority, "Between");
    let below = Authority::under(&between, "Below");
    let own = signer(&p256_key());
    let leaf = certify(&below, &*own, "leaf", VALID);
    let (root, between, below) = (
        &world.authority.certificate,
        &between.certificate,
        &below.certificate,
    );
    // `-Verify` takes three issuers.
    let server = OpensslServer::start(&world.authority, &["-Verify", "5", "-verify_return_error"]);
    for (name, file) in [
        ("in-order", vec![&leaf, below, between]),
        ("shuffled", vec![between, &leaf, below]),
        ("with-root", vec![root, between, below, &leaf]),
        (
            "with-stranger",
            vec![&world.stranger.certificate, &leaf, between, below],
        ),
    ] {
        let tls = json!({
            "certificate": world.file(&format!("chain-{name}.pem"), &pem(&file)),
            "ca_file": world.dir.join("ca.pem"),
        });
        let client = client(&tls, Some(own.clone())).unwrap();
        assert!(page(&client, &server.url()).contains("CN=leaf\n"), "{name}");
    }
    let tls = json!({
        "certificate": world.file("chain-lacking.pem", &pem(&[&leaf, between])),
        "ca_file": world.dir.join("ca.pem"),
    });
    let client = client(&tls, Some(own)).unwrap();
    let error = get(&client, &server.url(), &Call::none()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ClientCertificateRefused, "{error}");
    assert!(
        error.message().contains("send the issuers' certificates"),
        "{error}"
    );
}

#[test]
fn a_certificate_for_servers_only_is_warned_of() {
    let world = world();
    let own = signer(&p256_key());
    let key = openssl::pkey::PKey::public_key_from_der(&own.public_key().to_spki_der().unwrap());
    let key = key.unwrap();
    for (certificate, warned) in [
        (world.authority.server(&key, &["localhost"], VALID), true),
        (world.authority.client(&key, "usage", VALID), false),
    ] {
        let tls = json!({
            "certificate": world.file("usage.pem", &certificate.to_pem().unwrap()),
            "ca_file": world.dir.join("ca.pem"),
        });
        let client = client(&tls, Some(own.clone())).unwrap();
        let warnings = client.tls_health().unwrap().warnings;
        assert_eq!(!warnings.is_empty(), warned, "{warnings:?}");
        if warned {
            assert!(warnings[0].contains("clientAuth"), "{warnings:?}");
            let server = OpensslServer::insisting(&world.authority, &[]);
            let error = get(&client, &server.url(), &Call::none()).unwrap_err();
            assert_eq!(error.code(), ErrorCode::ClientCertificateRefused, "{error}");
        }
    }
}
