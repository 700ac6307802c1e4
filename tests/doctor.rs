//! `segl doctor`, as a person runs it, against the simulator.
#![cfg(all(feature = "cli", feature = "simulator"))]

#[cfg(feature = "redis")]
#[path = "support/redis_server.rs"]
#[allow(dead_code, reason = "each test uses its own part")]
mod redis_server;
#[path = "support/softhsm.rs"]
#[allow(dead_code, reason = "each test uses its own part")]
mod softhsm;
mod support;

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, LazyLock};

use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::x509::{X509, X509NameBuilder};
use segl::Algorithm;
use segl::clock::{Clock, FixedClock, SystemClock, UnixTime};
use segl::simulator::{Outage, OutageKind, RunningSimulator, Simulator, SimulatorConfig};
use serde_json::{Value, json};
use softhsm::{PIN, SoftHsm};
use support::{OrgId, certificate, now, p256_key, pem, rsa_key, signer};

const ORG: &str = "910753614";
const DAY: i64 = 86_400;

/// Tokens with one RSA key each, `rsa`, for the whole program. One is apart, for segl
/// tries no PIN on a token that has just seen a wrong one.
static HSM: LazyLock<SoftHsm> = LazyLock::new(|| {
    let hsm = SoftHsm::new("doctor");
    for token in ["healthy", "mistyped"] {
        hsm.init_token(token);
        hsm.generate(token, "rsa:2048", "01", "rsa", &[]);
    }
    hsm
});

/// A simulator that knows the clients `bank` (the file's key under the kid `file`)
/// and `admin`, and a folder for `segl.toml`.
struct Desk {
    folder: tempfile::TempDir,
    simulator: RunningSimulator,
}

/// What one run of the program gave.
struct Run {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Desk {
    fn new() -> Self {
        Self::with(Arc::new(SystemClock), "")
    }

    /// With the simulator's clock so many seconds ahead of this machine's.
    fn ahead_by(seconds: i64) -> Self {
        let time = UnixTime::from_seconds(now() + seconds);
        Self::with(Arc::new(FixedClock::new(time)), "")
    }

    fn with(clock: Arc<dyn Clock>, simulated: &str) -> Self {
        // Before anything else runs in this process.
        LazyLock::force(&HSM);
        let folder = tempfile::tempdir().unwrap();
        let set = json!([jwk("file", &rsa_key())]);
        let config = format!(
            r#"
            {simulated}
            [maskinporten.scopes."bank:closed"]
            consumers = ["974760673"]
            [[maskinporten.clients]]
            client_id = "bank"
            orgno = "{ORG}"
            scopes = ["bank:saldo", "bank:closed"]
            jwks = '{set}'
            [[maskinporten.clients]]
            client_id = "admin"
            orgno = "{ORG}"
            scopes = ["idporten:dcr.read"]
            jwks = '{set}'
            "#
        );
        let config = SimulatorConfig::from_toml(&config).unwrap();
        let address = ([127, 0, 0, 1], 0).into();
        let simulator = Simulator::start_with_clock(config, address, clock).unwrap();
        let desk = Self { folder, simulator };
        desk.write("rsa.pem", &pem(&rsa_key()));
        desk.write("ec.pem", &pem(&p256_key()));
        desk.write("pin", PIN.as_bytes());
        desk.write("wrong-pin", b"0000-wrong");
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file that others cannot get at.
    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
        self.chmod(name, 0o600);
    }

    fn chmod(&self, name: &str, mode: u32) {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(self.path(name), mode).unwrap();
    }

    /// A table for `segl.toml`: a client of the simulator's Maskinporten.
    fn client(&self, name: &str, rest: &str) -> String {
        let urls = self.simulator.urls();
        format!(
            "[clients.{name}]\nprofile = \"maskinporten\"\nissuer = \"{}\"\nself_service = \"{}\"\n{rest}\n",
            urls.maskinporten_issuer, urls.self_service
        )
    }

    fn bank(&self) -> String {
        self.client(
            "bank",
            "client_id = \"bank\"\nscopes = [\"bank:saldo\"]\nkey = \"file:rsa.pem\"\nkid = \"file\"\n\
             registered_until = 2099-01-01",
        )
        .replace("2099-01-01", "\"2099-01-01\"")
    }

    fn on_token(&self, token: &str, module: &str, pin: &str) -> String {
        format!(
            "pkcs11:token={token};object=rsa?module-path={module}&pin-source=file:{}",
            self.path(pin).display()
        )
    }

    /// Runs it with this configuration. Whatever comes of it, nothing secret is shown.
    fn run_with(&self, toml: &str, arguments: &[&str], env: &[(&str, &Path)]) -> Run {
        self.write("segl.toml", toml.as_bytes());
        let output = Command::new(env!("CARGO_BIN_EXE_segl"))
            .arg("doctor")
            .args(arguments)
            .current_dir(self.folder.path())
            .env("NO_PROXY", "127.0.0.1")
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let run = Run {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        for text in [&run.stdout, &run.stderr] {
            // Every token and assertion here begins with a JSON object in base64url.
            for secret in ["eyJ", PIN, "0000-wrong", "PRIVATE"] {
                assert!(!text.contains(secret), "{secret} in {text}");
            }
        }
        run
    }

    fn run(&self, toml: &str, arguments: &[&str]) -> Run {
        self.run_with(toml, arguments, &[])
    }

    fn json(&self, toml: &str, arguments: &[&str]) -> Findings {
        let run = self.run(toml, &[arguments, &["--json"]].concat());
        Findings::of(&run)
    }
}

/// The JSON of a run.
struct Findings {
    code: Option<i32>,
    all: Vec<Value>,
}

impl Findings {
    fn of(run: &Run) -> Self {
        assert_eq!(run.stderr, "", "nothing beside the JSON");
        let all = serde_json::from_str(&run.stdout);
        Self {
            code: run.code,
            all: all.unwrap_or_else(|error| panic!("{error}: {}", run.stdout)),
        }
    }

    /// The only finding of this check.
    fn get(&self, client: &str, check: &str) -> &Value {
        let of = |finding: &&Value| finding["client"] == client && finding["check"] == check;
        let found: Vec<_> = self.all.iter().filter(of).collect();
        assert_eq!(found.len(), 1, "{client}, {check}: {:#?}", self.all);
        found[0]
    }

    /// Check and status, in order.
    fn statuses(&self, client: &str) -> Vec<(&str, &str)> {
        let of = self
            .all
            .iter()
            .filter(|finding| finding["client"] == client);
        of.map(|f| (f["check"].as_str().unwrap(), f["status"].as_str().unwrap()))
            .collect()
    }
}

fn jwk(kid: &str, key: &PKey<Private>) -> Value {
    let key = signer(key).public_key().clone();
    Value::Object(key.to_registration(kid, Algorithm::RS256))
}

fn says(finding: &Value, member: &str, text: &str) {
    let found = finding[member].as_str().unwrap_or_default();
    assert!(found.contains(text), "no \"{text}\" in {finding:#}");
}

const ALL_WELL: [(&str, &str); 9] = [
    ("files", "ok"),
    ("key", "ok"),
    ("signature", "ok"),
    ("certificate", "skipped"),
    ("settings", "ok"),
    ("network", "ok"),
    ("clock", "ok"),
    ("token", "ok"),
    ("registration", "ok"),
];

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
fn a_clock_that_is_wrong_is_told_with_and_without_a_token() {
    for arguments in [&[][..], &["--no-token"]] {
        for (ahead, direction) in [(60, "behind"), (-60, "ahead of")] {
            let desk = Desk::ahead_by(ahead);
            let found = desk.json(&desk.bank(), arguments);
            let clock = found.get("bank", "clock");
            assert_eq!(clock["status"], "warning", "{clock}");
            says(clock, "what", direction);
            says(clock, "remedy", "NTP");
            let token = if arguments.is_empty() {
                "ok"
            } else {
                "skipped"
            };
            assert_eq!(found.get("bank", "token")["status"], token);
            assert_eq!(found.code, Some(0));
        }
    }
    let desk = Desk::ahead_by(1000);
    let found = desk.json(&desk.bank(), &[]);
    let clock = found.get("bank", "clock");
    assert_eq!(clock["status"], "failed", "{clock}");
    says(clock, "remedy", "NTP");
    assert_eq!(found.get("bank", "token")["status"], "failed");
    assert_eq!(found.code, Some(1));
}

#[test]
fn certificates_are_told_by_their_ends() {
    let desk = Desk::new();
    let key = rsa_key();
    let rest = "client_id = \"bank\"\nscopes = [\"bank:saldo\"]\nkey = \"file:rsa.pem\"\n\
                certificate = \"file:rsa.crt\"";
    // Valid from two days ago.
    for (days, status) in [(1, "failed"), (22, "warning"), (400, "ok")] {
        let x509 = certificate(&key, None, &OrgId::SerialNumber(ORG), days);
        desk.write("rsa.crt", &x509.to_pem().unwrap());
        let found = desk.json(&desk.client("bank", rest), &["--no-token"]);
        let finding = found.get("bank", "certificate");
        assert_eq!(finding["status"], status, "{finding}");
        let is_expired = status == "failed";
        assert_eq!(found.code, Some(i32::from(is_expired)));
        match status {
            "ok" => says(finding, "what", &format!("orgno {ORG}")),
            _ => says(finding, "remedy", "renew it"),
        }
        let settings = if is_expired { "skipped" } else { "ok" };
        assert_eq!(found.get("bank", "settings")["status"], settings);
        assert_eq!(found.get("bank", "network")["status"], "ok", "it goes on");
        assert_eq!(found.get("bank", "registration")["status"], "skipped");
    }
    let other = certificate(&p256_key(), None, &OrgId::SerialNumber(ORG), 400);
    desk.write("rsa.crt", &other.to_pem().unwrap());
    let found = desk.json(&desk.client("bank", rest), &[]);
    assert_eq!(found.get("bank", "key")["name"], "CERTIFICATE_MISMATCH");
    assert_eq!(found.code, Some(1));
}

#[test]
fn a_certificate_of_the_other_environment_is_told() {
    let desk = Desk::new();
    for (authority, environment, check, status) in [
        ("Buypass Class 3 CA", "test", "certificate", "warning"),
        ("Buypass Class 3 CA", "prod", "certificate", "ok"),
        ("Buypass Class 3 Test4 CA", "test", "certificate", "ok"),
        ("Buypass Class 3 Test4 CA", "prod", "settings", "failed"),
    ] {
        let x509 = issued_by(authority);
        desk.write("rsa.crt", &x509.to_pem().unwrap());
        let toml = format!(
            "[clients.bank]\nprofile = \"maskinporten\"\nenvironment = \"{environment}\"\nclient_id = \"c\"\n\
             token_endpoint = \"{}\"\nkey = \"file:rsa.pem\"\ncertificate = \"file:rsa.crt\"\n",
            desk.simulator.urls().maskinporten_token_endpoint
        );
        let found = desk.json(&toml, &["--no-token"]);
        let finding = found.get("bank", check);
        assert_eq!(
            finding["status"], status,
            "{authority}, {environment}: {finding}"
        );
        if status != "ok" {
            assert!(finding.to_string().contains("MP-120"), "{finding}");
        }
    }
}

/// A certificate for [`rsa_key`] from an authority of this name.
fn issued_by(authority: &str) -> X509 {
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("CN", authority).unwrap();
    let name = name.build();
    let key = p256_key();
    let mut builder = X509::builder().unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    let issuer = builder.build();
    certificate(&rsa_key(), Some((&key, &issuer)), &OrgId::Nothing, 400)
}

#[test]
fn settings_that_do_not_fit_the_certificate_are_named() {
    let desk = Desk::new();
    let x509 = certificate(&rsa_key(), None, &OrgId::SerialNumber(ORG), 400);
    desk.write("rsa.crt", &x509.to_pem().unwrap());
    let rest = "client_id = \"bank\"\nscopes = [\"bank:saldo\"]\nkey = \"file:rsa.pem\"\n\
                certificate = \"file:rsa.crt\"\norgno = \"974760673\"";
    let found = desk.json(&desk.client("bank", rest), &[]);
    let settings = found.get("bank", "settings");
    assert_eq!(settings["config_path"], "clients.bank.orgno");
    assert_eq!(settings["name"], "CONFIG");
    assert_eq!(found.get("bank", "token")["status"], "skipped");
    assert_eq!(found.code, Some(1));
}

#[test]
fn refusals_are_told_with_what_the_service_said() {
    let desk = Desk::new();
    let unknown = desk
        .bank()
        .replace("client_id = \"bank\"", "client_id = \"nobody\"");
    let found = desk.json(&unknown, &[]);
    let token = found.get("bank", "token");
    assert_eq!(token["name"], "TOKEN_CLIENT_UNKNOWN", "{token:#}");
    assert!(
        token["trace_id"].is_string() && token["remedy"].is_string(),
        "{token:#}"
    );
    assert_eq!(found.code, Some(1));

    let closed = desk.bank().replace("bank:saldo", "bank:closed");
    let found = desk.json(&closed, &[]);
    let token = found.get("bank", "token");
    assert_eq!(token["provider_code"], "MP-250", "{token:#}");
    assert_eq!(token["name"], "TOKEN_SCOPE_NOT_GRANTED");
    assert_eq!(found.code, Some(1));
    let run = desk.run(&closed, &[]);
    let line = run
        .stdout
        .lines()
        .find(|line| line.contains("[TOKEN_"))
        .unwrap();
    assert!(
        line.contains("TOKEN_SCOPE_NOT_GRANTED 534, MP-250, HTTP 4"),
        "{line}"
    );
    assert!(line.contains("trace id "), "{line}");
    assert!(run.stdout.contains("To do: "), "{}", run.stdout);
    assert!(
        run.stdout.trim_end().ends_with("1 failed, 8 ok, 1 skipped"),
        "{}",
        run.stdout
    );

    let on_no_client = desk.bank().replace("bank:saldo", "bank:other");
    let found = desk.json(&on_no_client, &[]);
    assert_eq!(found.get("bank", "token")["provider_code"], "MP-200");
}

#[test]
fn a_server_that_cannot_be_reached_may_be_there_later() {
    let desk = Desk::new();
    let port = {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.local_addr().unwrap().port()
    };
    let base = &desk.simulator.urls().base;
    let away = desk
        .bank()
        .replace(base, &format!("http://127.0.0.1:{port}"));
    let found = desk.json(&away, &[]);
    let network = found.get("bank", "network");
    assert_eq!(
        (&network["status"], &network["name"]),
        (&"failed".into(), &"NETWORK".into())
    );
    assert_eq!(found.get("bank", "clock")["status"], "skipped");
    assert_eq!(found.get("bank", "token")["status"], "skipped");
    assert_eq!(found.get("bank", "registration")["status"], "ok");
    assert_eq!(found.code, Some(3));

    // Beside it, a client that is well and one that needs a person.
    let well = desk.bank().replace("[clients.bank]", "[clients.well]");
    let both = format!("{away}{well}");
    let found = desk.json(&both, &[]);
    assert_eq!(
        (found.statuses("well"), found.code),
        (ALL_WELL.to_vec(), Some(3))
    );
    let found = desk.json(&both, &["well"]);
    assert_eq!((found.statuses("bank"), found.code), (vec![], Some(0)));
    let broken = well
        .replace("[clients.well]", "[clients.broken]")
        .replace("file:rsa.pem", "file:none.pem");
    let found = desk.json(&format!("{both}{broken}"), &[]);
    assert_eq!(found.get("broken", "key")["name"], "IO");
    assert_eq!(
        (found.statuses("well"), found.code),
        (ALL_WELL.to_vec(), Some(1))
    );
}

#[test]
fn an_outage_may_pass() {
    let desk = Desk::new();
    let outage = Outage::new(OutageKind::ServiceUnavailable);
    desk.simulator.set_outage(Some(outage));
    let found = desk.json(&desk.bank(), &["--timeout", "2"]);
    let token = found.get("bank", "token");
    assert_eq!(
        (&token["status"], &token["retryable"]),
        (&"failed".into(), &true.into())
    );
    says(token, "what", "HTTP 503");
    assert_eq!(found.code, Some(3));
}

#[test]
fn a_step_that_takes_long_is_told_meanwhile() {
    let desk = Desk::new();
    let mut outage = Outage::new(OutageKind::Slow);
    outage.delay_ms = 4000;
    desk.simulator.set_outage(Some(outage));
    let run = desk.run(&desk.bank(), &[]);
    assert_eq!(run.code, Some(0), "{}", run.stdout);
    let told = "segl: client \"bank\": asking for a token …\n";
    assert!(run.stderr.contains(told), "{}", run.stderr);
    // Nothing beside the JSON.
    assert_eq!(desk.json(&desk.bank(), &[]).code, Some(0));
}

#[test]
fn an_idporten_client_has_no_token() {
    let desk = Desk::new();
    let toml = "[clients.login]\nprofile = \"idporten\"\nenvironment = \"test\"\nclient_id = \"c\"\n\
                key = \"file:rsa.pem\"\nkid = \"file\"\n";
    let found = desk.json(toml, &[]);
    let status = |check| found.get("login", check)["status"].as_str().unwrap();
    assert_eq!((status("token"), status("network")), ("skipped", "skipped"));
    says(found.get("login", "token"), "what", "segl assert");
    assert_eq!((status("settings"), status("registration")), ("ok", "note"));
    assert_eq!(found.code, Some(0));
}

#[test]
fn the_settings_may_leave_scopes_to_each_request() {
    let desk = Desk::new();
    let toml = desk.bank().replace("scopes = [\"bank:saldo\"]\n", "");
    let found = desk.json(&toml, &[]);
    let token = found.get("bank", "token");
    assert_eq!(token["status"], "skipped", "{token}");
    says(token, "what", "--scope");
    assert_eq!(found.code, Some(0));
}

#[test]
fn a_configuration_that_cannot_be_used_is_one_finding() {
    let desk = Desk::new();
    let misspelt = desk.bank().replace("kid = ", "kidd = ");
    let broken = "[clients";
    for (toml, arguments, code, path) in [
        (&*misspelt, &[][..], "CONFIG", json!("clients.bank.kidd")),
        (broken, &[], "CONFIG", Value::Null),
        ("", &[], "CONFIG", Value::Null),
        (
            &*desk.bank(),
            &["nobody"],
            "CONFIG",
            json!("clients.nobody"),
        ),
        ("", &["--config", "none.toml"], "IO", Value::Null),
    ] {
        let found = desk.json(toml, arguments);
        assert_eq!(
            (found.all.len(), found.code),
            (1, Some(1)),
            "{:?}",
            found.all
        );
        let finding = &found.all[0];
        assert_eq!(
            (&finding["check"], &finding["status"]),
            (&"config".into(), &"failed".into())
        );
        assert_eq!(
            (&finding["client"], &finding["name"]),
            (&Value::Null, &code.into())
        );
        assert_eq!(finding["config_path"], path, "{finding}");
        assert!(finding["remedy"].is_string(), "{finding}");
    }
}

#[test]
fn files_that_are_open_to_everybody_are_told() {
    let desk = Desk::new();
    desk.chmod("rsa.pem", 0o644);
    let found = desk.json(&desk.bank(), &[]);
    let files = found.get("bank", "files");
    assert_eq!(files["status"], "warning", "{files}");
    says(files, "what", "rsa.pem");
    says(files, "remedy", "0400");
    assert_eq!(found.code, Some(0), "a warning is no failure");

    desk.chmod("rsa.pem", 0o600);
    let with_pin = "[security]\nallow_pin_value = true\n".to_owned()
        + &desk
            .bank()
            .replace("file:rsa.pem", "file:rsa.pem?pin-value=0000-wrong");
    for (toml, mode, status) in [
        (&*desk.bank(), 0o644, "note"),
        (&*desk.bank(), 0o646, "warning"),
        (&*with_pin, 0o644, "warning"),
    ] {
        // The file is written with another mode, so it is read under another name.
        desk.write("open.toml", toml.as_bytes());
        desk.chmod("open.toml", mode);
        let found = desk.json("", &["--config", "open.toml", "--no-token"]);
        let files = &found.all[1];
        assert_eq!(
            (&files["check"], &files["client"]),
            (&"files".into(), &Value::Null)
        );
        assert_eq!(files["status"], status, "{files}");
    }
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
fn registrations_are_told_by_the_settings_or_by_the_service() {
    let desk = Desk::new();
    let soon = UnixTime::from_seconds(now() + 10 * DAY).to_string();
    let near = desk.bank().replace("2099-01-01", &soon);
    let registration = |toml: &str, arguments: &[&str]| {
        let found = desk.json(toml, arguments);
        (found.get("bank", "registration").clone(), found.code)
    };
    let (finding, code) = registration(&near, &["--no-token"]);
    assert_eq!((&finding["status"], code), (&"warning".into(), Some(0)));
    says(&finding, "remedy", "registered_until");
    let silent = desk
        .bank()
        .replace("registered_until", "# registered_until");
    let (finding, _) = registration(&silent, &["--no-token"]);
    assert_eq!(finding["status"], "note");
    says(&finding, "remedy", "--admin");

    let admin = desk.client(
        "admin",
        "client_id = \"admin\"\nscopes = [\"idporten:dcr.read\"]\nkey = \"file:rsa.pem\"\nkid = \"file\"",
    );
    let asked = ["bank", "--admin", "admin"];
    let (finding, code) = registration(&format!("{silent}{admin}"), &asked);
    assert_eq!(
        (&finding["status"], code),
        (&"ok".into(), Some(0)),
        "{finding}"
    );
    says(&finding, "what", "days left");
    let (finding, code) = registration(
        &format!("{}{admin}", near.replace("\"file\"", "\"gone\"")),
        &asked,
    );
    assert_eq!(
        (&finding["name"], code),
        (&"KEY_REGISTRATION".into(), Some(1)),
        "{finding}"
    );
    let (finding, code) = registration(&silent, &asked);
    assert_eq!(
        (&finding["name"], code),
        (&"CONFIG".into(), Some(1)),
        "no such client"
    );
}

#[cfg(feature = "redis")]
#[test]
fn the_shared_cache_is_written_and_read() {
    let desk = Desk::new();
    let mut server = redis_server::Server::start();
    desk.write("seal", "A".repeat(43).as_bytes());
    let shared = format!(
        "[clients.bank.shared_cache]\nurl = \"redis://127.0.0.1:{}\"\nkey = \"file:{}\"\n",
        server.port,
        desk.path("seal").display()
    );
    let toml = desk.bank() + &shared;
    let found = desk.json(&toml, &[]);
    let cache = found.get("bank", "shared_cache");
    assert_eq!(
        (&cache["status"], found.code),
        (&"ok".into(), Some(0)),
        "{cache}"
    );
    server.kill();
    let found = desk.json(&toml, &[]);
    let cache = found.get("bank", "shared_cache");
    assert_eq!(
        (&cache["status"], found.code),
        (&"failed".into(), Some(3)),
        "{cache}"
    );
    assert_eq!(
        found.get("bank", "token")["status"],
        "ok",
        "it does without"
    );
}
