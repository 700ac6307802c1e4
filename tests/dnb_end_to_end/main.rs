//! DNB from the registration JWT to the API behind the token, over https with client
//! certificates, against the simulator. Keys are in SoftHSM, in a KMS, in PKCS#12.
#![cfg(all(feature = "cli", feature = "simulator", target_os = "linux"))]

mod command;
mod hsm;
#[cfg(feature = "awskms")]
mod kms;
mod refusals;
mod sharing;

#[path = "../support/authority.rs"]
mod authority;
#[cfg(feature = "awskms")]
#[path = "../support/fake_kms.rs"]
mod fake_kms;
#[path = "../support/fault.rs"]
mod fault;
#[path = "../support/memory_store.rs"]
mod memory_store;
#[path = "../support/softhsm.rs"]
#[allow(dead_code, reason = "some of it is for the tests of PKCS#11")]
mod softhsm;
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use authority::{Authority, Days, VALID};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::x509::X509;
use segl::apis::ApiRequest;
use segl::clock::{Clock, SystemClock};
use segl::http::Response;
use segl::profiles::ClientSettings;
use segl::simulator::{RunningSimulator, Simulator, SimulatorConfig, Urls};
use segl::token::TokenClientBuilder;
use segl::{Call, Result, Signer, TokenClient, TokenRequest};
use serde_json::{Value, json};
use softhsm::{PIN, SoftHsm};

const SCOPE: &str = "openbanking.prevalidation.norway:validate";

/// What all tests share.
struct World {
    /// Keeps SoftHSM initialised.
    _first: Arc<dyn Signer>,
    hsm: SoftHsm,
    /// Issues the client certificates that the bank takes.
    authority: Authority,
    fault_module: PathBuf,
}

/// The token `bank` has the EC keys `assertion` and `tls-ec` and the RSA key `tls-rsa`;
/// `lost` has them for one test alone.
fn world() -> &'static World {
    static WORLD: LazyLock<World> = LazyLock::new(|| {
        let hsm = SoftHsm::new("dnb-end-to-end");
        for token in ["bank", "lost"] {
            hsm.init_token(token);
            hsm.generate(token, "EC:prime256v1", "01", "assertion", &[]);
            hsm.generate(token, "rsa:2048", "02", "tls-rsa", &[]);
            hsm.generate(token, "EC:prime256v1", "03", "tls-ec", &[]);
        }
        secret(&hsm.path("pin"), PIN.as_bytes());
        let fault_module = fault::set_up();
        // SoftHSM must not be initialised by two threads at once.
        let first = segl::KeyUri::Pkcs11(softhsm::uri("token=bank;object=assertion"));
        let first = segl::keys::open(&first, softhsm::pin(), &Call::none()).unwrap();
        World {
            _first: first,
            hsm,
            authority: Authority::new("A qualified CA"),
            fault_module,
        }
    });
    &WORLD
}

fn secret(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// The URI of a key in SoftHSM, by itself or behind the module at `module`.
fn key_in(module: &str, token: &str, object: &str) -> String {
    let pin = world().hsm.path("pin");
    format!(
        "pkcs11:token={token};object={object}?module-path={module}&pin-source=file:{}",
        pin.display()
    )
}

fn key(object: &str) -> String {
    key_in(softhsm::module(), "bank", object)
}

/// A bank that listens on https, and a folder for its clients' files.
struct Bank {
    simulator: RunningSimulator,
    folder: tempfile::TempDir,
}

impl Bank {
    /// With these lines in its table `[tls]`.
    fn new(tls: &str) -> Self {
        Self::at(tls, Arc::new(SystemClock))
    }

    fn at(tls: &str, clock: Arc<dyn Clock>) -> Self {
        let trusted = String::from_utf8(world().authority.pem()).unwrap();
        let config = format!("[tls]\ntrusted_certificates = ['''{trusted}''']\n{tls}");
        let config = SimulatorConfig::from_toml(&config).unwrap().with_tls(0);
        let address = ([127, 0, 0, 1], 0).into();
        let simulator = Simulator::start_with_clock(config, address, clock).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let bank = Self { simulator, folder };
        let ca = bank.simulator.ca_pem().unwrap();
        bank.write("ca.pem", ca.as_bytes());
        bank
    }

    fn urls(&self) -> &Urls {
        self.simulator.urls().https.as_ref().unwrap()
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        secret(&path, bytes);
        path
    }

    /// A certificate for the key of `uri`, in a file that is called `name`.
    fn certify(&self, uri: &str, name: &str, days: Days) -> X509 {
        let signer = segl::keys::open(&uri.parse().unwrap(), None, &Call::none()).unwrap();
        self.certify_signer(&*signer, name, days)
    }

    fn certify_signer(&self, signer: &dyn Signer, name: &str, days: Days) -> X509 {
        let spki = signer.public_key().to_spki_der().unwrap();
        let public = PKey::public_key_from_der(&spki).unwrap();
        let x509 = world().authority.client(&public, name, days);
        self.write(&format!("{name}.pem"), &x509.to_pem().unwrap());
        x509
    }

    /// `tls` with this key and the certificate that was made as `name`.
    fn tls(&self, uri: &str, name: &str) -> Value {
        let certificate = self.folder.path().join(format!("{name}.pem"));
        json!({
            "key": uri,
            "certificate": format!("file:{}", certificate.display()),
            "ca_file": self.folder.path().join("ca.pem"),
        })
    }

    /// `tls` without a certificate.
    fn no_certificate(&self) -> Value {
        json!({"ca_file": self.folder.path().join("ca.pem")})
    }

    /// Settings of a client whose assertions `uri` signs.
    fn settings(&self, uri: &str, tls: &Value) -> Value {
        let urls = self.urls();
        json!({
            "profile": "dnb",
            "issuer": urls.dnb_issuer,
            "discovery": true,
            "key": uri,
            "scopes": [SCOPE],
            "apis": [format!("{}/dnb/api/", urls.base)],
            "tls": tls,
        })
    }

    /// Registers the key of these settings, and returns them with the client's id.
    fn registered(&self, mut settings: Value) -> Value {
        settings["client_id"] = json!(self.register(&build(&settings).unwrap()));
        settings
    }

    /// What the bank's people do with a registration JWT.
    fn register(&self, client: &TokenClient) -> String {
        let jwt = client.registration(&Call::none()).unwrap();
        let url = format!("{}/dnb/register", self.simulator.urls().admin);
        let answer = ureq::post(&url).send(&jwt).unwrap();
        let answer = answer.into_body().read_to_string().unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        answer["client_id"].as_str().unwrap().to_owned()
    }

    /// A client whose key is registered.
    fn client(&self, uri: &str, tls: &Value) -> Arc<TokenClient> {
        Arc::new(build(&self.registered(self.settings(uri, tls))).unwrap())
    }

    /// Asks the API who is there.
    fn call(&self, client: &Arc<TokenClient>) -> Result<Response> {
        ApiRequest::new("GET", &self.urls().dnb_api)?.send(
            client,
            TokenRequest::default(),
            &Call::none(),
        )
    }

    /// That the API takes the client's token on a connection with `x509`.
    fn lets_in(&self, client: &Arc<TokenClient>, x509: &X509) {
        let answer = self
            .call(client)
            .unwrap_or_else(|error| panic!("{error:?}"));
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(answer.status, 200, "{body}");
        assert_eq!(body["x5t#S256"], json!(thumbprint(x509)));
        assert_eq!(body["scope"], SCOPE);
        let token = client.token(&TokenRequest::default(), &Call::none());
        let claims = support::claims(token.unwrap().access_token());
        assert_eq!(claims["cnf"], json!({"x5t#S256": thumbprint(x509)}));
        assert_eq!(claims["jti"], body["jti"], "that very token");
    }
}

/// `x5t#S256` of RFC 8705.
fn thumbprint(x509: &X509) -> String {
    URL_SAFE_NO_PAD.encode(x509.digest(MessageDigest::sha256()).unwrap())
}

fn builder(settings: &Value) -> TokenClientBuilder {
    TokenClient::builder(ClientSettings::from_json(&settings.to_string()).unwrap())
}

fn build(settings: &Value) -> Result<TokenClient> {
    builder(settings).build(&Call::none())
}

/// The description in the body of an answer.
fn description(answer: &Response) -> String {
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    body["error_description"].as_str().unwrap().to_owned()
}
