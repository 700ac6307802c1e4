//! The program `segl`, as a person runs it.
#![cfg(all(feature = "cli", feature = "simulator"))]

#[path = "support/simulator_process.rs"]
mod simulator_process;
mod support;

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use simulator_process::SimulatorProcess;

const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
const ORG: &str = "910753614";

/// A folder of its own with a SoftHSM token `bank` (PIN 1234).
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn with_token() -> Self {
        let home = Self::new();
        std::fs::create_dir(home.path("tokens")).unwrap();
        let conf = format!("directories.tokendir = {}\n", home.path("tokens").display());
        std::fs::write(home.path("softhsm2.conf"), conf).unwrap();
        let status = home
            .command("softhsm2-util")
            .args([
                "--init-token",
                "--free",
                "--label",
                "bank",
                "--pin",
                "1234",
                "--so-pin",
                "12345678",
            ])
            .stdout(Stdio::null())
            .status()
            .expect("softhsm2-util is missing; install the package softhsm2");
        assert!(status.success());
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.0.path())
            .env("SOFTHSM2_CONF", self.path("softhsm2.conf"))
            .env("PIN", "1234")
            .env("WRONG_PIN", "9999")
            .env("NO_PROXY", "127.0.0.1");
        command
    }

    fn segl(&self, arguments: &[&str]) -> Output {
        self.command(env!("CARGO_BIN_EXE_segl"))
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Standard output of a command that succeeds.
    fn ok(&self, arguments: &[&str]) -> String {
        let output = self.segl(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "segl {arguments:?}: {stderr}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.ok(arguments)).unwrap()
    }

    /// Exit code and error object of a command that fails.
    fn fails(&self, arguments: &[&str]) -> (i32, Value) {
        let output = self.segl(&[arguments, &["--json"]].concat());
        assert!(
            output.stdout.is_empty(),
            "nothing half-done on standard output"
        );
        let error: Value = serde_json::from_slice(&output.stderr).unwrap_or_else(|_| {
            panic!(
                "segl {arguments:?}: {}",
                String::from_utf8_lossy(&output.stderr)
            )
        });
        (output.status.code().unwrap(), error["error"].clone())
    }
}

fn token_uri(rest: &str, pin: &str) -> String {
    format!("pkcs11:token=bank{rest}?module-path={MODULE}&pin-source=env:{pin}")
}

/// `segl simulate` with this configuration.
fn simulator(home: &Home, config: &str) -> SimulatorProcess {
    std::fs::write(home.path("sim.toml"), config).unwrap();
    let program = home.command(env!("CARGO_BIN_EXE_segl"));
    SimulatorProcess::start(
        program,
        &["--listen", "127.0.0.1:0", "--config", "sim.toml"],
    )
}

#[test]
fn a_key_in_a_file_is_private_and_not_overwritten() {
    let home = Home::new();
    home.ok(&["key", "generate", "--alg", "RS256", "--out", "rsa.pem"]);
    let before = std::fs::read(home.path("rsa.pem")).unwrap();
    let (code, error) = home.fails(&["key", "generate", "--alg", "RS256", "--out", "rsa.pem"]);
    assert_eq!((code, &error["name"]), (1, &"KEY_EXISTS".into()));
    assert_eq!(std::fs::read(home.path("rsa.pem")).unwrap(), before);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(home.path("rsa.pem"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let shown = home.json(&["key", "show", "file:rsa.pem", "--json"]);
    assert_eq!(shown["kty"], "RSA");
    assert_eq!(shown["bits"], 2048);
    assert_eq!(shown["extractable"], true);
    assert!(!shown.to_string().contains("PRIVATE"));
}

#[test]
fn a_key_on_a_token_cannot_leave_it() {
    let home = Home::with_token();
    let token = token_uri("", "PIN");
    home.ok(&[
        "key", "generate", "--alg", "ES256", "--label", "dnb", "--id", "02", "--token", &token,
    ]);
    let shown = home.json(&["key", "show", &token_uri(";object=dnb", "PIN"), "--json"]);
    assert_eq!(shown["kind"], "pkcs11");
    assert_eq!(shown["extractable"], false);
    assert_eq!(shown["crv"], "P-256");
    assert_eq!(shown["algorithms"], serde_json::json!(["ES256"]));
    let by_id = home.json(&["key", "show", &token_uri(";id=%02", "PIN"), "--json"]);
    assert_eq!(by_id["kid"], shown["kid"]);
    let (code, error) = home.fails(&[
        "key", "generate", "--alg", "ES256", "--label", "dnb", "--token", &token,
    ]);
    assert_eq!((code, &error["name"]), (1, &"KEY_EXISTS".into()));

    home.ok(&["key", "generate", "--alg", "RS256", "--out", "rsa.pem"]);
    let set = home.json(&[
        "jwk",
        "file:rsa.pem",
        &token_uri(";object=dnb", "PIN"),
        "--set",
    ]);
    let keys = set["keys"].as_array().unwrap();
    assert_eq!(
        (&keys[0]["kty"], &keys[1]["kty"]),
        (&"RSA".into(), &"EC".into())
    );
    for key in keys {
        assert_eq!(key["use"], "sig");
        assert!(key.get("d").is_none());
    }
}

#[test]
fn tokens_from_both_services_with_keys_in_the_hsm() {
    let home = Home::with_token();
    let token = token_uri("", "PIN");
    home.ok(&[
        "key", "generate", "--alg", "RS256", "--label", "mp", "--id", "01", "--token", &token,
    ]);
    home.ok(&[
        "key", "generate", "--alg", "ES256", "--label", "dnb", "--id", "02", "--token", &token,
    ]);
    let set = home.json(&["jwk", &token_uri(";object=mp", "PIN"), "--set"]);
    let simulator = simulator(
        &home,
        &format!(
            "[[maskinporten.clients]]\nclient_id = \"c1\"\norgno = \"{ORG}\"\nscopes = [\"a:b\"]\njwks = '{set}'\n"
        ),
    );
    let urls = &simulator.urls;
    let config = |dnb_client: &str| {
        let text = format!(
            "[clients.mp]\nprofile = \"maskinporten\"\nissuer = {issuer}\nclient_id = \"c1\"\nkid = {kid}\n\
             key = \"{mp}\"\nscopes = [\"a:b\"]\n\
             [clients.dnb]\nprofile = \"dnb\"\n{dnb_client}\ntoken_endpoint = {endpoint}\nkey = \"{dnb}\"\n",
            issuer = urls["maskinporten_issuer"],
            kid = set["keys"][0]["kid"],
            mp = token_uri(";object=mp", "PIN"),
            endpoint = urls["dnb_token_endpoint"],
            dnb = token_uri(";object=dnb", "PIN"),
        );
        std::fs::write(home.path("segl.toml"), text).unwrap();
    };
    config("");

    let grant = home.ok(&["assert", "mp", "--config", "segl.toml", "--scope", "a:b"]);
    assert_eq!(grant.trim_end().split('.').count(), 3);
    assert_eq!(grant.lines().count(), 1, "the JWT and nothing else");
    let inspected = home.json(&["inspect", grant.trim_end(), "--json"]);
    assert_eq!(inspected["claims"]["scope"], "a:b");
    assert_eq!(inspected["verified"], false);

    let answer = home.json(&["token", "mp", "--config", "segl.toml", "--json"]);
    let plain = home.ok(&["token", "mp", "--config", "segl.toml", "--header"]);
    assert!(plain.starts_with("Authorization: Bearer ey"), "{plain}");
    let claims = home.json(&[
        "inspect",
        answer["access_token"].as_str().unwrap(),
        "--json",
    ]);
    assert_eq!(claims["claims"]["consumer"]["ID"], format!("0192:{ORG}"));

    let registration = home.ok(&["register", "dnb", "dnb", "--config", "segl.toml"]);
    let registered: Value = {
        let url = format!("{}/dnb/register", urls["admin"].as_str().unwrap());
        let answer = ureq::post(&url).send(registration.trim_end()).unwrap();
        serde_json::from_reader(answer.into_body().into_reader()).unwrap()
    };
    let (code, error) = home.fails(&["token", "dnb", "--config", "segl.toml"]);
    assert_eq!(
        (code, &error["config_path"]),
        (1, &"client_id".into()),
        "not registered yet"
    );
    config(&format!("client_id = {}", registered["client_id"]));
    let answer = home.json(&["token", "dnb", "--config", "segl.toml", "--json"]);
    assert_eq!(answer["response"]["token_type"], "Bearer");

    let (code, error) = home.fails(&["token", "mp", "--config", "segl.toml", "--scope", "c:d"]);
    assert_eq!((code, &error["provider_code"]), (1, &"MP-200".into()));
    let outage = format!("{}/outage", urls["admin"].as_str().unwrap());
    ureq::post(&outage)
        .header("Content-Type", "application/json")
        .send(r#"{"kind":"503"}"#)
        .unwrap();
    let (code, error) = home.fails(&["token", "mp", "--config", "segl.toml", "--timeout", "1"]);
    assert_eq!(
        (code, &error["retryable"]),
        (3, &true.into()),
        "worth another try"
    );
}

#[test]
fn bad_input_gets_a_clear_error() {
    let home = Home::with_token();
    let token = token_uri("", "PIN");
    for label in ["one", "two"] {
        home.ok(&[
            "key", "generate", "--alg", "ES256", "--label", label, "--token", &token,
        ]);
    }
    home.ok(&["key", "generate", "--alg", "ES256", "--out", "ec.pem"]);
    std::fs::write(
        home.path("segl.toml"),
        "[clients.mp]\nprofile = \"maskinporten\"\nenvironment = \"test\"\nclient_id = \"c\"\nkid = \"k\"\nkey = \"file:ec.pem\"\n",
    )
    .unwrap();
    let cases: [(&[&str], &str, &str); 11] = [
        (&["key", "show", "rsa.pem"], "KEY_URI", "file:"),
        (
            &["key", "show", "pkcs11:token=bank;token=bank"],
            "KEY_URI",
            "token",
        ),
        (&["key", "show", "file:none.pem"], "IO", "none.pem"),
        (
            &["key", "show", &token_uri(";object=none", "PIN")],
            "KEY_NOT_FOUND",
            "one",
        ),
        (&["key", "show", &token], "KEY_AMBIGUOUS", "two"),
        (
            &["key", "show", &token_uri(";object=one", "WRONG_PIN")],
            "PIN_INCORRECT",
            "bank",
        ),
        (
            &["key", "show", &token_uri(";object=one", "UNSET_PIN")],
            "PIN_SOURCE",
            "UNSET_PIN",
        ),
        (
            &[
                "key",
                "show",
                &format!("pkcs11:token=bnak?module-path={MODULE}&pin-source=env:PIN"),
            ],
            "TOKEN_NOT_FOUND",
            "bank",
        ),
        (&["assert", "mp"], "KEY_TYPE", "RS256"),
        (&["assert", "nobody"], "CONFIG", "mp"),
        (&["inspect", "not-a-jwt"], "INVALID_ARGUMENT", "three parts"),
    ];
    for (arguments, name, says) in cases {
        let (code, error) = home.fails(arguments);
        assert_eq!(
            (code, &error["name"]),
            (1, &name.into()),
            "{arguments:?}: {error}"
        );
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(says), "{arguments:?}: {message}");
        assert!(
            !message.contains("9999") && !message.contains("1234"),
            "{message}"
        );
    }
    assert_eq!(home.segl(&["key", "generate"]).status.code(), Some(2));
    let unnamed = [
        "key",
        "generate",
        "--alg",
        "ES256",
        "--token",
        "pkcs11:token=t",
    ];
    assert_eq!(home.segl(&unnamed).status.code(), Some(2));
    assert_eq!(home.segl(&["no-such-command"]).status.code(), Some(2));
}

#[test]
fn inspect_reads_standard_input_and_says_that_nothing_is_verified() {
    let home = Home::new();
    let mut child = home
        .command(env!("CARGO_BIN_EXE_segl"))
        .args(["inspect", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let jwt = "eyJhbGciOiJFUzI1NiJ9.eyJleHAiOjE3MDE0MTI3NDJ9.AA";
    child
        .stdin
        .take()
        .unwrap()
        .write_all(jwt.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("NOT verified") && text.contains("2023-12-01T"),
        "{text}"
    );
}

#[test]
fn health_is_shown_once_and_again_and_again() {
    let home = Home::with_token();
    let token = token_uri("", "PIN");
    home.ok(&[
        "key", "generate", "--alg", "ES256", "--label", "dnb", "--token", &token,
    ]);
    home.ok(&["key", "generate", "--alg", "ES256", "--out", "ec.pem"]);
    for (uri, shown) in [
        ("file:ec.pem".to_owned(), "file:ec.pem"),
        (token_uri(";object=dnb", "PIN"), "pkcs11:token=bank"),
    ] {
        let text = home.ok(&["key", "health", &uri]);
        assert!(text.starts_with(shown), "{text}");
        let state = text.lines().find(|line| line.starts_with("state")).unwrap();
        assert!(state.ends_with("ready"), "{text}");
        let json = home.json(&["key", "health", &uri, "--json"]);
        assert_eq!(json["state"], "ready");
        assert!(json["key"].as_str().unwrap().starts_with(shown), "{json}");
        assert!(json["signed_in_ms"].is_u64(), "{json}");
    }
    let watch = [
        "key",
        "health",
        "file:ec.pem",
        "--watch",
        "1",
        "--count",
        "2",
    ];
    let lines = home.ok(&watch);
    assert_eq!(lines.lines().count(), 2, "{lines}");
    assert!(lines.lines().all(|line| line.contains("ready")), "{lines}");
    let lines = home.ok(&[&watch[..], &["--json"]].concat());
    for line in lines.lines() {
        let json: Value = serde_json::from_str(line).unwrap();
        assert_eq!(json["state"], "ready");
    }
    assert_eq!(lines.lines().count(), 2, "{lines}");

    let (code, error) = home.fails(&["key", "health", "file:none.pem"]);
    assert_eq!((code, &error["name"]), (1, &"IO".into()));
    for wrong in [&["--count", "2"][..], &["--watch", "0"]] {
        let arguments = [&["key", "health", "file:ec.pem"], wrong].concat();
        assert_eq!(home.segl(&arguments).status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn health_warns_of_the_certificate_beside_the_key() {
    let home = Home::new();
    let key = support::rsa_key();
    for (days, is_near) in [(22, true), (400, false)] {
        let x509 = support::certificate(&key, None, &support::OrgId::SerialNumber(ORG), days);
        let both = [support::pem(&key), x509.to_pem().unwrap()].concat();
        std::fs::write(home.path("key.pem"), both).unwrap();
        let json = home.json(&["key", "health", "file:key.pem", "--json"]);
        assert!(json["certificate_not_after"].is_i64(), "{json}");
        assert_eq!(
            json["warnings"].as_array().unwrap().len(),
            usize::from(is_near)
        );
        let text = home.ok(&["key", "health", "file:key.pem"]);
        assert!(text.contains("\ncertificate   ends at 20"), "{text}");
        assert_eq!(
            text.contains("\nwarning       key: the certificate ends at"),
            is_near
        );
    }
}

#[test]
fn a_key_that_is_lost_while_it_is_watched_is_told_and_fails() {
    let home = Home::with_token();
    home.ok(&[
        "key",
        "generate",
        "--alg",
        "ES256",
        "--label",
        "dnb",
        "--token",
        &token_uri("", "PIN"),
    ]);
    let uri = token_uri(";object=dnb", "PIN");
    let mut child = home
        .command(env!("CARGO_BIN_EXE_segl"))
        .args(["key", "health", &uri, "--watch", "1", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut state = || {
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let json: Value = serde_json::from_str(&line).unwrap();
        json["state"].as_str().unwrap().to_owned()
    };
    assert_eq!(state(), "ready");
    std::fs::remove_dir_all(home.path("tokens")).unwrap();
    assert!((0..60).any(|_| state() != "ready"), "it stays ready");
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    assert!(matches!(output.status.code(), Some(1 | 3)), "{output:?}");
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert!(error["error"]["name"].is_string(), "{error}");
}

#[test]
fn watching_ends_when_nobody_reads() {
    let home = Home::new();
    home.ok(&["key", "generate", "--alg", "ES256", "--out", "ec.pem"]);
    let mut child = home
        .command(env!("CARGO_BIN_EXE_segl"))
        .args(["key", "health", "file:ec.pem", "--watch", "1"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    assert!(line.contains("ready"), "{line}");
    drop(stdout);
    assert!(child.wait().unwrap().success());
}

#[test]
fn each_of_several_keys_is_registered_by_its_number() {
    let home = Home::new();
    let mut config = "[clients.dnb]\nprofile = \"dnb\"\n".to_owned();
    for name in ["one.pem", "two.pem"] {
        home.ok(&["key", "generate", "--alg", "ES256", "--out", name]);
        config.push_str(&format!("[[clients.dnb.keys]]\nkey = \"file:{name}\"\n"));
    }
    std::fs::write(home.path("segl.toml"), config).unwrap();
    let kid =
        |name: &str| home.json(&["key", "show", &format!("file:{name}"), "--json"])["kid"].clone();
    let register = |more: &[&str]| {
        home.json(&[&["register", "dnb", "dnb", "--json"], more].concat())["thumbprint"].clone()
    };
    assert_eq!(register(&[]), kid("one.pem"));
    assert_eq!(register(&["--key", "0"]), kid("one.pem"));
    assert_eq!(register(&["--key", "1"]), kid("two.pem"));
    let (code, error) = home.fails(&["register", "dnb", "dnb", "--key", "2"]);
    assert_eq!((code, &error["name"]), (1, &"INVALID_ARGUMENT".into()));
    std::fs::remove_file(home.path("two.pem")).unwrap();
    let (_, error) = home.fails(&["register", "dnb", "dnb"]);
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("client \"dnb\": keys[1]: "), "{message}");
}

#[test]
fn the_simulator_speaks_https_and_shows_settings_for_it() {
    let home = Home::new();
    let mut program = home.command(env!("CARGO_BIN_EXE_segl"));
    program.stderr(Stdio::piped());
    let mut simulator = SimulatorProcess::start(program, &["--tls", "--ca-out", "ca.pem"]);
    let https = &simulator.urls["https"];
    let answer = Command::new("curl")
        .args(["--silent", "--max-time", "60", "--noproxy", "*", "--cacert"])
        .arg(home.path("ca.pem"))
        .arg(https["dnb_metadata"].as_str().unwrap())
        .output()
        .unwrap();
    let document: Value = serde_json::from_slice(&answer.stdout).unwrap();
    assert_eq!(document["issuer"], https["dnb_issuer"]);

    let mut settings = String::new();
    simulator.child.kill().unwrap();
    let mut stderr = simulator.child.stderr.take().unwrap();
    std::io::Read::read_to_string(&mut stderr, &mut settings).unwrap();
    let config = segl::config::Config::from_toml(&settings).unwrap();
    let dnb = &config.clients["dnb"];
    assert_eq!(
        dnb.token_endpoint.as_deref(),
        https["dnb_token_endpoint"].as_str()
    );
    let ca_file = dnb.tls.as_ref().unwrap().ca_file.as_deref();
    assert_eq!(
        ca_file.unwrap().canonicalize().unwrap(),
        home.path("ca.pem").canonicalize().unwrap()
    );
    let maskinporten = &config.clients["maskinporten"];
    assert_eq!(
        maskinporten.issuer.as_deref(),
        https["maskinporten_issuer"].as_str()
    );
}

#[test]
fn every_client_that_the_simulator_shows_gets_a_token() {
    let home = Home::new();
    let set = |file: &str, kid: Option<&str>| {
        home.ok(&["key", "generate", "--alg", "ES256", "--out", file]);
        let mut jwk = home.json(&["jwk", &format!("file:{file}")]);
        if let Some(kid) = kid {
            jwk["kid"] = kid.into();
        }
        format!("jwks = '[{jwk}]'\nscopes = ['a:b']\nclient_id = 'your-client'\n")
    };
    let dnb = set("dnb.pem", None);
    let helseid = set("helseid.pem", Some("your-kid"));
    home.ok(&[
        "key",
        "generate",
        "--alg",
        "RS256",
        "--out",
        "maskinporten.pem",
    ]);
    let mut jwk = home.json(&["jwk", "file:maskinporten.pem"]);
    jwk["kid"] = "your-kid".into();
    let config = format!(
        "[[maskinporten.clients]]\norgno = '{ORG}'\nclient_id = 'your-client'\nscopes = ['a:b']\n\
         jwks = '[{jwk}]'\n[[dnb.clients]]\n{dnb}[[helseid.clients]]\n{helseid}"
    );
    std::fs::write(home.path("sim.toml"), config).unwrap();
    let key = support::p256_key();
    let mut pem = support::pem(&key);
    let x509 = support::certificate(&key, None, &support::OrgId::Nothing, 400);
    pem.extend(x509.to_pem().unwrap());
    std::fs::write(home.path("client.pem"), pem).unwrap();

    for tls in [&[][..], &["--tls", "--ca-out", "ca.pem"]] {
        // What it shows is the configuration.
        let settings = std::fs::File::create(home.path("segl.toml")).unwrap();
        let mut program = home.command(env!("CARGO_BIN_EXE_segl"));
        program.stderr(settings);
        let simulator =
            SimulatorProcess::start(program, &[&["--config", "sim.toml"], tls].concat());
        for (client, kind) in [
            ("maskinporten", "Bearer"),
            ("dnb", "Bearer"),
            ("helseid", "DPoP"),
        ] {
            let token = home.json(&["token", client, "--scope", "a:b", "--json"]);
            assert_eq!(token["token_type"], kind, "{client}");
            let claims = support::claims(token["access_token"].as_str().unwrap());
            let base = match tls.is_empty() {
                true => &simulator.urls,
                false => &simulator.urls["https"],
            };
            assert_eq!(claims["iss"], base[format!("{client}_issuer")]);
            let bound = claims["cnf"]["x5t#S256"].is_string();
            assert_eq!(bound, client == "dnb" && !tls.is_empty());
        }
    }
}

#[test]
fn a_ca_without_https_is_an_error() {
    let home = Home::new();
    let (code, error) = home.fails(&["simulate", "--ca-out", "ca.pem"]);
    assert_eq!((code, &error["name"]), (1, &"CONFIG".into()));
    assert!(!home.path("ca.pem").exists());
}
