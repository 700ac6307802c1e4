//! Both keys in an HSM, or the TLS key in PKCS#12.

use openssl::pkcs12::Pkcs12;
use serde_json::json;

use super::*;
use crate::fault::FaultModule;

#[test]
fn an_rsa_or_an_ec_key_shows_the_certificate_in_each_version() {
    for versions in ["['1.2']", "['1.3']"] {
        let bank = Bank::new(&format!("versions = {versions}"));
        for object in ["tls-rsa", "tls-ec"] {
            let x509 = bank.certify(&key(object), object, VALID);
            let client = bank.client(&key("assertion"), &bank.tls(&key(object), object));
            bank.lets_in(&client, &x509);
        }
        let requests = bank.simulator.requests();
        assert_eq!((requests.dnb_issued, requests.dnb_api), (2, 2));
        assert_eq!(requests.tls_refused, 0);
    }
}

#[test]
fn a_program_of_its_own_brings_the_signer() {
    let bank = Bank::new("");
    let uri = key("tls-rsa").parse().unwrap();
    let signer = segl::keys::open(&uri, None, &Call::none()).unwrap();
    let x509 = bank.certify_signer(&*signer, "own", VALID);
    let mut tls = bank.tls("", "own");
    tls.as_object_mut().unwrap().remove("key");
    let mut settings = bank.settings(&key("assertion"), &tls);
    let with_signer = |settings: &Value| {
        let builder = builder(settings).tls_signer(Arc::clone(&signer));
        Arc::new(builder.build(&Call::none()).unwrap())
    };
    settings["client_id"] = json!(bank.register(&with_signer(&settings)));
    bank.lets_in(&with_signer(&settings), &x509);
}

/// The metadata over plain http have both: only who has a certificate takes the alias.
#[test]
fn the_endpoint_for_certificates_is_that_of_clients_with_one() {
    let bank = Bank::new("");
    let x509 = bank.certify(&key("tls-ec"), "ec", VALID);
    for (tls, is_bound) in [
        (bank.no_certificate(), false),
        (bank.tls(&key("tls-ec"), "ec"), true),
    ] {
        let mut settings = bank.settings(&key("assertion"), &tls);
        settings["issuer"] = json!(bank.simulator.urls().dnb_issuer);
        let client = build(&bank.registered(settings)).unwrap();
        let token = client.token(&TokenRequest::default(), &Call::none());
        let claims = support::claims(token.unwrap().access_token());
        let bound = claims["cnf"]["x5t#S256"].as_str();
        assert_eq!(bound, is_bound.then(|| thumbprint(&x509)).as_deref());
        let connections = bank.simulator.requests().tls_with_certificate;
        assert_eq!(connections, u64::from(is_bound));
    }
}

#[test]
fn a_body_reaches_the_api() {
    let bank = Bank::new("");
    bank.certify(&key("tls-ec"), "ec", VALID);
    let client = bank.client(&key("assertion"), &bank.tls(&key("tls-ec"), "ec"));
    let url = format!("{}/dnb/api/prevalidation/norway", bank.urls().base);
    let request = ApiRequest::new("POST", &url).unwrap();
    let request = request.header("Content-Type", "application/json").unwrap();
    let request = request.body(br#"{"account":"1"}"#.to_vec()).unwrap();
    let send = || request.send(&client, TokenRequest::default(), &Call::none());
    let answer = send().unwrap();
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(answer.status, 200, "{body}");
    assert_eq!(body["request"], json!({"account": "1"}));
}

#[test]
fn a_pkcs12_file_has_key_and_certificate() {
    let bank = Bank::new("");
    let passphrase = bank.write("passphrase", b"p");
    for (name, pair) in [
        ("p12-rsa", support::rsa_key()),
        ("p12-ec", support::p256_key()),
    ] {
        let x509 = bank.certify_signer(&*support::signer(&pair), name, VALID);
        let p12 = Pkcs12::builder().pkey(&pair).cert(&x509).build2("p");
        let file = bank.write(&format!("{name}.p12"), &p12.unwrap().to_der().unwrap());
        let (file, passphrase) = (file.display(), passphrase.display());
        let mut tls = bank.no_certificate();
        tls["key"] = json!(format!("file:{file}?pin-source=file:{passphrase}"));
        bank.lets_in(&bank.client(&key("assertion"), &tls), &x509);
    }
}

#[test]
fn sessions_that_are_lost_between_calls_are_made_anew() {
    let bank = Bank::new("");
    let module = FaultModule::load(&world().fault_module, "lost");
    let key = |object| key_in(module.path().to_str().unwrap(), "lost", object);
    let x509 = bank.certify(&key("tls-rsa"), "lost", VALID);
    let mut tls = bank.tls(&key("tls-rsa"), "lost");
    tls["resumption"] = json!(false);
    for loss in ["close_all", "logout", "no_token; token_back"] {
        let client = bank.client(&key("assertion"), &tls);
        let lose = || loss.split("; ").for_each(|rule| module.rules(rule));
        lose();
        module.reset_counters();
        bank.lets_in(&client, &x509);
        assert!(module.calls("C_Sign") >= 2, "{loss}: assertion and TLS");

        client.forget(None);
        lose();
        module.reset_counters();
        bank.lets_in(&client, &x509);
        assert!(module.calls("C_Sign") >= 1, "{loss}: the next assertion");
    }
    assert_eq!(bank.simulator.requests().dnb_issued, 6);
}
