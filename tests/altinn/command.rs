//! `segl api call` with Altinn's operations, as docs/services.md has them.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::support::{pem, rsa_key};
use crate::world::{ORG, PERSON, World};

fn segl(folder: &tempfile::TempDir, arguments: &[&str]) -> Output {
    segl_with(folder, arguments, "")
}

fn segl_with(folder: &tempfile::TempDir, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_segl"))
        .args(arguments)
        .current_dir(folder.path())
        .env("NO_PROXY", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // One that does not read it ends first.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().unwrap()
}

#[test]
fn the_walk_from_the_command_line() {
    let world = World::new();
    let urls = world.simulator.urls();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("key.pem"), pem(&rsa_key())).unwrap();
    let toml = format!(
        "[clients.bank]\nprofile = 'maskinporten'\nissuer = '{}'\nclient_id = 'bank'\nkid = 'bank-key'\n\
         key = 'file:key.pem'\nscopes = ['altinn:consentrequests.write', 'altinn:consentrequests.read']\n\
         [clients.bank.services.altinn]\nbase_url = '{}'\n",
        urls.maskinporten_issuer, urls.altinn
    );
    std::fs::write(folder.path().join("segl.toml"), toml).unwrap();
    let id = "77ed8698-e619-4066-9eb4-5c1eb3f165a1";
    let consent = json!({
        "id": id,
        "from": format!("urn:altinn:person:identifier-no:{PERSON}"),
        "to": format!("urn:altinn:organization:identifier-no:{ORG}"),
        "validTo": "2099-01-01T00:00:00Z",
        "consentRights": [{"resource": [{"type": "urn:altinn:resource", "value": "skd_inntekt"}]}],
        "redirectUrl": "https://bank.example/",
    });
    std::fs::write(folder.path().join("consent.json"), consent.to_string()).unwrap();
    let output = segl(
        &folder,
        &[
            "api",
            "call",
            "bank",
            "altinn.create_consent_request",
            "@consent.json",
        ],
    );
    let answer: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    assert!(
        answer["viewUri"].as_str().unwrap().ends_with(id),
        "{answer}"
    );
    world.admin(
        &format!("altinn/consent-requests/{id}"),
        &json!({"status": "Accepted"}),
    );
    let input = format!("{{\"id\": \"{id}\"}}");
    let output = segl(
        &folder,
        &["api", "call", "bank", "altinn.consent_request", &input],
    );
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["status"], "Accepted");
    let request = json!({
        "scopes": ["owner:inntekt"],
        "authorization_details": [{"type": "urn:altinn:consent", "id": id, "from": consent["from"]}],
    });
    let output = segl_with(
        &folder,
        &["call", "bank", "GET", &urls.api, "--request", "-"],
        &request.to_string(),
    );
    let answer: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(answer["scope"], "owner:inntekt");
}

#[test]
fn what_is_wrong_with_an_input_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let too_long = format!("{{\"pid\": \"{}\"}}", " ".repeat(64 << 20));
    std::fs::write(folder.path().join("long.json"), too_long).unwrap();
    std::fs::write(folder.path().join("latin.json"), b"{\"a\": \"\xe6\"}").unwrap();
    std::fs::write(
        folder.path().join("wrong.json"),
        r#"{"pid": "12345678901"}"#,
    )
    .unwrap();
    for (input, told) in [
        (&["-"][..], "the input is empty"),
        (&["@none.json"], "the input: none.json cannot be read"),
        (&["none.json"], "@FILE"),
        (&["@latin.json"], "the input is not UTF-8"),
        (&["@long.json"], "more than 64 MiB"),
        (&["{}", "--request", "@none.json"], "--request: none.json"),
        (
            &["{}", "--request", "@wrong.json"],
            "the token request is wrong at \"pid\"",
        ),
        (&["{}", "--request", "{"], "the token request is no JSON"),
        (
            &["{}", "--request", r#"{"scope": ["a:b"]}"#],
            "expected one of `scopes`",
        ),
    ] {
        let call = ["api", "call", "bank", "altinn.exchange_token"];
        let output = segl(&folder, &[&call[..], input].concat());
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains(told), "{input:?}: {stderr}");
        assert!(!stderr.contains("12345678901"), "{stderr}");
    }
}
