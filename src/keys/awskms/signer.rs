//! A key in AWS KMS.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::client::{KmsClient, Repeat, bad_response, text};
use super::credentials::CredentialsProvider;
use super::key::KmsKey;
use super::outage::{Admission, Outage};
use crate::alg::Algorithm;
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::uri::AwsKmsUri;
use crate::keys::{
    Health, MakeMessage, Origin, PublicJwk, Signed, Signer, ecdsa, require_algorithm,
};

/// A key in AWS KMS. The message is hashed here, so that its length does not matter
/// and it stays on this machine.
pub struct AwsKmsSigner {
    key: KmsKey,
    algorithms: Vec<Algorithm>,
    outage: Outage,
}

impl AwsKmsSigner {
    /// Opens the key that `uri` names, with the credentials that AWS's own tools would
    /// use. The public key is asked for once (`kms:GetPublicKey`).
    ///
    /// # Errors
    /// 300 numbers of [`ErrorCode`]; `KEY_TYPE` for a key of a type that segl cannot
    /// use.
    pub fn open(uri: &AwsKmsUri, call: &Call) -> Result<Self> {
        Self::open_by(uri, None, call)
    }

    /// As [`AwsKmsSigner::open`], with the credentials of `provider`. [`Credentials`]
    /// are one that gives themselves.
    ///
    /// [`Credentials`]: super::Credentials
    ///
    /// # Errors
    /// As [`AwsKmsSigner::open`], and those of `provider`.
    pub fn open_with(
        uri: &AwsKmsUri,
        provider: Arc<dyn CredentialsProvider>,
        call: &Call,
    ) -> Result<Self> {
        Self::open_by(uri, Some(provider), call)
    }

    fn open_by(
        uri: &AwsKmsUri,
        provider: Option<Arc<dyn CredentialsProvider>>,
        call: &Call,
    ) -> Result<Self> {
        let client = KmsClient::new(uri, provider)?;
        Self::open_on(client, uri, call)
    }

    pub(super) fn open_on(client: KmsClient, uri: &AwsKmsUri, call: &Call) -> Result<Self> {
        let (key, answer) = KmsKey::open(client, uri, "SIGN_VERIFY", call)?;
        let algorithms = algorithms(&key.public_key, answer.get("SigningAlgorithms"));
        if algorithms.is_empty() {
            return Err(Error::new(
                ErrorCode::KmsKeyUsage,
                format!("{uri}: KMS names no signing algorithm of this key that segl can use"),
            ));
        }
        Ok(Self {
            key,
            algorithms,
            outage: Outage::default(),
        })
    }

    /// The key's ARN, as KMS told it when the key was opened.
    pub fn arn(&self) -> &str {
        &self.key.arn
    }

    /// The region in which the key is used.
    pub fn region(&self) -> &str {
        self.key.client.region()
    }

    /// Signs what `make` makes, unless KMS is away.
    fn sign_made(
        &self,
        alg: Algorithm,
        make: &dyn Fn() -> Result<Vec<u8>>,
        call: &Call,
    ) -> Result<Signed> {
        require_algorithm(self, alg)?;
        let name = self.key.uri.name().to_string();
        let what = format!("AWS KMS Sign with {name} in {}", self.region());
        call.check(&what)?;
        let admission = self.outage.admit(&what, call)?;
        let begin = Instant::now();
        let is_made = Cell::new(true);
        let make = || make().inspect_err(|_| is_made.set(false));
        let signed = match &admission {
            Admission::Usual => self.sign_checked(alg, &make, Repeat::Freely, &what, call),
            Admission::Try(call) => self.sign_checked(alg, &make, Repeat::Never, &what, call),
        };
        if is_made.get() {
            self.outage.note(&signed, begin, &admission);
        }
        signed
    }

    /// A signature that was checked. `what` is for errors.
    fn sign_checked(
        &self,
        alg: Algorithm,
        make: &dyn Fn() -> Result<Vec<u8>>,
        repeat: Repeat,
        what: &str,
        call: &Call,
    ) -> Result<Signed> {
        let name = self.key.uri.name().to_string();
        let mut message = Vec::new();
        let make = || {
            message = make()?;
            Ok(json!({
                "KeyId": name,
                "Message": STANDARD.encode(&*alg.hash(&message)),
                "MessageType": "DIGEST",
                "SigningAlgorithm": kms_name(alg),
            }))
        };
        let answer = self
            .key
            .client
            .send_made("Sign", make, &name, repeat, call)?;
        let digest = alg.hash(&message);
        self.key.require_same(&answer, what)?;
        let signature = STANDARD
            .decode(text(&answer, "Signature", what)?)
            .map_err(|_| bad_response(what, "has a \"Signature\" that is not base64"))?;
        let signature = match self.key.public_key.curve() {
            None => signature,
            Some(curve) => ecdsa::der_to_jose(curve, &signature).ok_or_else(|| {
                bad_response(
                    what,
                    "has an ECDSA signature that is not strict DER of two numbers",
                )
            })?,
        };
        if !self.key.public_key.verify_digest(alg, &digest, &signature) {
            return Err(Error::new(
                ErrorCode::SignatureFault,
                format!(
                    "{what}: the signature does not verify with the key's public half, thumbprint {}, and was not released; \
                     open the key again, and look for what changes answers on their way",
                    self.key.public_key.thumbprint()
                ),
            ));
        }
        Ok(Signed { message, signature })
    }
}

impl Signer for AwsKmsSigner {
    fn public_key(&self) -> &PublicJwk {
        &self.key.public_key
    }

    fn algorithms(&self) -> &[Algorithm] {
        &self.algorithms
    }

    fn sign(&self, alg: Algorithm, message: &[u8], call: &Call) -> Result<Vec<u8>> {
        let signed = self.sign_made(alg, &|| Ok(message.to_vec()), call)?;
        Ok(signed.signature)
    }

    fn sign_when_ready(
        &self,
        alg: Algorithm,
        make: &Arc<MakeMessage>,
        call: &Call,
    ) -> Result<Signed> {
        self.sign_made(alg, &**make, call)
    }

    fn health(&self) -> Health {
        self.outage.health()
    }

    fn origin(&self) -> Origin {
        let mut origin = Origin::new("awskms");
        origin.uri = Some(self.key.uri.to_string());
        // KMS has no operation that gives out the private half of such a key.
        origin.extractable = Some(false);
        origin.token = Some(self.key.arn.clone());
        origin
    }
}

impl fmt::Debug for AwsKmsSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsKmsSigner")
            .field("uri", &self.key.uri)
            .field("arn", &self.key.arn)
            .field("public_key", &self.key.public_key)
            .finish_non_exhaustive()
    }
}

/// What KMS calls the algorithm.
pub(super) fn kms_name(alg: Algorithm) -> &'static str {
    match alg {
        Algorithm::RS256 => "RSASSA_PKCS1_V1_5_SHA_256",
        Algorithm::RS384 => "RSASSA_PKCS1_V1_5_SHA_384",
        Algorithm::RS512 => "RSASSA_PKCS1_V1_5_SHA_512",
        Algorithm::PS256 => "RSASSA_PSS_SHA_256",
        Algorithm::ES256 => "ECDSA_SHA_256",
        Algorithm::ES384 => "ECDSA_SHA_384",
    }
}

/// Those of the key's type that KMS names, if it names any.
fn algorithms(public_key: &PublicJwk, named: Option<&Value>) -> Vec<Algorithm> {
    let named = named.and_then(Value::as_array);
    let is_named = |alg: &Algorithm| {
        named.is_none_or(|named| named.iter().any(|name| *name == kms_name(*alg)))
    };
    let possible = public_key.algorithms().iter().copied();
    possible.filter(is_named).collect()
}
