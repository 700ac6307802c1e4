//! A key in AWS KMS that decrypts.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::client::{KmsClient, Repeat, bad_response};
use super::credentials::CredentialsProvider;
use super::key::KmsKey;
use super::outage::{Admission, Outage};
use crate::alg::KeyEncryption;
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::PublicJwk;
use crate::keys::decrypt::{Decrypter, require_length, require_rsa, undecipherable};
use crate::keys::uri::AwsKmsUri;
use crate::secret::Secret;

/// An RSA key in AWS KMS that was made for `ENCRYPT_DECRYPT`.
pub struct AwsKmsDecrypter {
    key: KmsKey,
    /// What KMS calls the algorithms that it does with the key, if it says so.
    named: Option<Vec<String>>,
    outage: Outage,
}

impl AwsKmsDecrypter {
    /// Opens the key that `uri` names, with the credentials of `provider` or those that
    /// AWS's own tools would use. The public key is asked for once (`kms:GetPublicKey`).
    ///
    /// # Errors
    /// 300 numbers of [`ErrorCode`]; `KEY_TYPE` for a key that is not RSA.
    pub fn open(
        uri: &AwsKmsUri,
        provider: Option<Arc<dyn CredentialsProvider>>,
        call: &Call,
    ) -> Result<Self> {
        let client = KmsClient::new(uri, provider)?;
        let (key, answer) = KmsKey::open(client, uri, "ENCRYPT_DECRYPT", call)?;
        require_rsa(&key.public_key).map_err(|error| error.in_context(format_args!("{uri}")))?;
        let named = answer
            .get("EncryptionAlgorithms")
            .and_then(Value::as_array)
            .map(|named| {
                let names = named.iter().filter_map(Value::as_str);
                names.map(str::to_owned).collect()
            });
        Ok(Self {
            key,
            named,
            outage: Outage::default(),
        })
    }

    /// The key's ARN, as KMS told it when the key was opened.
    pub fn arn(&self) -> &str {
        &self.key.arn
    }

    fn require_offered(&self, alg: KeyEncryption) -> Result<()> {
        let name = kms_name(alg);
        if self
            .named
            .as_ref()
            .is_none_or(|named| named.iter().any(|own| own == name))
        {
            return Ok(());
        }
        Err(Error::new(
            ErrorCode::KmsKeyUsage,
            format!("{}: KMS does not do {alg} with this key", self.key.uri),
        ))
    }

    fn ask(
        &self,
        alg: KeyEncryption,
        ciphertext: &[u8],
        repeat: Repeat,
        what: &str,
        call: &Call,
    ) -> Result<Secret> {
        let name = self.key.uri.name().to_string();
        let asked = json!({
            "KeyId": name,
            "CiphertextBlob": STANDARD.encode(ciphertext),
            "EncryptionAlgorithm": kms_name(alg),
        });
        let mut answer = self
            .key
            .client
            .send("Decrypt", &asked, &name, repeat, call)?;
        let plain = match answer.get_mut("Plaintext").map(Value::take) {
            Some(Value::String(text)) => Zeroizing::new(text),
            _ => return Err(bad_response(what, "has no \"Plaintext\"")),
        };
        self.key.require_same(&answer, what)?;
        STANDARD
            .decode(plain.as_bytes())
            .map(Secret::new)
            .map_err(|_| bad_response(what, "has a \"Plaintext\" that is not base64"))
    }
}

impl Decrypter for AwsKmsDecrypter {
    fn public_key(&self) -> &PublicJwk {
        &self.key.public_key
    }

    fn decrypt(&self, alg: KeyEncryption, ciphertext: &[u8], call: &Call) -> Result<Secret> {
        self.require_offered(alg)?;
        require_length(&self.key.public_key, ciphertext)?;
        let what = format!(
            "AWS KMS Decrypt with {} in {}",
            self.key.uri.name(),
            self.key.client.region()
        );
        call.check(&what)?;
        let admission = self.outage.admit(&what, call)?;
        let begin = Instant::now();
        let outcome = match &admission {
            Admission::Usual => self.ask(alg, ciphertext, Repeat::Freely, &what, call),
            Admission::Try(call) => self.ask(alg, ciphertext, Repeat::Never, &what, call),
        };
        // That a ciphertext is none is an answer of a KMS that works.
        let outcome = match outcome {
            Err(error) if is_of_ciphertext(&error) => Ok(None),
            outcome => outcome.map(Some),
        };
        self.outage.note(&outcome, begin, &admission);
        outcome?.ok_or_else(undecipherable)
    }
}

impl fmt::Debug for AwsKmsDecrypter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsKmsDecrypter")
            .field("uri", &self.key.uri)
            .field("arn", &self.key.arn)
            .field("public_key", &self.key.public_key)
            .finish_non_exhaustive()
    }
}

/// What KMS calls the algorithm.
fn kms_name(alg: KeyEncryption) -> &'static str {
    match alg {
        KeyEncryption::RsaOaep256 => "RSAES_OAEP_SHA_256",
        KeyEncryption::RsaOaep => "RSAES_OAEP_SHA_1",
    }
}

/// What KMS says of a ciphertext that is none.
fn is_of_ciphertext(error: &Error) -> bool {
    matches!(
        error.details().provider_code.as_deref(),
        Some("InvalidCiphertextException" | "IncorrectKeyException")
    )
}
