//! A message that says when it was made is made when the token only has to sign.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use cryptoki_sys::{CKR_DEVICE_REMOVED, CKR_GENERAL_ERROR, CKR_USER_NOT_LOGGED_IN};
use segl::clock::{FixedClock, UnixTime};
use segl::keys::pkcs11::Pkcs11Signer;
use segl::keys::{HealthState, MakeMessage};
use segl::profiles::ClientSettings;
use segl::{Algorithm, Call, Error, ErrorCode, Signer, TokenClient, TokenRequest};
use serde_json::Value;

use crate::fault::{FaultModule, eventually};
use crate::{module, open};

const BEGIN: i64 = 1_700_000_000;

/// A client that signs with `signer`, and the clock it reads.
fn client(signer: &Arc<Pkcs11Signer>) -> (TokenClient, Arc<FixedClock>) {
    let settings = r#"{"profile": "generic", "client_id": "c1", "kid": "k1",
        "issuer": "https://as.example", "token_endpoint": "https://as.example/token"}"#;
    let clock = Arc::new(FixedClock::new(UnixTime::from_seconds(BEGIN)));
    let client = TokenClient::builder(ClientSettings::from_json(settings).unwrap())
        .signer(signer.clone())
        .clock(clock.clone())
        .build(&Call::none())
        .unwrap();
    (client, clock)
}

/// The claims of an assertion, whose signature must be good.
fn claims(client: &TokenClient, signer: &Pkcs11Signer) -> Value {
    let jwt = client
        .assertion(&TokenRequest::default(), &Call::none())
        .unwrap();
    let jwt = segl::jws::decode(&jwt).unwrap();
    let input = jwt.signing_input.as_bytes();
    let key = signer.public_key();
    assert!(key.verify(Algorithm::ES256, input, &jwt.signature));
    jwt.claims.into()
}

#[test]
fn an_assertion_is_as_old_as_its_session_and_not_as_its_call() {
    let module = module("ready");
    for threads in ["own", "caller"] {
        let path = format!("token=ready;object=ec?max-sessions=1&threads={threads}");
        let signer = Arc::new(open(&module, &path).unwrap());
        let (client, clock) = client(&signer);
        let waiting = || signer.health().token.unwrap().sessions.waiting;
        std::thread::scope(|scope| {
            let hang = module.hang("C_Sign");
            let first = scope.spawn(|| claims(&client, &signer));
            hang.wait_for(1);
            let second = scope.spawn(|| claims(&client, &signer));
            eventually("the second one waits for the session", || waiting() == 1);
            clock.set(UnixTime::from_seconds(BEGIN + 30));
            drop(hang);
            let (first, second) = (first.join().unwrap(), second.join().unwrap());
            assert_eq!(first["iat"], BEGIN, "{threads}: it had a session before");
            assert_eq!(second["iat"], BEGIN + 30, "{threads}");
            let life =
                |claims: &Value| claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
            assert_eq!(life(&first), life(&second));
        });
    }
}

#[test]
fn after_a_recovery_the_claims_are_those_of_the_try_that_succeeded() {
    let module = module("ready-again");
    for threads in ["own", "caller"] {
        let path = format!("token=ready-again;object=ec?threads={threads}");
        let signer = Arc::new(open(&module, &path).unwrap());
        for fault in [
            format!("C_Sign rv={CKR_DEVICE_REMOVED} count=1"),
            format!("C_Sign executed rv={CKR_GENERAL_ERROR} count=1"),
            format!("C_SignInit rv={CKR_USER_NOT_LOGGED_IN} count=1"),
            "C_Sign flip count=1".to_owned(),
        ] {
            let (client, clock) = client(&signer);
            let function = fault.split(' ').next().unwrap();
            std::thread::scope(|scope| {
                module.rules(&fault);
                let hang = module.hang(function);
                let signing = scope.spawn(|| claims(&client, &signer));
                hang.wait_for(1);
                clock.set(UnixTime::from_seconds(BEGIN + 20));
                drop(hang);
                let claims = signing.join().unwrap();
                assert_eq!(claims["iat"], BEGIN + 20, "{fault}");
            });
            module.rules("clear");

            // Each try that comes to the message has one of its own.
            let (make, tries) = counting();
            module.rules(&fault);
            let signed = signer.sign_when_ready(Algorithm::ES256, &make, &Call::none());
            let signed = signed.unwrap();
            let last = tries.load(Ordering::SeqCst);
            assert_eq!(last, if function == "C_Sign" { 2 } else { 1 }, "{fault}");
            assert_eq!(signed.message, format!("try {last}").into_bytes());
            let key = signer.public_key();
            assert!(key.verify(Algorithm::ES256, &signed.message, &signed.signature));
            module.rules("clear");
        }
    }
}

/// Messages `try 1`, `try 2`…, and how many were made.
fn counting() -> (Arc<MakeMessage>, Arc<AtomicUsize>) {
    let tries = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&tries);
    let make = Arc::new(move || {
        let number = count.fetch_add(1, Ordering::SeqCst) + 1;
        Ok(format!("try {number}").into_bytes())
    });
    (make, tries)
}

/// A person may have to type the PIN for it.
#[test]
fn the_message_is_made_after_the_login_for_one_signature() {
    let module: Arc<FaultModule> = Arc::new(module("ready-login"));
    let signer = open(&module, "token=ready-login;object=always").unwrap();
    module.reset_counters();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (own, note) = (Arc::clone(&module), Arc::clone(&seen));
    let make: Arc<MakeMessage> = Arc::new(move || {
        let calls = ["C_SignInit", "C_Login", "C_Sign"].map(|function| own.calls(function));
        note.lock().unwrap().push(calls);
        Ok(b"message".to_vec())
    });
    signer
        .sign_when_ready(Algorithm::ES256, &make, &Call::none())
        .unwrap();
    assert_eq!(*seen.lock().unwrap(), [[1, 1, 0]]);
}

#[test]
fn what_cannot_be_made_says_nothing_of_the_token() {
    let module = module("ready-never");
    let signer = Arc::new(open(&module, "token=ready-never;object=ec").unwrap());
    let (client, _) = client(&signer);
    module.reset_counters();
    let request = TokenRequest::from_json(r#"{"consumer_org": "910753614"}"#).unwrap();
    let error = client.assertion(&request, &Call::none()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument, "{error}");
    assert_eq!(module.all_calls(), 0, "found before the token is asked");

    for code in [ErrorCode::Certificate, ErrorCode::TokenUnavailable] {
        let make: Arc<MakeMessage> = Arc::new(move || Err(Error::new(code, "as a test")));
        let error = signer
            .sign_when_ready(Algorithm::ES256, &make, &Call::none())
            .unwrap_err();
        assert_eq!((error.code(), error.message()), (code, "as a test"));
        let health = signer.health();
        assert_eq!(health.state, HealthState::Ready);
        let token = health.token.unwrap();
        assert_eq!(token.counters.failed, 0);
        assert!(token.last_failure.is_none());
    }
    assert_eq!(module.calls("C_Sign"), 0);
    claims(&client, &signer);
}

#[test]
fn an_assertion_is_two_calls() {
    const ASSERTIONS: u64 = 100;
    let module = module("ready-steady");
    let signer = Arc::new(open(&module, "token=ready-steady;object=ec").unwrap());
    let (client, _) = client(&signer);
    module.reset_counters();
    for _ in 0..ASSERTIONS {
        claims(&client, &signer);
    }
    assert_eq!(module.calls("C_SignInit"), ASSERTIONS);
    assert_eq!(module.all_calls(), 2 * ASSERTIONS);
}
