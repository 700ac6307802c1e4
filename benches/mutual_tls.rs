//! A connection with a client certificate, from TCP to the answer: with a key in
//! SoftHSM against the same with a key in this process, and resumed against whole. The
//! server is rustls on loopback, in this process.

#[path = "../tests/support/authority.rs"]
mod authority;
#[path = "../tests/support/mod.rs"]
mod fixtures;
#[path = "../tests/support/softhsm.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod softhsm;
mod support;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use openssl::pkey::PKey;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use authority::{Authority, VALID};
use fixtures::{p256_key, rsa_key, signer};
use segl::clock::SystemClock;
use segl::http::tls::{Roots, TlsOptions};
use segl::http::{Method, Request, Transport, TransportSettings, UreqTransport};
use segl::keys::{Certificate, TlsCertificate};
use segl::{Call, KeyUri, Secret, Signer};
use softhsm::SoftHsm;

/// A server that insists on a client certificate; its URL.
fn server(authority: &Authority) -> String {
    let key = authority::ec_key();
    let certificate = authority.server(&key, &["127.0.0.1"], VALID);
    let mut roots = RootCertStore::empty();
    let root = authority.certificate.to_der().unwrap();
    roots.add(CertificateDer::from(root)).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .unwrap();
    let key = PrivatePkcs8KeyDer::from(key.private_key_to_pkcs8().unwrap());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(
            vec![CertificateDer::from(certificate.to_der().unwrap())],
            PrivateKeyDer::from(key),
        )
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let socket = socket.unwrap();
            socket.set_nodelay(true).unwrap();
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, socket);
            let mut seen = Vec::new();
            let mut buffer = [0; 4096];
            while !seen.ends_with(b"\r\n\r\n") {
                let count = stream.read(&mut buffer).unwrap();
                assert_ne!(count, 0);
                seen.extend_from_slice(&buffer[..count]);
            }
            let answer = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(answer.as_bytes()).unwrap();
            stream.conn.send_close_notify();
            stream.flush().unwrap();
        }
    });
    url
}

/// Makes one connection at each call.
struct Visitor {
    transport: UreqTransport,
    request: Request,
}

impl Visitor {
    fn new(authority: &Authority, url: &str, signer: Arc<dyn Signer>, resumption: bool) -> Self {
        let key = signer.public_key().to_spki_der().unwrap();
        let key = PKey::public_key_from_der(&key).unwrap();
        let certificate = authority.client(&key, "bench", VALID).to_der().unwrap();
        let certificate = Certificate::from_der(&certificate).unwrap();
        let clock = Arc::new(SystemClock);
        let certificate = TlsCertificate::new(signer, Some(vec![certificate]), clock).unwrap();
        let mut options = TlsOptions::default();
        options.client_certificate = Some(Arc::new(certificate));
        options.roots = Some(Roots::from_pem(&authority.pem()).unwrap());
        options.resumption = resumption;
        Self {
            transport: UreqTransport::with_tls(TransportSettings::default(), options).unwrap(),
            request: Request::new(Method::Get, url.parse().unwrap()).header("Connection", "close"),
        }
    }

    fn visit(&self) {
        let answer = self.transport.send(&self.request, &Call::none()).unwrap();
        assert_eq!(answer.status, 200);
    }
}

fn handshakes(criterion: &mut Criterion) {
    let hsm = SoftHsm::new("bench-tls");
    hsm.init_token("tls");
    hsm.generate("tls", "rsa:2048", "01", "rsa", &[]);
    hsm.generate("tls", "EC:prime256v1", "02", "ec", &[]);
    let authority = Authority::new("The authority");
    let url = server(&authority);
    let on_token = |label: &str| {
        let uri = KeyUri::Pkcs11(softhsm::uri(&format!("token=tls;object={label}")));
        let secret = Secret::from(softhsm::PIN.as_bytes());
        segl::keys::open(&uri, Some(secret), &Call::none()).unwrap()
    };
    for (kind, label, key) in [("P-256", "ec", p256_key()), ("RSA 2048", "rsa", rsa_key())] {
        let here = Visitor::new(&authority, &url, signer(&key), false);
        let there = Visitor::new(&authority, &url, on_token(label), false);
        let name = format!("TLS connection, {kind} key in SoftHSM to the same in this process");
        support::compare(criterion, &name, || here.visit(), || there.visit());
        let resumed = Visitor::new(&authority, &url, on_token(label), true);
        let name = format!("TLS connection, {kind} key in SoftHSM, resumed to whole");
        support::compare(criterion, &name, || there.visit(), || resumed.visit());
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(2));
    targets = handshakes
}
criterion_main!(benches);
