//! `segl doctor`, as a person runs it, against the simulator.
#![cfg(all(feature = "cli", feature = "simulator"))]

#[path = "../support/authority.rs"]
mod authority;
mod bound;
mod certificates;
mod files;
mod keys;
#[cfg(feature = "redis")]
#[path = "../support/redis_server.rs"]
mod redis_server;
mod service;
#[path = "../support/softhsm.rs"]
#[allow(dead_code, reason = "each test uses its own part")]
mod softhsm;
#[path = "../support/mod.rs"]
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
