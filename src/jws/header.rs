//! The JOSE header (RFC 7515 section 4).

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::alg::Algorithm;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::jwk::base64url;

/// A JOSE header. Members are written in alphabetical order; absent ones are
/// left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Header {
    /// The signature algorithm.
    #[serde(serialize_with = "alg_name")]
    pub alg: Algorithm,
    /// The public key itself (RFC 7515 section 4.1.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwk: Option<Map<String, Value>>,
    /// The key id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// The media type, for example `JWT` or `client-authentication+jwt`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub typ: Option<String>,
    /// Certificates, standard base64 of DER, the signing key's own first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub x5c: Vec<String>,
    /// SHA-256 thumbprint of the certificate, base64url.
    #[serde(rename = "x5t#S256", skip_serializing_if = "Option::is_none")]
    pub x5t_s256: Option<String>,
}

impl Header {
    /// A header that only names the algorithm.
    pub fn new(alg: Algorithm) -> Self {
        Self {
            alg,
            jwk: None,
            kid: None,
            typ: None,
            x5c: Vec::new(),
            x5t_s256: None,
        }
    }
}

/// A header in base64url, ready for any number of signatures. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PreparedHeader {
    alg: Algorithm,
    encoded: Arc<str>,
}

impl PreparedHeader {
    /// Serialises and encodes `header`.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` when it cannot be written as JSON.
    pub fn new(header: &Header) -> Result<Self> {
        Self::from_json(header.alg, header)
    }

    pub(super) fn from_json(alg: Algorithm, header: &impl Serialize) -> Result<Self> {
        let json = serde_json::to_vec(header).map_err(|source| {
            Error::new(
                ErrorCode::InvalidArgument,
                "the JWS header cannot be written as JSON",
            )
            .with_source(source)
        })?;
        Ok(Self {
            alg,
            encoded: base64url(&json).into(),
        })
    }

    /// The algorithm it names.
    pub fn alg(&self) -> Algorithm {
        self.alg
    }

    pub(super) fn encoded(&self) -> &str {
        &self.encoded
    }
}

fn alg_name<S: serde::Serializer>(
    alg: &Algorithm,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(alg.name())
}
