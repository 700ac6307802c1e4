//! Clients that their certificate authenticates, without an assertion (RFC 8705
//! section 2).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use openssl::x509::X509;
use segl::{Algorithm, Call, ErrorCode, TokenClient, TokenRequest};
use serde_json::{Value, json};

use crate::certificates::Authority;
use crate::keys::{key, uri};
use crate::server::{CLIENT, Server};

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test oidc-provider"]
fn a_registered_certificate_is_enough() {
    let authority = Authority::new();
    for label in ["p256", "rsa"] {
        let certificate = authority.client(&*key(label));
        let server = knowing(&authority, label, &certificate);
        let token = client(&server, &authority, label, &certificate)
            .token(&TokenRequest::default(), &Call::none())
            .unwrap_or_else(|error| panic!("{label}: {error}; {:?}", server.refusals()));
        let claims = segl::jws::decode(token.access_token()).unwrap().claims;
        assert_eq!(claims["client_id"], CLIENT);
        assert!(claims["cnf"]["x5t#S256"].is_string(), "{claims:?}");
    }
}

/// Not even one over the same key.
#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test oidc-provider"]
fn another_certificate_is_not() {
    let authority = Authority::new();
    let registered = authority.client(&*key("p256"));
    let server = knowing(&authority, "p256", &registered);
    let another = authority.client(&*key("p256"));
    let error = client(&server, &authority, "p256", &another)
        .token(&TokenRequest::default(), &Call::none())
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::TokenInvalidClient, "{error}");
    assert_eq!(
        server.refusals().issuer,
        ["unregistered client certificate provided"]
    );
}

/// A server with which this certificate of a key is registered.
fn knowing(authority: &Authority, label: &str, certificate: &X509) -> Server {
    let signer = key(label);
    let alg = match label {
        "rsa" => Algorithm::RS256,
        _ => Algorithm::ES256,
    };
    let mut jwk = Value::Object(signer.public_key().to_registration("tls", alg));
    jwk["x5c"] = json!([STANDARD.encode(certificate.to_der().unwrap())]);
    let client = json!({
        "client_id": CLIENT,
        "token_endpoint_auth_method": "self_signed_tls_client_auth",
        "tls_client_certificate_bound_access_tokens": true,
        "jwks": { "keys": [jwk] },
        "scope": "read",
    });
    Server::start(&json!({ "clients": [client], "tls": authority.server("TLSv1.3") }))
}

fn client(server: &Server, authority: &Authority, label: &str, certificate: &X509) -> TokenClient {
    let tls = json!({
        "key": uri(label),
        "certificate": authority.file(certificate),
        "ca_file": authority.ca_file(),
    });
    server
        .client(json!({ "token_endpoint_auth_method": "self_signed_tls_client_auth", "tls": tls }))
        .build(&Call::none())
        .unwrap()
}
