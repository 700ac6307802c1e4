//! `segl token` for tokens that are bound to a key.

use std::process::Command;

use serde_json::{Value, json};

use crate::dpop_server::{Nonces, StrictServer, serve};
use crate::support::{p256_key, pem, rsa_key};

#[test]
fn the_command_prints_the_scheme_and_a_proof() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("own.pem"), pem(&rsa_key())).unwrap();
    std::fs::write(path("dpop.pem"), pem(&p256_key())).unwrap();
    let server = StrictServer::new(Nonces::NewAfter(100), Nonces::Unasked);
    let base = serve(&server);
    let uri = |name: &str| format!("file:{}", path(name).display());
    let config = json!({"clients": {"bound": {
        "profile": "generic", "issuer": base, "token_endpoint": format!("{base}/token"),
        "client_id": "c1", "kid": "k1", "key": uri("own.pem"), "dpop": {"key": uri("dpop.pem")},
    }}});
    std::fs::write(path("segl.json"), config.to_string()).unwrap();
    let segl = |more: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_segl"))
            .args(["token", "bound", "--config"])
            .arg(path("segl.json"))
            .args(more)
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            output.status.success(),
            text(output.stdout),
            text(output.stderr),
        )
    };
    let (is_done, line, note) = segl(&["--header"]);
    assert!(is_done, "{note}");
    assert!(line.starts_with("Authorization: DPoP ey"), "{line}");
    assert!(note.contains("--dpop-proof METHOD URL"), "{note}");

    let url = format!("{base}/a?b=c");
    let (is_done, lines, note) = segl(&["--header", "--dpop-proof", "GET", &url]);
    assert!(is_done, "{note}");
    let headers: Vec<_> = lines
        .lines()
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    assert_eq!(headers.len(), 2);
    assert_eq!(server.answer("GET", &url, &headers, b"").status, 200);
    assert_eq!(server.problems(), [""; 0]);

    let (is_done, json, _) = segl(&["--json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert!(is_done && json["token_type"] == "DPoP", "{json}");
    assert!(!segl(&["--dpop-proof", "GET", &url]).0, "without --header");
    assert!(!segl(&["--header", "--dpop-proof", "get", &url]).0);
}
