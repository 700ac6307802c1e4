//! The authorisation server of one test, a program of its own that ends with it.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use segl::http::{Method, Request, Response, Transport, TransportSettings, UreqTransport};
use segl::profiles::ClientSettings;
use segl::token::TokenClientBuilder;
use segl::{Algorithm, Call, Endpoint, Signer, TokenClient};
use serde_json::{Value, json};

/// What tokens are for that the server makes as JWTs (RFC 9068).
pub const JWT_API: &str = "https://jwt.api.example";

/// The client that every server knows.
pub const CLIENT: &str = "segl";

/// An oidc-provider on a free port of loopback, and the API behind its tokens.
pub struct Server {
    process: Child,
    issuer: String,
}

impl Server {
    /// A server that knows [`CLIENT`] with this key alone, registered under its
    /// thumbprint. It is granted the scope `read`.
    pub fn for_key(key: &dyn Signer, alg: Algorithm) -> Self {
        let kid = key.public_key().thumbprint();
        Self::start(&json!([{
            "client_id": CLIENT,
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": alg.name(),
            "jwks": { "keys": [key.public_key().to_registration(kid, alg)] },
            "scope": "read",
        }]))
    }

    /// A server that knows these clients, in the words of RFC 7591.
    pub fn start(clients: &Value) -> Self {
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
        let _ = writeln!(input, "{}", json!({ "clients": clients }));
        let mut issuer = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut issuer)
            .unwrap();
        let issuer = issuer.trim_end().to_owned();
        let server = Self { process, issuer };
        assert!(
            !server.issuer.is_empty(),
            "the server ended; did scripts/setup test run?"
        );
        server
    }

    /// The issuer identifier.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The server's URL with this path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    /// [`CLIENT`] as it is to be, with `more` settings; one that is null is left out.
    pub fn client(&self, more: Value) -> TokenClientBuilder {
        let mut settings = json!({
            "profile": "generic",
            "client_id": CLIENT,
            "issuer": self.issuer,
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

    /// The provider's own reasons of what it refused so far, which it does not tell
    /// clients.
    pub fn refusals(&self) -> Vec<String> {
        let request = Request::new(Method::Get, self.endpoint("/refusals"));
        serde_json::from_slice(&send(&request).body).unwrap()
    }

    /// Sends a form and returns the answer.
    pub fn post(&self, path: &str, form: &[(&str, &str)]) -> Response {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        send(&Request::post_form(self.endpoint(path), form))
    }

    /// The server's URL with this path, as requests have it.
    pub fn endpoint(&self, path: &str) -> Endpoint {
        self.url(path).parse().unwrap()
    }
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
