//! Certificates of one test, by an authority of its own.

use std::fs;
use std::path::PathBuf;

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{HasPublic, PKey, PKeyRef, Private};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509Name, X509NameBuilder};
use segl::Signer;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Who issued the certificates of a test's servers and clients.
pub struct Authority {
    folder: TempDir,
    key: PKey<Private>,
    certificate: X509,
}

impl Authority {
    /// A new one.
    pub fn new() -> Self {
        let key = new_key();
        let name = name("Test CA");
        let mut builder = unsigned(&name, &key);
        builder.set_issuer_name(&name).unwrap();
        let authority = BasicConstraints::new().critical().ca().build().unwrap();
        builder.append_extension(authority).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        let authority = Self {
            folder: tempfile::tempdir().unwrap(),
            key,
            certificate: builder.build(),
        };
        fs::write(authority.ca_file(), authority.certificate.to_pem().unwrap()).unwrap();
        authority
    }

    /// The file with the authority's own certificate.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A server's key and certificate, for 127.0.0.1, and the newest version of TLS that
    /// it speaks, in the words of `server.mjs`.
    pub fn server(&self, max_version: &str) -> Value {
        let key = new_key();
        let mut builder = unsigned(&name("Test server"), &key);
        let address = SubjectAlternativeName::new()
            .ip("127.0.0.1")
            .build(&builder.x509v3_context(Some(&self.certificate), None))
            .unwrap();
        builder.append_extension(address).unwrap();
        json!({
            "key": text(key.private_key_to_pem_pkcs8().unwrap()),
            "certificate": text(self.sign(builder).to_pem().unwrap()),
            "maxVersion": max_version,
        })
    }

    /// A certificate over the public key of `signer`.
    pub fn client(&self, signer: &dyn Signer) -> X509 {
        let spki = signer.public_key().to_spki_der().unwrap();
        let key = PKey::public_key_from_der(&spki).unwrap();
        self.sign(unsigned(&name("Test client"), &key))
    }

    /// The `file:` URI of a certificate, as settings have it.
    pub fn file(&self, certificate: &X509) -> String {
        let serial = certificate.serial_number().to_bn().unwrap();
        let path = self
            .folder
            .path()
            .join(format!("{}.pem", serial.to_hex_str().unwrap()));
        fs::write(&path, certificate.to_pem().unwrap()).unwrap();
        format!("file:{}", path.display())
    }

    fn sign(&self, mut builder: X509Builder) -> X509 {
        builder
            .set_issuer_name(self.certificate.subject_name())
            .unwrap();
        builder.sign(&self.key, MessageDigest::sha256()).unwrap();
        builder.build()
    }
}

fn new_key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

fn name(common_name: &str) -> X509Name {
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("CN", common_name).unwrap();
    name.build()
}

fn unsigned<T: HasPublic>(subject: &X509Name, key: &PKeyRef<T>) -> X509Builder {
    let mut builder = X509Builder::new().unwrap();
    builder.set_version(2).unwrap();
    let serial = BigNum::from_slice(&uuid::Uuid::new_v4().as_bytes()[..8]).unwrap();
    builder
        .set_serial_number(&serial.to_asn1_integer().unwrap())
        .unwrap();
    builder.set_subject_name(subject).unwrap();
    builder
        .set_not_before(&Asn1Time::days_from_now(0).unwrap())
        .unwrap();
    builder
        .set_not_after(&Asn1Time::days_from_now(2).unwrap())
        .unwrap();
    builder.set_pubkey(key).unwrap();
    builder
}

fn text(pem: Vec<u8>) -> String {
    String::from_utf8(pem).unwrap()
}
