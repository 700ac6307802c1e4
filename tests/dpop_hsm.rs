//! Tokens bound to a key in an HSM (DPoP, RFC 9449).

#[path = "support/dpop_server.rs"]
mod dpop_server;
#[allow(dead_code, reason = "each test uses its own part")]
#[path = "support/softhsm.rs"]
mod softhsm;
mod support;

use std::os::unix::fs::PermissionsExt;

use segl::apis::Authorized;
use segl::http::{Method, Request};
use segl::profiles::ClientSettings;
use segl::{Call, TokenClient, TokenRequest};
use serde_json::json;

use dpop_server::{Nonces, StrictServer, TOKEN_ENDPOINT};
use softhsm::SoftHsm;

#[test]
fn a_key_in_an_hsm_makes_proofs() {
    let hsm = SoftHsm::new("dpop-tokens");
    hsm.init_token("dpop");
    hsm.generate("dpop", "EC:prime256v1", "01", "key", &[]);
    hsm.generate("dpop", "rsa:2048", "02", "client", &[]);
    let pin = hsm.path("pin");
    std::fs::write(&pin, softhsm::PIN).unwrap();
    std::fs::set_permissions(&pin, std::fs::Permissions::from_mode(0o600)).unwrap();
    let uri = |object: &str| {
        let module = softhsm::module();
        let pin = pin.display();
        format!("pkcs11:token=dpop;object={object}?module-path={module}&pin-source=file:{pin}")
    };
    for (dpop, kty) in [
        (json!({"key": uri("key")}), "EC"),
        (json!({"alg": "PS256"}), "RSA"),
    ] {
        let settings = json!({
            "profile": "generic", "issuer": "https://as.example", "token_endpoint": TOKEN_ENDPOINT,
            "client_id": "c1", "kid": "k1", "key": uri("client"), "dpop": dpop,
        });
        let server = StrictServer::new(Nonces::NewAfter(2), Nonces::NewAfter(2));
        let client =
            TokenClient::builder(ClientSettings::from_json(&settings.to_string()).unwrap())
                .transport(server.clone())
                .build(&Call::none())
                .unwrap();
        let api = Authorized::new(client.into(), TokenRequest::default());
        for _ in 0..5 {
            let request = Request::new(Method::Get, "https://api.example/a".parse().unwrap());
            let answer = api.send(&request, &Call::none()).unwrap();
            assert_eq!(answer.status, 200, "{:?}", server.problems());
        }
        assert_eq!(server.problems(), [""; 0]);
        assert!(
            server
                .seen()
                .iter()
                .all(|seen| seen.header["jwk"]["kty"] == kty)
        );
    }
}
