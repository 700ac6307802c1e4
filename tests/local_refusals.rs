//! What Digdir's services would refuse is refused here, before anything is signed
//! or sent, and says what to do.

mod support;

use std::sync::{Arc, Mutex};

use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::x509::{X509, X509NameBuilder};

use segl::keys::software::SoftwareSigner;
use segl::keys::{Certificate, Origin};
use segl::log::Level;
use segl::{Algorithm, Call, Error, ErrorCode, PublicJwk, Result, Signer, TokenClient};
use support::{OrgId, builder, certificate, ec_key, rsa_key, signer};

/// A client with the key [`rsa_key`], `client_id` and these settings.
fn build(profile: &str, settings: &str) -> Result<TokenClient> {
    let settings = format!(r#"{{"profile":"{profile}","client_id":"c1",{settings}}}"#);
    builder(&settings, signer(&rsa_key()), support::now()).build(&Call::none())
}

fn require(error: &Error, code: ErrorCode, path: &str, says: &str) {
    assert_eq!(error.code(), code, "{error}");
    assert_eq!(
        error.details().config_path.as_deref(),
        Some(path),
        "{error}"
    );
    assert!(error.message().contains(says), "{says}: {error}");
}

#[test]
fn wrong_settings_name_themselves() {
    for (settings, path) in [
        (r#""environment":"test""#, "kid"),
        (r#""kid":"k""#, "environment"),
        (
            r#""environment":"test","kid":"k","certificate":"file:x""#,
            "kid",
        ),
        (r#""environment":"test","kid":"k","x5c":"leaf""#, "kid"),
        (r#""environment":"test","kid":"""#, "kid"),
        (r#""environment":"test","kid":"k","alg":"PS256""#, "alg"),
        (
            r#""environment":"test","kid":"k","consumer_org":"910753615""#,
            "consumer_org",
        ),
        (r#""environment":"test","kid":"k","orgno":"123""#, "orgno"),
        (
            r#""environment":"test","kid":"k","grant":"jwt_bearer""#,
            "grant",
        ),
        (
            r#""environment":"test","kid":"k","key":"file:also.pem""#,
            "key",
        ),
        (r#""environment":"test","x5c":"chain""#, "x5c"),
    ] {
        for profile in ["maskinporten", "skyporten"] {
            let error = build(profile, settings).unwrap_err();
            require(&error, ErrorCode::Config, path, "");
        }
    }
    let error = build("skyporten", r#""environment":"test","eseal":true"#).unwrap_err();
    require(&error, ErrorCode::Config, "eseal", "no meaning");
    let settings = r#"{"profile":"maskinporten","environment":"test","kid":"k"}"#;
    let error = builder(settings, signer(&rsa_key()), support::now()).build(&Call::none());
    require(
        &error.unwrap_err(),
        ErrorCode::Config,
        "client_id",
        "registered",
    );
}

#[test]
fn an_assertion_lives_neither_too_long_nor_too_short() {
    for (settings, path) in [
        (r#""lifetime_seconds":121"#, "lifetime_seconds"),
        (r#""lifetime_seconds":0"#, "lifetime_seconds"),
        (r#""lifetime_seconds":2"#, "lifetime_seconds"),
        (
            r#""lifetime_seconds":9,"backdate_seconds":9"#,
            "lifetime_seconds",
        ),
        (r#""backdate_seconds":10"#, "backdate_seconds"),
    ] {
        for profile in ["maskinporten", "skyporten", "idporten"] {
            let settings = format!(r#""environment":"test","kid":"k",{settings}"#);
            let error = build(profile, &settings).unwrap_err();
            require(&error, ErrorCode::Config, path, " is ");
        }
    }
}

#[test]
fn a_kid_is_one_that_the_self_service_registers() {
    for kid in ["a b", "a/b", "nøkkel", "a=", "a:b", "a+b"] {
        for profile in ["maskinporten", "skyporten", "idporten"] {
            let error = build(profile, &format!(r#""environment":"test","kid":"{kid}""#));
            require(
                &error.unwrap_err(),
                ErrorCode::Config,
                "kid",
                "self-service",
            );
        }
    }
    build("maskinporten", r#""environment":"test","kid":"Az.09_-""#).unwrap();
}

#[test]
fn an_issuer_or_audience_is_right_letter_for_letter() {
    let right = "https://test.maskinporten.no/";
    for (profile, setting, url, says) in [
        (
            "maskinporten",
            "issuer",
            "https://test.maskinporten.no",
            right,
        ),
        (
            "maskinporten",
            "issuer",
            "https://test.maskinporten.no//",
            right,
        ),
        (
            "maskinporten",
            "issuer",
            "http://test.maskinporten.no/",
            right,
        ),
        (
            "maskinporten",
            "issuer",
            "https://TEST.maskinporten.no/",
            right,
        ),
        ("maskinporten", "issuer", "test.maskinporten.no", right),
        (
            "maskinporten",
            "issuer",
            "https://test.maskinporten.no/token",
            right,
        ),
        (
            "maskinporten",
            "audience",
            "https://test.maskinporten.no",
            right,
        ),
        (
            "maskinporten",
            "audience",
            "https://test.maskinporten.no/token",
            right,
        ),
        (
            "maskinporten",
            "audience",
            "https://maskinporten.no/",
            "is of production",
        ),
        (
            "maskinporten",
            "token_endpoint",
            "https://maskinporten.no/token",
            "is of production",
        ),
        (
            "maskinporten",
            "metadata",
            "https://maskinporten.no/x",
            "is of production",
        ),
        (
            "maskinporten",
            "issuer",
            "https://maskinporten.no/",
            "is of production",
        ),
        (
            "maskinporten",
            "issuer",
            "https://www.maskinporten.no/",
            "web page",
        ),
        (
            "maskinporten",
            "audience",
            "https://www.maskinporten.no/token",
            "web page",
        ),
        (
            "maskinporten",
            "token_endpoint",
            "https://www.maskinporten.no/token",
            "web page",
        ),
        (
            "maskinporten",
            "issuer",
            "https://ver2.maskinporten.no/",
            "shut down",
        ),
        (
            "maskinporten",
            "token_endpoint",
            "https://ver2.maskinporten.no/token",
            "shut down",
        ),
        (
            "maskinporten",
            "audience",
            "https://oidc-ver2.difi.no/idporten-oidc-provider/",
            "shut down",
        ),
        (
            "maskinporten",
            "issuer",
            "https://oidc.difi.no/idporten-oidc-provider/",
            "shut down",
        ),
        (
            "maskinporten",
            "issuer",
            "https://test.sky.maskinporten.no",
            "profile = \"skyporten\"",
        ),
        (
            "maskinporten",
            "issuer",
            "https://test.idporten.no",
            "profile = \"idporten\"",
        ),
        (
            "skyporten",
            "issuer",
            "https://test.sky.maskinporten.no/",
            "\"https://test.sky.maskinporten.no\", without a final slash",
        ),
        (
            "idporten",
            "issuer",
            "https://test.idporten.no/",
            "\"https://test.idporten.no\", without a final slash",
        ),
        (
            "idporten",
            "audience",
            "https://idporten.no/token",
            "\"https://idporten.no\", without a final slash",
        ),
    ] {
        let settings = format!(r#""environment":"test","kid":"k","{setting}":"{url}""#);
        let error = build(profile, &settings).unwrap_err();
        require(&error, ErrorCode::Config, setting, says);
    }
    // Any server's token endpoint is no audience for these services.
    let error = build(
        "maskinporten",
        r#""issuer":"https://as.example/","audience":"https://as.example/token","kid":"k""#,
    );
    require(
        &error.unwrap_err(),
        ErrorCode::Config,
        "audience",
        "leave it out",
    );
    // A slash too many is one at a generic client too.
    let error = build(
        "generic",
        r#""issuer":"https://idporten.no/","token_endpoint":"https://idporten.no/token","kid":"k""#,
    );
    require(
        &error.unwrap_err(),
        ErrorCode::Config,
        "issuer",
        "final slash",
    );
}

/// An RSA key that can make PSS signatures only, as a KMS may have.
#[derive(Debug)]
struct PssKey(Arc<dyn Signer>);

impl Signer for PssKey {
    fn public_key(&self) -> &PublicJwk {
        self.0.public_key()
    }

    fn algorithms(&self) -> &[Algorithm] {
        &[Algorithm::PS256]
    }

    fn sign(&self, alg: Algorithm, message: &[u8], call: &Call) -> Result<Vec<u8>> {
        self.0.sign(alg, message, call)
    }

    fn origin(&self) -> Origin {
        self.0.origin()
    }
}

#[test]
fn keys_that_cannot_work_are_refused() {
    let settings = |profile| {
        format!(r#"{{"profile":"{profile}","environment":"test","client_id":"c1","kid":"k"}}"#)
    };
    let keys: [Arc<dyn Signer>; 2] = [
        signer(&support::p256_key()),
        Arc::new(PssKey(signer(&rsa_key()))),
    ];
    for key in keys {
        for profile in ["maskinporten", "skyporten", "idporten"] {
            let error = builder(&settings(profile), Arc::clone(&key), support::now())
                .build(&Call::none())
                .unwrap_err();
            assert_eq!(error.code(), ErrorCode::KeyType, "{error}");
            assert!(error.message().contains("RS256, RS384, RS512"), "{error}");
        }
    }
    let small = PKey::from_rsa(Rsa::generate(1024).unwrap()).unwrap();
    let error = SoftwareSigner::from_bytes(&support::pem(&small), None).unwrap_err();
    assert_eq!(error.code(), ErrorCode::KeyType, "{error}");
    assert!(error.message().contains("2048"), "{error}");
}

/// Builds a client whose certificate is `x509`.
fn build_with(x509: &X509, settings: &str) -> Result<TokenClient> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cert.pem");
    std::fs::write(&path, x509.to_pem().unwrap()).unwrap();
    let settings = format!(r#""certificate":"file:{}",{settings}"#, path.display());
    build("maskinporten", &settings)
}

#[test]
fn certificates_that_cannot_work_are_refused() {
    let test = r#""environment":"test""#;
    let other = ec_key(Nid::X9_62_PRIME256V1);
    let error = build_with(&certificate(&other, None, &OrgId::Nothing, 10), test).unwrap_err();
    assert_eq!(error.code(), ErrorCode::CertificateMismatch, "{error}");
    let error = build_with(&certificate(&rsa_key(), None, &OrgId::Nothing, 1), test).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Certificate, "{error}");
    assert!(error.message().contains("expired"), "{error}");
}

#[test]
fn a_certificate_that_expires_while_the_client_lives_is_not_sent() {
    use segl::clock::{FixedClock, UnixTime};
    let x509 = certificate(&rsa_key(), None, &OrgId::Nothing, 10);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cert.pem");
    std::fs::write(&path, x509.to_pem().unwrap()).unwrap();
    let settings = format!(
        r#"{{"profile":"maskinporten","environment":"test","client_id":"c1","scopes":["a:b"],"certificate":"file:{}"}}"#,
        path.display()
    );
    let clock = Arc::new(FixedClock::new(UnixTime::from_seconds(support::now())));
    let client = builder(&settings, signer(&rsa_key()), 0)
        .clock(clock.clone())
        .build(&Call::none())
        .unwrap();
    let make = || client.assertion(&segl::TokenRequest::default(), &Call::none());
    make().unwrap();
    clock.set(UnixTime::from_seconds(support::now() + 20 * 86_400));
    let error = make().unwrap_err();
    assert_eq!(error.code(), ErrorCode::Certificate, "{error}");
}

#[test]
fn the_certificate_is_the_clients_own_organisations() {
    let x509 = certificate(&rsa_key(), None, &OrgId::SerialNumber("910753614"), 10);
    let own = r#""environment":"test","scopes":["a:b"],"orgno":"910753614""#;
    build_with(&x509, own).unwrap();
    let error = build_with(&x509, &own.replace("910753614", "974760673")).unwrap_err();
    require(&error, ErrorCode::Config, "orgno", "974760673");
    assert!(error.message().contains("910753614"), "{error}");
    assert!(error.message().contains("MP-122"), "{error}");
}

#[test]
fn the_client_is_not_its_own_consumer() {
    let x509 = certificate(&rsa_key(), None, &OrgId::SerialNumber("910753614"), 10);
    let settings = r#""environment":"test","scopes":["a:b"]"#;
    let keyed = format!(r#"{settings},"kid":"k","orgno":"910753614""#);
    let consumer = r#","consumer_org":"910753614""#;
    for error in [
        build("maskinporten", &format!("{keyed}{consumer}")).unwrap_err(),
        build_with(&x509, &format!("{settings}{consumer}")).unwrap_err(),
    ] {
        require(&error, ErrorCode::Config, "consumer_org", "leave it out");
    }
    let request = segl::TokenRequest::from_json(r#"{"consumer_org":"910753614"}"#).unwrap();
    for client in [
        build("maskinporten", &keyed).unwrap(),
        build_with(&x509, settings).unwrap(),
    ] {
        let error = client.assertion(&request, &Call::none()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{error}");
        assert!(error.message().contains("own organisation"), "{error}");
    }
}

/// A certificate for [`rsa_key`] from an authority of this name.
fn issued_by(organisation: &str, common_name: &str) -> X509 {
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("O", organisation).unwrap();
    name.append_entry_by_text("CN", common_name).unwrap();
    let name = name.build();
    let ca_key = ec_key(Nid::X9_62_PRIME256V1);
    let mut builder = X509::builder().unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    builder.set_pubkey(&ca_key).unwrap();
    let time = |days: i64| Asn1Time::from_unix(support::now() + days * 86_400).unwrap();
    builder.set_not_before(&time(-1)).unwrap();
    builder.set_not_after(&time(10)).unwrap();
    builder.sign(&ca_key, MessageDigest::sha256()).unwrap();
    let ca = builder.build();
    let x509 = certificate(&rsa_key(), Some((&ca_key, &ca)), &OrgId::Nothing, 10);
    let issuer = Certificate::from_der(&x509.to_der().unwrap()).unwrap();
    assert!(issuer.issuer().contains(common_name));
    x509
}

#[test]
fn a_test_certificate_is_not_for_production() {
    let prod = r#""environment":"prod""#;
    let test = r#""environment":"test""#;
    for (organisation, common_name, is_test) in [
        ("Buypass AS-983163327", "Buypass Class 3 Test4 CA 3", true),
        (
            "Buypass AS",
            "Buypass Class 3 Test4 CA G2 ST Business",
            true,
        ),
        (
            "Commfides Norge AS",
            "Commfides Legal Person - G3 - TEST",
            true,
        ),
        (
            "Commfides Norge AS",
            "Commfides CPN Enterprise SHA256 CLASS 3 TEST2",
            true,
        ),
        ("Buypass AS", "Buypass Class 3 CA G2 ST Business", false),
        ("Commfides Norge AS", "Commfides Legal Person - G3", false),
        // Others have names of their own.
        ("Testbanken", "Test CA", false),
    ] {
        let x509 = issued_by(organisation, common_name);
        build_with(&x509, test).unwrap();
        let issuer = r#""issuer":"https://maskinporten.no/""#;
        for settings in [prod, issuer] {
            match build_with(&x509, settings) {
                Ok(_) => assert!(!is_test, "{common_name}"),
                Err(error) => {
                    assert!(is_test, "{error}");
                    require(&error, ErrorCode::Certificate, "certificate", "MP-120");
                }
            }
        }
    }
}

#[test]
fn a_certificate_that_seems_to_be_for_production_is_warned_about_in_test() {
    struct Records(Arc<Mutex<Vec<String>>>);
    impl segl::log::Sink for Records {
        fn log(&self, level: Level, _target: &'static str, message: &str) {
            let record = format!("{level:?} {message}");
            self.0.lock().unwrap().push(record);
        }
    }
    // Another test may warn of others at the same time.
    let name = "Buypass Class 3 CA 4711";
    let warned = |x509: &X509, settings: &str| {
        let records = Arc::new(Mutex::new(Vec::new()));
        let sink = Records(Arc::clone(&records));
        segl::log::set_sink(Some(Box::new(sink)), Level::Warn);
        build_with(x509, settings).unwrap();
        segl::log::set_sink(None, Level::Warn);
        let records = records.lock().unwrap();
        records
            .iter()
            .any(|record| record.starts_with("Warn") && record.contains(name))
    };
    let x509 = issued_by("Buypass AS", name);
    assert!(warned(&x509, r#""environment":"test""#));
    assert!(!warned(&x509, r#""environment":"prod""#));
}
