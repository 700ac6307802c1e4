//! Tokens that are bound to the client's certificate (RFC 8705 section 3), whose key
//! is in an HSM.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::hash::MessageDigest;
use openssl::x509::X509;
use segl::apis::Authorized;
use segl::http::{Method, Request};
use segl::{Algorithm, Call, ErrorCode, TokenClient, TokenRequest};
use serde_json::{Value, json};

use crate::certificates::Authority;
use crate::keys::{PAIRS, key, uri};
use crate::server::{Server, registration};

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test oidc-provider"]
fn every_key_is_the_certificates_in_both_versions() {
    let authority = Authority::new();
    for version in ["TLSv1.2", "TLSv1.3"] {
        for (label, ..) in PAIRS {
            let certificate = authority.client(&*key(label));
            let server = bound(&authority, version);
            let client = client(&server, &with_certificate(&authority, label, &certificate));
            let token = client
                .token(&TokenRequest::default(), &Call::none())
                .unwrap_or_else(|error| {
                    panic!("{version} {label}: {error}; {:?}", server.refusals())
                });
            let claims = segl::jws::decode(token.access_token()).unwrap().claims;
            assert_eq!(claims["cnf"]["x5t#S256"], thumbprint(&certificate));

            // The API closes each connection: the second one resumes the first one's
            // session, and the server knows the certificate from it.
            let api = Authorized::new(Arc::new(client), TokenRequest::default());
            for resumed in [false, true] {
                let answer = call(&api, &server);
                assert_eq!(answer["tls"], version, "{label}");
                assert_eq!(answer["resumed"], resumed, "{version} {label}");
            }
        }
    }
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test oidc-provider"]
fn without_resumption_every_connection_signs() {
    let authority = Authority::new();
    let certificate = authority.client(&*key("p256"));
    let server = bound(&authority, "TLSv1.3");
    let mut tls = with_certificate(&authority, "p256", &certificate);
    tls["resumption"] = json!(false);
    let api = Authorized::new(Arc::new(client(&server, &tls)), TokenRequest::default());
    for _ in 0..3 {
        assert_eq!(call(&api, &server)["resumed"], false);
    }
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test oidc-provider"]
fn a_bound_token_is_of_no_use_to_others() {
    let authority = Authority::new();
    let server = bound(&authority, "TLSv1.3");
    let own = authority.client(&*key("p256"));
    let token = client(&server, &with_certificate(&authority, "p256", &own))
        .token(&TokenRequest::default(), &Call::none())
        .unwrap();
    let others = authority.client(&*key("p384"));
    for (tls, reason) in [
        (
            with_certificate(&authority, "p384", &others),
            "the token is bound to another certificate",
        ),
        (
            json!({ "ca_file": authority.ca_file() }),
            "there is no client certificate",
        ),
    ] {
        let thief = client(&server, &tls);
        let bearer = format!("Bearer {}", token.access_token());
        let request = Request::new(Method::Get, server.api()).header("Authorization", bearer);
        let answer = thief.transport().send(&request, &Call::none()).unwrap();
        assert_eq!(answer.status, 401);
        assert_eq!(server.refusals().api.pop().as_deref(), Some(reason));
    }
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test oidc-provider"]
fn a_client_without_its_certificate_gets_no_bound_token() {
    let authority = Authority::new();
    let server = bound(&authority, "TLSv1.3");
    let error = client(&server, &json!({ "ca_file": authority.ca_file() }))
        .token(&TokenRequest::default(), &Call::none())
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::TokenInvalidGrant, "{error}");
    assert_eq!(
        server.refusals().issuer,
        ["mutual TLS client certificate not provided"]
    );
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test oidc-provider"]
fn a_server_of_another_authority_is_told_nothing() {
    let authority = Authority::new();
    let server = bound(&authority, "TLSv1.3");
    let another = Authority::new();
    for tls in [json!({}), json!({ "ca_file": another.ca_file() })] {
        let error = client(&server, &tls)
            .token(&TokenRequest::default(), &Call::none())
            .unwrap_err();
        assert_eq!(error.code(), ErrorCode::Tls, "{tls}: {error}");
    }
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test oidc-provider"]
fn metadata_are_read_over_the_same_tls() {
    let authority = Authority::new();
    let certificate = authority.client(&*key("rsa"));
    let server = bound(&authority, "TLSv1.3");
    let client = server
        .client(json!({
            "token_endpoint": null,
            "metadata": server.url("/.well-known/openid-configuration"),
            "tls": with_certificate(&authority, "rsa", &certificate),
        }))
        .signer(key("p256"))
        .build(&Call::none())
        .unwrap();
    client
        .token(&TokenRequest::default(), &Call::none())
        .unwrap();
}

/// A server that binds the tokens of its client, which signs assertions with `p256`.
fn bound(authority: &Authority, max_version: &str) -> Server {
    let mut client = registration(&*key("p256"), Algorithm::ES256);
    client["tls_client_certificate_bound_access_tokens"] = json!(true);
    Server::start(&json!({ "clients": [client], "tls": authority.server(max_version) }))
}

/// That client, with these settings of its TLS.
fn client(server: &Server, tls: &Value) -> TokenClient {
    server
        .client(json!({ "tls": tls }))
        .signer(key("p256"))
        .build(&Call::none())
        .unwrap()
}

/// The settings of TLS with the certificate of the key with this label.
fn with_certificate(authority: &Authority, label: &str, certificate: &X509) -> Value {
    json!({
        "key": uri(label),
        "certificate": authority.file(certificate),
        "ca_file": authority.ca_file(),
    })
}

/// What the API answers.
fn call(api: &Authorized, server: &Server) -> Value {
    let request = Request::new(Method::Get, server.api());
    let answer = api.send(&request, &Call::none()).unwrap();
    assert_eq!(answer.status, 200, "{:?}", server.refusals());
    serde_json::from_slice(&answer.body).unwrap()
}

fn thumbprint(certificate: &X509) -> String {
    URL_SAFE_NO_PAD.encode(certificate.digest(MessageDigest::sha256()).unwrap())
}
