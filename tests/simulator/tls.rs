//! HTTPS, with curl and OpenSSL as clients.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, Instant};

use openssl::pkey::{PKey, Private};
use openssl::ssl::{SslConnector, SslMethod, SslVersion};
use openssl::x509::X509;
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use segl::ErrorCode;
use segl::simulator::{Outage, OutageKind, Simulator, SimulatorConfig, Urls};
use serde_json::{Value, json};

use crate::client_certificates::Authority;
use crate::support::*;

/// A simulator with HTTPS, whose CA is in a file.
pub struct Secure {
    pub fixture: Fixture,
    directory: tempfile::TempDir,
}

impl Secure {
    pub fn new(toml: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let fixture = Fixture::new(toml);
        let ca = fixture.simulator.ca_pem().unwrap();
        std::fs::write(directory.path().join("ca.pem"), ca).unwrap();
        Self { fixture, directory }
    }

    pub fn urls(&self) -> &Urls {
        self.fixture.simulator.urls().https.as_deref().unwrap()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a certificate and its key as curl reads them.
    pub fn identity(&self, name: &str, certificates: &[X509], key: &PKey<Private>) -> PathBuf {
        let mut pem = key.private_key_to_pem_pkcs8().unwrap();
        for certificate in certificates {
            pem.extend(certificate.to_pem().unwrap());
        }
        let path = self.path(name);
        std::fs::write(&path, pem).unwrap();
        path
    }

    /// Waits until so many handshakes failed. The client knows of it first.
    fn wait_for_refused(&self, number: u64) {
        let end = Instant::now() + Duration::from_secs(60);
        let refused = || self.fixture.simulator.requests().tls_refused;
        while refused() < number && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(refused(), number);
    }

    /// Runs curl, which trusts the simulator's CA alone.
    pub fn curl(&self, identity: Option<&Path>, arguments: &[&str]) -> Curl {
        let mut command = Command::new("curl");
        command
            .args([
                "--silent",
                "--show-error",
                "--max-time",
                "60",
                "--noproxy",
                "*",
            ])
            .args(["--write-out", "\n%{http_code}", "--include", "--cacert"])
            .arg(self.path("ca.pem"));
        if let Some(identity) = identity {
            command.arg("--cert").arg(identity);
        }
        Curl::of(command.args(arguments).output().unwrap())
    }
}

/// What curl got.
#[derive(Debug)]
pub struct Curl {
    pub exit: i32,
    pub status: u16,
    pub head: String,
    pub body: String,
    pub errors: String,
}

impl Curl {
    fn of(output: Output) -> Self {
        let text = String::from_utf8(output.stdout).unwrap();
        let (answer, status) = text.rsplit_once('\n').unwrap_or(("", "0"));
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
        Self {
            exit: output.status.code().unwrap(),
            status: status.parse().unwrap(),
            head: head.to_owned(),
            body: body.to_owned(),
            errors: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}

#[test]
fn curl_trusts_the_ca_that_was_made() {
    let secure = Secure::new("[tls]");
    let urls = secure.urls();
    let answer = secure.curl(None, &[&urls.dnb_metadata]);
    assert_eq!((answer.exit, answer.status), (0, 200), "{answer:?}");
    assert_eq!(answer.json()["issuer"], json!(urls.dnb_issuer));

    let port = urls.base.rsplit_once(':').unwrap().1;
    let by_name = format!("https://localhost:{port}/dnb/jwks");
    assert_eq!(secure.curl(None, &[&by_name]).status, 200);
    let published = get(&format!("{}/tls/ca", secure.fixture.simulator.urls().admin));
    assert_eq!(
        (published.status, published.body.as_str()),
        (200, secure.fixture.simulator.ca_pem().unwrap())
    );

    std::fs::write(
        secure.path("ca.pem"),
        Authority::new("other").certificate.to_pem().unwrap(),
    )
    .unwrap();
    let refused = secure.curl(None, &[&urls.dnb_metadata]);
    assert_eq!(
        refused.exit, 60,
        "CURLE_PEER_FAILED_VERIFICATION: {refused:?}"
    );
    secure.wait_for_refused(1);
}

#[test]
fn plain_http_is_served_beside_it() {
    let secure = Secure::new("[tls]");
    let plain = secure.fixture.simulator.urls();
    assert!(plain.base.starts_with("http://"));
    assert_eq!(get(&plain.dnb_jwks_uri).status, 200);
    let without = Fixture::new("");
    assert_eq!(without.simulator.ca_pem(), None);
    assert_eq!(without.simulator.urls().https, None);
    assert_eq!(
        get(&format!("{}/tls/ca", without.simulator.urls().admin)).status,
        404
    );
}

#[test]
fn both_ports_are_free_after_shutdown() {
    let address = |base: &str| -> SocketAddr { base.rsplit_once('/').unwrap().1.parse().unwrap() };
    let secure = Secure::new("[tls]");
    let plain = address(&secure.fixture.simulator.urls().base);
    let https = address(&secure.urls().base);
    assert_eq!(
        secure.curl(None, &[&secure.urls().dnb_jwks_uri]).status,
        200
    );
    secure.fixture.simulator.shutdown();
    let config = SimulatorConfig::default().with_tls(https.port());
    let again = Simulator::start(config, plain).unwrap();
    assert_eq!(
        again.urls().https.as_ref().unwrap().base,
        format!("https://{https}")
    );

    let config = SimulatorConfig::default().with_tls(https.port());
    let error = Simulator::start(config, ([127, 0, 0, 1], 0).into()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Io);
    assert!(error.message().contains(&https.to_string()), "{error}");
}

#[test]
fn the_versions_are_those_of_the_configuration() {
    for (versions, good, bad) in [
        ("['1.2']", SslVersion::TLS1_2, SslVersion::TLS1_3),
        ("['1.3']", SslVersion::TLS1_3, SslVersion::TLS1_2),
    ] {
        let secure = Secure::new(&format!("[tls]\nversions = {versions}"));
        let connect = |version| {
            let mut connector = SslConnector::builder(SslMethod::tls()).unwrap();
            connector.set_ca_file(secure.path("ca.pem")).unwrap();
            connector.set_min_proto_version(Some(version)).unwrap();
            connector.set_max_proto_version(Some(version)).unwrap();
            let address = &secure.urls().base["https://".len()..];
            let stream = std::net::TcpStream::connect(address).unwrap();
            connector.build().connect("localhost", stream).is_ok()
        };
        assert!(connect(good), "{versions}");
        assert!(!connect(bad), "{versions}");
    }
}

#[test]
fn a_certificate_can_be_given() {
    let directory = tempfile::tempdir().unwrap();
    let authority = Authority::new("an authority");
    let (certificate, key) = authority.issue_server();
    let mut chain = certificate.to_pem().unwrap();
    chain.extend(authority.certificate.to_pem().unwrap());
    std::fs::write(directory.path().join("server.pem"), chain).unwrap();
    std::fs::write(
        directory.path().join("server-key.pem"),
        key.private_key_to_pem_pkcs8().unwrap(),
    )
    .unwrap();
    let toml = format!(
        "[tls]\ncertificate = 'file:{0}/server.pem'\nkey = 'file:{0}/server-key.pem'",
        directory.path().display()
    );
    let secure = Secure::new(&toml);
    let authority_pem = authority.certificate.to_pem().unwrap();
    assert_eq!(
        secure.fixture.simulator.ca_pem().unwrap().as_bytes(),
        authority_pem
    );
    assert_eq!(
        secure.curl(None, &[&secure.urls().dnb_jwks_uri]).status,
        200
    );
    let config = SimulatorConfig::from_toml(&toml).unwrap();
    assert!(!format!("{config:?}").contains("PRIVATE KEY"), "{config:?}");
}

#[test]
fn a_strict_host_ends_the_handshake() {
    let authority = Authority::new("a qualified CA");
    let other = Authority::new("another CA");
    let toml = format!(
        "[tls]\nclient_certificates = 'require'\ntrusted_certificates = ['''{}''']",
        String::from_utf8(authority.certificate.to_pem().unwrap()).unwrap()
    );
    let secure = Secure::new(&toml);
    let url = &secure.urls().dnb_jwks_uri;
    let (good, key) = authority.issue("good", NOW - 10, NOW + 10);
    let (expired, expired_key) = authority.issue("expired", NOW - 10, NOW - 1);
    let (future, future_key) = authority.issue("future", NOW + 1, NOW + 10);
    let (foreign, foreign_key) = other.issue("foreign", NOW - 10, NOW + 10);
    let good = secure.identity("good.pem", &[good], &key);
    let answer = secure.curl(Some(&good), &[url]);
    assert_eq!(answer.status, 200, "{answer:?}");

    let refused = [
        (None, "certificate required"),
        (
            Some(secure.identity("expired.pem", &[expired], &expired_key)),
            "certificate expired",
        ),
        (
            Some(secure.identity("future.pem", &[future], &future_key)),
            "certificate expired",
        ),
        (
            Some(secure.identity("foreign.pem", &[foreign], &foreign_key)),
            "unknown ca",
        ),
    ];
    for (identity, alert) in refused {
        let answer = secure.curl(identity.as_deref(), &[url]);
        assert_ne!(answer.exit, 0, "{answer:?}");
        assert!(answer.errors.contains(alert), "{alert}: {answer:?}");
    }
    secure.wait_for_refused(4);
    let requests = secure.fixture.simulator.requests();
    assert_eq!((requests.tls_connections, requests.dnb_jwks), (1, 1));
}

#[test]
fn who_has_not_the_key_of_a_certificate_is_refused() {
    let (certificate, own) = Authority::new("a CA").issue("stolen", NOW - 10, NOW + 10);
    for (versions, key, is_good) in [
        ("'1.2'", &own, true),
        ("'1.2'", &*EC_KEY, false),
        ("'1.3'", &own, true),
        ("'1.3'", &*EC_KEY, false),
    ] {
        let secure = Secure::new(&format!("[tls]\nversions = [{versions}]"));
        let mut connection = rustls_client(&secure, &certificate, key);
        let address = &secure.urls().base["https://".len()..];
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        let mut stream = rustls::Stream::new(&mut connection, &mut stream);
        let request =
            format!("GET /dnb/jwks HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        let mut answer = [0; 12];
        let sent = stream.write_all(request.as_bytes());
        let result = sent.and_then(|()| stream.read_exact(&mut answer));
        assert_eq!(result.is_ok(), is_good, "{versions}: {result:?}");
        assert_eq!(&answer == b"HTTP/1.1 200", is_good, "{versions}");
        let requests = secure.fixture.simulator.requests();
        assert_eq!(requests.dnb_jwks, u64::from(is_good));
        assert_eq!(requests.tls_with_certificate, u64::from(is_good));
    }
}

/// Shows a certificate and signs with any key, which no other client does.
fn rustls_client(
    secure: &Secure,
    certificate: &X509,
    key: &PKey<Private>,
) -> rustls::ClientConnection {
    let provider = rustls::crypto::ring::default_provider();
    let pkcs8 = PrivatePkcs8KeyDer::from(key.private_key_to_pkcs8().unwrap());
    let key = rustls::crypto::ring::sign::any_ecdsa_type(&pkcs8.into()).unwrap();
    let shown = vec![CertificateDer::from(certificate.to_der().unwrap())];
    let identity = CertifiedKey::new(shown, key);
    let ca = X509::from_pem(secure.fixture.simulator.ca_pem().unwrap().as_bytes()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(ca.to_der().unwrap().into()).unwrap();
    let config = rustls::ClientConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity)));
    let name = ServerName::try_from("localhost").unwrap();
    rustls::ClientConnection::new(Arc::new(config), name).unwrap()
}

#[test]
fn outages_apply_to_https() {
    let secure = Secure::new("[tls]");
    secure
        .fixture
        .simulator
        .set_outage(Some(Outage::new(OutageKind::ServiceUnavailable).times(2)));
    let url = &secure.urls().dnb_token_endpoint;
    assert_eq!(secure.curl(None, &["-d", "x=y", url]).status, 503);
    assert_eq!(
        secure
            .curl(None, &["-d", "x=y", &secure.urls().helseid_token_endpoint])
            .status,
        503
    );
    assert_eq!(secure.curl(None, &["-d", "x=y", url]).status, 400);
    secure
        .fixture
        .simulator
        .set_outage(Some(Outage::new(OutageKind::Cut)));
    let cut = secure.curl(None, &["-d", "x=y", url]);
    assert_ne!(cut.exit, 0, "{cut:?}");
}

#[test]
fn contradictions_name_the_path() {
    let cases = [
        ("tls.versions = []", "tls.versions"),
        ("tls.versions = ['1.1']", "tls.versions[0]"),
        ("tls.port = 65536", "tls.port"),
        (
            "tls.client_certificates = 'maybe'",
            "tls.client_certificates",
        ),
        ("tls.certificate = 'x'", "tls.certificate"),
        ("tls.key = '-----BEGIN PRIVATE KEY-----'", "tls.key"),
        ("tls.key = 'x'", "tls.key"),
        ("tls.key = 'file:/nowhere'", "tls.key"),
        ("dnb.mutual_tls = 'required'", "dnb.mutual_tls"),
        (
            "dnb.mutual_tls = 'required'\ntls.client_certificates = 'off'",
            "dnb.mutual_tls",
        ),
        ("dnb.assertion_typ = 'JWT'", "dnb.assertion_typ"),
        (
            "dnb.clients = [{ client_id = 'a', scopes = [], jwks = 'x', certificates = ['ab'] }]",
            "dnb.clients[0].certificates[0]",
        ),
        ("helseid.max_lifetime = 61", "helseid.max_lifetime"),
        (
            "helseid.access_token_lifetime = 0",
            "helseid.access_token_lifetime",
        ),
        ("helseid.dpop.algorithms = []", "helseid.dpop.algorithms"),
        (
            "helseid.dpop.algorithms = ['HS256']",
            "helseid.dpop.algorithms",
        ),
        ("helseid.dpop.nonce_uses = 0", "helseid.dpop.nonce_uses"),
        (
            "maskinporten.dpop.nonce_seconds = 5",
            "maskinporten.dpop.nonce_seconds",
        ),
        (
            "maskinporten.dpop.nonces = true",
            "maskinporten.dpop.nonces",
        ),
        ("maskinporten.dpop.mode = 'on'", "maskinporten.dpop.mode"),
        (
            "helseid.dpop.window_seconds = -1",
            "helseid.dpop.window_seconds",
        ),
    ];
    for (toml, path) in cases {
        let error = SimulatorConfig::from_toml(toml)
            .and_then(|config| Simulator::start(config, ([127, 0, 0, 1], 0).into()))
            .unwrap_err();
        assert_eq!(error.code(), ErrorCode::Config, "{toml}: {error}");
        assert_eq!(
            error.details().config_path.as_deref(),
            Some(path),
            "{toml}: {error}"
        );
        assert!(error.message().contains(path), "{error}");
    }
    let mismatch = {
        let (certificate, _) = Authority::new("a CA").issue_server();
        let key = EC_KEY.private_key_to_pem_pkcs8().unwrap();
        format!(
            "[tls]\ncertificate = '''{}'''\nkey = '''{}'''",
            String::from_utf8(certificate.to_pem().unwrap()).unwrap(),
            String::from_utf8(key).unwrap()
        )
    };
    let config = SimulatorConfig::from_toml(&mismatch).unwrap();
    let error = Simulator::start(config, ([127, 0, 0, 1], 0).into()).unwrap_err();
    assert_eq!(
        error.details().config_path.as_deref(),
        Some("tls.certificate")
    );
    assert!(!error.message().contains("BEGIN"), "{error}");
}

/// Clients that send junk, stop in the middle of the handshake, or say nothing.
#[test]
fn https_is_served_beside_junk_and_silence() {
    let secure = Secure::new("[tls]");
    let address = secure.urls().base.trim_start_matches("https://");
    let connect = || std::net::TcpStream::connect(address).unwrap();
    let silent: Vec<_> = (0..200).map(|_| connect()).collect();
    let mut half = connect();
    // The head of a handshake record that says that 512 bytes follow.
    half.write_all(&[22, 3, 1, 2, 0, 1, 0]).unwrap();

    let mut random = [0; 4096];
    let mut refused = 0;
    for seed in 0..20 {
        openssl::rand::rand_bytes(&mut random).unwrap();
        // No TLS record begins with this byte.
        random[0] = 128 + seed;
        let mut junk = connect();
        let _ = junk.write_all(&random);
        let _ = junk.shutdown(std::net::Shutdown::Write);
        let _ = junk.read_to_end(&mut Vec::new());
        refused += 1;
    }
    let mut plain = connect();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let _ = plain.read_to_end(&mut Vec::new());
    secure.wait_for_refused(refused + 1);

    for _ in 0..3 {
        let answer = secure.curl(None, &[&secure.urls().maskinporten_metadata]);
        assert_eq!((answer.exit, answer.status), (0, 200), "{answer:?}");
    }
    assert_eq!(silent.len(), 200);
    drop(half);
    secure.wait_for_refused(refused + 2);
}
