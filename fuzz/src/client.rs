//! A client whose servers answer with bytes of the fuzzer.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use segl::http::{Request, Response, Transport};
use segl::keys::software::SoftwareSigner;
use segl::profiles::ClientSettings;
use segl::{Call, Result, Signer, TokenClient};

/// The token endpoint of every client here.
const TOKEN_ENDPOINT: &str = "https://as.example/token";

/// What an API is sent as its access token.
pub(crate) const ACCESS_TOKEN: &str = "hemmelig-token";

/// The shortest time that a call can have: nothing is tried again.
pub(crate) fn once() -> Call {
    Call::within(Duration::from_millis(40))
}

/// A client of the profile `generic` with `more` settings.
pub(crate) fn client(more: &serde_json::Value, transport: Arc<dyn Transport>) -> TokenClient {
    let mut settings = serde_json::json!({
        "profile": "generic", "issuer": "https://as.example", "token_endpoint": TOKEN_ENDPOINT,
        "client_id": "c", "kid": "k", "scopes": ["s"],
    });
    if let (Some(settings), Some(more)) = (settings.as_object_mut(), more.as_object()) {
        settings.extend(more.clone());
    }
    let settings = ClientSettings::from_json(&settings.to_string()).unwrap();
    let builder = TokenClient::builder(settings).signer(signer());
    let builder = match more["dpop"].is_object() {
        true => builder.dpop_signer(signer()),
        false => builder,
    };
    builder.transport(transport).build(&Call::none()).unwrap()
}

/// The P-256 key of RFC 7515 appendix A.3, whose private half is published there.
pub(crate) fn signer() -> Arc<dyn Signer> {
    static SIGNER: OnceLock<Arc<SoftwareSigner>> = OnceLock::new();
    let signer = SIGNER.get_or_init(|| {
        let part = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
        // RFC 5915 section 3, with prime256v1.
        let der = [
            &[0x30, 0x77, 2, 1, 1, 4, 32][..],
            &part("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"),
            &[0xa0, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7],
            &[0xa1, 0x44, 3, 0x42, 0, 4],
            &part("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
            &part("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
        ]
        .concat();
        Arc::new(SoftwareSigner::from_bytes(&der, None).unwrap())
    });
    Arc::clone(signer) as Arc<dyn Signer>
}

/// Gives a token, and answers all else with what it was given.
#[derive(Debug)]
pub(crate) struct Answering {
    answer: Response,
    /// What it was sent beside token requests.
    pub(crate) sent: Mutex<Vec<Request>>,
}

impl Answering {
    pub(crate) fn with(answer: Response) -> Arc<Self> {
        Arc::new(Self {
            answer,
            sent: Mutex::default(),
        })
    }
}

impl Transport for Answering {
    fn send(&self, request: &Request, _: &Call) -> Result<Response> {
        if request.url.as_str() == TOKEN_ENDPOINT {
            let body = serde_json::json!({
                "access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 3600,
            });
            return Ok(json(200, body.to_string().into_bytes()));
        }
        self.sent.lock().unwrap().push(request.clone());
        Ok(self.answer.clone())
    }
}

/// Answers every request, that for a token too, with one answer.
#[derive(Debug)]
pub(crate) struct Always(pub(crate) Response);

impl Transport for Always {
    fn send(&self, _: &Request, _: &Call) -> Result<Response> {
        Ok(self.0.clone())
    }
}

/// An answer with this body.
pub(crate) fn json(status: u16, body: Vec<u8>) -> Response {
    Response::new(
        status,
        vec![("content-type".into(), "application/json".into())],
        body,
    )
}
