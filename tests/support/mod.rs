//! What several tests need: keys, certificates, signers and transports made at
//! test time.
#![allow(dead_code, reason = "each test uses its own part")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock};

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::BasicConstraints;
use openssl::x509::{X509, X509Builder, X509NameBuilder};
use segl::clock::{FixedClock, UnixTime};
use segl::http::{Request, Response, Transport};
use segl::keys::software::SoftwareSigner;
use segl::profiles::ClientSettings;
use segl::token::TokenClientBuilder;
use segl::{Call, Result, Signer, TokenClient};

/// An RSA key of 2048 bits, the same for a whole test program.
pub fn rsa_key() -> PKey<Private> {
    static KEY: OnceLock<PKey<Private>> = OnceLock::new();
    KEY.get_or_init(|| PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap())
        .clone()
}

/// A new EC key.
pub fn ec_key(curve: Nid) -> PKey<Private> {
    let group = EcGroup::from_curve_name(curve).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

/// A P-256 key, the same for a whole test program.
pub fn p256_key() -> PKey<Private> {
    static KEY: OnceLock<PKey<Private>> = OnceLock::new();
    KEY.get_or_init(|| ec_key(Nid::X9_62_PRIME256V1)).clone()
}

pub fn pem(key: &PKey<Private>) -> Vec<u8> {
    key.private_key_to_pem_pkcs8().unwrap()
}

pub fn signer(key: &PKey<Private>) -> Arc<dyn Signer> {
    Arc::new(SoftwareSigner::from_bytes(&pem(key), None).unwrap())
}

/// What stands in a certificate's subject beside the name.
pub enum OrgId<'a> {
    SerialNumber(&'a str),
    OrganizationIdentifier(&'a str),
    Nothing,
}

/// A certificate over `key`, signed by `issuer` (its key and certificate) or by
/// itself, valid from yesterday for `days`.
pub fn certificate(
    key: &PKey<Private>,
    issuer: Option<(&PKey<Private>, &X509)>,
    org: &OrgId<'_>,
    days: u32,
) -> X509 {
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("C", "NO").unwrap();
    name.append_entry_by_text("O", "TESTBANKEN ASA").unwrap();
    match org {
        OrgId::SerialNumber(orgno) => name.append_entry_by_text("serialNumber", orgno).unwrap(),
        OrgId::OrganizationIdentifier(id) => name
            .append_entry_by_text("organizationIdentifier", id)
            .unwrap(),
        OrgId::Nothing => {}
    }
    let common_name = if issuer.is_none() {
        "Test CA"
    } else {
        "Testbanken"
    };
    name.append_entry_by_text("CN", common_name).unwrap();
    let name = name.build();
    let mut builder = X509Builder::new().unwrap();
    builder.set_version(2).unwrap();
    let serial = BigNum::from_slice(&uuid::Uuid::new_v4().as_bytes()[..8]).unwrap();
    builder
        .set_serial_number(&serial.to_asn1_integer().unwrap())
        .unwrap();
    builder.set_subject_name(&name).unwrap();
    builder
        .set_issuer_name(issuer.map_or(&*name, |(_, issuer)| issuer.subject_name()))
        .unwrap();
    let day = 86_400;
    let now = i64::try_from(
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_secs(),
    )
    .unwrap();
    let start = now - 2 * day;
    builder
        .set_not_before(&Asn1Time::from_unix(start).unwrap())
        .unwrap();
    builder
        .set_not_after(&Asn1Time::from_unix(start + i64::from(days) * day).unwrap())
        .unwrap();
    builder.set_pubkey(key).unwrap();
    if issuer.is_none() {
        let authority = BasicConstraints::new().critical().ca().build().unwrap();
        builder.append_extension(authority).unwrap();
    }
    builder
        .sign(issuer.map_or(key, |(key, _)| key), MessageDigest::sha256())
        .unwrap();
    builder.build()
}

/// A transport that answers from a list and keeps what it was sent.
#[derive(Debug, Default)]
pub struct ScriptedTransport {
    pub answers: Mutex<VecDeque<Result<Response>>>,
    pub bodies: Mutex<Vec<String>>,
}

impl ScriptedTransport {
    pub fn answering(answers: impl IntoIterator<Item = Response>) -> Arc<Self> {
        Arc::new(Self {
            answers: Mutex::new(answers.into_iter().map(Ok).collect()),
            bodies: Mutex::default(),
        })
    }
}

impl Transport for ScriptedTransport {
    fn send(&self, request: &Request, _call: &Call) -> Result<Response> {
        let body = String::from_utf8(request.body.to_vec()).unwrap();
        self.bodies.lock().unwrap().push(body);
        let next = self.answers.lock().unwrap().pop_front();
        next.expect("the client sent more requests than the test expects")
    }
}

pub fn json_answer(status: u16, body: &str) -> Response {
    Response::new(
        status,
        vec![("content-type".into(), "application/json".into())],
        body.as_bytes().to_vec(),
    )
}

/// A builder from settings in JSON, with a clock that stands at `now`.
pub fn builder(settings: &str, signer: Arc<dyn Signer>, now: i64) -> TokenClientBuilder {
    TokenClient::builder(ClientSettings::from_json(settings).unwrap())
        .signer(signer)
        .clock(Arc::new(FixedClock::new(UnixTime::from_seconds(now))))
}

/// The present time in seconds.
pub fn now() -> i64 {
    use segl::clock::{Clock, SystemClock};
    SystemClock.now().seconds()
}

/// The claims of a compact JWT.
pub fn claims(jwt: &str) -> serde_json::Value {
    serde_json::Value::Object(segl::jws::decode(jwt).unwrap().claims)
}

/// The header of a compact JWT.
pub fn header(jwt: &str) -> serde_json::Value {
    serde_json::Value::Object(segl::jws::decode(jwt).unwrap().header)
}
