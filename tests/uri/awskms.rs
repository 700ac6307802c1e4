//! `awskms:` URIs.

use segl::ErrorCode;
use segl::KeyUri;
use segl::keys::uri::{AwsKmsUri, KmsKeyName};

use crate::{ALLOW_ALL, refused};

const ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";
const MRK: &str = "mrk-1234abcd12ab34cd56ef1234567890ab";

fn awskms(text: &str) -> AwsKmsUri {
    match KeyUri::parse(text, ALLOW_ALL) {
        Ok(KeyUri::AwsKms(uri)) => uri,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn names() {
    for (name, alias) in [
        ("alias/segl", Some("segl")),
        ("alias/ciam/dnb_1-2:3", Some("ciam/dnb_1-2:3")),
        (ID, None),
        (MRK, None),
        (
            "arn:aws:kms:eu-north-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            None,
        ),
        (
            "arn:aws-cn:kms:cn-north-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab",
            None,
        ),
        (
            "arn:aws-us-gov:kms:us-gov-west-1:111122223333:alias/a/b",
            Some("a/b"),
        ),
    ] {
        let text = format!("awskms:{name}");
        let uri = awskms(&text);
        assert_eq!(uri.name().to_string(), name);
        assert_eq!(uri.name().alias(), alias);
        assert_eq!(KeyUri::AwsKms(uri).to_string(), text);
    }
    assert_eq!(
        *awskms("AWSKMS:alias/a").name(),
        KmsKeyName::Alias("a".into())
    );
}

#[test]
fn settings() {
    let uri = awskms(
        "awskms:alias/a?FIPS=false&profile=my%20bank&region=eu-north-1&endpoint=https://kms.example",
    );
    assert_eq!(uri.region(), Some("eu-north-1"));
    assert_eq!(uri.profile(), Some("my bank"));
    assert_eq!(uri.endpoint().unwrap().as_str(), "https://kms.example/");
    assert!(!uri.fips() && uri.allow_process());
    assert_eq!(
        KeyUri::AwsKms(uri).to_string(),
        "awskms:alias/a?region=eu-north-1&profile=my%20bank&endpoint=https://kms.example/"
    );
    assert!(awskms("awskms:alias/a?fips=true").fips());
    let arn = "awskms:arn:aws:kms:eu-west-1:111122223333:alias/a";
    assert_eq!(awskms(arn).region(), Some("eu-west-1"));
    assert_eq!(
        awskms(&format!("{arn}?region=eu-west-1")).region(),
        Some("eu-west-1")
    );
    let Ok(KeyUri::AwsKms(uri)) = "awskms:alias/a".parse() else {
        panic!();
    };
    assert!(!uri.allow_process(), "commands are not allowed by default");
}

#[test]
fn what_cannot_be_is_refused() {
    let name = &["neither alias/NAME"][..];
    let arn = &["arn:aws:kms:REGION:ACCOUNT:key/ID"][..];
    for (text, parts) in [
        ("awskms:", name),
        ("awskms:segl", name),
        ("awskms:alias/", name),
        ("awskms:alias/aws/s3", &["AWS's own keys"]),
        ("awskms:alias/a b", name),
        ("awskms:alias/a%20b", name),
        ("awskms:key/1234abcd-12ab-34cd-56ef-1234567890ab", name),
        ("awskms:1234ABCD-12ab-34cd-56ef-1234567890ab", name),
        ("awskms:mrk-12", name),
        ("awskms:///alias/a", &["begins with a slash"]),
        (
            "awskms:arn:aws:kms:eu-north-1:1:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            arn,
        ),
        ("awskms:arn:aws:iam:eu-north-1:111122223333:key/x", arn),
        ("awskms:arn:aws:kms:EU:111122223333:alias/a", arn),
        ("awskms:arn:aws:kms::111122223333:alias/a", arn),
        (
            "awskms:arn:aws:kms:eu-north-1:111122223333:1234abcd-12ab-34cd-56ef-1234567890ab",
            arn,
        ),
        ("awskms:alias/a#x", &["fragment"]),
        ("awskms:alias/a?region=", &["\"region\"", "no region"]),
        (
            "awskms:alias/a?region=evil.example/",
            &["\"region\"", "no region"],
        ),
        ("awskms:alias/a?region=a&region=b", &["there already"]),
        (
            "awskms:arn:aws:kms:eu-north-1:111122223333:alias/a?region=eu-west-1",
            &["\"eu-west-1\" is not the ARN's, \"eu-north-1\""],
        ),
        (
            "awskms:alias/a?endpoint=http://kms.example",
            &["\"endpoint\"", "not https"],
        ),
        (
            "awskms:alias/a?endpoint=https://u:p@kms.example",
            &["\"endpoint\""],
        ),
        (
            "awskms:alias/a?endpoint=https://kms.example&fips=true",
            &["fips=true"],
        ),
        ("awskms:alias/a?fips=yes", &["true or false"]),
        ("awskms:alias/a?profile=", &["no name of a profile"]),
        ("awskms:alias/a?pin-source=env:PIN", &["no PIN"]),
        ("awskms:alias/a?pin-value=1", &["no PIN"]),
        ("awskms:alias/a?role-arn=x", &["is not known"]),
        ("awskms:alias/a?region", &["write name=value"]),
    ] {
        refused(text, parts);
    }
}

/// What a build without the feature says.
#[cfg(not(feature = "awskms"))]
#[test]
fn without_the_feature_opening_says_how_to_get_it() {
    let uri: KeyUri = "awskms:alias/a?region=eu-north-1".parse().unwrap();
    let error = segl::keys::open(&uri, None, &segl::Call::none()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Unsupported);
    assert!(
        error.message().contains("cargo feature \"awskms\""),
        "{error}"
    );
}

#[cfg(feature = "awskms")]
#[test]
fn without_a_pin_in_sight_a_secret_must_be_credentials() {
    let uri: KeyUri = "awskms:alias/a?region=eu-north-1".parse().unwrap();
    let secret = segl::Secret::from(&b"1234"[..]);
    let error = segl::keys::open(&uri, Some(secret), &segl::Call::none()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::KmsCredentials);
}
