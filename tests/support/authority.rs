//! A certificate authority of the test's own.
#![allow(dead_code, reason = "each test uses its own part")]

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{HasPublic, PKey, PKeyRef, Private};
use openssl::x509::extension::{BasicConstraints, ExtendedKeyUsage, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509Name, X509NameBuilder};

/// An authority with a key on P-256.
pub struct Authority {
    pub key: PKey<Private>,
    pub certificate: X509,
}

/// From when until when a certificate is valid, in days from now.
pub type Days = std::ops::Range<i64>;

pub const VALID: Days = -2..400;

impl Authority {
    pub fn new(name: &str) -> Self {
        let key = ec_key();
        let mut builder = builder(&key, name, VALID);
        builder.set_issuer_name(&subject(name)).unwrap();
        let authority = BasicConstraints::new().critical().ca().build().unwrap();
        builder.append_extension(authority).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        Self {
            certificate: builder.build(),
            key,
        }
    }

    /// An authority whose certificate `issuer` issued.
    pub fn under(issuer: &Self, name: &str) -> Self {
        let key = ec_key();
        let mut builder = builder(&key, name, VALID);
        let authority = BasicConstraints::new().critical().ca().build().unwrap();
        builder.append_extension(authority).unwrap();
        Self {
            certificate: issuer.sign(builder),
            key,
        }
    }

    /// The certificate of a server with these names; those that are addresses count as
    /// such.
    pub fn server<T: HasPublic>(&self, key: &PKeyRef<T>, names: &[&str], days: Days) -> X509 {
        let mut builder = builder(key, "server", days);
        let mut alternatives = SubjectAlternativeName::new();
        for name in names {
            match name.parse::<std::net::IpAddr>() {
                Ok(_) => alternatives.ip(name),
                Err(_) => alternatives.dns(name),
            };
        }
        let usage = ExtendedKeyUsage::new().server_auth().build().unwrap();
        builder.append_extension(usage).unwrap();
        let context = builder.x509v3_context(Some(&self.certificate), None);
        let alternatives = alternatives.build(&context).unwrap();
        builder.append_extension(alternatives).unwrap();
        self.sign(builder)
    }

    /// The certificate of a client called `name`.
    pub fn client<T: HasPublic>(&self, key: &PKeyRef<T>, name: &str, days: Days) -> X509 {
        let mut builder = builder(key, name, days);
        let usage = ExtendedKeyUsage::new().client_auth().build().unwrap();
        builder.append_extension(usage).unwrap();
        self.sign(builder)
    }

    pub fn pem(&self) -> Vec<u8> {
        self.certificate.to_pem().unwrap()
    }

    fn sign(&self, mut builder: X509Builder) -> X509 {
        let issuer = self.certificate.subject_name();
        builder.set_issuer_name(issuer).unwrap();
        builder.sign(&self.key, MessageDigest::sha256()).unwrap();
        builder.build()
    }
}

/// A new key on P-256.
pub fn ec_key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

fn builder<T: HasPublic>(key: &PKeyRef<T>, name: &str, days: Days) -> X509Builder {
    let mut builder = X509Builder::new().unwrap();
    builder.set_version(2).unwrap();
    let serial = BigNum::from_slice(&uuid::Uuid::new_v4().as_bytes()[..8]).unwrap();
    let serial = serial.to_asn1_integer().unwrap();
    builder.set_serial_number(&serial).unwrap();
    builder.set_subject_name(&subject(name)).unwrap();
    let now = std::time::SystemTime::now();
    let now = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let at = |days: i64| Asn1Time::from_unix(i64::try_from(now).unwrap() + days * 86_400).unwrap();
    builder.set_not_before(&at(days.start)).unwrap();
    builder.set_not_after(&at(days.end)).unwrap();
    builder.set_pubkey(key).unwrap();
    builder
}

fn subject(name: &str) -> X509Name {
    let mut subject = X509NameBuilder::new().unwrap();
    subject.append_entry_by_text("C", "NO").unwrap();
    subject.append_entry_by_text("CN", name).unwrap();
    subject.build()
}
