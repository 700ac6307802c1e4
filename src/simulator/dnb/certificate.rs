//! Client certificates at the bank (RFC 8705).

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use super::super::tls::Connection;
use super::super::trust::is_trusted;
use crate::clock::UnixTime;
use crate::keys::Certificate;
use crate::keys::jwk::base64url;

/// Whether the token endpoint and the API demand a client certificate. Left out,
/// they do so over HTTPS only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in super::super) enum MutualTls {
    /// Always: over plain HTTP nobody gets anything.
    Required,
    /// Never. Who shows one still gets a token that is bound to it.
    Off,
}

/// `x5t#S256` of a certificate that is registered with a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Thumbprint(String);

impl<'de> Deserialize<'de> for Thumbprint {
    /// From base64url, or from hexadecimal digits as `openssl x509 -fingerprint`
    /// prints them.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.len() == 43 && text.bytes().all(is_base64url) {
            return Ok(Self(text));
        }
        let digits: String = text.chars().filter(|c| *c != ':').collect();
        hexadecimal(&digits)
            .filter(|bytes| bytes.len() == 32)
            .map(|bytes| Self(base64url(&bytes)))
            .ok_or_else(|| {
                D::Error::custom(
                    "a thumbprint is the SHA-256 of a certificate's DER, in base64url or hexadecimal",
                )
            })
    }
}

/// What the bank accepts.
pub(super) struct Policy {
    pub(super) mutual_tls: Option<MutualTls>,
    /// Issuers of client certificates. Empty: those that are registered, or that
    /// their clients made themselves.
    pub(super) trusted: Vec<Certificate>,
}

impl Policy {
    /// True when a request needs a certificate.
    pub(super) fn demands(&self, connection: &Connection) -> bool {
        match self.mutual_tls {
            Some(MutualTls::Required) => true,
            Some(MutualTls::Off) => false,
            None => connection.is_tls(),
        }
    }

    /// The thumbprint of the certificate that came with a request from a client
    /// with these `registered` ones; none when there came none and none is needed.
    ///
    /// # Errors
    /// What is wrong with the certificate.
    pub(super) fn thumbprint(
        &self,
        connection: &Connection,
        registered: &[Thumbprint],
        now: UnixTime,
    ) -> Result<Option<String>, &'static str> {
        let chain = connection.certificates();
        let Some(leaf) = chain.first() else {
            return if self.demands(connection) {
                Err("a client certificate is needed; none came with the connection")
            } else {
                Ok(None)
            };
        };
        if leaf.not_before().is_some_and(|start| now < start) {
            return Err("the client certificate is not valid yet");
        }
        if leaf.not_after().is_some_and(|end| now > end) {
            return Err("the client certificate is expired");
        }
        let thumbprint = leaf.to_x5t_s256();
        let is_registered = registered.iter().any(|known| known.0 == thumbprint);
        if !registered.is_empty() && !is_registered {
            return Err("the client certificate is not the one that is registered");
        }
        if !self.trusted.is_empty() {
            // OpenSSL fails here only for want of memory; nothing is trusted then.
            if !is_trusted(chain, &self.trusted, now).unwrap_or(false) {
                return Err("the client certificate's issuer is not trusted");
            }
        } else if !is_registered && !leaf.is_issued_by(leaf) {
            return Err(
                "the client certificate is neither registered nor self-signed, and no issuers are trusted",
            );
        }
        Ok(Some(thumbprint))
    }
}

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

fn hexadecimal(digits: &str) -> Option<Vec<u8>> {
    digits
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}
