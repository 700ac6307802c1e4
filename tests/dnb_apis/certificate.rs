//! The bank knows third parties by their client certificate.

use std::sync::Arc;

use segl::profiles::ClientSettings;
use segl::simulator::{RunningSimulator, Simulator, SimulatorConfig};
use segl::{Call, ErrorCode, TokenClient};
use serde_json::{Value, json};

use crate::authority::{Authority, VALID};
use crate::support::{ec_key, pem};
use crate::world::{PERSON, run};

struct Bank {
    simulator: RunningSimulator,
    folder: tempfile::TempDir,
    authority: Authority,
}

impl Bank {
    fn new() -> Self {
        let authority = Authority::new("A qualified CA");
        let trusted = String::from_utf8(authority.pem()).unwrap();
        let config = format!("[tls]\ntrusted_certificates = ['''{trusted}''']");
        let config = SimulatorConfig::from_toml(&config).unwrap().with_tls(0);
        let simulator = Simulator::start(config, ([127, 0, 0, 1], 0).into()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), simulator.ca_pem().unwrap()).unwrap();
        Self {
            simulator,
            folder,
            authority,
        }
    }

    /// A third party that has a certificate and no tokens.
    fn third_party(&self, name: &str, authority: &Authority) -> Arc<TokenClient> {
        let key = ec_key(openssl::nid::Nid::X9_62_PRIME256V1);
        let certificate = authority.client(&key, name, VALID).to_pem().unwrap();
        let file = |end: &str, bytes: &[u8]| {
            let path = self.folder.path().join(format!("{name}.{end}"));
            std::fs::write(&path, bytes).unwrap();
            format!("file:{}", path.display())
        };
        let urls = self.simulator.urls().https.as_ref().unwrap();
        let settings = json!({
            "profile": "generic",
            "token_endpoint_auth_method": "tls_client_auth",
            "token_endpoint": "https://127.0.0.1:1/no-tokens-here",
            "client_id": "none",
            "tls": {
                "key": file("key", &pem(&key)),
                "certificate": file("pem", &certificate),
                "ca_file": self.folder.path().join("ca.pem"),
            },
            "services": {"dnb_psd2": {"base_url": urls.dnb_psd2}},
        });
        let client =
            TokenClient::builder(ClientSettings::from_json(&settings.to_string()).unwrap())
                .build(&Call::none());
        Arc::new(client.unwrap())
    }
}

fn consent() -> Value {
    json!({
        "consent": {"access": {}, "validUntil": "2099-01-01", "frequencyPerDay": 4, "recurringIndicator": true},
        "psu": {"id": PERSON}, "redirect_uri": "https://tpp.example/back",
    })
}

#[test]
fn a_consent_belongs_to_the_certificate_that_asked_for_it() {
    let bank = Bank::new();
    let party = bank.third_party("party", &bank.authority);
    let created = run(&party, "dnb.psd2_create_consent", &consent()).unwrap();
    let about = json!({"consent_id": created["consentId"]});
    let status = run(&party, "dnb.psd2_consent_status", &about).unwrap();
    assert_eq!(status["consentStatus"], "received");
    let other = bank.third_party("other", &bank.authority);
    let error = run(&other, "dnb.psd2_consent_status", &about).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ApiConsentRefused, "{error}");
}

#[test]
fn without_a_good_certificate_there_is_nothing() {
    let bank = Bank::new();
    let stranger = bank.third_party("stranger", &Authority::new("Another CA"));
    let error = run(&stranger, "dnb.psd2_create_consent", &consent()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ApiUnauthorized, "{error}");
    assert!(error.message().contains("QWAC"), "{error}");
    assert_eq!(
        error.details().provider_code.as_deref(),
        Some("CERTIFICATE_INVALID")
    );
}
