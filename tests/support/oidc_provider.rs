//! The authorisation server of one test, a program of its own that ends with it.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use segl::http::{Method, Request, Response, Transport, TransportSettings, UreqTransport};
use segl::profiles::ClientSettings;
use segl::token::TokenClientBuilder;
use segl::{Algorithm, Call, Endpoint, Signer, TokenClient};
use serde::Deserialize;
use serde_json::{Value, json};

/// What tokens are for that the server makes as JWTs (RFC 9068).
pub const JWT_API: &str = "https://jwt.api.example";

/// What tokens are for that only the server can read.
pub const OPAQUE_API: &str = "https://opaque.api.example";

/// The client that every server knows.
pub const CLIENT: &str = "segl";

/// An oidc-provider on a free port of loopback, and the API behind its tokens on
/// another one.
pub struct Server {
    process: Child,
    urls: Urls,
}

#[derive(Deserialize)]
struct Urls {
    issuer: String,
    api: String,
    refusals: String,
}

/// Why the servers refused requests, in order.
#[derive(Debug, Deserialize)]
pub struct Refusals {
    pub issuer: Vec<String>,
    pub api: Vec<String>,
}

impl Server {
    /// A server that knows [`CLIENT`] with this key alone; see [`registration`].
    pub fn for_key(key: &dyn Signer, alg: Algorithm) -> Self {
        Self::start(&json!({ "clients": [registration(key, alg)] }))
    }

    /// A server with these settings, which `server.mjs` lists.
    pub fn start(settings: &Value) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        // `timeout` ends it should this program hang.
        let mut process = Command::new("timeout")
            .args(["--signal=KILL", "300", "node"])
            .arg(root.join("tests/oidc_provider/server.mjs"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node must be installed; run scripts/setup test");
        let input = process.stdin.as_mut().unwrap();
        // A server that could not start reads nothing; the answer shows it.
        let _ = writeln!(input, "{}", settings);
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let urls = serde_json::from_str(&line)
            .unwrap_or_else(|_| panic!("the server ended; did scripts/setup test run?"));
        Self { process, urls }
    }

    /// The issuer identifier.
    pub fn issuer(&self) -> &str {
        &self.urls.issuer
    }

    /// The issuer's URL with this path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.urls.issuer)
    }

    /// The API.
    pub fn api(&self) -> Endpoint {
        format!("{}/resource", self.urls.api).parse().unwrap()
    }

    /// [`CLIENT`] as it is to be, with `more` settings; one that is null is left out.
    pub fn client(&self, more: Value) -> TokenClientBuilder {
        let mut settings = json!({
            "profile": "generic",
            "client_id": CLIENT,
            "issuer": self.issuer(),
            "token_endpoint": self.url("/token"),
            "scopes": ["read"],
            "resource": [JWT_API],
        });
        for (name, value) in more.as_object().unwrap() {
            settings[name] = value.clone();
        }
        settings
            .as_object_mut()
            .unwrap()
            .retain(|_, value| !value.is_null());
        TokenClient::builder(ClientSettings::from_json(&settings.to_string()).unwrap())
    }

    /// Why the provider and the API refused what they refused so far, which clients are
    /// not told.
    pub fn refusals(&self) -> Refusals {
        let request = Request::new(Method::Get, self.urls.refusals.parse().unwrap());
        serde_json::from_slice(&send(&request).body).unwrap()
    }

    /// Sends a form over plain http and returns the answer.
    pub fn post(&self, path: &str, form: &[(&str, &str)]) -> Response {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        send(&Request::post_form(self.url(path).parse().unwrap(), form))
    }
}

/// [`CLIENT`] with this key alone, registered under its thumbprint, in the words of RFC
/// 7591. It is granted the scope `read`.
pub fn registration(key: &dyn Signer, alg: Algorithm) -> Value {
    let kid = key.public_key().thumbprint();
    json!({
        "client_id": CLIENT,
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": alg.name(),
        "jwks": { "keys": [key.public_key().to_registration(kid, alg)] },
        "scope": "read",
    })
}

impl Drop for Server {
    fn drop(&mut self) {
        // The server ends when its input does, and `timeout` with it.
        drop(self.process.stdin.take());
        self.process.wait().unwrap();
    }
}

fn send(request: &Request) -> Response {
    UreqTransport::new(TransportSettings::default())
        .send(request, &Call::none())
        .unwrap()
}
