//! Public keys and certificates beside private keys.

use super::*;

#[test]
fn certificates_come_with_the_key() {
    let certified = open("token=main;object=certified").unwrap();
    let subjects: Vec<_> = certified
        .certificates()
        .iter()
        .map(|c| c.subject())
        .collect();
    assert_eq!(subjects, ["CN=Segl Test Bank", "CN=Segl Test CA"]);
    certified.certificates()[0]
        .require_key(certified.public_key())
        .unwrap();
    require_good_signatures(&certified);
    assert!(
        open("token=main;object=rsa")
            .unwrap()
            .certificates()
            .is_empty()
    );
}

#[test]
fn a_certificate_of_another_key_is_refused() {
    let error = refusal("token=main;object=wrong-certificate");
    assert_eq!(error.code(), ErrorCode::CertificateMismatch, "{error}");
}

#[test]
fn a_key_that_does_not_pair_is_refused() {
    let error = refusal("token=main;object=wrong-public-key");
    assert_eq!(error.code(), ErrorCode::SignatureFault, "{error}");
    assert!(error.message().contains("not released"), "{error}");
}

#[test]
fn a_key_without_public_key_needs_one_given() {
    let uri = uri("token=main;object=lonely");
    let error = refusal("token=main;object=lonely");
    assert_eq!(error.code(), ErrorCode::KeyNotFound);
    assert!(error.message().contains("certificate"), "{error}");

    let public_key = |name: &str| {
        let pem = std::fs::read(fixture().path(name)).unwrap();
        let key = PKey::private_key_from_pem(&pem).unwrap();
        PublicJwk::from_spki_der(&key.public_key_to_der().unwrap()).unwrap()
    };
    let open_as = |uri: &Pkcs11Uri, name: &str| {
        Pkcs11Signer::open_expecting(uri, pin(), Some(&public_key(name)), &Call::none())
    };
    require_good_signatures(&open_as(&uri, "lonely.pem").unwrap());
    let wrong = open_as(&uri, "leaf.pem").unwrap_err();
    assert_eq!(wrong.code(), ErrorCode::SignatureFault, "{wrong}");
    let pinned = open_as(&softhsm::uri("token=main;object=p256"), "leaf.pem").unwrap_err();
    assert_eq!(pinned.code(), ErrorCode::CertificateMismatch, "{pinned}");
}

#[test]
fn a_clients_certificate_tells_the_public_key() {
    let hsm = fixture();
    let certificate = hsm.path("lonely.crt");
    let (key, out) = (hsm.path("lonely.pem"), certificate.to_str().unwrap());
    let request = [
        "req",
        "-x509",
        "-new",
        "-subj",
        "/CN=lonely",
        "-out",
        out,
        "-key",
    ];
    hsm.run(
        "openssl",
        &[&request[..], &[key.to_str().unwrap()]].concat(),
    );
    let uri = softhsm::uri("token=main;object=lonely");
    let settings = |certificate: &str| {
        let settings = format!(
            r#"{{"profile":"generic","issuer":"https://as.example","token_endpoint":"https://as.example/token",
                "client_id":"c","key":"{uri}"{certificate}}}"#
        );
        let settings = segl::profiles::ClientSettings::from_json(&settings).unwrap();
        segl::TokenClient::builder(settings)
            .secret(pin().unwrap())
            .build(&Call::none())
    };
    assert_eq!(settings("").unwrap_err().code(), ErrorCode::KeyNotFound);
    let client = settings(&format!(r#","certificate":"file:{out}""#)).unwrap();
    let jwt = client
        .assertion(&Default::default(), &Call::none())
        .unwrap();
    let header = segl::jws::decode(&jwt).unwrap().header;
    assert_eq!(header["x5c"].as_array().unwrap().len(), 1);
}

#[test]
fn an_rsa_key_without_public_key_tells_it_itself() {
    let signer = open("token=main;object=lonely-rsa").unwrap();
    require_good_signatures(&signer);
    assert_ne!(
        signer.origin().never_extractable,
        Some(true),
        "it was imported"
    );
}
