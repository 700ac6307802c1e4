//! A certification authority that lives as long as the simulator, and the
//! certificate that it issues to it.

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName,
    SubjectKeyIdentifier,
};
use openssl::x509::{X509, X509Builder, X509Name, X509NameBuilder};

/// Days that both certificates are valid.
const LIFETIME: u32 = 365;

/// A server certificate with its key, and who issued it.
pub(super) struct Issued {
    pub(super) ca: X509,
    pub(super) certificate: X509,
    pub(super) key: PKey<Private>,
}

/// Makes a CA and a certificate for `localhost`, `127.0.0.1` and `::1`, both with
/// P-256 keys. The key of the CA is forgotten.
pub(super) fn issue() -> Result<Issued, ErrorStack> {
    let (ca_key, key) = (p256()?, p256()?);
    let ca_name = name("segl simulator CA")?;

    let mut ca = builder(&ca_name, &ca_name, &ca_key)?;
    ca.append_extension(BasicConstraints::new().critical().ca().pathlen(0).build()?)?;
    ca.append_extension(KeyUsage::new().critical().key_cert_sign().build()?)?;
    let identifier = SubjectKeyIdentifier::new().build(&ca.x509v3_context(None, None))?;
    ca.append_extension(identifier)?;
    ca.sign(&ca_key, MessageDigest::sha256())?;
    let ca = ca.build();

    let mut leaf = builder(&name("segl simulator")?, &ca_name, &key)?;
    leaf.append_extension(BasicConstraints::new().critical().build()?)?;
    leaf.append_extension(KeyUsage::new().critical().digital_signature().build()?)?;
    leaf.append_extension(ExtendedKeyUsage::new().server_auth().build()?)?;
    let context = leaf.x509v3_context(Some(&ca), None);
    let names = SubjectAlternativeName::new()
        .dns("localhost")
        .ip("127.0.0.1")
        .ip("::1")
        .build(&context)?;
    let subject_key = SubjectKeyIdentifier::new().build(&context)?;
    let authority_key = AuthorityKeyIdentifier::new().keyid(true).build(&context)?;
    for extension in [names, subject_key, authority_key] {
        leaf.append_extension(extension)?;
    }
    leaf.sign(&ca_key, MessageDigest::sha256())?;
    Ok(Issued {
        ca,
        certificate: leaf.build(),
        key,
    })
}

fn p256() -> Result<PKey<Private>, ErrorStack> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    PKey::from_ec_key(EcKey::generate(&group)?)
}

fn name(common_name: &str) -> Result<X509Name, ErrorStack> {
    let mut name = X509NameBuilder::new()?;
    name.append_entry_by_nid(Nid::COMMONNAME, common_name)?;
    Ok(name.build())
}

/// Clients check by their own clock, which is not the simulator's.
fn builder(
    subject: &X509Name,
    issuer: &X509Name,
    key: &PKey<Private>,
) -> Result<X509Builder, ErrorStack> {
    let mut serial = BigNum::new()?;
    serial.rand(127, MsbOption::MAYBE_ZERO, false)?;
    let serial = serial.to_asn1_integer()?;
    let yesterday = time::OffsetDateTime::now_utc().unix_timestamp() - 86_400;
    let start = Asn1Time::from_unix(yesterday)?;
    let end = Asn1Time::days_from_now(LIFETIME)?;
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    builder.set_serial_number(&serial)?;
    builder.set_subject_name(subject)?;
    builder.set_issuer_name(issuer)?;
    builder.set_not_before(&start)?;
    builder.set_not_after(&end)?;
    builder.set_pubkey(key)?;
    Ok(builder)
}
