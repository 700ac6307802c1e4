//! A simulator with a bank, an agency and clients of theirs, and customers.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use segl::apis::Kfr;
use segl::keys::OrgNumber;
use segl::profiles::ClientSettings;
use segl::simulator::{Outage, OutageKind, RunningSimulator, Simulator, SimulatorConfig};
use segl::{Algorithm, Call, TokenClient, TokenRequest};
use serde_json::{Value, json};

use crate::support::{pem, rsa_key, signer};

pub const BANK: &str = "916960190";
pub const OTHER_BANK: &str = "910753614";
pub const ORG: &str = "917439389";
/// Of KRR's pilot documentation: nobody's.
pub const PERSON: &str = "23079422568";
pub const ALL_SCOPES: [&str; 3] = [
    "bits:kundeforhold.write",
    "bits:kundeforhold",
    "bits:kundeforhold.konto",
];

pub struct World {
    pub simulator: RunningSimulator,
    pub folder: tempfile::TempDir,
}

impl World {
    pub fn new() -> Self {
        Self::with("")
    }

    /// With more of the table `[kfr]`.
    pub fn with(kfr: &str) -> Self {
        let key = signer(&rsa_key()).public_key().clone();
        let set = json!([key.to_registration("key-1", Algorithm::RS256)]);
        let config = format!(
            r#"
            [kfr]
            {kfr}
            [[kfr.banks]]
            orgno = "{BANK}"
            name = "TESTBANKEN ÆRLIG ASA"
            registration_numbers = ["1503"]
            [[maskinporten.clients]]
            client_id = "bank"
            orgno = "{BANK}"
            scopes = {}
            jwks = '{set}'
            "#,
            json!(ALL_SCOPES)
        );
        let simulator = Simulator::start(
            SimulatorConfig::from_toml(&config).unwrap(),
            ([127, 0, 0, 1], 0).into(),
        )
        .unwrap();
        let world = Self {
            simulator,
            folder: tempfile::tempdir().unwrap(),
        };
        std::fs::write(world.path("key.pem"), pem(&rsa_key())).unwrap();
        std::fs::write(world.path("segl.toml"), world.segl_toml()).unwrap();
        world
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The settings of the bank's client, as JSON.
    pub fn settings(&self, scopes: &[&str]) -> Value {
        json!({
            "profile": "maskinporten",
            "issuer": self.simulator.urls().maskinporten_issuer,
            "client_id": "bank",
            "kid": "key-1",
            "scopes": scopes,
            "services": { "kfr": { "base_url": self.simulator.urls().kfr } },
        })
    }

    fn segl_toml(&self) -> String {
        format!(
            r#"
            [clients.bank]
            profile = "maskinporten"
            issuer = "{}"
            client_id = "bank"
            kid = "key-1"
            key = "file:{}"
            scopes = {}
            [clients.bank.services.kfr]
            base_url = "{}"
            "#,
            self.simulator.urls().maskinporten_issuer,
            self.path("key.pem").display(),
            json!(ALL_SCOPES),
            self.simulator.urls().kfr,
        )
    }

    pub fn client(&self) -> Arc<TokenClient> {
        self.client_with(&self.settings(&ALL_SCOPES))
    }

    pub fn client_with(&self, settings: &Value) -> Arc<TokenClient> {
        let settings = ClientSettings::from_json(&settings.to_string()).unwrap();
        let client = TokenClient::builder(settings)
            .signer(signer(&rsa_key()))
            .build(&Call::none());
        Arc::new(client.unwrap())
    }

    pub fn kfr(&self) -> Kfr {
        Kfr::new(self.client(), TokenRequest::default()).unwrap()
    }

    pub fn kfr_with_scopes(&self, scopes: &[&str]) -> Kfr {
        let client = self.client_with(&self.settings(scopes));
        Kfr::new(client, TokenRequest::default()).unwrap()
    }

    /// Writes `text` to a file.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The program in the world's folder.
    pub fn segl(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_segl"));
        command.current_dir(self.folder.path());
        command
    }

    /// What the register has of the bank, and how many relations it has still to load.
    pub fn loaded(&self) -> (Vec<String>, u64) {
        let url = format!("{}/kfr/relations/{BANK}", self.simulator.urls().admin);
        let mut answer = ureq::get(&url).call().unwrap();
        let answer: Value = serde_json::from_str(
            &answer
                .body_mut()
                .with_config()
                .limit(1 << 30)
                .read_to_string()
                .unwrap(),
        )
        .unwrap();
        let loaded = answer["loaded"].as_array().unwrap().iter();
        let loaded = loaded.map(|one| one.as_str().unwrap().to_owned()).collect();
        (loaded, answer["waiting"].as_u64().unwrap())
    }

    /// An outage of the batch endpoint.
    pub fn outage(&self, kind: OutageKind, count: Option<u32>) {
        let mut outage = Outage::new(kind);
        outage.count = count;
        outage.path = Some(self.batch_path());
        self.simulator.set_outage(Some(outage));
    }

    pub fn batch_path(&self) -> String {
        format!("/kfr/kar-ws/api/v1/customers/financialInstitutions/{BANK}/batch")
    }
}

pub fn bank() -> OrgNumber {
    BANK.parse().unwrap()
}

/// The first `count` organisation numbers from 800000000 on.
pub fn numbers(count: usize) -> impl Iterator<Item = String> {
    (80_000_000_u32..)
        .filter_map(|start| {
            let weights = [3, 2, 7, 6, 5, 4, 3, 2];
            let text = start.to_string();
            let digits = text.bytes().map(|digit| u32::from(digit - b'0'));
            let sum: u32 = digits
                .zip(weights)
                .map(|(digit, weight)| digit * weight)
                .sum();
            match (11 - sum % 11) % 11 {
                10 => None,
                check => Some(format!("{text}{check}")),
            }
        })
        .take(count)
}

/// A file with a relation a line.
pub fn lines(count: usize) -> String {
    numbers(count).fold(String::new(), |mut text, number| {
        let _ = writeln!(text, "{number}#2019-11-08");
        text
    })
}

/// What the register has of such a file.
pub fn sorted_lines(count: usize) -> Vec<String> {
    let mut lines: Vec<_> = numbers(count)
        .map(|number| format!("{number}#2019-11-08"))
        .collect();
    lines.sort();
    lines
}

pub fn journal_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".kfr-state");
    name.into()
}
