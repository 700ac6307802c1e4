//! A whole assertion with a key in a file, against raw EVP over the same bytes.

#[path = "../tests/support/mod.rs"]
mod fixtures;
mod support;

use criterion::{Criterion, criterion_group, criterion_main};
use openssl::ecdsa::EcdsaSig;
use openssl::md::Md;
use openssl::md_ctx::MdCtx;
use openssl::pkey::{PKey, Private};

use fixtures::{OrgId, certificate, p256_key, pem, rsa_key};
use segl::keys::software::SoftwareSigner;
use segl::profiles::ClientSettings;
use segl::{Call, TokenClient, TokenRequest};

/// A client whose header carries a certificate in `x5c`, as Maskinporten's do.
fn client(key: &PKey<Private>) -> TokenClient {
    let x509 = certificate(key, None, &OrgId::SerialNumber("910753614"), 10);
    let both = [pem(key), x509.to_pem().unwrap()].concat();
    let signer = SoftwareSigner::from_bytes(&both, None).unwrap();
    let settings = r#"{"profile":"generic","issuer":"https://test.maskinporten.no/",
        "token_endpoint":"https://test.maskinporten.no/token","grant":"jwt_bearer",
        "client_id":"7ea43b76-6b7d-49e8-af2b-4114ebb66c80","scopes":["lanekassen:lan/v1/saldoopplysninger"]}"#;
    TokenClient::builder(ClientSettings::from_json(settings).unwrap())
        .signer(std::sync::Arc::new(signer))
        .build(&Call::none())
        .unwrap()
}

fn signing_input(client: &TokenClient) -> Vec<u8> {
    let jwt = client
        .assertion(&TokenRequest::default(), &Call::none())
        .unwrap();
    jwt.rsplit_once('.').unwrap().0.as_bytes().to_vec()
}

fn evp(key: &PKey<Private>, context: &mut MdCtx, message: &[u8], signature: &mut [u8]) -> usize {
    context.digest_sign_init(Some(Md::sha256()), key).unwrap();
    context.digest_sign(message, Some(signature)).unwrap()
}

fn es256(criterion: &mut Criterion) {
    let key = p256_key();
    let client = client(&key);
    let message = signing_input(&client);
    let mut context = MdCtx::new().unwrap();
    let mut buffer = [0; 128];
    let floor = || {
        let len = evp(&key, &mut context, &message, &mut buffer);
        let signature = EcdsaSig::from_der(&buffer[..len]).unwrap();
        let mut raw = signature.r().to_vec_padded(32).unwrap();
        raw.extend(signature.s().to_vec_padded(32).unwrap());
        raw
    };
    let ours = || {
        client
            .assertion(&TokenRequest::default(), &Call::none())
            .unwrap()
    };
    support::compare(
        criterion,
        "ES256 assertion, file key, to raw EVP",
        floor,
        ours,
    );
}

fn rs256(criterion: &mut Criterion) {
    let key = rsa_key();
    let client = client(&key);
    let message = signing_input(&client);
    let mut context = MdCtx::new().unwrap();
    let mut buffer = [0; 512];
    let floor = || evp(&key, &mut context, &message, &mut buffer);
    let ours = || {
        client
            .assertion(&TokenRequest::default(), &Call::none())
            .unwrap()
    };
    support::compare(
        criterion,
        "RS256 assertion, file key, to raw EVP",
        floor,
        ours,
    );
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(std::time::Duration::from_secs(2));
    targets = es256, rs256
}
criterion_main!(benches);
