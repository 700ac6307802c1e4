//! What KMS refuses, and what is tried again.

use std::time::{Duration, Instant};

use openssl::nid::Nid;
use segl::keys::HealthState;
use segl::{Algorithm, ErrorCode, Signer};

use crate::fake_kms::{FakeKms, Fault, ec};
use crate::{call, open};

const ALG: Algorithm = Algorithm::ES256;

#[test]
fn each_refusal_has_a_code_and_says_whether_it_passes() {
    use ErrorCode::*;
    let fake = FakeKms::start();
    fake.add("bank", ec(Nid::X9_62_PRIME256V1));
    for (status, kind, code, retryable) in [
        (400, "NotFoundException", KmsNotFound, false),
        (400, "InvalidArnException", KmsNotFound, false),
        (400, "DisabledException", KmsDisabled, false),
        (400, "KMSInvalidStateException", KmsState, false),
        (400, "AccessDeniedException", KmsAccessDenied, false),
        (400, "InvalidGrantTokenException", KmsAccessDenied, false),
        (400, "InvalidKeyUsageException", KmsKeyUsage, false),
        (400, "UnsupportedOperationException", KmsKeyUsage, false),
        (400, "ThrottlingException", KmsThrottled, true),
        (500, "KeyUnavailableException", KmsUnavailable, true),
        (503, "DependencyTimeoutException", KmsUnavailable, true),
        (500, "KMSInternalException", KmsUnavailable, true),
        (400, "UnrecognizedClientException", KmsCredentials, false),
        (400, "ExpiredTokenException", KmsCredentials, false),
        (400, "IncompleteSignature", KmsCredentials, false),
        (400, "ValidationException", KmsRefused, false),
        (400, "RequestExpired", KmsClock, false),
    ] {
        // One that has not failed yet: another would be left alone.
        let signer = open(&fake.uri("alias/bank")).unwrap();
        for _ in 0..5 {
            fake.fail("Sign", Fault::Refuse(status, kind, "KMS's own words"));
        }
        let before = fake.count("Sign");
        let error = signer.sign(ALG, b"m", &call()).unwrap_err();
        assert_eq!(error.code(), code, "{kind}: {error}");
        assert_eq!(error.retryable(), retryable, "{kind}");
        let message = error.message();
        for part in [
            kind,
            "KMS's own words",
            "alias/bank",
            "eu-north-1",
            "request id 0e1f2d3c",
        ] {
            assert!(message.contains(part), "{part}: {message}");
        }
        let details = error.details();
        assert_eq!(details.provider_code.as_deref(), Some(kind));
        assert!(details.trace_id.as_ref().unwrap().starts_with("0e1f2d3c"));
        // A status would make the client think that the token endpoint had answered.
        assert_eq!(details.http_status, None);
        let tries = match (retryable, code) {
            (true, _) => 5,
            (false, KmsCredentials) => 2,
            _ => 1,
        };
        assert_eq!(fake.count("Sign") - before, tries, "{kind}");
        fake.state().faults.clear();
    }
}

#[test]
fn what_passes_is_tried_again() {
    let fake = FakeKms::start();
    fake.add("bank", ec(Nid::X9_62_PRIME256V1));
    for operation in ["GetPublicKey", "Sign"] {
        for fault in [
            Fault::Refuse(400, "ThrottlingException", "slow down"),
            Fault::Refuse(500, "KMSInternalException", "sorry"),
            Fault::Refuse(503, "", ""),
            Fault::Cut,
        ] {
            fake.fail(operation, fault.clone());
            let signer = open(&fake.uri("alias/bank")).unwrap();
            signer.sign(ALG, b"m", &call()).unwrap();
            assert!(fake.state().faults[operation].is_empty());
        }
    }
}

#[test]
fn the_states_of_a_key_are_told_apart() {
    let fake = FakeKms::start();
    let id = fake.add("bank", ec(Nid::X9_62_PRIME256V1));
    let signer = open(&fake.uri("alias/bank")).unwrap();
    for (state, code, advice) in [
        ("Disabled", ErrorCode::KmsDisabled, "enable-key"),
        (
            "PendingDeletion",
            ErrorCode::KmsState,
            "cancel-key-deletion",
        ),
    ] {
        fake.state().keys.get_mut(&id).unwrap().state = state;
        let error = signer.sign(ALG, b"m", &call()).unwrap_err();
        assert_eq!(error.code(), code);
        assert!(error.message().contains(advice), "{error}");
        assert_eq!(signer.health().state, HealthState::Unavailable);
        fake.state().keys.get_mut(&id).unwrap().state = "Enabled";
        signer.probe(&call()).unwrap();
        assert_eq!(signer.health().problem, None);
    }
    let error = open(&fake.uri("alias/none")).unwrap_err();
    assert_eq!(error.code(), ErrorCode::KmsNotFound);
}

#[test]
fn a_clock_that_is_off_is_corrected_once() {
    let fake = FakeKms::start();
    fake.add("bank", ec(Nid::X9_62_PRIME256V1));
    fake.state().clock_ahead = 3600;
    let signer = open(&fake.uri("alias/bank")).unwrap();
    signer.probe(&call()).unwrap();
    signer.probe(&call()).unwrap();
    assert_eq!(fake.state().complaints, ["time"]);
    // The same refusal from a KMS whose clock is right is told.
    fake.state().clock_ahead = 0;
    let message = "Signature not yet current";
    fake.fail(
        "GetPublicKey",
        Fault::Refuse(403, "InvalidSignatureException", message),
    );
    let error = open(&fake.uri("alias/bank")).unwrap_err();
    assert_eq!(error.code(), ErrorCode::KmsClock, "{error}");
}

#[test]
fn nothing_listening_is_the_networks_fault() {
    let fake = FakeKms::start();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let uri = fake
        .uri("alias/bank")
        .replace(&fake.port.to_string(), &port.to_string());
    let error = open(&uri).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Network, "{error}");
    assert!(error.retryable());
}

#[test]
fn a_kms_that_is_away_is_asked_by_one_caller_once_in_a_while() {
    let fake = FakeKms::start();
    fake.add("bank", ec(Nid::X9_62_PRIME256V1));
    let signer = open(&fake.uri("alias/bank")).unwrap();
    assert_eq!(signer.health().signatures, Some(0));
    // The first call is patient, those of the next moments are not made.
    for _ in 0..6 {
        fake.fail("Sign", Fault::Refuse(503, "", ""));
    }
    signer.probe(&call()).unwrap_err();
    assert_eq!(fake.count("Sign"), 5);
    let error = signer.probe(&call()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::KmsUnavailable);
    assert!(error.retryable() && error.details().retry_after.is_some());
    assert!(error.message().contains("not asked"), "{error}");
    assert_eq!(fake.count("Sign"), 5);
    assert_eq!(signer.health().state, HealthState::Unavailable);
    wait_until_ready(&signer);
    // One request, not five.
    signer.probe(&call()).unwrap_err();
    assert_eq!(fake.count("Sign"), 6);
    wait_until_ready(&signer);
    signer.probe(&call()).unwrap();
    signer.probe(&call()).unwrap();
    let health = signer.health();
    assert_eq!((health.signatures, health.problem), (Some(2), None));
    assert!(health.last_signature.is_some());
}

fn wait_until_ready(signer: &dyn Signer) {
    let until = Instant::now() + Duration::from_secs(30);
    while signer.health().state != HealthState::Ready {
        assert!(Instant::now() < until);
        std::thread::sleep(Duration::from_millis(20));
    }
    let problem = signer.health().problem.unwrap();
    assert!(problem.starts_with("failing since"), "{problem}");
}

#[test]
fn the_wish_to_be_left_alone_is_granted_if_it_is_short_and_told_if_it_is_long() {
    let fake = FakeKms::start();
    fake.add("bank", ec(Nid::X9_62_PRIME256V1));
    let signer = open(&fake.uri("alias/bank")).unwrap();
    fake.fail("Sign", Fault::Throttle(1));
    let begin = Instant::now();
    signer.probe(&call()).unwrap();
    assert!(begin.elapsed() >= Duration::from_secs(1));
    assert_eq!(fake.count("Sign"), 2);
    fake.fail("Sign", Fault::Throttle(3600));
    let error = signer.probe(&call()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::KmsThrottled);
    assert_eq!(error.details().retry_after, Some(Duration::from_secs(3600)));
    assert_eq!(fake.count("Sign"), 3);
}

#[test]
fn tries_end_with_the_call() {
    let fake = FakeKms::start();
    fake.add("bank", ec(Nid::X9_62_PRIME256V1));
    let signer = open(&fake.uri("alias/bank")).unwrap();
    fake.fail("Sign", Fault::Throttle(4));
    let short = segl::Call::within(Duration::from_secs(2));
    let error = signer.probe(&short).unwrap_err();
    assert_eq!(error.code(), ErrorCode::KmsThrottled, "{error}");
    assert_eq!(fake.count("Sign"), 1);
}

#[test]
fn a_huge_answer_is_the_fault_of_this_key_alone() {
    let fake = FakeKms::start();
    fake.add("bank", ec(Nid::X9_62_PRIME256V1));
    let signer = open(&fake.uri("alias/bank")).unwrap();
    let huge = || Fault::Body(format!("{{\"Signature\":\"{}\"}}", "A".repeat(2 << 20)));
    fake.fail("Sign", huge());
    let error = signer.probe(&call()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::KmsBadResponse, "{error}");
    fake.fail("GetPublicKey", huge());
    let error = open(&fake.uri("alias/bank")).unwrap_err();
    assert_eq!(error.code(), ErrorCode::KmsBadResponse, "{error}");
}
