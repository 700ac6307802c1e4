//! A key in AWS KMS: its name, its ARN and its public half.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::client::{KmsClient, Repeat, bad_response, text};
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::PublicJwk;
use crate::keys::uri::{AwsKmsUri, KmsKeyName};

/// A key of KMS, and the way to it.
pub(super) struct KmsKey {
    pub(super) uri: AwsKmsUri,
    pub(super) client: KmsClient,
    /// The key's ARN, whatever name it was opened by.
    pub(super) arn: String,
    pub(super) public_key: PublicJwk,
}

impl KmsKey {
    /// Asks for the public half, once (`kms:GetPublicKey`). `usage` is what the key must
    /// be for. Gives KMS's answer too.
    ///
    /// # Errors
    /// 300 numbers of [`ErrorCode`]; `KEY_TYPE` for a key of a type that segl cannot
    /// use.
    pub(super) fn open(
        client: KmsClient,
        uri: &AwsKmsUri,
        usage: &str,
        call: &Call,
    ) -> Result<(Self, Value)> {
        let name = uri.name().to_string();
        let what = format!("AWS KMS GetPublicKey of {name}");
        let asked = json!({ "KeyId": name });
        let answer = client.send("GetPublicKey", &asked, &name, Repeat::Freely, call)?;
        let found = answer.get("KeyUsage").and_then(Value::as_str);
        if let Some(found) = found.filter(|found| *found != usage) {
            return Err(Error::new(
                ErrorCode::KmsKeyUsage,
                format!(
                    "{uri}: the key is for {}; make one for {usage}",
                    found.escape_debug()
                ),
            ));
        }
        let arn = text(&answer, "KeyId", &what)?.to_owned();
        if !is_of_name(&arn, uri.name()) {
            return Err(bad_response(&what, "is about another key"));
        }
        let der = STANDARD
            .decode(text(&answer, "PublicKey", &what)?)
            .map_err(|_| bad_response(&what, "has a \"PublicKey\" that is not base64"))?;
        let public_key = PublicJwk::from_spki_der(&der)
            .map_err(|error| error.in_context(format_args!("{uri}")))?;
        let key = Self {
            uri: uri.clone(),
            client,
            arn,
            public_key,
        };
        Ok((key, answer))
    }

    /// Refuses an answer of another key than was opened: an alias may lead elsewhere by
    /// now.
    ///
    /// # Errors
    /// `KMS_KEY_CHANGED`.
    pub(super) fn require_same(&self, answer: &Value, what: &str) -> Result<()> {
        let arn = text(answer, "KeyId", what)?;
        if arn == self.arn {
            return Ok(());
        }
        let now = super::refusal::readable(arn);
        Err(Error::new(
            ErrorCode::KmsKeyChanged,
            format!(
                "{what}: {now} did it, but {} was opened, so the public key is another one; \
                 register the new public key, then start the program again or open the key again",
                self.arn
            ),
        ))
    }
}

/// False when the answer is about a key that the name cannot mean.
fn is_of_name(arn: &str, name: &KmsKeyName) -> bool {
    match name {
        KmsKeyName::Id(id) => arn == id || arn.ends_with(&format!(":key/{id}")),
        KmsKeyName::Arn { resource, .. } if resource.alias().is_none() => arn == name.to_string(),
        _ => true,
    }
}
