//! What goes wrong, and what the error says about it.

use std::sync::Arc;

use cryptoki_sys::CKM_RSA_PKCS;
use segl::http::tls::{ClientCertificate, TlsOptions};
use segl::http::{SignatureScheme, Transport, TransportSettings, UreqTransport};
use segl::keys::TlsCertificate;
use segl::{Algorithm, Call, Error, ErrorCode, Signer, TokenClient};
use serde_json::{Value, json};

use crate::authority::{Authority, VALID, ec_key};
use crate::openssl_server::OpensslServer;
use crate::resumption::Later;
use crate::support::{p256_key, pem, rsa_key, signer};
use crate::{Counting, certify, client, get, page, uri, world};

const VERSIONS: [&str; 2] = ["-tls1_2", "-tls1_3"];

fn refusal(client: &TokenClient, url: &str) -> Error {
    get(client, url, &Call::none()).unwrap_err()
}

/// The error's number and that its text has all of `words`; no error here is worth
/// another try.
fn says(error: &Error, code: ErrorCode, words: &[&str]) {
    assert_eq!(error.code(), code, "{error}");
    for word in words {
        assert!(error.message().contains(word), "{word}: {error}");
    }
    assert!(!error.retryable(), "{error}");
}

fn without_certificate() -> Value {
    json!({ "ca_file": world().dir.join("ca.pem") })
}

#[test]
fn a_server_that_insists_on_a_certificate_says_so() {
    let client = client(&without_certificate(), None).unwrap();
    for version in VERSIONS {
        let server = OpensslServer::insisting(&world().authority, &[version]);
        let error = refusal(&client, &server.url());
        let words = ["has none", "tls.key", &server.url()];
        says(&error, ErrorCode::ClientCertificateRequired, &words);
    }
}

#[test]
fn a_server_that_only_asks_lets_the_client_in() {
    let server = OpensslServer::start(&world().authority, &["-verify", "2"]);
    let client = client(&without_certificate(), None).unwrap();
    assert!(page(&client, &server.url()).contains("no client certificate available"));
}

#[test]
fn a_certificate_of_another_authority_is_refused() {
    let world = world();
    let own = signer(&p256_key());
    let certificate = certify(&world.stranger, &*own, "unknown", VALID);
    let tls = json!({
        "certificate": world.file("unknown.pem", &certificate.to_pem().unwrap()),
        "ca_file": world.dir.join("ca.pem"),
    });
    let client = client(&tls, Some(own)).unwrap();
    for version in VERSIONS {
        let server = OpensslServer::insisting(&world.authority, &[version]);
        let error = refusal(&client, &server.url());
        let words = ["CN=unknown", "alert 48 (UnknownCA)", "issuers"];
        says(&error, ErrorCode::ClientCertificateRefused, &words);
    }
}

#[test]
fn an_expired_certificate_is_refused_when_the_client_is_built() {
    let world = world();
    let own = signer(&p256_key());
    for (days, words) in [(-30..-1, "expired at 20"), (1..30, "not valid before 20")] {
        let pem = world.certify(&*own, "untimely", days).to_pem().unwrap();
        let tls = json!({
            "key": world.file("untimely.key", &crate::support::pem(&p256_key())),
            "certificate": world.file("untimely.pem", &pem),
        });
        let error = client(&tls, None).unwrap_err();
        says(&error, ErrorCode::Certificate, &[words, "CN=untimely"]);
        let path = error.details().config_path.as_deref();
        assert_eq!(path, Some("tls.certificate"));
    }
}

/// A certificate whose validity nobody checks.
#[derive(Debug)]
struct Unchecked(TlsCertificate, Vec<Vec<u8>>);

impl ClientCertificate for Unchecked {
    fn chain(&self) -> &[Vec<u8>] {
        &self.1
    }
    fn public_key(&self) -> &[u8] {
        self.0.public_key()
    }
    fn schemes(&self) -> &[SignatureScheme] {
        self.0.schemes()
    }
    fn require_valid(&self) -> segl::Result<()> {
        Ok(())
    }
    fn sign(&self, scheme: SignatureScheme, message: &[u8], call: &Call) -> segl::Result<Vec<u8>> {
        self.0.sign(scheme, message, call)
    }
    fn name(&self) -> String {
        "\"unchecked\"".to_owned()
    }
}

pub fn transport(certificate: Arc<dyn ClientCertificate>) -> segl::Result<UreqTransport> {
    let mut options = TlsOptions::default();
    options.client_certificate = Some(certificate);
    options.roots = Some(segl::http::tls::Roots::from_pem(&world().authority.pem())?);
    UreqTransport::with_tls(TransportSettings::default(), options)
}

#[test]
fn a_server_that_takes_a_certificate_for_expired_says_so() {
    let world = world();
    let own = signer(&p256_key());
    let good = world.certify(&*own, "good", VALID);
    let good = vec![segl::keys::Certificate::from_der(&good.to_der().unwrap()).unwrap()];
    let clock = Arc::new(segl::clock::SystemClock);
    let good = TlsCertificate::new(own.clone(), Some(good), clock).unwrap();
    let expired = world.certify(&*own, "expired", -30..-1).to_der().unwrap();
    let transport = transport(Arc::new(Unchecked(good, vec![expired]))).unwrap();
    for version in VERSIONS {
        let server = OpensslServer::insisting(&world.authority, &[version]);
        let request =
            segl::http::Request::new(segl::http::Method::Get, server.url().parse().unwrap());
        let error = transport.send(&request, &Call::none()).unwrap_err();
        let words = ["alert 45 (CertificateExpired)", "renew it", "clocks"];
        says(&error, ErrorCode::ClientCertificateRefused, &words);
    }
}

#[test]
fn the_validity_is_looked_at_again_in_each_handshake() {
    let world = world();
    let own = signer(&p256_key());
    let certificate = world.certify(&*own, "ends", VALID);
    let certificate = segl::keys::Certificate::from_der(&certificate.to_der().unwrap()).unwrap();
    let end = certificate.not_after().unwrap();
    let clock = Arc::new(Later(std::sync::atomic::AtomicI64::new(end.seconds() - 1)));
    let made = TlsCertificate::new(own, Some(vec![certificate]), clock.clone()).unwrap();
    let made = Arc::new(made);
    let in_time = transport(made.clone()).unwrap();
    let server = OpensslServer::insisting(&world.authority, &[]);
    let request = segl::http::Request::new(segl::http::Method::Get, server.url().parse().unwrap());
    clock.0.fetch_add(2, std::sync::atomic::Ordering::SeqCst);
    let in_handshake = in_time.send(&request, &Call::none()).unwrap_err();
    let too_late = transport(made).unwrap_err();
    for error in [in_handshake, too_late] {
        let words = ["expired at", &end.to_string()];
        says(&error, ErrorCode::Certificate, &words);
    }
}

#[test]
fn a_certificate_of_another_key_is_never_used() {
    let world = world();
    let mut tls = world.tls(&*signer(&rsa_key()), "others");
    tls["key"] = json!(world.file("mine.key", &pem(&p256_key())));
    let error = client(&tls, None).unwrap_err();
    says(&error, ErrorCode::CertificateMismatch, &["thumbprint"]);
    let path = error.details().config_path.as_deref();
    assert_eq!(path, Some("tls.certificate"));
    let error = client(
        &world.tls(&*signer(&rsa_key()), "others"),
        Some(signer(&p256_key())),
    );
    let error = error.unwrap_err();
    says(&error, ErrorCode::CertificateMismatch, &["thumbprint"]);
    assert_eq!(
        error.details().config_path.as_deref(),
        Some("tls.certificate")
    );
    // Nor when a program makes its own.
    let own = signer(&p256_key());
    let chain = vec![
        world
            .certify(&*signer(&rsa_key()), "others", VALID)
            .to_der()
            .unwrap(),
    ];
    let good = world.certify(&*own, "good", VALID).to_der().unwrap();
    let good = vec![segl::keys::Certificate::from_der(&good).unwrap()];
    let good = TlsCertificate::new(own, Some(good), Arc::new(segl::clock::SystemClock)).unwrap();
    let error = transport(Arc::new(Unchecked(good, chain))).unwrap_err();
    says(&error, ErrorCode::CertificateMismatch, &["another key"]);
}

#[test]
fn a_server_that_cannot_verify_the_signature_says_so() {
    /// Signs with another key than its public one.
    #[derive(Debug)]
    struct Wrong(Arc<dyn Signer>, Arc<dyn Signer>);
    impl Signer for Wrong {
        fn public_key(&self) -> &segl::keys::PublicJwk {
            self.0.public_key()
        }
        fn algorithms(&self) -> &[Algorithm] {
            self.0.algorithms()
        }
        fn sign(&self, alg: Algorithm, message: &[u8], call: &Call) -> segl::Result<Vec<u8>> {
            self.1.sign(alg, message, call)
        }
        fn origin(&self) -> segl::keys::Origin {
            self.0.origin()
        }
    }
    let world = world();
    let wrong = Arc::new(Wrong(signer(&ec_key()), signer(&ec_key())));
    let client = client(&world.tls(&*wrong, "wrong"), Some(wrong)).unwrap();
    for version in VERSIONS {
        let server = OpensslServer::insisting(&world.authority, &[version]);
        let error = refusal(&client, &server.url());
        let words = ["alert 51 (DecryptError)", "could not verify the signature"];
        says(&error, ErrorCode::ClientCertificateRefused, &words);
    }
}

#[test]
fn the_servers_certificate_is_checked() {
    let world = world();
    let client = client(&without_certificate(), None).unwrap();
    let key = ec_key();
    let names: &[&str] = &["127.0.0.1"];
    for (issuer, names, days, words) in [
        (
            &world.stranger,
            names,
            VALID,
            ["was issued by none of", "authorities"],
        ),
        (&world.authority, names, -9..-1, ["expired at 20", "clock"]),
        (
            &world.authority,
            names,
            2..9,
            ["is not valid before 20", "clock"],
        ),
        (
            &world.authority,
            &["other.example"],
            VALID,
            ["is for", "other.example"],
        ),
    ] {
        let certificate = issuer.server(&key, names, days);
        let server = OpensslServer::with(&key, &certificate, issuer, &[]);
        let error = refusal(&client, &server.url());
        says(&error, ErrorCode::Tls, &words);
        says(
            &error,
            ErrorCode::Tls,
            &["the certificate of the server 127.0.0.1"],
        );
    }
}

#[test]
fn without_a_ca_file_the_operating_system_decides() {
    let server = OpensslServer::start(&world().authority, &[]);
    let error = refusal(&client(&json!({}), None).unwrap(), &server.url());
    says(&error, ErrorCode::Tls, &["the operating system trusts"]);
}

/// What a key that makes PKCS#1 v1.5 only can and cannot do.
fn speaks_tls12_only(given: Option<Arc<dyn Signer>>, tls: &Value) {
    let world = world();
    let made = client(tls, given.clone()).unwrap();
    for versions in [&["-tls1_2"][..], &[]] {
        let server = OpensslServer::insisting(&world.authority, versions);
        assert!(page(&made, &server.url()).contains("New, TLSv1.2,"));
    }
    let server = OpensslServer::insisting(&world.authority, &["-tls1_3"]);
    let error = refusal(&made, &server.url());
    let words = [
        "wants TLS 1.3",
        "PKCS#1 v1.5",
        "rsa_pkcs1_sha256",
        "RSA-PSS",
    ];
    says(&error, ErrorCode::TlsVersion, &words);
    let mut newer = tls.clone();
    newer["min_version"] = json!("1.3");
    let error = client(&newer, given).unwrap_err();
    says(&error, ErrorCode::TlsVersion, &["PKCS#1 v1.5"]);
    let path = error.details().config_path.as_deref();
    assert_eq!(path, Some("tls.min_version"));
}

#[test]
fn a_signer_without_pss_speaks_tls_1_2() {
    let own = Counting::with(signer(&rsa_key()), &[Algorithm::RS256]);
    let tls = world().tls(&*own, "no-pss");
    speaks_tls12_only(Some(own), &tls);
}

#[test]
fn a_token_without_pss_speaks_tls_1_2() {
    let world = world();
    let module = world.module("pkcs1");
    module.rules(&format!("only_mechanism={CKM_RSA_PKCS}"));
    let mut tls = world.tls(&*crate::open(&module, "pkcs1", "rsa"), "token-no-pss");
    tls["key"] = json!(uri(&module, "pkcs1", "rsa"));
    speaks_tls12_only(None, &tls);
}

#[test]
fn the_oldest_version_is_kept_to() {
    let world = world();
    let mut tls = without_certificate();
    tls["min_version"] = json!("1.3");
    let client = client(&tls, None).unwrap();
    let server = OpensslServer::start(&world.authority, &["-tls1_2"]);
    let error = refusal(&client, &server.url());
    says(
        &error,
        ErrorCode::TlsVersion,
        &["does not speak TLS 1.3", "tls.min_version"],
    );
    let server = OpensslServer::start(&world.authority, &[]);
    assert!(page(&client, &server.url()).contains("New, TLSv1.3,"));
}

#[test]
fn a_server_that_takes_no_signature_of_the_key_is_told_apart() {
    let world = world();
    let own = signer(&rsa_key());
    let client = client(&world.tls(&*own, "unsuited"), Some(own)).unwrap();
    for version in VERSIONS {
        let only = [version, "-client_sigalgs", "ECDSA+SHA256"];
        let server = OpensslServer::insisting(&world.authority, &only);
        let error = refusal(&client, &server.url());
        let words = ["takes no signature", "rsa_pss_rsae_sha256"];
        says(&error, ErrorCode::ClientCertificateRequired, &words);
    }
}

#[test]
fn an_authority_that_is_none_is_refused() {
    let error = segl::http::tls::Roots::from_pem(b"nothing").unwrap_err();
    says(&error, ErrorCode::Certificate, &["BEGIN CERTIFICATE"]);
    let good = Authority::new("good").pem();
    assert!(segl::http::tls::Roots::from_pem(&good).is_ok());
}
