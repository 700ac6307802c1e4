//! `segl api` with DNB's operations.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::{p256_key, pem};
use crate::world::{PERSON, World};

#[test]
fn a_consent_from_the_command_line() {
    let world = World::new("");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("key.pem"), pem(&p256_key())).unwrap();
    let urls = world.simulator.urls();
    let toml = format!(
        "[clients.bank]\nprofile = 'dnb'\ntoken_endpoint = '{}'\nclient_id = 'bank'\nkid = 'k'\nkey = 'file:key.pem'\n\
         [clients.bank.services.dnb_psd2]\nbase_url = '{}'\n\
         [clients.bank.services.dnb_currencies]\nbase_url = '{}'\napi_key = 'env:DNB_KEY'\n",
        urls.dnb_token_endpoint, urls.dnb_psd2, urls.dnb_currencies
    );
    std::fs::write(folder.path().join("segl.toml"), toml).unwrap();
    let segl = |arguments: &[&str]| -> Value {
        let output = Command::new(env!("CARGO_BIN_EXE_segl"))
            .args(arguments)
            .current_dir(folder.path())
            .env("NO_PROXY", "127.0.0.1")
            .env("DNB_KEY", "any")
            .output()
            .unwrap();
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
    };
    let consent = json!({
        "consent": {"access": {}, "validUntil": "2099-01-01", "frequencyPerDay": 4, "recurringIndicator": true},
        "psu": {"id": PERSON}, "redirect_uri": "https://tpp.example/",
    });
    std::fs::write(folder.path().join("consent.json"), consent.to_string()).unwrap();
    let created = segl(&[
        "api",
        "call",
        "bank",
        "dnb.psd2_create_consent",
        "@consent.json",
    ]);
    let id = created["consentId"].as_str().unwrap();
    world.approve(id);
    let input = json!({"consent_id": id}).to_string();
    let accounts = segl(&["api", "call", "bank", "dnb.psd2_accounts", &input]);
    assert_eq!(accounts["accounts"][0]["bban"], "12035864022");
    let rates = segl(&["api", "call", "bank", "dnb.currency_rates"]);
    assert_eq!(rates["rates"][0]["rate"], "11.4350");
}
