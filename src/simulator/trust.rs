//! Certificates that are trusted, and what they issued.

use openssl::error::ErrorStack;
use openssl::stack::Stack;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::{X509VerifyFlags, X509VerifyParam};
use openssl::x509::{X509, X509StoreContext};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use crate::clock::UnixTime;
use crate::keys::Certificate;

/// PEM texts, each with one or more certificates.
#[derive(Debug, Clone, Default)]
pub(super) struct Certificates(pub(super) Vec<Certificate>);

impl<'de> Deserialize<'de> for Certificates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut certificates = Vec::new();
        for pem in Vec::<String>::deserialize(deserializer)? {
            certificates.extend(Certificate::read_chain(pem.as_bytes()).map_err(D::Error::custom)?);
        }
        Ok(Self(certificates))
    }
}

/// True when the first certificate is one of `trusted`, or was issued by one of
/// them, directly or over those that came with it.
pub(super) fn is_trusted(
    chain: &[Certificate],
    trusted: &[Certificate],
    now: UnixTime,
) -> Result<bool, ErrorStack> {
    let [leaf, issuers @ ..] = chain else {
        return Ok(false);
    };
    let mut store = X509StoreBuilder::new()?;
    for certificate in trusted {
        store.add_cert(X509::from_der(certificate.der())?)?;
    }
    let mut parameters = X509VerifyParam::new()?;
    parameters.set_flags(X509VerifyFlags::PARTIAL_CHAIN)?;
    parameters.set_time(now.seconds());
    store.set_param(&parameters)?;
    let mut untrusted = Stack::new()?;
    for certificate in issuers {
        untrusted.push(X509::from_der(certificate.der())?)?;
    }
    let leaf = X509::from_der(leaf.der())?;
    X509StoreContext::new()?.init(&store.build(), &leaf, &untrusted, |context| {
        context.verify_cert()
    })
}
