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
use super::outage::{Admission, Outage};
use crate::alg::Algorithm;
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::uri::{AwsKmsUri, KmsKeyName};
use crate::keys::{
    Health, MakeMessage, Origin, PublicJwk, Signed, Signer, ecdsa, require_algorithm,
};

/// A key in AWS KMS. The message is hashed here, so that its length does not matter
/// and it stays on this machine.
pub struct AwsKmsSigner {
    uri: AwsKmsUri,
    client: KmsClient,
    /// The key's ARN, whatever name it was opened by.
    arn: String,
    public_key: PublicJwk,
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
        let name = uri.name().to_string();
        let what = format!("AWS KMS GetPublicKey of {name}");
        let asked = json!({ "KeyId": name });
        let answer = client.send("GetPublicKey", &asked, &name, Repeat::Freely, call)?;
        let usage = answer.get("KeyUsage").and_then(Value::as_str);
        if let Some(usage) = usage.filter(|usage| *usage != "SIGN_VERIFY") {
            return Err(Error::new(
                ErrorCode::KmsKeyUsage,
                format!(
                    "{uri}: the key is for {}; make one for SIGN_VERIFY",
                    usage.escape_debug()
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
        let algorithms = algorithms(&public_key, answer.get("SigningAlgorithms"));
        if algorithms.is_empty() {
            return Err(Error::new(
                ErrorCode::KmsKeyUsage,
                format!("{uri}: KMS names no signing algorithm of this key that segl can use"),
            ));
        }
        Ok(Self {
            uri: uri.clone(),
            client,
            arn,
            public_key,
            algorithms,
            outage: Outage::default(),
        })
    }

    /// The key's ARN, as KMS told it when the key was opened.
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// The region in which the key is used.
    pub fn region(&self) -> &str {
        self.client.region()
    }

    /// Signs what `make` makes, unless KMS is away.
    fn sign_made(
        &self,
        alg: Algorithm,
        make: &dyn Fn() -> Result<Vec<u8>>,
        call: &Call,
    ) -> Result<Signed> {
        require_algorithm(self, alg)?;
        let name = self.uri.name().to_string();
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
        let name = self.uri.name().to_string();
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
        let answer = self.client.send_made("Sign", make, &name, repeat, call)?;
        let digest = alg.hash(&message);
        self.require_same_key(&answer, what)?;
        let signature = STANDARD
            .decode(text(&answer, "Signature", what)?)
            .map_err(|_| bad_response(what, "has a \"Signature\" that is not base64"))?;
        let signature = match self.public_key.curve() {
            None => signature,
            Some(curve) => ecdsa::der_to_jose(curve, &signature).ok_or_else(|| {
                bad_response(
                    what,
                    "has an ECDSA signature that is not strict DER of two numbers",
                )
            })?,
        };
        if !self.public_key.verify_digest(alg, &digest, &signature) {
            return Err(Error::new(
                ErrorCode::SignatureFault,
                format!(
                    "{what}: the signature does not verify with the key's public half, thumbprint {}, and was not released; \
                     open the key again, and look for what changes answers on their way",
                    self.public_key.thumbprint()
                ),
            ));
        }
        Ok(Signed { message, signature })
    }

    fn require_same_key(&self, answer: &Value, what: &str) -> Result<()> {
        let arn = text(answer, "KeyId", what)?;
        if arn == self.arn {
            return Ok(());
        }
        let now = super::refusal::readable(arn);
        Err(Error::new(
            ErrorCode::KmsKeyChanged,
            format!(
                "{what}: {now} signed, but {} was opened, so the public key is another one; \
                 register the new public key, then start the program again or open the key again",
                self.arn
            ),
        ))
    }
}

impl Signer for AwsKmsSigner {
    fn public_key(&self) -> &PublicJwk {
        &self.public_key
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
        origin.uri = Some(self.uri.to_string());
        // KMS has no operation that gives out the private half of such a key.
        origin.extractable = Some(false);
        origin.token = Some(self.arn.clone());
        origin
    }
}

impl fmt::Debug for AwsKmsSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsKmsSigner")
            .field("uri", &self.uri)
            .field("arn", &self.arn)
            .field("public_key", &self.public_key)
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

/// False when the answer is about a key that the name cannot mean.
fn is_of_name(arn: &str, name: &KmsKeyName) -> bool {
    match name {
        KmsKeyName::Id(id) => arn == id || arn.ends_with(&format!(":key/{id}")),
        KmsKeyName::Arn { resource, .. } if resource.alias().is_none() => arn == name.to_string(),
        _ => true,
    }
}
