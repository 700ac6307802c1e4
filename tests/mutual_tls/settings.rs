//! The settings, what they exclude, and what a client tells about its certificate.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use segl::profiles::ClientSettings;
use segl::token::Expiring;
use segl::{Call, Error, ErrorCode, TokenClient, TokenRequest};
use serde_json::{Value, json};

use crate::authority::VALID;
use crate::memory_store::Memory;
use crate::support::{ScriptedTransport, p256_key, pem, signer};
use crate::{client, world};

fn at(error: &Error, path: &str, words: &str) {
    assert_eq!(
        error.details().config_path.as_deref(),
        Some(path),
        "{error}"
    );
    assert!(error.message().contains(words), "{error}");
}

#[test]
fn each_mistake_names_its_setting() {
    let world = world();
    let key = world.file("settings.key", &pem(&p256_key()));
    let mut good = world.tls(&*signer(&p256_key()), "settings");
    good["key"] = json!(key);
    assert!(client(&good, None).is_ok());
    let with = |name: &str, value: Value| {
        let mut tls = good.clone();
        tls[name] = value;
        client(&tls, None).unwrap_err()
    };
    let error = with("key", json!("file:/nowhere/key.pem"));
    assert_eq!(error.code(), ErrorCode::Io);
    at(&error, "tls.key", "/nowhere/key.pem");
    let error = with("key", json!("nonsense"));
    assert_eq!(error.code(), ErrorCode::KeyUri);
    at(&error, "tls.key", "tls.key");
    at(&with("key", Value::Null), "tls.certificate", "stands alone");
    let error = with("certificate", json!("file:/nowhere/c.pem"));
    at(&error, "tls.certificate", "/nowhere/c.pem");
    let error = with("certificate", json!("pkcs11:token=x"));
    at(&error, "tls.certificate", "must be a file: URI");
    let error = with("certificate", Value::Null);
    assert_eq!(error.code(), ErrorCode::Certificate);
    at(&error, "tls.key", "set tls.certificate");
    let error = with("ca_file", json!("/nowhere/ca.pem"));
    at(&error, "tls.ca_file", "/nowhere/ca.pem");
    let error = with("ca_file", json!(world.write("empty.pem", b"")));
    at(&error, "tls.ca_file", "BEGIN CERTIFICATE");
    let error = client(&good, Some(signer(&p256_key()))).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Config);
    at(&error, "tls.key", "a signer for TLS was given too");
}

#[test]
fn a_transport_of_the_programs_own_excludes_them() {
    let settings = |tls: Value| {
        let mut settings = json!({
            "profile": "generic", "issuer": "https://as.example",
            "token_endpoint": "https://as.example/token", "client_id": "c1",
        });
        if !tls.is_null() {
            settings["tls"] = tls;
        }
        let settings = ClientSettings::from_json(&settings.to_string()).unwrap();
        TokenClient::builder(settings)
            .signer(signer(&p256_key()))
            .transport(ScriptedTransport::answering([]))
    };
    let error = settings(json!({ "resumption": false })).build(&Call::none());
    let error = error.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Config);
    at(&error, "tls", "a transport was given");
    let builder = settings(Value::Null).tls_signer(signer(&p256_key()));
    let error = builder.build(&Call::none()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Config);
    at(&error, "tls", "a transport was given");
    let client = settings(Value::Null).build(&Call::none()).unwrap();
    assert!(client.tls_health().is_none());
}

#[test]
fn the_end_of_the_certificate_is_told() {
    let world = world();
    let own = signer(&p256_key());
    for (name, days, warnings) in [("ends-late", VALID, 0), ("ends-soon", -9..20, 1)] {
        let certificate = world.certify(&*own, name, days).to_pem().unwrap();
        let tls = json!({ "certificate": world.file(&format!("{name}.pem"), &certificate) });
        let client = client(&tls, Some(own.clone())).unwrap();
        let expiries = client.expiries();
        assert_eq!(expiries.len(), 1);
        assert_eq!(expiries[0].what, Expiring::TlsCertificate);
        assert_eq!(expiries[0].key, "tls_signer");
        let health = client.tls_health().unwrap();
        assert_eq!(health.name, "tls_signer");
        let end = expiries[0].not_after.seconds();
        assert_eq!(health.certificate_not_after, Some(end));
        assert_eq!(health.warnings.len(), warnings, "{:?}", health.warnings);
    }
}

/// Tokens may be bound to the certificate (RFC 8705), so instances with different ones
/// share none.
#[test]
fn instances_share_tokens_only_under_the_same_certificate() {
    let world = world();
    let store = Memory::new();
    let endpoint = token_endpoint();
    let seal = world.secret("seal", b"K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=");
    let own = signer(&p256_key());
    let instance = |certificate: Option<&str>| {
        let mut settings = json!({
            "profile": "generic", "issuer": "https://as.example", "token_endpoint": endpoint,
            "client_id": "c1", "shared_cache": { "key": seal },
        });
        if let Some(name) = certificate {
            settings["tls"] = world.tls(&*own, name);
        }
        let settings = ClientSettings::from_json(&settings.to_string()).unwrap();
        let mut builder = TokenClient::builder(settings)
            .signer(own.clone())
            .shared_store(store.clone());
        if certificate.is_some() {
            builder = builder.tls_signer(own.clone());
        }
        let client = builder.build(&Call::none()).unwrap();
        let token = client.token(&TokenRequest::default(), &Call::none());
        token.unwrap().access_token().to_owned()
    };
    let without = instance(None);
    assert_eq!(instance(None), without);
    let first = instance(Some("instance-1"));
    assert_ne!(first, without);
    assert_ne!(instance(Some("instance-2")), first);
    assert_eq!(store.names().len(), 3);
}

/// Gives each connection another token, over plain http on loopback.
fn token_endpoint() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/token", listener.local_addr().unwrap());
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let mut seen = Vec::new();
            let mut buffer = [0; 4096];
            while !seen.ends_with(b"client_credentials") {
                let count = stream.read(&mut buffer).unwrap();
                assert_ne!(count, 0, "{}", String::from_utf8_lossy(&seen));
                seen.extend_from_slice(&buffer[..count]);
            }
            let body = format!(
                "{{\"access_token\":\"token-{number}\",\"token_type\":\"Bearer\",\"expires_in\":600}}"
            );
            let head = format!(
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all((head + &body).as_bytes()).unwrap();
        }
    });
    url
}
