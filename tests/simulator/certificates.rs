//! Grants with x5c.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::BasicConstraints;
use openssl::x509::{X509, X509Name, X509NameBuilder};
use serde_json::{Value, json};

use crate::grants;
use crate::refusals::assert_refused;
use crate::support::*;

const CLIENT: &str = "oidc_certificate_client";

fn name(entries: &[(&str, &str)]) -> X509Name {
    let mut name = X509NameBuilder::new().unwrap();
    for (key, value) in entries {
        name.append_entry_by_text(key, value).unwrap();
    }
    name.build()
}

pub struct Issuer {
    pub certificate: X509,
    key: PKey<Private>,
}

impl Issuer {
    pub fn root(common_name: &str) -> Self {
        let key = PKey::from_rsa(openssl::rsa::Rsa::generate(2048).unwrap()).unwrap();
        let name = name(&[("CN", common_name)]);
        let certificate = certificate(&name, &key, &name, &key, true, NOW - 1000, NOW + 1000);
        Self { certificate, key }
    }

    fn intermediate(&self, common_name: &str) -> Self {
        let key = PKey::from_rsa(openssl::rsa::Rsa::generate(2048).unwrap()).unwrap();
        let name = name(&[("CN", common_name)]);
        let issuer = self.certificate.subject_name();
        let certificate = certificate(&name, &key, issuer, &self.key, true, NOW - 1000, NOW + 1000);
        Self { certificate, key }
    }

    /// A certificate for [`RSA_KEY`].
    pub fn leaf(&self, subject: &[(&str, &str)]) -> X509 {
        self.leaf_within(subject, NOW - 1000, NOW + 1000)
    }

    fn leaf_within(&self, subject: &[(&str, &str)], not_before: i64, not_after: i64) -> X509 {
        let issuer = self.certificate.subject_name();
        certificate(
            &name(subject),
            &RSA_KEY,
            issuer,
            &self.key,
            false,
            not_before,
            not_after,
        )
    }
}

fn certificate(
    subject: &X509Name,
    key: &PKey<Private>,
    issuer: &openssl::x509::X509NameRef,
    issuer_key: &PKey<Private>,
    is_ca: bool,
    not_before: i64,
    not_after: i64,
) -> X509 {
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    let mut serial = BigNum::new().unwrap();
    serial.rand(64, openssl::bn::MsbOption::ONE, false).unwrap();
    let serial = serial.to_asn1_integer().unwrap();
    builder.set_serial_number(&serial).unwrap();
    builder.set_subject_name(subject).unwrap();
    builder.set_issuer_name(issuer).unwrap();
    builder.set_pubkey(key).unwrap();
    let time = |seconds| Asn1Time::from_unix(seconds).unwrap();
    builder.set_not_before(&time(not_before)).unwrap();
    builder.set_not_after(&time(not_after)).unwrap();
    if is_ca {
        let extension = BasicConstraints::new().critical().ca().build().unwrap();
        builder.append_extension(extension).unwrap();
    }
    builder.sign(issuer_key, MessageDigest::sha256()).unwrap();
    builder.build()
}

pub const SEID_1: &[(&str, &str)] = &[("CN", "TESTBANK AS"), ("serialNumber", ORGNO), ("C", "NO")];
const SEID_2: &[(&str, &str)] = &[
    ("CN", "TESTBANK AS"),
    ("organizationIdentifier", "NTRNO-910753614"),
    ("C", "NO"),
];

fn fixture(trusted: &[&X509]) -> Fixture {
    let fixture = Fixture::new("");
    let client = json!({ "client_id": CLIENT, "orgno": ORGNO, "scopes": ["bank:saldo"] });
    assert_eq!(fixture.admin("maskinporten/clients", &client).status, 201);
    for certificate in trusted {
        let pem = String::from_utf8(certificate.to_pem().unwrap()).unwrap();
        let url = format!(
            "{}/maskinporten/trusted-certificates",
            fixture.simulator.urls().admin
        );
        assert_eq!(post(&url, "application/x-pem-file", &pem).status, 201);
    }
    fixture
}

pub fn base64(certificate: &X509) -> String {
    STANDARD.encode(certificate.to_der().unwrap())
}

fn send(fixture: &Fixture, x5c: Value) -> Answer {
    let header = json!({ "alg": "RS256", "x5c": x5c });
    fixture.grant(&jws(&header, &grants::claims(fixture, CLIENT), &RSA_KEY))
}

fn refused(fixture: &Fixture, answer: &Answer, code: Option<&str>, detail: &str) {
    let description = format!("Invalid assertion. Client authentication failed. {detail}");
    assert_refused(fixture, answer, 400, "invalid_grant", code, &description);
}

#[test]
fn certificates_of_a_trusted_issuer_are_accepted() {
    let ca = Issuer::root("Test CA");
    let fixture = fixture(&[&ca.certificate]);
    for subject in [SEID_1, SEID_2] {
        let leaf = base64(&ca.leaf(subject));
        let answer = send(&fixture, json!([leaf]));
        let claims = verified_claims(
            answer.access_token(),
            &fixture.simulator.urls().maskinporten_jwks_uri,
        );
        assert_eq!(claims["client_amr"], "virksomhetssertifikat");
        assert_eq!(claims["consumer"]["ID"], "0192:910753614");

        let answer = send(&fixture, json!([leaf, base64(&ca.certificate)]));
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

#[test]
fn a_trusted_certificate_needs_no_issuer() {
    let leaf = Issuer::root("Nobody").leaf(SEID_1);
    let fixture = fixture(&[&leaf]);
    let answer = send(&fixture, json!([base64(&leaf)]));
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[test]
fn chains_lead_to_what_is_trusted() {
    let root = Issuer::root("Root");
    let issuing = root.intermediate("Issuing");
    let leaf = base64(&issuing.leaf(SEID_2));
    let (issuing, root) = (base64(&issuing.certificate), root.certificate);
    let fixture = fixture(&[&root]);

    assert_eq!(send(&fixture, json!([leaf, issuing])).status, 200);
    assert_eq!(
        send(&fixture, json!([leaf, issuing, base64(&root)])).status,
        200
    );
    let invalid = "The JWT is signed with an invalid certificate.";
    refused(
        &fixture,
        &send(&fixture, json!([leaf])),
        Some("MP-120"),
        invalid,
    );
    let disordered = send(&fixture, json!([leaf, base64(&root), issuing]));
    refused(
        &fixture,
        &disordered,
        Some("MP-123"),
        "Invalid JWT header x5c.",
    );
}

#[test]
fn certificates_of_others_are_refused() {
    let ca = Issuer::root("Test CA");
    // The same name, another key: a forged issuer.
    let forged = Issuer::root("Test CA");
    let fixture = fixture(&[&ca.certificate]);
    let invalid = "The JWT is signed with an invalid certificate.";
    for chain in [
        json!([base64(&forged.leaf(SEID_1))]),
        json!([base64(&forged.leaf(SEID_1)), base64(&forged.certificate)]),
    ] {
        refused(&fixture, &send(&fixture, chain), Some("MP-120"), invalid);
    }

    let organization =
        "Invalid JWT. Invalid organization number for client. Does not match certificate orgno.";
    for subject in [
        &[("CN", "OTHER AS"), ("serialNumber", CUSTOMER)][..],
        &[
            ("CN", "OTHER AS"),
            ("organizationIdentifier", "NTRNO-974760673"),
        ],
        &[("CN", "TESTBANK AS")],
    ] {
        let answer = send(&fixture, json!([base64(&ca.leaf(subject))]));
        refused(&fixture, &answer, Some("MP-122"), organization);
    }
}

#[test]
fn a_certificate_is_no_issuer_unless_it_is_a_ca() {
    let ca = Issuer::root("Test CA");
    let bank = Issuer {
        certificate: ca.leaf(SEID_1),
        key: RSA_KEY.clone(),
    };
    let fixture = fixture(&[&ca.certificate]);
    let chain = json!([base64(&bank.leaf(SEID_1)), base64(&bank.certificate)]);
    let invalid = "The JWT is signed with an invalid certificate.";
    refused(&fixture, &send(&fixture, chain), Some("MP-120"), invalid);
}

#[test]
fn certificates_out_of_their_time_are_refused() {
    let ca = Issuer::root("Test CA");
    let fixture = fixture(&[&ca.certificate]);
    for (not_before, not_after) in [(NOW - 100, NOW - 1), (NOW + 1, NOW + 100)] {
        let leaf = ca.leaf_within(SEID_1, not_before, not_after);
        let answer = send(&fixture, json!([base64(&leaf)]));
        refused(&fixture, &answer, Some("MP-124"), "Invalid JWT signature.");
    }
    let leaf = ca.leaf_within(SEID_1, NOW, NOW + 1);
    assert_eq!(send(&fixture, json!([base64(&leaf)])).status, 200);
}

#[test]
fn the_signature_is_the_certificates() {
    let ca = Issuer::root("Test CA");
    let fixture = fixture(&[&ca.certificate]);
    let header = json!({ "alg": "RS256", "x5c": [base64(&ca.leaf(SEID_1))] });
    let assertion = jws(&header, &grants::claims(&fixture, CLIENT), &OTHER_RSA_KEY);
    refused(
        &fixture,
        &fixture.grant(&assertion),
        Some("MP-124"),
        "Invalid JWT signature.",
    );
}

#[test]
fn x5c_is_an_array_of_standard_base64_der() {
    let ca = Issuer::root("Test CA");
    let fixture = fixture(&[&ca.certificate]);
    let leaf = ca.leaf(SEID_1);
    let (der, good) = (leaf.to_der().unwrap(), base64(&leaf));
    let mut trailing = der.clone();
    trailing.push(0);
    let cases = [
        json!(good),
        json!([]),
        json!([1]),
        json!([String::from_utf8(leaf.to_pem().unwrap()).unwrap()]),
        json!([URL_SAFE_NO_PAD.encode(&der)]),
        json!([format!("{}\n{}", &good[..64], &good[64..])]),
        json!([format!("{good}\n")]),
        json!([STANDARD.encode(&trailing)]),
        json!([STANDARD.encode("no certificate")]),
        json!([good, "AAAA"]),
    ];
    for x5c in cases {
        println!("{x5c}");
        refused(
            &fixture,
            &send(&fixture, x5c),
            Some("MP-123"),
            "Invalid JWT header x5c.",
        );
    }
}

#[test]
fn a_certificate_client_has_no_kid() {
    let ca = Issuer::root("Test CA");
    let fixture = fixture(&[&ca.certificate]);
    let claims = grants::claims(&fixture, CLIENT);
    let by_kid = fixture.grant(&jws(
        &json!({ "alg": "RS256", "kid": "key-1" }),
        &claims,
        &RSA_KEY,
    ));
    refused(
        &fixture,
        &by_kid,
        None,
        "Unknown key identifier (kid) for client.",
    );
    let bare = fixture.grant(&jws(&json!({ "alg": "RS256" }), &claims, &RSA_KEY));
    refused(&fixture, &bare, Some("MP-123"), "Invalid JWT header x5c.");
}
