//! Signatures.

use super::*;

#[test]
fn every_algorithm_signs() {
    let rsa = open("token=main;object=rsa").unwrap();
    assert_eq!(
        rsa.algorithms(),
        [
            Algorithm::RS256,
            Algorithm::RS384,
            Algorithm::RS512,
            Algorithm::PS256
        ]
    );
    require_good_signatures(&rsa);
    let p256 = open("token=main;object=p256").unwrap();
    assert_eq!(p256.algorithms(), [Algorithm::ES256]);
    require_good_signatures(&p256);
    let p384 = open("token=main;object=p384").unwrap();
    assert_eq!(p384.algorithms(), [Algorithm::ES384]);
    require_good_signatures(&p384);
    p384.probe(&Call::none()).unwrap();
}

#[test]
fn an_algorithm_of_another_key_type_is_refused() {
    let p256 = open("token=main;object=p256").unwrap();
    let error = p256
        .sign(Algorithm::RS256, MESSAGE, &Call::none())
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::Algorithm);
    assert!(error.message().contains("ES256"), "{error}");
}

#[test]
fn allowed_mechanisms_decide() {
    let raw = open("token=main;id=%01").unwrap();
    assert_eq!(raw.origin().mechanisms[0], "CKM_RSA_PKCS");
    let hashed = open("token=main;object=hashed").unwrap();
    assert_eq!(hashed.algorithms(), [Algorithm::RS256]);
    assert_eq!(hashed.origin().mechanisms, ["CKM_SHA256_RSA_PKCS"]);
    require_good_signatures(&hashed);
}

#[test]
fn a_key_that_wants_a_login_for_each_signature_gets_it() {
    let signer = open("token=main;object=always").unwrap();
    require_good_signatures(&signer);
    require_good_signatures(&signer);
}

#[test]
fn many_threads_share_a_few_sessions() {
    fixture();
    let signer = open("token=pool;object=key?max-sessions=3").unwrap();
    let call = Call::within(Duration::from_secs(600));
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (signer, call) = (&signer, &call);
            scope.spawn(move || {
                for n in 0..200 {
                    let message = format!("{thread}.{n}");
                    // A queue of five waiters for three sessions may take long on a busy machine.
                    let signature = loop {
                        match signer.sign(Algorithm::ES256, message.as_bytes(), call) {
                            Err(error) if error.code() == ErrorCode::PoolTimeout => {}
                            signature => break signature.unwrap(),
                        }
                    };
                    assert!(signer.public_key().verify(
                        Algorithm::ES256,
                        message.as_bytes(),
                        &signature
                    ));
                }
            });
        }
    });
}

#[test]
fn a_call_that_is_over_does_nothing() {
    let signer = open("token=main;object=p256").unwrap();
    let cancel = CancelToken::new();
    cancel.trigger();
    let cancelled = Call::none().with_cancel(cancel);
    let late = Call::within(Duration::ZERO);
    let code = |call: &Call| {
        signer
            .sign(Algorithm::ES256, MESSAGE, call)
            .unwrap_err()
            .code()
    };
    assert_eq!(code(&cancelled), ErrorCode::Cancelled);
    assert_eq!(code(&late), ErrorCode::Timeout);
    let open = Pkcs11Signer::open(&uri("token=main;object=p256"), pin(), &late);
    assert_eq!(open.unwrap_err().code(), ErrorCode::Timeout);
}

/// A module that stands between segl and SoftHSM and writes down every call.
#[test]
fn the_calls_are_counted() {
    const SPY: &str = "/usr/lib/x86_64-linux-gnu/pkcs11/pkcs11-spy.so";
    assert!(Path::new(SPY).exists(), "apt-get install opensc");
    let log = fixture().path("spy.log");
    let calls = || -> Vec<String> {
        let log = std::fs::read_to_string(&log).unwrap();
        let calls = log
            .lines()
            .filter_map(|line| Some(line.split_once(": C_")?.1.to_owned()));
        calls
            .filter(|call| !call.starts_with("GetFunctionList"))
            .collect()
    };
    // The module was initialised by then, so the spy's is adopted.
    open("token=main;object=rsa").unwrap();

    let uri = uri_in(SPY, "token=watched;object=key");
    let signer = Pkcs11Signer::open(&uri, pin(), &Call::none()).unwrap();
    let before = calls().len();
    for _ in 0..3 {
        require_good_signatures(&signer);
    }
    assert_eq!(
        calls()[before..],
        ["SignInit", "Sign", "SignInit", "Sign", "SignInit", "Sign"],
        "two calls a signature"
    );
    drop(signer);

    let uri = uri_in(SPY, "token=guarded;object=key");
    let logins = || calls().iter().filter(|call| *call == "Login").count();
    let before = logins();
    for _ in 0..3 {
        let wrong = Some(Secret::from(&b"9999"[..]));
        let error = Pkcs11Signer::open(&uri, wrong, &Call::none()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::PinIncorrect);
    }
    assert_eq!(logins() - before, 1, "a wrong PIN is one C_Login");

    let opened = calls().iter().filter(|call| *call == "OpenSession").count();
    let closed = calls()
        .iter()
        .filter(|call| *call == "CloseSession")
        .count();
    assert_eq!(opened, closed, "every session was closed");
}
