//! Its keys at servers of other makes: assertions, client certificates and DPoP proofs.

use std::fs;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use openssl::hash::MessageDigest;
use openssl::x509::X509;
use segl::apis::Authorized;
use segl::clock::SystemClock;
use segl::http::tls::{Roots, TlsOptions};
use segl::http::{Method, Request, Response, Transport, TransportSettings, UreqTransport};
use segl::keys::{Certificate, TlsCertificate};
use segl::token::TokenClientBuilder;
use segl::{Algorithm, Call, Signer, TokenRequest};
use serde_json::{Value, json};

use crate::certificates::Authority;
use crate::nginx::Nginx;
use crate::oidc_provider::{CLIENT, Server, registration};
use crate::openssl_server::OpensslServer;
use crate::token;

/// The versions of TLS in the words of openssl and of nginx, oidc-provider.
const VERSIONS: [(&str, &str); 2] = [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")];

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn an_authorisation_server_takes_its_assertions() {
    let token = token();
    for key in &token.keys {
        let signer = Arc::new(token.open(&format!("object={}", key.label)).unwrap());
        for alg in key.algorithms {
            let server = Server::for_key(&*signer, *alg);
            let client = server
                .client(json!({ "alg": alg.name() }))
                .signer(signer.clone())
                .build(&Call::none())
                .unwrap();
            client
                .token(&TokenRequest::default(), &Call::none())
                .unwrap_or_else(|error| panic!("{alg}: {error}; {:?}", server.refusals().issuer));
        }
    }
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn openssl_and_nginx_take_its_client_certificates() {
    let token = token();
    for key in &token.keys {
        let key = CertifiedKey::new(token.open(&format!("object={}", key.label)).unwrap());
        for (argument, version) in VERSIONS {
            let openssl = OpensslServer::insisting(&key.authority.authority, &[argument]);
            let page = text(&key.transport(), &openssl.url());
            assert!(page.contains(&format!("New, {version},")), "{page}");
            assert!(page.contains("Subject: C=NO, CN=Test client\n"), "{page}");

            let nginx = Nginx::start(
                &key.authority.authority,
                &format!(
                    "ssl_protocols {version};\nssl_verify_client on;\n\
                     return 200 \"$ssl_client_verify $ssl_protocol $ssl_client_s_dn\";"
                ),
            );
            let page = text(&key.transport(), &nginx.url());
            assert_eq!(page, format!("SUCCESS {version} CN=Test client,C=NO"));
        }
    }
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn an_authorisation_server_binds_tokens_to_its_certificates() {
    let token = token();
    for key in &token.keys {
        let key = CertifiedKey::new(token.open(&format!("object={}", key.label)).unwrap());
        for (_, version) in VERSIONS {
            let mut client = registration(&*key.signer, key.alg());
            client["tls_client_certificate_bound_access_tokens"] = json!(true);
            let server = key.server(client, version);
            let client = key.client(&server, json!({})).signer(key.signer.clone());
            let claims = claims_of_a_token_that_the_api_takes(&server, client);
            assert_eq!(claims["cnf"]["x5t#S256"], key.thumbprint());
        }
    }
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn its_certificates_alone_authenticate_a_client() {
    let token = token();
    for key in &token.keys {
        let key = CertifiedKey::new(token.open(&format!("object={}", key.label)).unwrap());
        let mut jwk = Value::Object(key.signer.public_key().to_registration("tls", key.alg()));
        jwk["x5c"] = json!([STANDARD.encode(key.certificate.to_der().unwrap())]);
        let method = "self_signed_tls_client_auth";
        let registered = json!({
            "client_id": CLIENT,
            "token_endpoint_auth_method": method,
            "tls_client_certificate_bound_access_tokens": true,
            "jwks": { "keys": [jwk] },
            "scope": "read",
        });
        let server = key.server(registered, "TLSv1.3");
        let client = key.client(&server, json!({ "token_endpoint_auth_method": method }));
        let claims = claims_of_a_token_that_the_api_takes(&server, client);
        assert_eq!(claims["cnf"]["x5t#S256"], key.thumbprint());
    }
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test modules"]
fn tokens_are_bound_to_its_keys() {
    let token = token();
    for key in &token.keys {
        let signer: Arc<dyn Signer> =
            Arc::new(token.open(&format!("object={}", key.label)).unwrap());
        for alg in key.algorithms {
            let mut client = registration(&*signer, *alg);
            client["dpop_bound_access_tokens"] = json!(true);
            let server = Server::start(&json!({ "clients": [client], "nonces": true }));
            let client = server
                .client(json!({ "alg": alg.name(), "dpop": { "alg": alg.name() } }))
                .signer(signer.clone());
            let claims = claims_of_a_token_that_the_api_takes(&server, client);
            assert_eq!(claims["cnf"]["jkt"], signer.public_key().thumbprint());
        }
    }
}

/// The API is called twice, with one token.
fn claims_of_a_token_that_the_api_takes(
    server: &Server,
    client: TokenClientBuilder,
) -> serde_json::Map<String, Value> {
    let client = Arc::new(client.build(&Call::none()).unwrap());
    let token = client
        .token(&TokenRequest::default(), &Call::none())
        .unwrap_or_else(|error| panic!("{error}; {:?}", server.refusals()));
    let api = Authorized::new(client, TokenRequest::default());
    for _ in 0..2 {
        let answer = api.send(&Request::new(Method::Get, server.api()), &Call::none());
        assert_eq!(answer.unwrap().status, 200, "{:?}", server.refusals());
    }
    segl::jws::decode(token.access_token()).unwrap().claims
}

fn text(transport: &UreqTransport, url: &str) -> String {
    let request = Request::new(Method::Get, url.parse().unwrap());
    let answer: Response = transport.send(&request, &Call::none()).unwrap();
    String::from_utf8(answer.body.to_vec()).unwrap()
}

/// A key of the token with a client certificate, by an authority of its own.
struct CertifiedKey {
    signer: Arc<dyn Signer>,
    authority: Authority,
    certificate: X509,
}

impl CertifiedKey {
    fn new(signer: impl Signer + 'static) -> Self {
        let authority = Authority::new();
        Self {
            certificate: authority.client(&signer),
            authority,
            signer: Arc::new(signer),
        }
    }

    fn alg(&self) -> Algorithm {
        self.signer.algorithms()[0]
    }

    fn thumbprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.certificate.digest(MessageDigest::sha256()).unwrap())
    }

    fn transport(&self) -> UreqTransport {
        let certificate = Certificate::from_der(&self.certificate.to_der().unwrap()).unwrap();
        let certificate = TlsCertificate::new(
            self.signer.clone(),
            Some(vec![certificate]),
            Arc::new(SystemClock),
        );
        let mut options = TlsOptions::default();
        options.client_certificate = Some(Arc::new(certificate.unwrap()));
        let roots = fs::read(self.authority.ca_file()).unwrap();
        options.roots = Some(Roots::from_pem(&roots).unwrap());
        UreqTransport::with_tls(TransportSettings::default(), options).unwrap()
    }

    /// A server that knows `client`, whose newest TLS is `version`.
    fn server(&self, client: Value, version: &str) -> Server {
        Server::start(&json!({ "clients": [client], "tls": self.authority.server(version) }))
    }

    /// That client, which shows the certificate.
    fn client(&self, server: &Server, mut more: Value) -> TokenClientBuilder {
        more["tls"] = json!({
            "certificate": self.authority.file(&self.certificate),
            "ca_file": self.authority.ca_file(),
        });
        server.client(more).tls_signer(self.signer.clone())
    }
}
