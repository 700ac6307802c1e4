//! segl with Kryoptic, a software token of another make: PKCS#11 3.2, hashing
//! mechanisms for every algorithm, `CKA_PUBLIC_KEY_INFO`, and `CKR_GENERAL_ERROR`
//! for a key that nobody is logged in to.

#[path = "support/authority.rs"]
mod authority;
#[path = "support/battery.rs"]
mod battery;
#[path = "support/kryoptic.rs"]
mod kryoptic;
#[allow(dead_code, reason = "most of it is for other tests")]
#[path = "support/oidc_provider.rs"]
mod oidc_provider;
#[path = "support/openssl_server.rs"]
mod openssl_server;
#[path = "support/other_code.rs"]
mod other_code;
#[allow(dead_code, reason = "most of it is for SoftHSM")]
#[path = "support/softhsm.rs"]
mod softhsm;
#[path = "support/verify.rs"]
mod verify;

use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use battery::{Key, P256, P384, RSA, Token};
use kryoptic::{Kryoptic, PIN};
use oidc_provider::Server;
use segl::{Call, TokenRequest};
use serde_json::json;

/// The token, and the turn to use the module.
fn token() -> MutexGuard<'static, Token> {
    static TOKEN: LazyLock<Mutex<Token>> = LazyLock::new(|| {
        let kryoptic = Kryoptic::new("real-kryoptic", &["main", "pins"]);
        kryoptic.generate("main", "rsa:2048", "01", "rsa", &[]);
        kryoptic.generate("main", "EC:prime256v1", "02", "p256", &[]);
        kryoptic.generate("main", "EC:secp384r1", "03", "p384", &[]);
        kryoptic.generate("main", "EC:prime256v1", "04", "loose", &["--extractable"]);
        for (kind, id, label) in [
            ("EC:prime256v1", "05", "lonely"),
            ("rsa:2048", "06", "lonely-rsa"),
        ] {
            kryoptic.generate("main", kind, id, label, &[]);
            let delete = ["--delete-object", "--type", "pubkey", "--id", id];
            kryoptic.tool("main", &delete);
        }
        kryoptic.generate("pins", "EC:prime256v1", "02", "p256", &[]);
        Mutex::new(Token {
            module: kryoptic.module().to_owned(),
            label: "main",
            settings: String::new(),
            pin: PIN,
            keys: vec![
                Key::new("rsa", "%01", RSA),
                Key::new("p256", "%02", P256),
                Key::new("p384", "%03", P384),
            ],
        })
    });
    TOKEN.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn every_algorithm_signs() {
    battery::every_algorithm_signs(&token());
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn a_wrong_pin_is_tried_once() {
    let main = token();
    let pins = Token {
        label: "pins",
        ..main.with("&pin-count-low=try")
    };
    battery::a_wrong_pin_is_tried_once(&pins);
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn a_missing_key_is_answered_with_those_present() {
    battery::a_missing_key_is_answered_with_those_present(&token());
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn many_threads_share_four_sessions() {
    battery::many_threads_share_four_sessions(&token(), 100);
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn what_other_code_takes_away_is_made_anew() {
    battery::what_other_code_takes_away_is_made_anew(&token());
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn keys_open_again_after_a_shutdown() {
    battery::keys_open_again_after_a_shutdown(&token());
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn an_extractable_key_is_refused_unless_allowed() {
    battery::an_extractable_key_is_refused_unless_allowed(&token(), "object=loose");
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn a_generated_key_cannot_leave_the_token() {
    battery::a_generated_key_cannot_leave_the_token(&token());
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn the_public_key_may_be_in_the_private_one() {
    let token = token();
    for label in ["lonely", "lonely-rsa"] {
        battery::the_public_key_may_be_in_the_private_one(&token, label);
    }
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn an_authorisation_server_takes_its_signatures() {
    let token = token();
    for key in &token.keys {
        let signer = Arc::new(token.open(&format!("object={}", key.label)).unwrap());
        for alg in key.algorithms {
            let server = Server::for_key(&*signer, *alg);
            let client = server
                .client(json!({ "alg": alg.name() }))
                .signer(signer.clone())
                .build(&Call::none())
                .unwrap();
            client
                .token(&TokenRequest::default(), &Call::none())
                .unwrap_or_else(|error| panic!("{alg}: {error}; {:?}", server.refusals().issuer));
        }
    }
}

/// As a client certificate, in both versions of TLS.
#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn every_key_is_a_client_certificate() {
    use authority::{Authority, VALID};
    use openssl::pkey::PKey;
    use openssl_server::OpensslServer;
    use segl::clock::SystemClock;
    use segl::http::tls::{Roots, TlsOptions};
    use segl::http::{Method, Request, Transport, TransportSettings, UreqTransport};
    use segl::keys::{Certificate, TlsCertificate};
    use segl::{Call, KeyUri};
    use std::sync::Arc;

    let token = token();
    let authority = Authority::new("The authority");
    for key in &token.keys {
        let uri = KeyUri::Pkcs11(token.uri(&format!("object={}", key.label)));
        let signer = segl::keys::open(&uri, Some(PIN.as_bytes().into()), &Call::none()).unwrap();
        let public = signer.public_key().to_spki_der().unwrap();
        let public = PKey::public_key_from_der(&public).unwrap();
        let certificate = authority.client(&public, key.label, VALID);
        let certificate = Certificate::from_der(&certificate.to_der().unwrap()).unwrap();
        let certificate =
            TlsCertificate::new(signer, Some(vec![certificate]), Arc::new(SystemClock));
        let mut options = TlsOptions::default();
        options.client_certificate = Some(Arc::new(certificate.unwrap()));
        options.roots = Some(Roots::from_pem(&authority.pem()).unwrap());
        let transport = UreqTransport::with_tls(TransportSettings::default(), options).unwrap();
        for (argument, version) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
            let server = OpensslServer::insisting(&authority, &[argument]);
            let request = Request::new(Method::Get, server.url().parse().unwrap());
            let answer = transport.send(&request, &Call::none()).unwrap();
            let page = String::from_utf8(answer.body.to_vec()).unwrap();
            assert!(page.contains(&format!("New, {version},")), "{page}");
            let subject = format!("Subject: C=NO, CN={}\n", key.label);
            assert!(page.contains(&subject), "{page}");
        }
    }
}
