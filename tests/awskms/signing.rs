//! What is asked of KMS, and what of its answers is released.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use segl::keys::MakeMessage;
use segl::{Algorithm, Call, CancelToken, Error, ErrorCode, PublicJwk, Signer};

use crate::fake_kms::{FakeKms, Fault, arn, ec, rsa};
use crate::{call, open, verify};

#[test]
fn every_algorithm_signs_so_that_openssl_verifies() {
    let fake = FakeKms::start();
    let keys = [
        ("p256", ec(Nid::X9_62_PRIME256V1)),
        ("p384", ec(Nid::SECP384R1)),
        ("rsa", rsa()),
    ];
    for (alias, pair) in keys {
        let id = fake.add(alias, pair.clone());
        let signer = open(&fake.uri(&format!("alias/{alias}"))).unwrap();
        assert_eq!(signer.arn(), arn(&id));
        for alg in signer.algorithms() {
            // Longer than KMS takes, so that hashing here is seen to.
            let message = vec![7; 5000];
            let signature = signer.sign(*alg, &message, &call()).unwrap();
            assert!(verifies(&pair, *alg, &message, &signature), "{alg}");
        }
    }
    assert_eq!(fake.count("GetPublicKey"), 3);
    assert_eq!(fake.count("Sign"), 6);
    assert_eq!(fake.state().complaints, Vec::<String>::new());
}

#[test]
fn every_name_of_a_key_opens_it() {
    let fake = FakeKms::start();
    let id = fake.add("bank", ec(Nid::X9_62_PRIME256V1));
    let alias_arn = "arn:aws:kms:eu-north-1:111122223333:alias/bank".to_owned();
    let mut thumbprints = Vec::new();
    for name in ["alias/bank".to_owned(), id.clone(), arn(&id), alias_arn] {
        let signer = open(&fake.uri(&name)).unwrap();
        signer.probe(&call()).unwrap();
        assert_eq!(signer.region(), "eu-north-1");
        let origin = signer.origin();
        assert_eq!(origin.kind, "awskms");
        assert_eq!(origin.extractable, Some(false));
        assert_eq!(origin.token.as_deref(), Some(arn(&id).as_str()));
        thumbprints.push(signer.public_key().thumbprint().to_owned());
    }
    thumbprints.dedup();
    assert_eq!(thumbprints.len(), 1);
}

#[test]
fn algorithms_are_those_that_kms_names() {
    let fake = FakeKms::start();
    let id = fake.add("rsa", rsa());
    fake.state().keys.get_mut(&id).unwrap().algorithms = vec!["RSASSA_PSS_SHA_256"];
    let signer = open(&fake.uri("alias/rsa")).unwrap();
    assert_eq!(signer.algorithms(), [Algorithm::PS256]);
    let error = signer.sign(Algorithm::RS256, b"m", &call()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Algorithm);
    fake.state().keys.get_mut(&id).unwrap().algorithms = vec!["RSASSA_PSS_SHA_512"];
    let error = open(&fake.uri("alias/rsa")).unwrap_err();
    assert_eq!(error.code(), ErrorCode::KmsKeyUsage);
}

#[test]
fn keys_that_segl_cannot_use_are_refused_when_they_are_opened() {
    let fake = FakeKms::start();
    fake.add("k1", ec(Nid::SECP256K1));
    let error = open(&fake.uri("alias/k1")).unwrap_err();
    assert_eq!(error.code(), ErrorCode::KeyType);
    let id = fake.add("agreement", ec(Nid::X9_62_PRIME256V1));
    fake.state().keys.get_mut(&id).unwrap().usage = "KEY_AGREEMENT";
    let error = open(&fake.uri("alias/agreement")).unwrap_err();
    assert_eq!(error.code(), ErrorCode::KmsKeyUsage);
}

#[test]
fn an_alias_that_leads_to_another_key_gives_an_error_and_no_signature() {
    let fake = FakeKms::start();
    let first = fake.add("bank", ec(Nid::X9_62_PRIME256V1));
    let signer = open(&fake.uri("alias/bank")).unwrap();
    let second = fake.add("bank", ec(Nid::X9_62_PRIME256V1));
    let error = signer.sign(Algorithm::ES256, b"m", &call()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::KmsKeyChanged);
    assert!(!error.retryable());
    assert!(error.message().contains(&arn(&first)) && error.message().contains(&arn(&second)));
    assert!(error.message().contains("register the new public key"));
    open(&fake.uri("alias/bank"))
        .unwrap()
        .probe(&call())
        .unwrap();
}

#[test]
fn wrong_signatures_are_not_released() {
    let fake = FakeKms::start();
    let id = fake.add("bank", ec(Nid::X9_62_PRIME256V1));
    let signer = open(&fake.uri("alias/bank")).unwrap();
    let no_signature = format!(r#"{{"KeyId":"{}"}}"#, arn(&id));
    let no_base64 = format!(r#"{{"KeyId":"{}","Signature":"?"}}"#, arn(&id));
    for (fault, code) in [
        (Fault::Trailing, ErrorCode::KmsBadResponse),
        (Fault::Wrong, ErrorCode::SignatureFault),
        (Fault::Body("[]".into()), ErrorCode::KmsBadResponse),
        (Fault::Body("<html>".into()), ErrorCode::KmsBadResponse),
        (
            Fault::Body(r#"{"Signature":"AAAA"}"#.into()),
            ErrorCode::KmsBadResponse,
        ),
        (Fault::Body(no_signature), ErrorCode::KmsBadResponse),
        (Fault::Body(no_base64), ErrorCode::KmsBadResponse),
    ] {
        fake.fail("Sign", fault);
        let error = signer.sign(Algorithm::ES256, b"m", &call()).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
    }
    let other = fake.add("other", ec(Nid::X9_62_PRIME256V1));
    let body = format!(r#"{{"KeyId":"{}","PublicKey":""}}"#, arn(&id));
    fake.fail("GetPublicKey", Fault::Body(body));
    let error = open(&fake.uri(&other)).unwrap_err();
    assert_eq!(error.code(), ErrorCode::KmsBadResponse, "{error}");
}

#[test]
fn the_call_bounds_a_slow_answer() {
    let fake = FakeKms::start();
    fake.add("bank", ec(Nid::X9_62_PRIME256V1));
    let signer = open(&fake.uri("alias/bank")).unwrap();
    for _ in 0..5 {
        fake.fail("Sign", Fault::Slow(Duration::from_secs(60)));
    }
    let begin = Instant::now();
    let short = Call::within(Duration::from_millis(500));
    let error = signer.sign(Algorithm::ES256, b"m", &short).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Timeout, "{error}");
    let cancel = CancelToken::new();
    let cancelled = call().with_cancel(cancel.clone());
    let waiting = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(200));
        cancel.trigger();
    });
    let error = signer.sign(Algorithm::ES256, b"m", &cancelled).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Cancelled, "{error}");
    waiting.join().unwrap();
    assert!(begin.elapsed() < Duration::from_secs(30));
}

fn verifies(pair: &PKey<Private>, alg: Algorithm, message: &[u8], signature: &[u8]) -> bool {
    let key = PublicJwk::from_spki_der(&pair.public_key_to_der().unwrap()).unwrap();
    verify::openssl_verifies(&key, alg, message, signature)
}

#[test]
fn a_signature_of_another_key_under_the_right_name_is_not_released() {
    let fake = FakeKms::start();
    for (alias, make) in [
        (
            "ec",
            (|| ec(Nid::X9_62_PRIME256V1)) as fn() -> PKey<Private>,
        ),
        ("rsa", rsa),
    ] {
        let id = fake.add(alias, make());
        let signer = open(&fake.uri(&format!("alias/{alias}"))).unwrap();
        fake.state().keys.get_mut(&id).unwrap().pair = make();
        for alg in signer.algorithms() {
            let error = signer.sign(*alg, b"m", &call()).unwrap_err();
            assert_eq!(error.code(), ErrorCode::SignatureFault, "{alg}: {error}");
        }
    }
}

#[test]
fn an_answer_about_another_key_does_not_open_one() {
    let fake = FakeKms::start();
    let id = fake.add("bank", ec(Nid::X9_62_PRIME256V1));
    let other = fake.add("other", ec(Nid::X9_62_PRIME256V1));
    let pair = ec(Nid::X9_62_PRIME256V1);
    let spki = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        pair.public_key_to_der().unwrap(),
    );
    let body = format!(r#"{{"KeyId":"{}","PublicKey":"{spki}"}}"#, arn(&other));
    for name in [id.clone(), arn(&id)] {
        fake.fail("GetPublicKey", Fault::Body(body.clone()));
        let error = open(&fake.uri(&name)).unwrap_err();
        assert_eq!(error.code(), ErrorCode::KmsBadResponse, "{name}: {error}");
    }
}

#[test]
fn each_try_signs_a_new_message() {
    let fake = FakeKms::start();
    let pair = ec(Nid::X9_62_PRIME256V1);
    fake.add("bank", pair.clone());
    let signer = open(&fake.uri("alias/bank")).unwrap();
    let made = AtomicU8::new(0);
    let make: Arc<MakeMessage> =
        Arc::new(move || Ok(vec![made.fetch_add(1, Ordering::SeqCst) + 1]));
    for _ in 0..2 {
        fake.fail("Sign", Fault::Refuse(503, "", ""));
    }
    let signed = signer
        .sign_when_ready(Algorithm::ES256, &make, &call())
        .unwrap();
    assert_eq!(signed.message, [3]);
    assert!(verifies(&pair, Algorithm::ES256, &[3], &signed.signature));
    // A message that cannot be made says nothing of KMS.
    let make: Arc<MakeMessage> = Arc::new(|| Err(Error::new(ErrorCode::Config, "no claims")));
    let error = signer
        .sign_when_ready(Algorithm::ES256, &make, &call())
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::Config);
    assert_eq!(error.message(), "no claims");
    assert_eq!(signer.health().problem, None);
}
