//! What the bank knows before it starts.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::config::contradiction;
use crate::alg::ContentEncryption;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::{Certificate, OrgNumber, PublicJwk};

/// The table `[bank]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in super::super) struct BankConfig {
    /// The scope that a token needs.
    pub(super) scope: String,
    /// How answers are encrypted.
    pub(super) alg: Wrapping,
    pub(super) enc: ContentEncryption,
    /// What names the consumer's key in the header.
    pub(super) key_name: KeyName,
    /// Whether who accepts `application/json` gets plain JSON, as in banks' test
    /// environments.
    pub(super) plain: bool,
    /// Items on a page.
    pub(super) page_size: usize,
    pub(super) consumers: Vec<Consumer>,
    pub(super) accounts: Vec<Account>,
}

impl Default for BankConfig {
    fn default() -> Self {
        Self {
            scope: "bits:kontoinformasjon".to_owned(),
            alg: Wrapping::RsaOaep256,
            enc: ContentEncryption::A256Gcm,
            key_name: KeyName::Kid,
            plain: true,
            page_size: 1000,
            consumers: Vec::new(),
            accounts: Vec::new(),
        }
    }
}

impl BankConfig {
    /// Refuses a name of keys that a consumer does not have.
    pub(in super::super) fn check(&self) -> Result<()> {
        let has_no_name = |consumer: &Consumer| consumer.x5t_s256.is_none();
        match self.consumers.iter().position(has_no_name) {
            Some(index) if self.key_name == KeyName::X5tS256 => Err(contradiction(
                "bank.key_name",
                &format!(
                    "is \"x5t#S256\", which bank.consumers[{index}] has none of; \
                     give its certificate instead of jwk"
                ),
            )),
            _ => Ok(()),
        }
    }
}

/// `alg` of answers. Clients must refuse RSA1_5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum Wrapping {
    #[serde(rename = "RSA-OAEP-256")]
    RsaOaep256,
    #[serde(rename = "RSA-OAEP")]
    RsaOaep,
    #[serde(rename = "RSA1_5")]
    Rsa15,
}

/// How an answer names the key that it is encrypted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum KeyName {
    #[serde(rename = "kid")]
    Kid,
    #[serde(rename = "x5t#S256")]
    X5tS256,
    #[serde(rename = "none")]
    None,
}

/// An organisation that may ask, and what answers for it are encrypted to. One that is
/// there several times has several keys, which the bank uses in turn.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "WrittenConsumer")]
pub(super) struct Consumer {
    pub(super) orgno: OrgNumber,
    pub(super) key: PublicJwk,
    /// Its RFC 7638 thumbprint, unless it has another name.
    pub(super) kid: String,
    /// The certificate's thumbprint, if there is a certificate.
    pub(super) x5t_s256: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenConsumer {
    orgno: String,
    kid: Option<String>,
    jwk: Option<Map<String, Value>>,
    certificate: Option<String>,
}

impl TryFrom<WrittenConsumer> for Consumer {
    type Error = Error;

    fn try_from(written: WrittenConsumer) -> Result<Self> {
        let (key, x5t_s256) = match (written.jwk, written.certificate) {
            (Some(jwk), None) => {
                let key = PublicJwk::from_json(&Value::Object(jwk).to_string())?;
                (key, None)
            }
            (None, Some(pem)) => {
                let chain = Certificate::read_chain(pem.as_bytes())?;
                let leaf = chain.first();
                let key = leaf
                    .and_then(Certificate::public_key)
                    .cloned()
                    .ok_or_else(|| wrong("the certificate has no key that can be used"))?;
                (key, leaf.map(Certificate::to_x5t_s256))
            }
            _ => {
                return Err(wrong(
                    "give either the encryption certificate or its key as jwk",
                ));
            }
        };
        if key.curve().is_some() {
            return Err(wrong("only an RSA key can be encrypted to"));
        }
        Ok(Self {
            orgno: written.orgno.parse()?,
            kid: written.kid.unwrap_or_else(|| key.thumbprint().to_owned()),
            key,
            x5t_s256,
        })
    }
}

/// An account that the bank has.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Account {
    pub(super) reference: String,
    /// A person's or organisation's number.
    pub(super) owner: String,
    /// Who has another role for it.
    #[serde(default)]
    pub(super) holders: Vec<String>,
    /// How many transactions there were.
    #[serde(default)]
    pub(super) transactions: usize,
}

fn wrong(problem: &str) -> Error {
    Error::new(ErrorCode::Config, problem)
}
