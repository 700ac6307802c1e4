//! `segl verify`

use std::io::Write;
use std::process::{Command, Output, Stdio};

use segl::TokenRequest;
use segl::simulator::RunningSimulator;
use serde_json::{Value, json};

use crate::simulated::{ID, client, maskinporten};
use crate::support::{claims, now};
use crate::world::{ORG, PERSON, STRANGER};

struct Home {
    simulator: RunningSimulator,
    folder: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        let simulator = maskinporten();
        let folder = tempfile::tempdir().unwrap();
        let home = Self { simulator, folder };
        let issuer = &home.simulator.urls().maskinporten_issuer;
        let config = format!(
            "[validators.saldo]\nissuer = \"{issuer}\"\nmetadata = \"{}\"\nscopes = [\"bank:saldo\"]\n",
            home.metadata()
        );
        home.put("segl.toml", &config);
        home
    }

    fn metadata(&self) -> String {
        let issuer = &self.simulator.urls().maskinporten_issuer;
        format!("{issuer}.well-known/oauth-authorization-server")
    }

    fn put(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn token(&self, request: &Value) -> String {
        let request = TokenRequest::from_json(&request.to_string()).unwrap();
        let token = client(&self.simulator).token(&request, &segl::Call::none());
        token.unwrap().access_token().to_owned()
    }

    fn consent_token(&self) -> String {
        let from = format!("urn:altinn:person:identifier-no:{PERSON}");
        self.token(&json!({
            "authorization_details": [{ "type": "urn:altinn:consent", "id": ID, "from": from }],
        }))
    }

    fn segl(&self, arguments: &[&str], stdin: &str) -> Output {
        let mut child = Command::new(env!("CARGO_BIN_EXE_segl"))
            .arg("verify")
            .args(arguments)
            .current_dir(self.folder.path())
            .env("NO_PROXY", "127.0.0.1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipe = child.stdin.take().unwrap();
        // A program that does not read its input may have ended.
        let _ = pipe.write_all(stdin.as_bytes());
        drop(pipe);
        child.wait_with_output().unwrap()
    }

    fn ok(&self, arguments: &[&str], stdin: &str) -> String {
        let output = self.segl(arguments, stdin);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {stderr}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Exit code, and name and message of the error.
    fn fails(&self, arguments: &[&str], stdin: &str) -> (i32, String) {
        let output = self.segl(&[arguments, &["--json"]].concat(), stdin);
        assert!(output.stdout.is_empty());
        let code = output.status.code().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        if code == 2 {
            return (code, stderr);
        }
        let error: Value = serde_json::from_str(&stderr).unwrap();
        let (name, message) = (&error["error"]["name"], &error["error"]["message"]);
        (code, format!("{} {}", name.as_str().unwrap(), message))
    }
}

#[test]
fn a_good_token_is_told_in_a_few_lines() {
    let home = Home::new();
    let token = home.token(&json!({}));
    let told = home.ok(&["-", "--validator", "saldo"], &format!("{token}\n"));
    let issuer = &home.simulator.urls().maskinporten_issuer;
    let lines: Vec<_> = told.lines().collect();
    assert_eq!(lines[0], "the token is good");
    for (name, value) in [
        ("issuer", issuer.as_str()),
        ("consumer", "0192:910753614"),
        ("client", "bank"),
        ("scopes", "bank:saldo"),
    ] {
        assert!(lines.contains(&&*format!("{name:12}  {value}")), "{told}");
    }
    assert!(!told.contains("supplier"), "{told}");
    let json = home.ok(&[&token, "--validator", "saldo", "--json"], "");
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["verified"], true);
    assert_eq!(json["consumer"]["orgno"], ORG);
    assert_eq!(json["supplier"], Value::Null);
    assert_eq!(json["expires_at"], claims(&token)["exp"]);
}

#[test]
fn it_works_without_a_configuration() {
    let home = Home::new();
    let token = home.token(&json!({}));
    let issuer = home.simulator.urls().maskinporten_issuer.clone();
    let keys = format!("{}/maskinporten/jwk", home.simulator.urls().base);
    for place in [["--metadata", &home.metadata()], ["--jwks-uri", &keys]] {
        let base = [&["-", "--issuer", &issuer][..], &place].concat();
        home.ok(&base, &token);
        let more = [
            "--scope",
            "bank:saldo",
            "--consumer",
            ORG,
            "--supplier",
            "none",
        ];
        home.ok(&[&base[..], &more].concat(), &token);
        for (more, code) in [
            (["--scope", "bank:laan"], "ACCESS_TOKEN_SCOPE"),
            (["--consumer", STRANGER], "ACCESS_TOKEN_CONSUMER"),
            (["--supplier", STRANGER], "ACCESS_TOKEN_SUPPLIER"),
            (
                ["--audience", "https://api.example"],
                "ACCESS_TOKEN_AUDIENCE",
            ),
            (["--alg", "ES256"], "ACCESS_TOKEN_ALGORITHM"),
            (["--consumer", "1"], "INVALID_ARGUMENT --consumer"),
        ] {
            let (exit, error) = home.fails(&[&base[..], &more].concat(), &token);
            assert_eq!(exit, 1);
            let start = code.replacen(' ', " \"", 1);
            assert!(error.starts_with(&start), "{error}");
        }
    }
}

#[test]
fn persons_come_in_files_and_are_shown_when_asked_for() {
    let home = Home::new();
    let token = home.consent_token();
    let consent = json!({ "consent": { "from": PERSON, "resources": ["bank-saldo"] } });
    home.put("required.json", &consent.to_string());
    let base = [
        "-",
        "--validator",
        "saldo",
        "--requirements",
        "@required.json",
    ];
    for form in [&[][..], &["--json"]] {
        let told = home.ok(&[&base[..], form].concat(), &token);
        assert!(
            told.contains("[redacted]") && told.contains("bank-saldo"),
            "{told}"
        );
        assert!(!told.contains(PERSON) && !told.contains("Kari"), "{told}");
        // Metadata are the words of who asked for the consent.
        assert!(told.contains("aar") && !told.contains("2026\""), "{told}");
        let told = home.ok(&[&base[..], form, &["--show-person"]].concat(), &token);
        assert!(told.contains(PERSON) && told.contains("Kari"), "{told}");
        assert!(told.contains("\"2026\""), "{told}");
    }
    // The requirements on standard input, the token not.
    let piped = [&token, "--validator", "saldo", "--requirements", "-"];
    home.ok(&piped, &consent.to_string());
    let (_, error) = home.fails(&["-", "--validator", "saldo", "--requirements", "-"], "");
    assert!(error.contains("standard input"), "{error}");
    // One that nobody required is told, and said to be unchecked.
    let told = home.ok(&["-", "--validator", "saldo"], &token);
    assert!(
        told.contains("not checked") && !told.contains(PERSON) && !told.contains("Kari"),
        "{told}"
    );
    let wrong = json!({ "consent": { "from": PERSON, "resources": ["bank-laan"] } });
    home.put("required.json", &wrong.to_string());
    let (exit, error) = home.fails(&base, &token);
    assert_eq!(exit, 1);
    assert!(
        error.starts_with("CONSENT_RIGHT") && !error.contains(PERSON),
        "{error}"
    );
}

#[test]
fn exit_codes_tell_refused_from_undecided() {
    let home = Home::new();
    let token = home.token(&json!({}));
    let (exit, error) = home.fails(&["a.b.c", "--validator", "saldo"], "");
    assert_eq!(exit, 1, "{error}");
    let (exit, error) = home.fails(&["-", "--validator", "laan"], &token);
    assert!(exit == 1 && error.starts_with("CONFIG"), "{error}");
    let (exit, error) = home.fails(&[&token], "");
    assert!(exit == 2 && error.contains("--validator"), "{error}");
    let both = ["-", "--validator", "saldo", "--environment", "test"];
    assert_eq!(home.fails(&both, &token).0, 2);
    let scope = [
        "-",
        "--validator",
        "saldo",
        "--scope",
        "a:b",
        "--requirements",
        "{}",
    ];
    assert_eq!(home.fails(&scope, &token).0, 2);
    let nowhere = [
        "-",
        "--issuer",
        "http://127.0.0.1:9/",
        "--jwks-uri",
        "http://127.0.0.1:9/jwk",
    ];
    let (exit, error) = home.fails(&nowhere, &token);
    assert!(
        exit == 3 && error.starts_with("JWKS_UNAVAILABLE"),
        "{error}"
    );
    assert_eq!(error.matches("GET ").count(), 1, "{error}");
    assert!(claims(&token)["exp"].as_i64().unwrap() > now());
}

#[test]
fn what_is_wrong_with_an_input_is_told() {
    let home = Home::new();
    let token = home.token(&json!({}));
    home.put("array.json", "[]");
    let wanted = |text: &'static str| ["-", "--validator", "saldo", "--requirements", text];
    for (arguments, stdin, told) in [
        (&["-", "--validator", "saldo"][..], "", "is empty"),
        (&["abc", "--validator", "saldo"], "", "has 1 part between"),
        (
            &["-", "--validator", "saldo"],
            &format!("Bearer {token}"),
            "without \\\"Bearer\\\"",
        ),
        (
            &["-", "--validator", "saldo"],
            &"a".repeat(3_000_000),
            "has 3000000 bytes",
        ),
        (&wanted("@none.json"), &token, "--requirements: none.json"),
        (&wanted("@array.json"), &token, "no JSON object"),
        (&wanted("none.json"), &token, "@FILE"),
        (&wanted(""), &token, "--requirements is empty"),
        (&wanted("{"), &token, "requirements are no JSON object"),
        (
            &wanted(r#"{"consumer": "1", "consumer": "1"}"#),
            &token,
            "are wrong: duplicate",
        ),
    ] {
        let (exit, error) = home.fails(arguments, stdin);
        assert!(exit == 1 && error.contains(told), "{arguments:?}: {error}");
    }
}
