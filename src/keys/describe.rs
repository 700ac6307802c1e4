//! What can be told about a key, as one JSON object.

use serde::Serialize;

use super::{Certificate, Signer};

/// What a key is, where it lives and what vouches for it. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Description {
    /// `"file"`, `"pkcs11"`, `"awskms"` or `"foreign"`.
    pub kind: &'static str,
    /// The key's URI without secrets, where it has one.
    pub uri: Option<String>,
    /// The token's label, serial, manufacturer and model, for PKCS#11 keys; the key's
    /// ARN, for those in AWS KMS.
    pub token: Option<String>,
    /// Whether the private key can leave its home; absent when nobody knows.
    pub extractable: Option<bool>,
    /// `CKA_SENSITIVE`, as the token reports it.
    pub sensitive: Option<bool>,
    /// `CKA_NEVER_EXTRACTABLE`, as the token reports it.
    pub never_extractable: Option<bool>,
    /// The PKCS#11 mechanism of each algorithm; empty for other keys.
    pub mechanisms: Vec<&'static str>,
    /// `"RSA"` or `"EC"` (RFC 7518 section 6.1).
    pub kty: &'static str,
    /// The curve of an EC key.
    pub crv: Option<&'static str>,
    /// The size in bits: of the modulus, or of the curve's field.
    pub bits: u32,
    /// The SHA-256 thumbprint of RFC 7638, base64url.
    pub thumbprint: String,
    /// The algorithms the key can make, the usual one first.
    pub algorithms: Vec<&'static str>,
    /// The certificates found beside the key, the key's own first.
    pub certificates: Vec<CertificateDescription>,
}

/// What a certificate says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CertificateDescription {
    /// The subject, for example `CN=BITS AS TEST, O=BITS AS, C=NO`.
    pub subject: String,
    /// The issuer, in the same form.
    pub issuer: String,
    /// The organisation number of the subject.
    pub orgno: Option<String>,
    /// The first second at which it is valid, RFC 3339.
    pub not_before: Option<String>,
    /// The last second at which it is valid, RFC 3339.
    pub not_after: Option<String>,
}

impl Description {
    /// Describes `signer`. Nothing is asked of a device.
    pub fn of(signer: &dyn Signer) -> Self {
        let origin = signer.origin();
        let key = signer.public_key();
        Self {
            kind: origin.kind,
            uri: origin.uri,
            token: origin.token,
            extractable: origin.extractable,
            sensitive: origin.sensitive,
            never_extractable: origin.never_extractable,
            mechanisms: origin.mechanisms,
            kty: key.kty(),
            crv: key.curve().map(|curve| curve.name()),
            bits: key.bits(),
            thumbprint: key.thumbprint().to_owned(),
            algorithms: signer.algorithms().iter().map(|alg| alg.name()).collect(),
            certificates: signer
                .certificates()
                .iter()
                .map(CertificateDescription::of)
                .collect(),
        }
    }
}

impl CertificateDescription {
    /// Describes `certificate`.
    pub fn of(certificate: &Certificate) -> Self {
        Self {
            subject: certificate.subject(),
            issuer: certificate.issuer(),
            orgno: certificate
                .org_number()
                .map(|number| number.as_str().to_owned()),
            not_before: certificate.not_before().map(|time| time.to_string()),
            not_after: certificate.not_after().map(|time| time.to_string()),
        }
    }
}
