//! `segl key generate --token awskms:…`, and `segl key show` of what it made.

use serde_json::Value;

use crate::fake_kms::{FakeKms, Fault};
use crate::{done, failed, segl_with_keys};

const URI: &str = "awskms:alias/bank/dnb?region=eu-north-1";

fn generate<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let mut all = vec![
        "--json", "key", "generate", "--alg", "ES256", "--token", URI,
    ];
    all.extend(more);
    all
}

#[test]
fn a_key_gets_its_alias_and_its_tags_and_signs() {
    let fake = FakeKms::start();
    let tags = ["--tag", "owner=payments", "--tag", "service=dnb"];
    let made = done(segl_with_keys(&fake, &generate(&tags)));
    let made: Value = serde_json::from_str(&made).unwrap();
    assert_eq!(made["key"], URI);
    assert_eq!(made["jwk"]["crv"], "P-256");
    let asked = fake.state().seen[1].clone();
    assert_eq!(asked.0, "CreateKey");
    assert_eq!(asked.1["MultiRegion"], false);
    assert_eq!(asked.1["Tags"][0]["TagKey"], "owner");
    assert_eq!(asked.1["Tags"][1]["TagValue"], "dnb");
    let shown = done(segl_with_keys(&fake, &["--json", "key", "show", URI]));
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["kid"], made["kid"]);
    assert_eq!(shown["kind"], "awskms");
    assert_eq!(shown["extractable"], false);
    assert_eq!(shown["token"], made["arn"]);
    done(segl_with_keys(&fake, &["key", "health", URI]));
}

#[test]
fn an_alias_that_exists_is_refused_before_anything_is_made() {
    let fake = FakeKms::start();
    done(segl_with_keys(&fake, &generate(&[])));
    let error = failed(segl_with_keys(&fake, &generate(&[])));
    assert!(error.contains("KEY_EXISTS"), "{error}");
    assert_eq!(fake.count("CreateKey"), 1);
}

#[test]
fn a_key_without_its_alias_is_named() {
    let fake = FakeKms::start();
    let words = "you may not";
    fake.fail(
        "CreateAlias",
        Fault::Refuse(400, "AccessDeniedException", words),
    );
    let error = failed(segl_with_keys(&fake, &generate(&[])));
    let id = fake.state().keys.keys().next().unwrap().clone();
    for part in [
        "was made",
        &id,
        "create-alias",
        "schedule-key-deletion",
        words,
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[test]
fn a_key_is_not_made_twice_when_an_answer_is_lost() {
    let fake = FakeKms::start();
    fake.fail("CreateKey", Fault::Cut);
    let error = failed(segl_with_keys(&fake, &generate(&[])));
    assert!(
        error.contains("not known whether a key was made"),
        "{error}"
    );
    assert_eq!(fake.count("CreateKey"), 1);
    // After a fault of its own KMS may have made one as well.
    fake.fail(
        "CreateKey",
        Fault::Refuse(500, "KMSInternalException", "sorry"),
    );
    let error = failed(segl_with_keys(&fake, &generate(&[])));
    assert!(
        error.contains("not known whether a key was made"),
        "{error}"
    );
    assert_eq!(fake.count("CreateKey"), 2);
    // What KMS refused was not made, so it is asked for again.
    fake.fail(
        "CreateKey",
        Fault::Refuse(400, "ThrottlingException", "slow"),
    );
    fake.fail("CreateAlias", Fault::Cut);
    done(segl_with_keys(&fake, &generate(&[])));
    assert_eq!(fake.count("CreateKey"), 4);
}

#[test]
fn what_cannot_be_is_refused_without_asking() {
    let fake = FakeKms::start();
    let uri = |uri: &'static str| vec!["key", "generate", "--alg", "ES256", "--token", uri];
    for (arguments, part) in [
        (
            uri("awskms:1234abcd-12ab-34cd-56ef-1234567890ab"),
            "alias/NAME",
        ),
        (generate(&["--replica", "eu-north-1"]), "another region"),
        (generate(&["--replica", "x/y"]), "no AWS region"),
        (generate(&["--tag", "x"]), "NAME=VALUE"),
    ] {
        let error = failed(segl_with_keys(&fake, &arguments));
        assert!(error.contains(part), "{part}: {error}");
    }
    assert_eq!(fake.state().seen.len(), 0);
}

#[test]
fn options_that_do_not_fit_together_are_a_wrong_command_line() {
    let fake = FakeKms::start();
    let on_token = [
        "key",
        "generate",
        "--alg",
        "ES256",
        "--tag",
        "a=b",
        "--token",
        "pkcs11:token=t",
    ];
    for (arguments, part) in [
        (generate(&["--label", "x"]), "PKCS#11"),
        (generate(&["--id", "01"]), "PKCS#11"),
        (generate(&["--tag", "x"]), "NAME=VALUE"),
        (on_token.to_vec(), "AWS KMS"),
    ] {
        let output = segl_with_keys(&fake, &arguments);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let error = failed(output);
        assert!(error.contains(part), "{part}: {error}");
    }
    assert_eq!(fake.state().seen.len(), 0);
}
