//! `segl doctor` of a client whose key is in AWS KMS.

use std::fs;

use openssl::nid::Nid;
use serde_json::Value;

use crate::fake_kms::{ACCESS_KEY, FakeKms, Fault, SECRET_KEY, ec};
use crate::segl;

/// The findings about the key and its signature: `(check, status, all of it)`.
fn findings(fake: &FakeKms) -> Vec<(String, String, String)> {
    let variables = [
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
    ];
    findings_with(fake, &variables)
}

fn findings_with(fake: &FakeKms, variables: &[(&str, &str)]) -> Vec<(String, String, String)> {
    let home = tempfile::tempdir().unwrap();
    let config = format!(
        "[clients.c]\nprofile = \"generic\"\nissuer = \"https://127.0.0.1:9/\"\n\
         token_endpoint = \"https://127.0.0.1:9/token\"\nclient_id = \"c\"\nkey = \"{}\"\n",
        fake.uri("alias/bank")
    );
    fs::write(home.path().join("segl.toml"), config).unwrap();
    let arguments = ["--json", "doctor", "c", "--config", "segl.toml"];
    let output = segl(home.path(), variables, &arguments);
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let all = report.as_array().unwrap().iter();
    let text = |finding: &Value, member: &str| finding[member].as_str().unwrap_or("").to_owned();
    all.map(|finding| {
        (
            text(finding, "check"),
            text(finding, "status"),
            finding.to_string(),
        )
    })
    .filter(|(check, _, _)| ["key", "signature"].contains(&check.as_str()))
    .collect()
}

#[test]
fn a_key_that_signs_is_in_order_and_cannot_leave() {
    let fake = FakeKms::start();
    fake.add("bank", ec(Nid::X9_62_PRIME256V1));
    let found = findings(&fake);
    let [key, signature] = &found[..] else {
        panic!("{found:?}");
    };
    assert_eq!(
        (key.1.as_str(), signature.1.as_str()),
        ("ok", "ok"),
        "{found:?}"
    );
    for part in [
        "EC P-256, ES256",
        "arn:aws:kms:eu-north-1",
        "cannot leave it",
    ] {
        assert!(key.2.contains(part), "{part}: {}", key.2);
    }
}

#[test]
fn a_key_that_may_not_sign_says_what_kms_says() {
    let fake = FakeKms::start();
    fake.add("bank", ec(Nid::X9_62_PRIME256V1));
    fake.fail(
        "Sign",
        Fault::Refuse(400, "AccessDeniedException", "not you"),
    );
    let found = findings(&fake);
    let signature = &found[1];
    assert_eq!(signature.1, "failed", "{found:?}");
    for part in ["KMS_ACCESS_DENIED", "not you", "key's policy"] {
        assert!(signature.2.contains(part), "{part}: {}", signature.2);
    }
}

#[test]
fn without_credentials_the_key_fails_with_the_places_and_the_signature_is_left_out() {
    let fake = FakeKms::start();
    fake.add("bank", ec(Nid::X9_62_PRIME256V1));
    let found = findings_with(&fake, &[]);
    assert_eq!(
        (found[0].1.as_str(), found[1].1.as_str()),
        ("failed", "skipped"),
        "{found:?}"
    );
    for part in ["KMS_CREDENTIALS", "AWS_ACCESS_KEY_ID", "metadata"] {
        assert!(found[0].2.contains(part), "{part}: {}", found[0].2);
    }
    assert_eq!(fake.state().seen.len(), 0);
}

#[test]
fn a_throttled_key_says_how_to_have_more() {
    let fake = FakeKms::start();
    fake.add("bank", ec(Nid::X9_62_PRIME256V1));
    for _ in 0..5 {
        fake.fail(
            "Sign",
            Fault::Refuse(400, "ThrottlingException", "slow down"),
        );
    }
    let found = findings(&fake);
    assert_eq!(found[1].1, "failed", "{found:?}");
    for part in ["KMS_THROTTLED", "Service Quotas"] {
        assert!(found[1].2.contains(part), "{part}: {}", found[1].2);
    }
}
