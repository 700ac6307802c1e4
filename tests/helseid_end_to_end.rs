//! HelseID over https with a key in SoftHSM, against the simulator: DPoP, its nonces,
//! and the API behind the token.
#![cfg(all(feature = "cli", feature = "simulator", target_os = "linux"))]

#[path = "support/softhsm.rs"]
#[allow(dead_code, reason = "some of it is for the tests of PKCS#11")]
mod softhsm;
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::{Arc, LazyLock};

use segl::apis::ApiRequest;
use segl::profiles::ClientSettings;
use segl::simulator::{RunningSimulator, Simulator, SimulatorConfig, Urls};
use segl::{Algorithm, Call, Signer, TokenClient, TokenRequest};
use serde_json::{Value, json};
use softhsm::{PIN, SoftHsm};

const SCOPE: &str = "nhn:kjernejournal/api";

/// A token with an RSA key `rsa` and an EC key `ec`.
static HSM: LazyLock<SoftHsm> = LazyLock::new(|| {
    let hsm = SoftHsm::new("helseid-end-to-end");
    hsm.init_token("health");
    hsm.generate("health", "rsa:2048", "01", "rsa", &[]);
    hsm.generate("health", "EC:prime256v1", "02", "ec", &[]);
    fs::write(hsm.path("pin"), PIN).unwrap();
    fs::set_permissions(hsm.path("pin"), fs::Permissions::from_mode(0o600)).unwrap();
    // SoftHSM must not be initialised by two threads at once.
    let first = segl::KeyUri::Pkcs11(softhsm::uri("token=health;object=ec"));
    segl::keys::open(&first, softhsm::pin(), &Call::none()).unwrap();
    hsm
});

fn key(object: &str) -> String {
    format!(
        "pkcs11:token=health;object={object}?module-path={}&pin-source=file:{}",
        softhsm::module(),
        HSM.path("pin").display()
    )
}

fn open(object: &str) -> Arc<dyn Signer> {
    segl::keys::open(&key(object).parse().unwrap(), None, &Call::none()).unwrap()
}

/// A service on https that knows the client `c1` by both keys, under their names.
struct Service {
    simulator: RunningSimulator,
    folder: tempfile::TempDir,
}

impl Service {
    /// With these lines in `[helseid.dpop]`.
    fn new(dpop: &str) -> Self {
        let jwk = |object, alg| {
            let signer = open(object);
            Value::Object(signer.public_key().to_registration(object, alg))
        };
        let jwks = json!([jwk("rsa", Algorithm::PS256), jwk("ec", Algorithm::ES256)]);
        let config = format!(
            "[helseid.dpop]\n{dpop}\n[[helseid.clients]]\nclient_id = 'c1'\nscopes = ['{SCOPE}']\njwks = '{jwks}'\n"
        );
        let config = SimulatorConfig::from_toml(&config).unwrap().with_tls(0);
        let simulator = Simulator::start(config, ([127, 0, 0, 1], 0).into()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.pem"), simulator.ca_pem().unwrap()).unwrap();
        Self { simulator, folder }
    }

    fn urls(&self) -> &Urls {
        self.simulator.urls().https.as_ref().unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn client(&self, object: &str) -> Arc<TokenClient> {
        let settings = json!({
            "profile": "helseid", "environment": "test", "client_id": "c1", "kid": object,
            "issuer": self.urls().helseid_issuer, "discovery": true, "key": key(object),
            "scopes": [SCOPE], "tls": {"ca_file": self.path("ca.pem")},
        });
        let settings = ClientSettings::from_json(&settings.to_string()).unwrap();
        let client = TokenClient::builder(settings).build(&Call::none());
        Arc::new(client.unwrap())
    }

    fn segl(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_segl"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env("NO_PROXY", "127.0.0.1")
            .output()
            .unwrap()
    }
}

#[test]
fn an_api_call_with_either_key() {
    for object in ["rsa", "ec"] {
        let service = Service::new("");
        let client = service.client(object);
        let request = ApiRequest::new("GET", &service.urls().helseid_api).unwrap();
        for _ in 0..3 {
            let answer = request.send(&client, TokenRequest::default(), &Call::none());
            let answer = answer.unwrap_or_else(|error| panic!("{error:?}"));
            let body: Value = serde_json::from_slice(&answer.body).unwrap();
            assert_eq!(answer.status, 200, "{body}");
            assert_eq!(body["jkt"], open(object).public_key().thumbprint());
            assert_eq!(
                (&body["client_id"], &body["scope"]),
                (&json!("c1"), &json!(SCOPE))
            );
        }
        let requests = service.simulator.requests();
        assert_eq!(requests.helseid_issued, 1);
        // One for the token endpoint, one for the API: each has nonces of its own.
        assert_eq!(requests.dpop_nonce_demanded, 2);
        assert_eq!((requests.dpop_accepted, requests.dpop_refused), (4, 0));
    }
}

#[test]
fn nonces_that_are_replaced_cost_a_proof_and_no_token() {
    let service = Service::new("nonce_uses = 2");
    let client = service.client("ec");
    let request = ApiRequest::new("POST", &service.urls().helseid_api).unwrap();
    for _ in 0..9 {
        let answer = request.send(&client, TokenRequest::default(), &Call::none());
        assert_eq!(answer.unwrap().status, 200);
    }
    let requests = service.simulator.requests();
    assert_eq!(requests.helseid_issued, 1);
    assert_eq!(requests.dpop_accepted, 10);
    assert_eq!(requests.dpop_refused, 0);
    // The nonce of an answer is the next request's, so that only the first of each
    // server is asked for.
    assert_eq!(requests.dpop_nonce_demanded, 2);
}

#[test]
fn the_command_gets_through() {
    let service = Service::new("");
    let urls = service.urls();
    let toml = format!(
        "[clients.health]\nprofile = 'helseid'\nenvironment = 'test'\nissuer = '{}'\ndiscovery = true\n\
         client_id = 'c1'\nkid = 'rsa'\nkey = '{}'\nscopes = ['{SCOPE}']\n[clients.health.tls]\nca_file = 'ca.pem'\n",
        urls.helseid_issuer,
        key("rsa"),
    );
    fs::write(service.path("segl.toml"), toml).unwrap();
    let url = format!("{}?scope={SCOPE}", urls.helseid_api);
    let output = service.segl(&["call", "health", "GET", &url]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    let body: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(body["jkt"], open("rsa").public_key().thumbprint());

    let denied = format!("{}?scope=nhn:other", urls.helseid_api);
    let output = service.segl(&["call", "health", "GET", &denied]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("insufficient_scope"));
}
