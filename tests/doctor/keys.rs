//! Keys, in files and on tokens.

use super::*;

#[test]
fn all_is_well_with_a_key_in_a_file() {
    let desk = Desk::new();
    let found = desk.json(&desk.bank(), &[]);
    assert_eq!(found.statuses("bank"), ALL_WELL);
    assert_eq!(found.code, Some(0));
    let config = &found.all[0];
    assert_eq!(
        (&config["client"], &config["check"], &config["status"]),
        (&Value::Null, &"config".into(), &"ok".into())
    );
    for finding in &found.all {
        let members: Vec<_> = finding.as_object().unwrap().keys().collect();
        for name in ["client", "check", "status", "what", "remedy"] {
            assert!(members.contains(&&name.to_owned()), "{finding}");
        }
        assert!(finding.get("code").is_none(), "{finding}");
    }
    says(found.get("bank", "key"), "what", "RSA 2048, RS256");
    says(found.get("bank", "key"), "what", "kid file");
    let token = found.get("bank", "token");
    says(token, "what", "scope bank:saldo");
    assert!(token["took_ms"].is_u64() && found.get("bank", "network")["took_ms"].is_u64());
    assert_eq!(desk.simulator.requests().maskinporten_issued, 1);

    let run = desk.run(&desk.bank(), &["bank"]);
    assert_eq!((run.code, &*run.stderr), (Some(0), ""));
    let lines: Vec<_> = run.stdout.lines().collect();
    assert!(lines.contains(&"bank"), "{}", run.stdout);
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("  ok       token         granted, valid for ")),
        "{}",
        run.stdout
    );
    assert_eq!(lines.last(), Some(&"9 ok, 1 skipped"));
}

#[test]
fn all_is_well_with_a_key_on_a_token() {
    let desk = Desk::new();
    let uri = desk.on_token("healthy", softhsm::module(), "pin");
    let set = Command::new(env!("CARGO_BIN_EXE_segl"))
        .args(["jwk", &uri, "--kid", "hsm", "--set"])
        .output()
        .unwrap();
    assert!(
        set.status.success(),
        "{}",
        String::from_utf8_lossy(&set.stderr)
    );
    let set: Value = serde_json::from_slice(&set.stdout).unwrap();
    let client = json!({"client_id": "hsm", "orgno": ORG, "scopes": ["bank:saldo"], "jwks": set});
    let admin = format!("{}/maskinporten/clients", desk.simulator.urls().admin);
    ureq::post(&admin)
        .header("Content-Type", "application/json")
        .send(client.to_string())
        .unwrap();
    let toml = desk.client(
        "hsm",
        &format!(
            "client_id = \"hsm\"\nscopes = [\"bank:saldo\"]\nkey = \"{uri}\"\nkid = \"hsm\"\n\
             registered_until = \"2099-01-01\""
        ),
    );
    let found = desk.json(&toml, &[]);
    assert_eq!(found.statuses("hsm"), ALL_WELL);
    assert_eq!(found.code, Some(0));
    says(found.get("hsm", "key"), "what", "cannot leave it");
    says(
        found.get("hsm", "files"),
        "what",
        "files with a key, PIN or password: 1",
    );
}

#[test]
fn a_wrong_pin_costs_one_try() {
    let desk = Desk::new();
    let log = desk.path("spy.log");
    let uri = desk.on_token("mistyped", spy(), "wrong-pin");
    let rest =
        format!("client_id = \"bank\"\nscopes = [\"bank:saldo\"]\nkid = \"file\"\nkey = \"{uri}\"");
    // Two clients with the same key, and one that is well.
    let toml = [
        desk.client("a", &rest),
        desk.client("b", &rest),
        desk.bank(),
    ]
    .concat();
    let env = [
        ("PKCS11SPY", Path::new(softhsm::module())),
        ("PKCS11SPY_OUTPUT", &log),
    ];
    let found = Findings::of(&desk.run_with(&toml, &["--json"], &env));
    assert_eq!(found.code, Some(1));
    for client in ["a", "b"] {
        let key = found.get(client, "key");
        assert_eq!(
            (&key["status"], &key["name"]),
            (&"failed".into(), &"PIN_INCORRECT".into())
        );
        assert_eq!(key["code"], 205);
        assert_eq!(found.get(client, "signature")["status"], "skipped");
        assert_eq!(found.get(client, "settings")["status"], "skipped");
        assert_eq!(found.get(client, "network")["status"], "ok");
        assert_eq!(found.get(client, "token")["status"], "skipped");
    }
    assert_eq!(found.statuses("bank"), ALL_WELL);
    let logins = |log: &Path| {
        let log = std::fs::read_to_string(log).unwrap();
        log.lines().filter(|line| line.contains("C_Login")).count()
    };
    assert_eq!(logins(&log), 1);

    // Run again and again, it must not lock the token.
    let log = desk.path("spy-again.log");
    let env = [env[0], ("PKCS11SPY_OUTPUT", &*log)];
    let found = Findings::of(&desk.run_with(&toml, &["--json"], &env));
    assert_eq!(found.get("a", "key")["name"], "PIN_GUARD");
    assert_eq!(logins(&log), 0);
}

/// OpenSC's module that logs every call, from the same package as `pkcs11-tool`.
fn spy() -> &'static str {
    const PLACES: [&str; 4] = [
        "/usr/lib/x86_64-linux-gnu/pkcs11-spy.so",
        "/usr/lib/aarch64-linux-gnu/pkcs11-spy.so",
        "/usr/lib64/pkcs11-spy.so",
        "/opt/homebrew/lib/pkcs11-spy.so",
    ];
    let found = PLACES.into_iter().find(|place| Path::new(place).exists());
    found.expect("OpenSC's pkcs11-spy must be installed (apt-get install opensc)")
}

#[test]
fn each_of_several_keys_is_named() {
    let desk = Desk::new();
    let toml = desk.client(
        "bank",
        "client_id = \"bank\"\nscopes = [\"bank:saldo\"]\nkeys = [\n\
         { key = \"file:rsa.pem\", kid = \"file\" },\n{ key = \"file:none.pem\", kid = \"none\" } ]",
    );
    let found = desk.json(&toml, &[]);
    let keys: Vec<_> = found.all.iter().filter(|f| f["check"] == "key").collect();
    assert_eq!(
        (&keys[0]["status"], &keys[1]["status"]),
        (&"ok".into(), &"failed".into())
    );
    says(keys[0], "what", "keys[0]: file:rsa.pem");
    says(keys[1], "what", "keys[1]: ");
    let settings = found.get("bank", "settings");
    assert_eq!(settings["status"], "skipped", "it is told once: {settings}");
    assert_eq!(found.code, Some(1));
}

#[test]
fn the_key_that_tokens_are_bound_to_is_told() {
    let desk = Desk::new();
    let toml = |dpop: &str| {
        format!(
            "[clients.api]\nprofile = \"generic\"\nissuer = \"http://127.0.0.1:1\"\n\
             token_endpoint = \"http://127.0.0.1:1/token\"\nclient_id = \"c\"\nkid = \"k\"\n\
             key = \"file:ec.pem\"\n{dpop}"
        )
    };
    for (dpop, status, says) in [
        ("[clients.api.dpop]\n", "ok", "the client's own key"),
        ("[clients.api.dpop]\nkey = \"file:ec.pem\"\n", "ok", "P-256"),
        (
            "[clients.api.dpop]\nkey = \"file:gone.pem\"\n",
            "failed",
            "dpop.key",
        ),
    ] {
        let found = desk.json(&toml(dpop), &["--no-token"]);
        let finding = found.get("api", "dpop_key");
        assert_eq!(finding["status"], status, "{finding}");
        let what = finding["what"].as_str().unwrap();
        assert!(what.contains(says), "{finding}");
    }
    let found = desk.json(&toml(""), &["--no-token"]);
    assert!(
        found
            .all
            .iter()
            .all(|finding| finding["check"] != "dpop_key")
    );
}
