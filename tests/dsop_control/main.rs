//! DSOP Control against a bank of the simulator, with tokens of its Maskinporten.
#![cfg(all(feature = "cli", feature = "simulator"))]

mod answers;
mod hsm;
mod paging;
mod replacement;
mod requests;
mod rotation;
#[path = "../support/softhsm.rs"]
#[allow(dead_code, reason = "some of it is for the tests of PKCS#11")]
mod softhsm;
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::sync::Arc;

use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use segl::apis::dsop_control::{Case, LegalMandate, Page, Party, Period};
use segl::apis::{DsopControl, Operation};
use segl::keys::{Decrypter, SoftwareDecrypter};
use segl::profiles::ClientSettings;
use segl::simulator::{RunningSimulator, Simulator, SimulatorConfig};
use segl::{Algorithm, Call, Result, TokenClient, TokenRequest};
use serde_json::{Value, json};

const ORGANISATION: &str = "974761076";
const SCOPE: &str = "bits:kontoinformasjon";
/// Synthetic persons (KRR's pilot documentation).
const OWNER: &str = "23079422568";
const HOLDER: &str = "23079421936";
const ACCOUNT: &str = "12345678903";

/// A bank, and a client with an RSA key that signs and decrypts.
struct World {
    simulator: RunningSimulator,
    folder: tempfile::TempDir,
}

impl World {
    /// With these lines in `[bank]`.
    fn new(bank: &str) -> Self {
        Self::encrypting_to(bank, &own_jwk())
    }

    fn encrypting_to(bank: &str, jwk: &Value) -> Self {
        Self::encrypting_in_turn(bank, &[format!("jwk = {}", toml_table(jwk))])
    }

    /// To the keys in these lines of `[[bank.consumers]]`.
    fn encrypting_in_turn(bank: &str, keys: &[String]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(
            folder.path().join("key.pem"),
            support::pem(&support::rsa_key()),
        )
        .unwrap();
        let signer = support::signer(&support::rsa_key());
        let jwks = json!([signer.public_key().to_registration("k1", Algorithm::RS256)]);
        let consumers = keys
            .iter()
            .map(|key| format!("[[bank.consumers]]\norgno = '{ORGANISATION}'\n{key}"));
        let consumers: Vec<_> = consumers.collect();
        let config = format!(
            "[maskinporten.scopes.'{SCOPE}']\n[[maskinporten.clients]]\nclient_id = 'c1'\n\
             orgno = '{ORGANISATION}'\nscopes = ['{SCOPE}', 'other:scope']\njwks = '{jwks}'\n\
             [maskinporten.scopes.'other:scope']\n\
             [bank]\n{bank}\n\
             [[bank.accounts]]\nreference = '{ACCOUNT}'\nowner = '{OWNER}'\nholders = ['{HOLDER}']\ntransactions = 7\n\
             [[bank.accounts]]\nreference = '12345678911'\nowner = '{HOLDER}'\n\
             {}\n",
            consumers.join("\n")
        );
        let config = SimulatorConfig::from_toml(&config).unwrap();
        let simulator = Simulator::start(config, ([127, 0, 0, 1], 0).into()).unwrap();
        Self { simulator, folder }
    }

    fn bank_url(&self) -> &str {
        &self.simulator.urls().bank
    }

    fn settings(&self, more: &Value) -> ClientSettings {
        let urls = self.simulator.urls();
        let key = format!("file:{}", self.folder.path().join("key.pem").display());
        let mut settings = json!({
            "profile": "maskinporten",
            "environment": "test",
            "client_id": "c1",
            "key": key,
            "kid": "k1",
            "issuer": urls.maskinporten_issuer,
            "token_endpoint": urls.maskinporten_token_endpoint,
            "scopes": [SCOPE],
            "decryption": { "key": key },
        });
        for (name, value) in more.as_object().unwrap() {
            match value.is_null() {
                true => settings.as_object_mut().unwrap().remove(name),
                false => settings
                    .as_object_mut()
                    .unwrap()
                    .insert(name.clone(), value.clone()),
            };
        }
        serde_json::from_value(settings).unwrap()
    }

    fn client(&self, more: &Value) -> Arc<TokenClient> {
        let client = TokenClient::builder(self.settings(more));
        Arc::new(client.build(&Call::none()).unwrap())
    }

    fn bank_with(&self, more: &Value) -> DsopControl {
        let bank = Some(self.bank_url());
        DsopControl::new(self.client(more), TokenRequest::default(), bank).unwrap()
    }

    fn bank(&self) -> DsopControl {
        self.bank_with(&json!({}))
    }

    fn call(&self, operation: &str, input: &Value) -> Result<Value> {
        let client = self.client(&json!({}));
        let operation = Operation::named(operation).unwrap();
        let token_request = TokenRequest::default();
        let output = operation.call(&client, &token_request, &input.to_string(), &Call::none());
        output.map(|output| serde_json::from_str(&output).unwrap())
    }
}

/// The public half of the client's key as a JWK.
fn own_jwk() -> Value {
    let key = SoftwareDecrypter::from_bytes(&support::pem(&support::rsa_key()), None).unwrap();
    Value::Object(key.public_key().members())
}

fn another_key() -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap()
}

fn toml_table(jwk: &Value) -> String {
    let members = jwk.as_object().unwrap().iter();
    let members: Vec<_> = members
        .map(|(name, value)| format!("{name} = {value}"))
        .collect();
    format!("{{ {} }}", members.join(", "))
}

fn case() -> Case {
    let mandate: LegalMandate = "Skatteforvaltningsloven § 10-2 første ledd"
        .parse()
        .unwrap();
    Case::new(
        "d4a820ca-ddde-11ed-b5ea-0242ac120002".parse().unwrap(),
        mandate,
    )
}

fn party(number: &str) -> Party {
    number.parse().unwrap()
}

fn accounts(bank: &DsopControl) -> Result<Vec<Page>> {
    bank.accounts(
        &case(),
        &party(OWNER),
        true,
        Period::default(),
        &Call::none(),
    )
}

fn value(page: &Page) -> Value {
    page.parse().unwrap()
}
