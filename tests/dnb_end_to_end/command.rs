//! The same from the command line.

use std::process::{Command, Output};

use super::*;

/// `segl.toml` with the client `bank`.
fn configure(bank: &Bank, client_id: Option<&str>, tls: &str) {
    let urls = bank.urls();
    let client_id = client_id.map_or(String::new(), |id| format!("client_id = '{id}'\n"));
    let toml = format!(
        "[clients.bank]\nprofile = 'dnb'\nissuer = '{}'\ndiscovery = true\n{client_id}key = '{}'\n\
         scopes = ['{SCOPE}']\napis = ['{}/dnb/api/']\n[clients.bank.tls]\nca_file = 'ca.pem'\n{tls}",
        urls.dnb_issuer,
        key("assertion"),
        urls.base
    );
    bank.write("segl.toml", toml.as_bytes());
}

pub(crate) fn segl(bank: &Bank, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_segl"))
        .args(arguments)
        .current_dir(bank.folder.path())
        .env("NO_PROXY", "127.0.0.1")
        .output()
        .unwrap()
}

fn json_of(output: &Output) -> Value {
    let error = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{error}"))
}

#[test]
fn from_registration_to_the_api() {
    let bank = Bank::new("");
    let x509 = bank.certify(&key("tls-rsa"), "tls", VALID);
    let tls = format!("key = '{}'\ncertificate = 'file:tls.pem'\n", key("tls-rsa"));
    configure(&bank, None, &tls);
    let registration = segl(&bank, &["register", "dnb", "bank"]);
    let jwt = String::from_utf8(registration.stdout).unwrap();
    let url = format!("{}/dnb/register", bank.simulator.urls().admin);
    let answer = ureq::post(&url).send(jwt.trim()).unwrap();
    let answer = answer.into_body().read_to_string().unwrap();
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let client_id = answer["client_id"].as_str().unwrap();

    configure(&bank, Some(client_id), &tls);
    let call =
        |url: &str, more: &[&str]| segl(&bank, &[&["call", "bank", "GET", url], more].concat());
    let output = call(&bank.urls().dnb_api, &[]);
    let answer = json_of(&output);
    assert_eq!(output.status.code(), Some(0), "{answer}");
    assert_eq!(answer["x5t#S256"], json!(thumbprint(&x509)));
    assert_eq!(answer["client_id"], client_id);
    let url = format!("{}/dnb/api/prevalidation/norway", bank.urls().base);
    let posted = segl(
        &bank,
        &["call", "bank", "POST", &url, "--data", "{\"a\":1}"],
    );
    assert_eq!(json_of(&posted)["request"], json!({"a": 1}));

    configure(&bank, Some(client_id), "");
    let refused = call(&bank.urls().dnb_api, &["--json"]);
    assert_eq!(refused.status.code(), Some(1));
    let error: Value = serde_json::from_slice(&refused.stderr).unwrap();
    assert_eq!(error["error"]["name"], "TOKEN_INVALID_CLIENT");
    let issued = bank.simulator.requests().dnb_issued;
    assert_eq!(issued, 2, "one for each call with the certificate");
}
