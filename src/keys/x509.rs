//! Certificates beside keys: virksomhetssertifikat (a Norwegian enterprise
//! certificate) and eSeal.

use std::cmp::Reverse;
use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::sha::sha256;
use openssl::x509::{X509, X509ExtendedKeyUsage, X509KeyUsage, X509NameRef};

use super::jwk::{PublicJwk, base64url};
use crate::clock::UnixTime;
use crate::error::{Error, ErrorCode, Result};

/// An X.509 certificate.
#[derive(Clone)]
pub struct Certificate {
    x509: X509,
    der: Vec<u8>,
    public_key: Option<PublicJwk>,
    not_before: Option<UnixTime>,
    not_after: Option<UnixTime>,
}

impl Certificate {
    /// From DER.
    ///
    /// # Errors
    /// `CERTIFICATE` when it is not one.
    pub fn from_der(der: &[u8]) -> Result<Self> {
        let x509 = X509::from_der(der).map_err(unreadable)?;
        Self::from_x509(x509)
    }

    /// One or more certificates from PEM or a single one from DER, in file order.
    ///
    /// # Errors
    /// `CERTIFICATE` when there is none.
    pub fn read_chain(bytes: &[u8]) -> Result<Vec<Self>> {
        if !bytes.starts_with(b"-----BEGIN") && !contains(bytes, b"\n-----BEGIN") {
            return Ok(vec![Self::from_der(bytes)?]);
        }
        let stack = X509::stack_from_pem(bytes).map_err(unreadable)?;
        if stack.is_empty() {
            return Err(Error::new(
                ErrorCode::Certificate,
                "the PEM holds no certificate (no BEGIN CERTIFICATE block)",
            ));
        }
        stack.into_iter().map(Self::from_x509).collect()
    }

    pub(crate) fn from_x509(x509: X509) -> Result<Self> {
        let der = x509.to_der().map_err(unreadable)?;
        // OpenSSL reads more than DER, and what it makes of that may be unreadable. What
        // others will read counts.
        let x509 = X509::from_der(&der).map_err(unreadable)?;
        // An issuer's key may be of a kind that segl does not sign with.
        let public_key = x509
            .public_key()
            .ok()
            .and_then(|key| PublicJwk::from_pkey(key).ok());
        Ok(Self {
            not_before: unix_time(x509.not_before()),
            not_after: unix_time(x509.not_after()),
            x509,
            der,
            public_key,
        })
    }

    /// The certificate, DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// One element of `x5c`: standard base64 of the DER (RFC 7515 section 4.1.6).
    pub fn to_x5c(&self) -> String {
        STANDARD.encode(&self.der)
    }

    /// `x5t#S256`: base64url of the SHA-256 of the DER (RFC 7515 section 4.1.8).
    pub fn to_x5t_s256(&self) -> String {
        base64url(&sha256(&self.der))
    }

    /// The key it certifies, if it is one that segl can use.
    pub fn public_key(&self) -> Option<&PublicJwk> {
        self.public_key.as_ref()
    }

    /// The subject, for example `CN=BITS AS TEST, O=BITS AS, C=NO`.
    pub fn subject(&self) -> String {
        name_text(self.x509.subject_name())
    }

    /// The issuer, in the same form.
    pub fn issuer(&self) -> String {
        name_text(self.x509.issuer_name())
    }

    /// The first second at which it is valid.
    pub fn not_before(&self) -> Option<UnixTime> {
        self.not_before
    }

    /// The last second at which it is valid.
    pub fn not_after(&self) -> Option<UnixTime> {
        self.not_after
    }

    /// `organizationIdentifier` (2.5.4.97) of the subject, for example
    /// `NTRNO-910753614` or `VATSE-556000000001`.
    pub fn organization_identifier(&self) -> Option<String> {
        self.subject_entry(Nid::from_raw(ORGANIZATION_IDENTIFIER))
    }

    /// The organisation number of the subject: `organizationIdentifier`
    /// (2.5.4.97) as `NTRNO-<orgno>` in SEID 2 certificates, `serialNumber` in
    /// older ones.
    pub fn org_number(&self) -> Option<OrgNumber> {
        self.organization_identifier()
            .and_then(|id| id.strip_prefix("NTRNO-")?.parse().ok())
            .or_else(|| self.subject_entry(Nid::SERIALNUMBER)?.parse().ok())
    }

    fn subject_entry(&self, nid: Nid) -> Option<String> {
        let mut entries = self.x509.subject_name().entries_by_nid(nid);
        entries.find_map(|entry| entry.data().to_string().ok())
    }

    /// True when `issuer` signed this certificate.
    pub fn is_issued_by(&self, issuer: &Self) -> bool {
        if name_text(self.x509.issuer_name()) != name_text(issuer.x509.subject_name()) {
            return false;
        }
        let verified = issuer
            .x509
            .public_key()
            .and_then(|key| self.x509.verify(&key));
        // A signature that does not verify leaves its reasons with the thread,
        // where the host's next call into OpenSSL would find them.
        drop(ErrorStack::get());
        verified.unwrap_or(false)
    }

    /// What a client certificate of TLS must have and this one lacks, as far as it
    /// says what it is for (RFC 5280 sections 4.2.1.3 and 4.2.1.12).
    pub fn lacks_for_tls_client(&self) -> Option<&'static str> {
        let purposes = X509ExtendedKeyUsage::SSL_CLIENT | X509ExtendedKeyUsage::ANYEKU;
        let extended = self.x509.extended_key_usage();
        if extended.is_some_and(|usage| !usage.intersects(purposes)) {
            return Some("clientAuth in its extended key usage");
        }
        let signs = X509KeyUsage::DIGITAL_SIGNATURE;
        let usage = self.x509.key_usage();
        let is_barred = usage.is_some_and(|usage| !usage.contains(signs));
        is_barred.then_some("digitalSignature in its key usage")
    }

    /// Checks that this certificate belongs to `key`.
    ///
    /// # Errors
    /// `CERTIFICATE_MISMATCH` naming both.
    pub fn require_key(&self, key: &PublicJwk) -> Result<()> {
        if self.public_key.as_ref() == Some(key) {
            return Ok(());
        }
        let certified = self
            .public_key
            .as_ref()
            .map_or("of another kind", PublicJwk::thumbprint);
        Err(Error::new(
            ErrorCode::CertificateMismatch,
            format!(
                "the certificate of \"{}\" is for the key with thumbprint {certified}, the private key has {}; \
                 use the certificate that was issued for this key",
                self.subject(),
                key.thumbprint()
            ),
        ))
    }

    /// Checks that `now` lies within the validity.
    ///
    /// # Errors
    /// `CERTIFICATE` with the date that was missed.
    pub fn require_valid(&self, now: UnixTime) -> Result<()> {
        let problem = match (self.not_before(), self.not_after()) {
            (Some(start), _) if now < start => format!("is not valid before {start}"),
            (_, Some(end)) if now > end => format!("expired at {end}; renew it"),
            _ => return Ok(()),
        };
        Err(Error::new(
            ErrorCode::Certificate,
            format!("the certificate of \"{}\" {problem}", self.subject()),
        ))
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({})", self.subject())
    }
}

/// `NID_organizationIdentifier` (2.5.4.97), which the openssl crate does not name.
const ORGANIZATION_IDENTIFIER: i32 = 1089;

/// The key of the one certificate that issued none of the others; `None` when
/// there are several such or its key cannot be used.
pub fn leaf_key(certificates: &[Certificate]) -> Option<&PublicJwk> {
    let mut leaves = certificates.iter().filter(|candidate| {
        certificates
            .iter()
            .all(|other| other.der == candidate.der || !other.is_issued_by(candidate))
    });
    match (leaves.next(), leaves.next()) {
        (Some(leaf), None) => leaf.public_key(),
        _ => None,
    }
}

/// Puts the certificate of `key` first, its issuers after it. Of several for one
/// key, the one valid longest counts.
///
/// # Errors
/// `CERTIFICATE_MISMATCH` when none of `certificates` is for `key`.
pub fn order_chain(
    key: &PublicJwk,
    mut certificates: Vec<Certificate>,
) -> Result<Vec<Certificate>> {
    certificates.sort_by_key(|certificate| Reverse(certificate.not_after));
    let Some(first) = certificates.first() else {
        return Ok(certificates);
    };
    let Some(leaf) = certificates
        .iter()
        .position(|c| c.public_key() == Some(key))
    else {
        return first.require_key(key).map(|()| Vec::new());
    };
    let mut chain = vec![certificates.remove(leaf)];
    while let Some(next) = chain.last().and_then(|last| {
        certificates.iter().position(|candidate| {
            last.is_issued_by(candidate) && chain.iter().all(|known| known.der != candidate.der)
        })
    }) {
        chain.push(certificates.remove(next));
    }
    Ok(chain)
}

/// A Norwegian organisation number (orgno): nine digits, the last a check digit
/// modulo 11 (Brønnøysundregistrene).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrgNumber(String);

impl OrgNumber {
    /// The nine digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OrgNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for OrgNumber {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = |why: &str| {
            Error::new(
                ErrorCode::InvalidArgument,
                format!(
                    "this is no organisation number: {why} (it has {} characters, not shown)",
                    text.chars().count()
                ),
            )
        };
        if text.len() != 9 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(refuse("it must be nine digits without blanks or prefix"));
        }
        let sum: u32 = text
            .bytes()
            .zip([3, 2, 7, 6, 5, 4, 3, 2, 1])
            .map(|(digit, weight)| u32::from(digit - b'0') * weight)
            .sum();
        if !sum.is_multiple_of(11) {
            return Err(refuse(
                "its check digit (modulo 11) is wrong; look for a typing error",
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

fn name_text(name: &X509NameRef) -> String {
    let mut parts: Vec<String> = name
        .entries()
        .map(|entry| {
            let nid = entry.object().nid();
            let key = if nid.as_raw() == ORGANIZATION_IDENTIFIER {
                "organizationIdentifier"
            } else {
                nid.short_name().unwrap_or("?")
            };
            let value = entry.data().to_string();
            format!("{key}={}", value.unwrap_or_default().escape_debug())
        })
        .collect();
    parts.reverse();
    parts.join(", ")
}

fn unix_time(time: &Asn1TimeRef) -> Option<UnixTime> {
    let epoch = Asn1Time::from_unix(0).ok()?;
    let diff = epoch.diff(time).ok()?;
    Some(UnixTime::from_seconds(
        i64::from(diff.days) * 86_400 + i64::from(diff.secs),
    ))
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

fn unreadable(source: ErrorStack) -> Error {
    Error::new(
        ErrorCode::Certificate,
        "the certificate cannot be read as X.509 (PEM or DER)",
    )
    .with_source(source)
}
