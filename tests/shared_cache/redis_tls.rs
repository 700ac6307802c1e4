//! Redis behind TLS: its certificate is checked, against the given authorities.

use std::fs;

use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509, X509Builder, X509NameBuilder};
use segl::Call;
use segl::token::shared::{ObtainedFrom, RedisStore, SharedStore};
use serde_json::json;
use tempfile::TempDir;

use crate::ask;
use crate::redis_server::{Server, free_port};
use crate::support::{OrgId, certificate, ec_key, pem};

/// A certificate for localhost by `issuer`.
fn for_localhost(
    key: &openssl::pkey::PKey<openssl::pkey::Private>,
    issuer: (&openssl::pkey::PKey<openssl::pkey::Private>, &X509),
) -> X509 {
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("CN", "Redis").unwrap();
    let mut builder = X509Builder::new().unwrap();
    builder.set_version(2).unwrap();
    builder.set_subject_name(&name.build()).unwrap();
    builder.set_issuer_name(issuer.1.subject_name()).unwrap();
    builder.set_pubkey(key).unwrap();
    let begin = Asn1Time::days_from_now(0).unwrap();
    builder.set_not_before(&begin).unwrap();
    let end = Asn1Time::days_from_now(2).unwrap();
    builder.set_not_after(&end).unwrap();
    let mut names = SubjectAlternativeName::new();
    let names = names.dns("localhost").ip("127.0.0.1");
    let names = names.build(&builder.x509v3_context(Some(issuer.1), None));
    builder.append_extension(names.unwrap()).unwrap();
    builder.sign(issuer.0, MessageDigest::sha256()).unwrap();
    builder.build()
}

#[test]
fn only_a_server_with_a_certificate_is_believed() {
    let curve = openssl::nid::Nid::X9_62_PRIME256V1;
    let (authority_key, server_key) = (ec_key(curve), ec_key(curve));
    let authority = certificate(&authority_key, None, &OrgId::Nothing, 30);
    let leaf = for_localhost(&server_key, (&authority_key, &authority));
    let dir = TempDir::new().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    fs::write(path("ca.pem"), authority.to_pem().unwrap()).unwrap();
    fs::write(path("cert.pem"), leaf.to_pem().unwrap()).unwrap();
    fs::write(path("key.pem"), pem(&server_key)).unwrap();
    let port = free_port().to_string();
    let server = Server::with(&[
        "--tls-port",
        &port,
        "--tls-cert-file",
        &path("cert.pem"),
        "--tls-key-file",
        &path("key.pem"),
        "--tls-ca-cert-file",
        &path("ca.pem"),
        "--tls-auth-clients",
        "no",
    ]);
    let url = format!("rediss://localhost:{port}");
    let with_ca = json!({ "url": url, "ca_file": path("ca.pem"), "timeout_ms": 5000 });
    ask(&server.instance_with(with_ca.clone()), "a");
    let found = ask(&server.instance_with(with_ca), "never fetched");
    assert_eq!(found.from, ObtainedFrom::Shared);
    // The operating system does not know this authority.
    let unknown = server.settings(json!({ "url": url, "timeout_ms": 5000 }));
    let store = RedisStore::from_settings(&unknown).unwrap();
    let error = store.get("a", &Call::none()).unwrap_err();
    assert!(error.message().contains("certificate"), "{error}");
    let cache = server.instance_with(json!({ "url": url, "timeout_ms": 5000 }));
    assert_eq!(ask(&cache, "alone").from, ObtainedFrom::Fetched);
}
