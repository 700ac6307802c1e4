//! The simulator's own tokens, fetched by segl's client and checked by its validator.

use openssl::pkey::{PKey, Private};
use segl::http::Method;
use segl::profiles::ClientSettings;
use segl::simulator::{RunningSimulator, Simulator, SimulatorConfig};
use segl::validate::ValidatorSettings;
use segl::{Call, ErrorCode, Requirements, TokenClient, TokenRequest, Validator};
use serde_json::{Value, json};

use crate::support::{OrgId, certificate, now, p256_key, rsa_key, signer};
use crate::world::{ORG, PERSON, STRANGER, base64url, ec_jwk, rsa_jwk};

pub const ID: &str = "0a7d59f8-8c62-4312-9fb4-62456664c96f";

pub fn maskinporten() -> RunningSimulator {
    let mut jwk = rsa_jwk("k1", &rsa_key());
    jwk["alg"] = "RS256".into();
    let jwks = json!([jwk]);
    let config = format!(
        r#"
        [[maskinporten.clients]]
        client_id = "bank"
        orgno = "{ORG}"
        scopes = ["bank:saldo"]
        jwks = '{jwks}'
        [[maskinporten.clients.consents]]
        id = "{ID}"
        from = "urn:altinn:person:identifier-no:{PERSON}"
        consented = {consented}
        valid_to = {valid_to}
        consent_rights = [
            {{ action = ["consent"], resource = [{{ type = "urn:altinn:resource", value = "bank-saldo" }}], metaData = {{ aar = "2026", navn = "Kari Nordmann" }} }},
        ]
        "#,
        consented = now() - 60,
        valid_to = now() + 3600,
    );
    let config = SimulatorConfig::from_toml(&config).unwrap();
    Simulator::start(config, ([127, 0, 0, 1], 0).into()).unwrap()
}

pub fn client(simulator: &RunningSimulator) -> TokenClient {
    let settings = json!({
        "profile": "maskinporten", "client_id": "bank", "kid": "k1",
        "issuer": simulator.urls().maskinporten_issuer,
        "token_endpoint": simulator.urls().maskinporten_token_endpoint,
        "scopes": ["bank:saldo"],
    });
    TokenClient::builder(ClientSettings::from_json(&settings.to_string()).unwrap())
        .signer(signer(&rsa_key()))
        .build(&Call::none())
        .unwrap()
}

fn validator(issuer: &str, more: Value) -> Validator {
    let mut settings = json!({ "issuer": issuer });
    settings
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    Validator::new(ValidatorSettings::from_json(&settings.to_string()).unwrap()).unwrap()
}

/// A service like HelseID, whose tokens are bound to keys, its client, and an API behind it.
fn health() -> (RunningSimulator, TokenClient, Validator) {
    let mut jwk = ec_jwk(&p256_key());
    jwk["kid"] = "k1".into();
    jwk["alg"] = "ES256".into();
    let config = format!(
        "[[helseid.clients]]\nclient_id = \"c1\"\nscopes = [\"nhn:kjernejournal/api\"]\njwks = '{}'\n",
        json!([jwk])
    );
    let config = SimulatorConfig::from_toml(&config).unwrap();
    let simulator = Simulator::start(config, ([127, 0, 0, 1], 0).into()).unwrap();
    let issuer = simulator.urls().helseid_issuer.clone();
    let settings = json!({
        "profile": "helseid", "environment": "test", "client_id": "c1", "kid": "k1",
        "issuer": issuer, "discovery": true, "scopes": ["nhn:kjernejournal/api"],
    });
    let client = TokenClient::builder(ClientSettings::from_json(&settings.to_string()).unwrap())
        .signer(signer(&p256_key()))
        .build(&Call::none())
        .unwrap();
    let metadata = format!("{issuer}/.well-known/openid-configuration");
    let validator = validator(
        &issuer,
        json!({ "metadata": metadata, "algorithms": ["ES256"] }),
    );
    (simulator, client, validator)
}

fn requirements(value: &Value) -> Requirements {
    Requirements::from_json(&value.to_string()).unwrap()
}

#[test]
fn a_consent_from_its_request_to_its_use() {
    let simulator = maskinporten();
    let metadata = format!(
        "{}.well-known/oauth-authorization-server",
        simulator.urls().maskinporten_issuer
    );
    let validator = validator(
        &simulator.urls().maskinporten_issuer,
        json!({ "metadata": metadata, "scopes": ["bank:saldo"] }),
    );
    let from = format!("urn:altinn:person:identifier-no:{PERSON}");
    let request = json!({
        "authorization_details": [{ "type": "urn:altinn:consent", "id": ID, "from": from }],
    });
    let request = TokenRequest::from_json(&request.to_string()).unwrap();
    let token = client(&simulator).token(&request, &Call::none()).unwrap();
    let check = |from: &str, resource: &str, consumer: &str| {
        let required = json!({
            "consumer": consumer,
            "consent": { "from": from, "resources": [resource] },
        });
        let required = requirements(&required);
        validator.check(token.access_token(), &required, &Call::none())
    };
    let verified = check(PERSON, "bank-saldo", ORG).unwrap();
    let consent = verified.consent().unwrap();
    assert_eq!(consent.rights[0].metadata["aar"], "2026");
    for (from, resource, consumer, code) in [
        ("23079422568", "bank-saldo", ORG, ErrorCode::ConsentGiver),
        (PERSON, "bank-laan", ORG, ErrorCode::ConsentRight),
        (
            PERSON,
            "bank-saldo",
            STRANGER,
            ErrorCode::AccessTokenConsumer,
        ),
    ] {
        assert_eq!(check(from, resource, consumer).unwrap_err().code(), code);
    }
    let plain = client(&simulator)
        .token(&TokenRequest::default(), &Call::none())
        .unwrap();
    let required = json!({ "consent": { "from": PERSON, "resources": ["bank-saldo"] } });
    let error = validator
        .check(
            plain.access_token(),
            &requirements(&required),
            &Call::none(),
        )
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::ConsentMissing);
}

#[test]
fn a_proof_that_segl_makes_is_one_that_segl_takes_once() {
    let (_simulator, client, validator) = health();
    let token = client
        .token(&TokenRequest::default(), &Call::none())
        .unwrap();
    let url = "https://api.bank.example/saldo?side=2";
    let proof = client
        .dpop_proof(Method::Get, &url.parse().unwrap(), &token, &Call::none())
        .unwrap();
    let dpop = json!({ "dpop": { "proof": proof, "method": "GET", "url": url } });
    let check = || validator.check(token.access_token(), &requirements(&dpop), &Call::none());
    check().unwrap();
    assert_eq!(check().unwrap_err().code(), ErrorCode::DpopProofInvalid);
}

/// DNB's tokens are bound to the certificate that they were fetched with.
#[test]
fn a_token_of_the_bank_is_bound_to_the_clients_certificate() {
    let tls_key: PKey<Private> = rsa_key();
    let tls = certificate(&tls_key, None, &OrgId::Nothing, 30);
    let mut jwk = ec_jwk(&p256_key());
    jwk["kid"] = "k1".into();
    let config = format!(
        "[[dnb.clients]]\nclient_id = \"bank\"\nscopes = [\"a:b\"]\njwks = '{}'\ncertificates = [\"{}\"]\n",
        json!({ "keys": [jwk] }),
        base64url(openssl::sha::sha256(&tls.to_der().unwrap())),
    );
    let config = SimulatorConfig::from_toml(&config).unwrap().with_tls(0);
    let simulator = Simulator::start(config, ([127, 0, 0, 1], 0).into()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let ca = put("ca.pem", simulator.ca_pem().unwrap().as_ref());
    let key = put("tls.pem", &tls_key.private_key_to_pem_pkcs8().unwrap());
    let certificate = put("certificate.pem", &tls.to_pem().unwrap());
    let urls = simulator.urls().https.as_ref().unwrap();
    let settings = json!({
        "profile": "dnb", "client_id": "bank", "kid": "k1", "scopes": ["a:b"],
        "token_endpoint": urls.dnb_token_endpoint,
        "audience": urls.dnb_token_endpoint,
        "tls": {
            "ca_file": ca,
            "key": format!("file:{}", key.display()),
            "certificate": format!("file:{}", certificate.display()),
        },
    });
    let client = TokenClient::builder(ClientSettings::from_json(&settings.to_string()).unwrap())
        .signer(signer(&p256_key()))
        .build(&Call::none())
        .unwrap();
    let token = client
        .token(&TokenRequest::default(), &Call::none())
        .unwrap();
    let validator = validator(
        &urls.dnb_issuer,
        json!({
            "jwks_uri": format!("{}/dnb/jwks", urls.base),
            "algorithms": ["ES256"], "ca_file": ca,
        }),
    );
    let check = |required: Value| {
        validator.check(
            token.access_token(),
            &requirements(&required),
            &Call::none(),
        )
    };
    let pem = String::from_utf8(tls.to_pem().unwrap()).unwrap();
    check(json!({ "client_certificate": pem })).unwrap();
    let other = crate::support::certificate(&p256_key(), None, &OrgId::Nothing, 30);
    let other = String::from_utf8(other.to_pem().unwrap()).unwrap();
    for required in [json!({}), json!({ "client_certificate": other })] {
        let error = check(required).unwrap_err();
        assert_eq!(error.code(), ErrorCode::AccessTokenBinding);
    }
}

#[test]
fn threads_share_the_memory_of_proofs() {
    let (_simulator, client, validator) = health();
    let token = client
        .token(&TokenRequest::default(), &Call::none())
        .unwrap();
    let url = "https://api.bank.example/saldo";
    for _ in 0..20 {
        let proof = client
            .dpop_proof(Method::Get, &url.parse().unwrap(), &token, &Call::none())
            .unwrap();
        let dpop = json!({ "dpop": { "proof": proof, "method": "GET", "url": url } });
        let dpop = requirements(&dpop);
        let taken: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        let outcome = validator.check(token.access_token(), &dpop, &Call::none());
                        usize::from(outcome.is_ok())
                    })
                })
                .collect();
            threads.into_iter().map(|t| t.join().unwrap()).sum()
        });
        assert_eq!(taken, 1);
    }
}
