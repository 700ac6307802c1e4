//! Client certificates, made with OpenSSL at the time of the test.

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509NameBuilder};

use crate::support::{NOW, base64url};

/// Issues certificates.
pub struct Authority {
    pub certificate: X509,
    key: PKey<Private>,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let key = key();
        let (start, end) = real_times();
        let mut builder = builder(name, name, start, end, &key);
        let ca = BasicConstraints::new().critical().ca().build().unwrap();
        builder.append_extension(ca).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        Self {
            certificate: builder.build(),
            key,
        }
    }

    /// A certificate that is valid from `start` to `end`, seconds since 1970.
    pub fn issue(&self, name: &str, start: i64, end: i64) -> (X509, PKey<Private>) {
        let key = key();
        let mut builder = builder(name, &self.name(), start, end, &key);
        builder.sign(&self.key, MessageDigest::sha256()).unwrap();
        (builder.build(), key)
    }

    /// The certificate of an authority below this one, and what that issued.
    pub fn issue_below(&self, issuing: &str, name: &str) -> (X509, X509, PKey<Private>) {
        let key = key();
        let (start, end) = real_times();
        let mut builder = builder(issuing, &self.name(), start, end, &key);
        let ca = BasicConstraints::new().critical().ca().build().unwrap();
        builder.append_extension(ca).unwrap();
        builder.sign(&self.key, MessageDigest::sha256()).unwrap();
        let below = Self {
            certificate: builder.build(),
            key,
        };
        let (leaf, leaf_key) = below.issue(name, start, end);
        (below.certificate, leaf, leaf_key)
    }

    /// A certificate for 127.0.0.1, valid now.
    pub fn issue_server(&self) -> (X509, PKey<Private>) {
        let key = key();
        let (start, end) = real_times();
        let mut builder = builder("server", &self.name(), start, end, &key);
        let name = SubjectAlternativeName::new()
            .ip("127.0.0.1")
            .build(&builder.x509v3_context(Some(&self.certificate), None))
            .unwrap();
        builder.append_extension(name).unwrap();
        builder.sign(&self.key, MessageDigest::sha256()).unwrap();
        (builder.build(), key)
    }

    fn name(&self) -> String {
        let mut names = self.certificate.subject_name().entries();
        let name = names.next().unwrap().data().to_string().unwrap();
        name.as_str().to_owned()
    }
}

/// A certificate that its own key signed.
pub fn self_signed(name: &str, start: i64, end: i64) -> (X509, PKey<Private>) {
    let key = key();
    let mut builder = builder(name, name, start, end, &key);
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    (builder.build(), key)
}

/// `x5t#S256`.
pub fn thumbprint(certificate: &X509) -> String {
    base64url(certificate.digest(MessageDigest::sha256()).unwrap())
}

fn key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

/// Valid by the clients' clock, which is the real one, and by the simulator's.
fn real_times() -> (i64, i64) {
    let now = std::time::SystemTime::now();
    let now = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let now = i64::try_from(now).unwrap();
    (now.min(NOW) - 3600, now.max(NOW) + 3600)
}

fn builder(subject: &str, issuer: &str, start: i64, end: i64, key: &PKey<Private>) -> X509Builder {
    let name = |text: &str| {
        let mut name = X509NameBuilder::new().unwrap();
        name.append_entry_by_nid(Nid::COMMONNAME, text).unwrap();
        name.build()
    };
    let mut serial = BigNum::new().unwrap();
    serial.rand(127, MsbOption::MAYBE_ZERO, false).unwrap();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    builder
        .set_serial_number(&serial.to_asn1_integer().unwrap())
        .unwrap();
    builder.set_subject_name(&name(subject)).unwrap();
    builder.set_issuer_name(&name(issuer)).unwrap();
    builder
        .set_not_before(&Asn1Time::from_unix(start).unwrap())
        .unwrap();
    builder
        .set_not_after(&Asn1Time::from_unix(end).unwrap())
        .unwrap();
    builder.set_pubkey(key).unwrap();
    builder
}
