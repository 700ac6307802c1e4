//! The key that decrypts is in a token.

use std::os::unix::fs::PermissionsExt;

use segl::ErrorCode;
use serde_json::json;
use softhsm::{PIN, SoftHsm};

use super::*;

#[test]
fn answers_are_decrypted_with_a_key_in_a_token() {
    let hsm = SoftHsm::new("dsop-control");
    hsm.init_token("agency");
    fs::write(hsm.path("pin"), PIN).unwrap();
    fs::set_permissions(hsm.path("pin"), fs::Permissions::from_mode(0o600)).unwrap();
    let base = format!(
        "pkcs11:token=agency?module-path={}&pin-source=file:{}",
        softhsm::module(),
        hsm.path("pin").display()
    );
    let arguments = [
        "key", "generate", "--alg", "RSA-OAEP", "--label", "dsop", "--token", &base,
    ];
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_segl"))
        .arg("--json")
        .args(arguments)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    let made: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&made["jwk"]["use"], &made["jwk"]["alg"]),
        (&json!("enc"), &json!("RSA-OAEP"))
    );
    let jwk = json!({ "kty": "RSA", "n": made["jwk"]["n"], "e": made["jwk"]["e"] });

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
