//! The key that decrypts is in a token.

use std::os::unix::fs::PermissionsExt;
use std::sync::OnceLock;

use segl::keys::{self, HealthState, KeyUri};
use segl::{ErrorCode, PublicJwk};
use serde_json::json;
use softhsm::{PIN, SoftHsm};

use super::*;

/// What the URIs of keys in the token `agency` or `renewing` begin with. The module
/// reads its configuration once in a process, so the tests share it; each has a token of
/// its own, for a failure counts for the whole token.
fn token(label: &str) -> String {
    static HSM: OnceLock<SoftHsm> = OnceLock::new();
    let hsm = HSM.get_or_init(|| {
        let hsm = SoftHsm::new("dsop-control");
        hsm.init_token("agency");
        hsm.init_token("renewing");
        fs::write(hsm.path("pin"), PIN).unwrap();
        fs::set_permissions(hsm.path("pin"), fs::Permissions::from_mode(0o600)).unwrap();
        hsm
    });
    format!(
        "pkcs11:token={label}?module-path={}&pin-source=file:{}",
        softhsm::module(),
        hsm.path("pin").display()
    )
}

/// What `segl key generate` says of a new key in the token.
fn generated(alg: &str, label: &str, token_label: &str) -> Value {
    let token = token(token_label);
    let arguments = [
        "key", "generate", "--alg", alg, "--label", label, "--token", &token,
    ];
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_segl"))
        .arg("--json")
        .args(arguments)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn public_half(made: &Value) -> Value {
    json!({ "kty": "RSA", "n": made["jwk"]["n"], "e": made["jwk"]["e"] })
}

#[test]
fn answers_are_decrypted_with_a_key_in_a_token() {
    let made = generated("RSA-OAEP", "dsop", "agency");
    assert_eq!(
        (&made["jwk"]["use"], &made["jwk"]["alg"]),
        (&json!("enc"), &json!("RSA-OAEP"))
    );
    let jwk = public_half(&made);

    // SoftHSM does OAEP with SHA-1 only.
    let world = World::encrypting_to("alg = 'RSA-OAEP'", &jwk);
    let key = made["key"].as_str().unwrap();
    let decryption = json!({ "key": key, "key_encryption": ["RSA-OAEP"] });
    let bank = world.bank_with(&json!({ "decryption": decryption }));
    let pages = accounts(&bank).unwrap();
    assert_eq!(value(&pages[0])["accounts"][0]["accountReference"], ACCOUNT);

    let world = World::encrypting_to("alg = 'RSA-OAEP-256'", &jwk);
    let decryption = json!({ "key": key });
    let bank = world.bank_with(&json!({ "decryption": decryption }));
    let error = accounts(&bank).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Mechanism, "{error}");
    assert!(
        error.message().contains("RSA-OAEP and name that"),
        "{error}"
    );
}

/// The old key is in the token, the new one in a file; banks do not say which they use.
#[test]
fn the_key_of_another_in_a_token_is_no_fault_of_the_token() {
    let made = generated("RSA-OAEP", "dsop-old", "renewing");
    let signs = generated("RS256", "signs", "renewing");
    let uri: KeyUri = signs["key"].as_str().unwrap().parse().unwrap();
    let signer = keys::open(&uri, None, &Call::none()).unwrap();
    // As long as the old one: the token has to be asked to find out.
    let old = PublicJwk::from_json(&public_half(&made).to_string()).unwrap();
    let new = openssl::rsa::Rsa::generate(old.bits()).unwrap();
    let new = support::pem(&openssl::pkey::PKey::from_rsa(new).unwrap());
    let own = SoftwareDecrypter::from_bytes(&new, None).unwrap();
    let consumers = [
        public_half(&made),
        Value::Object(own.public_key().members()),
    ];
    let consumers = consumers.map(|jwk| format!("jwk = {}", toml_table(&jwk)));
    let bank = "alg = 'RSA-OAEP'\nkey_name = 'none'\npage_size = 2";
    let world = World::encrypting_in_turn(bank, &consumers);
    let path = world.folder.path().join("new.pem");
    fs::write(&path, new).unwrap();
    let in_file = format!("file:{}", path.display());
    let decryption = json!({
        "keys": [{ "key": made["key"] }, { "key": in_file }],
        "key_encryption": ["RSA-OAEP"],
    });
    let bank = world.bank_with(&json!({ "decryption": decryption }));
    let counters = || {
        let token = signer.health().token.unwrap();
        let counters = token.counters;
        let recoveries = (counters.healed, counters.reinitialisations);
        (token.failures, counters.failed, counters.logins, recoveries)
    };
    accounts(&bank).unwrap();
    let before = counters();
    let period = Period::new(Some("2025-01-01"), None).unwrap();
    let pages = bank.transactions(&case(), ACCOUNT, period, &Call::none());
    assert_eq!(pages.unwrap().len(), 4);
    assert_eq!(counters(), before);
    assert_eq!(signer.health().state, HealthState::Ready);
    signer
        .sign(Algorithm::RS256, b"message", &Call::none())
        .unwrap();
}
