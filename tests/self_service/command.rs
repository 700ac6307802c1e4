//! `segl register maskinporten`, as a person runs it.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use openssl::pkey::{PKey, Private};
use segl::simulator::{RunningSimulator, Simulator, SimulatorConfig};
use serde_json::{Value, json};

use crate::support::{OrgId, certificate, now, p256_key, pem, signer};
use crate::world::{ADMIN_KEY, DAY, NEW_KEY, OLD_KEY, ORG, jwk};

/// A simulator, and a folder with `segl.toml`: an admin client with a business
/// certificate, and one client with different keys under several names.
struct Desk {
    folder: tempfile::TempDir,
    simulator: RunningSimulator,
}

impl Desk {
    /// With these keys registered for the client, if any.
    fn new(registered: &[Value]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = certificate(&OLD_KEY, None, &OrgId::Nothing, 400);
        let leaf = certificate(
            &ADMIN_KEY,
            Some((&OLD_KEY, &authority)),
            &OrgId::SerialNumber(ORG),
            400,
        );
        let jwks = match registered {
            [] => String::new(),
            keys => format!("jwks = '{}'", json!(keys)),
        };
        let config = format!(
            r#"
            [maskinporten]
            trusted_certificates = ['''{}''']
            [[maskinporten.clients]]
            client_id = "admin"
            orgno = "{ORG}"
            scopes = ["idporten:dcr.read", "idporten:dcr.write"]
            [[maskinporten.clients]]
            client_id = "bank"
            orgno = "{ORG}"
            scopes = ["bank:saldo"]
            {jwks}
            "#,
            String::from_utf8(authority.to_pem().unwrap()).unwrap()
        );
        let simulator = Simulator::start(
            SimulatorConfig::from_toml(&config).unwrap(),
            ([127, 0, 0, 1], 0).into(),
        )
        .unwrap();
        let desk = Self { folder, simulator };
        let keys = [
            ("admin", &*ADMIN_KEY),
            ("old", &*OLD_KEY),
            ("new", &*NEW_KEY),
            ("ec", &p256_key()),
        ];
        for (name, key) in keys {
            std::fs::write(desk.path(&format!("{name}.pem")), pem(key)).unwrap();
        }
        std::fs::write(desk.path("admin.crt"), leaf.to_pem().unwrap()).unwrap();
        let urls = desk.simulator.urls();
        let client = |name: &str, id: &str, scopes: &str, rest: &str| {
            format!(
                "[clients.{name}]\nprofile = \"maskinporten\"\nissuer = \"{}\"\nself_service = \"{}\"\n\
                 client_id = \"{id}\"\nscopes = [{scopes}]\n{rest}\n",
                urls.maskinporten_issuer, urls.self_service
            )
        };
        let saldo = "\"bank:saldo\"";
        let toml = [
            client(
                "admin",
                "admin",
                "\"idporten:dcr.read\", \"idporten:dcr.write\"",
                "key = \"file:admin.pem\"\ncertificate = \"file:admin.crt\"",
            ),
            client("bare", "bank", saldo, "key = \"file:old.pem\""),
            client("old", "bank", saldo, "key = \"file:old.pem\"\nkid = \"old\""),
            client("new", "bank", saldo, "key = \"file:new.pem\"\nkid = \"new\""),
            client("ec", "bank", saldo, "key = \"file:ec.pem\"\nkid = \"ec\""),
            client(
                "both",
                "bank",
                saldo,
                "keys = [{ key = \"file:old.pem\", kid = \"old\" }, { key = \"file:new.pem\", kid = \"new\" }]",
            ),
        ]
        .join("\n");
        std::fs::write(desk.path("segl.toml"), toml).unwrap();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn segl(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_segl"))
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    fn register(&self, arguments: &[&str]) -> Output {
        self.segl(&[&["register", "maskinporten"], arguments].concat())
    }

    /// Standard output as JSON of a registration that succeeds.
    fn registers(&self, arguments: &[&str]) -> Value {
        let output = self.register(&[arguments, &["--json"]].concat());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {stderr}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The error of a registration that fails with exit code 1.
    fn refuses(&self, arguments: &[&str]) -> Value {
        let output = self.register(&[arguments, &["--json"]].concat());
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let error: Value = serde_json::from_slice(&output.stderr).unwrap();
        error["error"].clone()
    }

    fn gets_tokens(&self, client: &str) -> bool {
        self.segl(&["token", client]).status.success()
    }

    fn changes(&self) -> u64 {
        self.simulator.requests().self_service_changes
    }

    /// Runs the command on a terminal, where somebody types `answer`.
    fn on_a_terminal(&self, arguments: &str, answer: &str) -> (Option<i32>, String) {
        let command = format!(
            "{} register maskinporten {arguments}",
            env!("CARGO_BIN_EXE_segl")
        );
        let mut child = Command::new("script")
            .args(["--quiet", "--return", "--command", &command, "/dev/null"])
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("script is missing; install the package bsdutils");
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(answer.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        drop(stdin);
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
        )
    }
}

fn actions(value: &Value) -> Vec<(&str, &str)> {
    let keys = value["keys"].as_array().unwrap().iter();
    keys.map(|key| {
        (
            key["kid"].as_str().unwrap(),
            key["action"].as_str().unwrap(),
        )
    })
    .collect()
}

fn aged(kid: &str, key: &PKey<Private>, days: i64) -> Value {
    let mut jwk = jwk(kid, key);
    jwk["registered_at"] = json!(now() - days * DAY);
    jwk
}

#[test]
fn a_client_without_kid_is_registered_under_its_thumbprint() {
    let desk = Desk::new(&[]);
    let output = desk.register(&["bare", "--yes"]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{stderr}");
    let thumbprint = signer(&OLD_KEY).public_key().thumbprint().to_owned();
    assert!(stderr.contains("up to two minutes"), "{stderr}");
    assert!(
        stderr.contains(&format!("Set kid = \"{thumbprint}\"")),
        "{stderr}"
    );
    let stdout = String::from_utf8(output.stdout).unwrap();
    let (header, row) = stdout.trim().split_once('\n').unwrap();
    assert!(
        header.starts_with("KID") && header.ends_with("EXPIRES"),
        "{stdout}"
    );
    assert!(
        row.starts_with(&thumbprint) && row.ends_with('Z'),
        "{stdout}"
    );

    let named = desk.registers(&["bare", "--kid", "chosen", "--yes"]);
    assert_eq!(
        actions(&named),
        [(thumbprint.as_str(), "kept"), ("chosen", "added")]
    );
    let expires = named["keys"][1]["expires_at"].as_i64().unwrap();
    assert!(
        (364 * DAY..=365 * DAY).contains(&(expires - now())),
        "{expires}"
    );
}

#[test]
fn a_rotation_has_no_gap() {
    let desk = Desk::new(&[]);
    assert!(!desk.gets_tokens("old"));
    assert_eq!(
        actions(&desk.registers(&["old", "--yes"])),
        [("old", "added")]
    );
    assert!(desk.gets_tokens("old") && !desk.gets_tokens("new"));
    let both = desk.registers(&["both", "--yes"]);
    assert_eq!(actions(&both), [("old", "renewed"), ("new", "added")]);
    assert!(desk.gets_tokens("old") && desk.gets_tokens("new"));
    let last = desk.registers(&["new", "--remove", "old", "--yes"]);
    assert_eq!(actions(&last), [("old", "removed"), ("new", "renewed")]);
    assert!(!desk.gets_tokens("old") && desk.gets_tokens("new"));
    let one = desk.registers(&["both", "--key", "0", "--dry-run"]);
    assert_eq!(actions(&one), [("new", "kept"), ("old", "added")]);
}

#[test]
fn nothing_is_written_that_nobody_agreed_to() {
    let desk = Desk::new(&[aged("old", &OLD_KEY, 10)]);
    let dry = desk.registers(&["new", "--dry-run"]);
    assert_eq!(
        (actions(&dry), &dry["written"]),
        (vec![("old", "kept"), ("new", "added")], &json!(false))
    );
    let error = desk.refuses(&["new"]);
    assert_eq!(error["name"], "INVALID_ARGUMENT");
    assert!(
        error["message"].as_str().unwrap().contains("--yes"),
        "{error}"
    );
    assert_eq!(desk.register(&["new"]).status.code(), Some(1));

    for answer in ["n\n", "\n", "what\n"] {
        let (code, screen) = desk.on_a_terminal("new", answer);
        assert_eq!(code, Some(1), "{screen}");
        assert!(screen.contains("Register these keys? [y/N]"), "{screen}");
        assert!(screen.contains("nothing was written"), "{screen}");
    }
    assert_eq!(desk.changes(), 0);
    let (code, screen) = desk.on_a_terminal("new", "y\n");
    assert_eq!((code, desk.changes()), (Some(0), 1), "{screen}");
    assert!(desk.gets_tokens("old") && desk.gets_tokens("new"));
}

#[test]
fn a_check_fails_before_a_key_does() {
    let desk = Desk::new(&[aged("old", &OLD_KEY, 345), jwk("new", &OLD_KEY)]);
    let check = |arguments: &[&str]| {
        let output = desk.register(&[arguments, &["--check", "--json"]].concat());
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let states = report["keys"].as_array().unwrap().iter();
        let states: Vec<_> = states
            .map(|key| key["state"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(report["ok"], json!(output.status.success()));
        (output.status.code().unwrap(), states.join(" "))
    };
    assert_eq!(check(&["old"]), (1, "expires_soon".to_owned()));
    assert_eq!(
        check(&["old", "--warn-days", "10"]),
        (0, "registered".to_owned())
    );
    assert_eq!(check(&["bare"]), (1, "not_registered".to_owned()));
    assert_eq!(check(&["both"]), (1, "expires_soon other_key".to_owned()));
    assert_eq!(check(&["both", "--key", "1"]), (1, "other_key".to_owned()));

    let expired = Desk::new(&[aged("old", &OLD_KEY, 366)]);
    let output = expired.register(&["old", "--check", "--warn-days", "0"]);
    assert_eq!(output.status.code(), Some(1));
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.contains("is expired"), "{stdout}");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("KEY_REGISTRATION 610"), "{stderr}");
    assert_eq!((desk.changes(), expired.changes()), (0, 0));
}

#[test]
fn an_expired_key_does_not_come_back_unnoticed() {
    let desk = Desk::new(&[aged("old", &OLD_KEY, 366)]);
    let output = desk.register(&["new", "--dry-run"]);
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(
        stdout.contains("works again unless it is removed"),
        "{stdout}"
    );
}

#[test]
fn what_cannot_be_registered_is_refused_before_anything_is_sent() {
    let full: Vec<_> = (0..5)
        .map(|n| aged(&format!("k{n}"), &OLD_KEY, n * 10))
        .collect();
    let desk = Desk::new(&full);
    let error = desk.refuses(&["new", "--yes"]);
    let message = error["message"].as_str().unwrap();
    assert!(
        message.contains("at most 5") && message.contains("--remove: k4 ("),
        "{message}"
    );
    desk.registers(&["new", "--remove", "k4", "--yes"]);

    let desk = Desk::new(&[jwk("new", &OLD_KEY)]);
    let error = desk.refuses(&["new", "--yes"]);
    assert!(
        error["message"].as_str().unwrap().contains("another key"),
        "{error}"
    );
    assert_eq!(desk.refuses(&["ec", "--yes"])["name"], "KEY_TYPE");
    assert_eq!(
        desk.refuses(&["both", "--kid", "x", "--yes"])["name"],
        "INVALID_ARGUMENT"
    );
    assert_eq!(
        desk.refuses(&["both", "--key", "2", "--yes"])["name"],
        "INVALID_ARGUMENT"
    );
    assert_eq!(desk.refuses(&["nobody", "--yes"])["name"], "CONFIG");
    let output = desk.register(&["new", "--admin", "old", "--yes", "--json"]);
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["error"]["name"], "TOKEN_KID_UNKNOWN");
    assert_eq!(output.status.code(), Some(3), "it may be registered soon");
    assert_eq!(desk.changes(), 0);
}

#[test]
fn the_admin_client_is_found_or_named() {
    let desk = Desk::new(&[]);
    let toml = std::fs::read_to_string(desk.path("segl.toml")).unwrap();
    let write = |text: &str| std::fs::write(desk.path("segl.toml"), text).unwrap();
    let message = |arguments: &[&str]| {
        let error = desk.refuses(arguments);
        error["message"].as_str().unwrap().to_owned()
    };
    write(&toml.replace("idporten:dcr.", "other:"));
    assert!(message(&["old", "--yes"]).contains("no client of the configuration has a scope"));
    let second = toml.replace("[clients.admin]", "[clients.second]");
    let second = second.split("[clients.bare]").next().unwrap().to_owned();
    write(&format!("{toml}\n{second}"));
    assert!(message(&["old", "--yes"]).contains("admin or second"));
    desk.registers(&["old", "--admin", "second", "--yes"]);

    let environment =
        |client: &str, name: &str| format!("[clients.{client}]\nenvironment = \"{name}\"");
    let mixed = toml
        .replace("[clients.admin]", &environment("admin", "prod"))
        .replace("[clients.old]", &environment("old", "test"));
    write(&mixed);
    let error = desk.refuses(&["old", "--yes"]);
    assert_eq!(error["config_path"], "clients.admin.environment", "{error}");
    let without = toml.replace("self_service = ", "# ");
    write(&without);
    let error = desk.refuses(&["old", "--yes"]);
    assert_eq!(error["config_path"], "clients.old.environment", "{error}");
    let url = desk.simulator.urls().self_service.clone();
    desk.registers(&["old", "--self-service", &url, "--yes"]);
    write(&toml.replace(
        "self_service = \"http://127.0.0.1",
        "self_service = \"http://192.0.2.1",
    ));
    assert_eq!(
        desk.refuses(&["old", "--yes"])["config_path"],
        "clients.old.self_service"
    );
}
