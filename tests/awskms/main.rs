//! Keys in AWS KMS: signatures, what goes wrong, credentials and new keys, against a
//! KMS of the test's own that checks what real KMS checks.
#![cfg(all(feature = "awskms", feature = "cli", feature = "simulator"))]

#[path = "../support/fake_kms.rs"]
mod fake_kms;
#[path = "../support/verify.rs"]
mod verify;

mod credentials;
mod decrypting;
mod doctor;
mod generating;
mod refusals;
mod several_keys;
mod signing;

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use fake_kms::{ACCESS_KEY, FakeKms, SECRET_KEY};
use segl::keys::AwsKmsSigner;
use segl::keys::awskms::Credentials;
use segl::{Call, KeyUri, Result, Secret};

fn call() -> Call {
    Call::within(Duration::from_secs(30))
}

fn given() -> Credentials {
    Credentials::new(ACCESS_KEY, Secret::from(SECRET_KEY.as_bytes())).unwrap()
}

/// Opens the key with credentials that the fake takes.
fn open(uri: &str) -> Result<AwsKmsSigner> {
    let KeyUri::AwsKms(uri) = uri.parse()? else {
        panic!("{uri}");
    };
    AwsKmsSigner::open_with(&uri, Arc::new(given()), &call())
}

/// The program, with nothing in its environment but a home and `variables`.
fn segl(home: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_segl"))
        .args(arguments)
        .current_dir(home)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", home)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

/// The program with credentials in the environment.
fn segl_with_keys(fake: &FakeKms, arguments: &[&str]) -> Output {
    let home = tempfile::tempdir().unwrap();
    let url = format!("http://127.0.0.1:{}", fake.port);
    let variables = [
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
        ("AWS_ENDPOINT_URL_KMS", &url),
    ];
    segl(home.path(), &variables, arguments)
}

/// Standard output of a success.
fn done(output: Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8(output.stdout).unwrap()
}

/// Standard error of a failure.
fn failed(output: Output) -> String {
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}
