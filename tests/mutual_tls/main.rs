//! Client certificates whose key is any signer, against servers that are not segl's:
//! `openssl s_server` and nginx.

mod bounds;
mod chains;
mod client_authentication;
mod fork;
mod hostile;
mod nginx_server;
mod proxy;
mod refusals;
mod resumption;
mod scripted_server;
mod settings;
mod versions;

#[path = "../support/authority.rs"]
mod authority;
#[path = "../support/fault.rs"]
mod fault;
#[path = "../support/memory_store.rs"]
mod memory_store;
#[path = "../support/nginx.rs"]
mod nginx;
#[path = "../support/openssl_server.rs"]
mod openssl_server;
#[path = "../support/softhsm.rs"]
#[allow(dead_code, reason = "some of it is for the tests of PKCS#11")]
mod softhsm;
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use authority::{Authority, Days, VALID};
use fault::FaultModule;
use openssl::pkey::PKey;
use openssl::x509::X509;
use segl::http::{Method, Request, Response};
use segl::keys::{Origin, PublicJwk};
use segl::{Algorithm, Call, Result, Signer, TokenClient};
use serde_json::{Value, json};
use softhsm::{PIN, SoftHsm};
use support::p256_key;

/// What all tests share.
struct World {
    /// Keeps SoftHSM initialised.
    _first: Arc<dyn Signer>,
    /// Issues the certificates of servers and clients.
    authority: Authority,
    /// Issues others.
    stranger: Authority,
    dir: PathBuf,
    fault_module: PathBuf,
}

/// Each token is one test's, with an RSA key `rsa` and an EC key `ec`.
const TOKENS: [&str; 10] = [
    "first",
    "every-version",
    "beside",
    "pkcs1",
    "pin",
    "killed",
    "hangs",
    "late",
    "crowd",
    "nginx",
];

fn world() -> &'static World {
    static WORLD: LazyLock<World> = LazyLock::new(|| {
        let hsm = SoftHsm::new("mutual-tls");
        for token in TOKENS {
            hsm.init_token(token);
            hsm.generate(token, "rsa:2048", "01", "rsa", &[]);
            hsm.generate(token, "EC:prime256v1", "02", "ec", &[]);
        }
        let fault_module = fault::set_up();
        // SoftHSM must not be initialised by two threads at once.
        let first = segl::KeyUri::Pkcs11(softhsm::uri("token=first;object=ec"));
        let first = segl::keys::open(&first, softhsm::pin(), &Call::none()).unwrap();
        let world = World {
            _first: first,
            authority: Authority::new("The authority"),
            stranger: Authority::new("A stranger"),
            dir: hsm.path(""),
            fault_module,
        };
        world.write("ca.pem", &world.authority.pem());
        world.write("stranger.pem", &world.stranger.pem());
        world
    });
    &WORLD
}

impl World {
    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.dir.join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// As [`World::write`], for nobody else's eyes.
    fn secret(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.write(name, bytes);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// A `file:` URI of what is written.
    fn file(&self, name: &str, bytes: &[u8]) -> String {
        format!("file:{}", self.write(name, bytes).display())
    }

    /// The certificate of `signer` for a client called `name`, by the authority.
    fn certify(&self, signer: &dyn Signer, name: &str, days: Days) -> X509 {
        certify(&self.authority, signer, name, days)
    }

    /// `tls` for `signer`, with a certificate for a client called `name`.
    fn tls(&self, signer: &dyn Signer, name: &str) -> Value {
        let pem = self.certify(signer, name, VALID).to_pem().unwrap();
        json!({
            "certificate": self.file(&format!("{name}.pem"), &pem),
            "ca_file": self.dir.join("ca.pem"),
        })
    }

    /// A module of its own, in front of SoftHSM.
    fn module(&self, name: &str) -> FaultModule {
        FaultModule::load(&self.fault_module, name)
    }
}

fn certify(authority: &Authority, signer: &dyn Signer, name: &str, days: Days) -> X509 {
    let key = signer.public_key().to_spki_der().unwrap();
    authority.client(&PKey::public_key_from_der(&key).unwrap(), name, days)
}

/// The URI of a key on a token of `module`, with its PIN.
fn uri(module: &FaultModule, token: &str, object: &str) -> String {
    format!(
        "pkcs11:token={token};object={object}?module-path={}&pin-value={PIN}",
        module.path().display()
    )
}

fn open(module: &FaultModule, token: &str, object: &str) -> Arc<dyn Signer> {
    let uri = module.uri(&format!("token={token};object={object}"));
    let uri = segl::KeyUri::Pkcs11(uri);
    segl::keys::open(&uri, softhsm::pin(), &Call::none()).unwrap()
}

/// A client with these settings for TLS.
fn client(tls: &Value, signer: Option<Arc<dyn Signer>>) -> Result<TokenClient> {
    let settings = json!({
        "profile": "generic",
        "issuer": "https://as.example",
        "token_endpoint": "https://as.example/token",
        "client_id": "c1",
        "tls": tls,
    });
    let settings = segl::profiles::ClientSettings::from_json(&settings.to_string())?;
    let mut builder = TokenClient::builder(settings)
        .pin_policy(allow_pin_values())
        .signer(support::signer(&p256_key()));
    if let Some(signer) = signer {
        builder = builder.tls_signer(signer);
    }
    builder.build(&Call::none())
}

fn allow_pin_values() -> segl::keys::uri::PinPolicy {
    segl::keys::uri::PinPolicy {
        allow_value: true,
        ..Default::default()
    }
}

/// Asks for `url` on a connection that is not kept.
fn get(client: &TokenClient, url: &str, call: &Call) -> Result<Response> {
    let request = Request::new(Method::Get, url.parse()?).header("Connection", "close");
    client.transport().send(&request, call)
}

/// The page of `url`.
fn page(client: &TokenClient, url: &str) -> String {
    let answer = get(client, url, &Call::none()).unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(answer.status, 200);
    String::from_utf8(answer.body.to_vec()).unwrap()
}

/// A signer of the program's own that counts, and knows some algorithms only.
#[derive(Debug)]
struct Counting {
    inner: Arc<dyn Signer>,
    algorithms: Vec<Algorithm>,
    signatures: AtomicUsize,
}

impl Counting {
    fn new(inner: Arc<dyn Signer>) -> Arc<Self> {
        let algorithms = inner.algorithms().to_vec();
        Self::with(inner, &algorithms)
    }

    fn with(inner: Arc<dyn Signer>, algorithms: &[Algorithm]) -> Arc<Self> {
        Arc::new(Self {
            inner,
            algorithms: algorithms.to_vec(),
            signatures: AtomicUsize::new(0),
        })
    }

    fn count(&self) -> usize {
        self.signatures.load(Ordering::SeqCst)
    }
}

impl Signer for Counting {
    fn public_key(&self) -> &PublicJwk {
        self.inner.public_key()
    }

    fn algorithms(&self) -> &[Algorithm] {
        &self.algorithms
    }

    fn sign(&self, alg: Algorithm, message: &[u8], call: &Call) -> Result<Vec<u8>> {
        assert!(self.algorithms.contains(&alg), "{alg}");
        self.signatures.fetch_add(1, Ordering::SeqCst);
        self.inner.sign(alg, message, call)
    }

    fn origin(&self) -> Origin {
        Origin::new("foreign")
    }
}
