//! What the bank knows before it starts.

use serde::Deserialize;
use serde_json::{Map, Value};

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
            plain: true,
            page_size: 1000,
            consumers: Vec::new(),
            accounts: Vec::new(),
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

/// An organisation that may ask, and what answers for it are encrypted to.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "WrittenConsumer")]
pub(super) struct Consumer {
    pub(super) orgno: OrgNumber,
    pub(super) key: PublicJwk,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenConsumer {
    orgno: String,
    jwk: Option<Map<String, Value>>,
    certificate: Option<String>,
}

impl TryFrom<WrittenConsumer> for Consumer {
    type Error = Error;

    fn try_from(written: WrittenConsumer) -> Result<Self> {
        let key = match (written.jwk, written.certificate) {
            (Some(jwk), None) => PublicJwk::from_json(&Value::Object(jwk).to_string())?,
            (None, Some(pem)) => Certificate::read_chain(pem.as_bytes())?
                .first()
                .and_then(Certificate::public_key)
                .cloned()
                .ok_or_else(|| wrong("the certificate has no key that can be used"))?,
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
            key,
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
