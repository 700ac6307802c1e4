//! Making keys in AWS KMS.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::client::{KmsClient, Repeat, text};
use super::signer::AwsKmsSigner;
use crate::alg::Algorithm;
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::uri::{AwsKmsUri, KmsKeyName, is_region};
use crate::keys::{PublicJwk, Signer};
use crate::log::{self, Level};

/// A key to be made in KMS, for signatures only. It can never leave KMS.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KmsKeySpec {
    /// What the key is for: an RSA algorithm gives an RSA key, ES256 and ES384 a key
    /// on their curve.
    pub alg: Algorithm,
    /// The bits of an RSA modulus: 2048 (the default), 3072 or 4096.
    pub rsa_bits: u32,
    /// The key's description, shown in the console.
    pub description: String,
    /// The key's tags.
    pub tags: BTreeMap<String, String>,
    /// Whether the key can be replicated to other regions. That cannot be changed
    /// later. Replicas make it so.
    pub multi_region: bool,
    /// Regions that get a replica, with the same alias.
    pub replicas: Vec<String>,
}

impl KmsKeySpec {
    /// A key of one region for `alg`.
    pub fn new(alg: Algorithm) -> Self {
        Self {
            alg,
            rsa_bits: 2048,
            description: String::new(),
            tags: BTreeMap::new(),
            multi_region: false,
            replicas: Vec::new(),
        }
    }
}

/// A key that was made.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct GeneratedKmsKey {
    /// Its public half.
    pub public_key: PublicJwk,
    /// Its ARN.
    pub arn: String,
    /// Its URI, by its alias, and those of its replicas.
    pub uris: Vec<AwsKmsUri>,
}

/// Makes a key in KMS with the alias that `uri` names, and its replicas.
///
/// # Errors
/// `KEY_EXISTS` when there is such an alias already; nothing is made then.
/// `INVALID_ARGUMENT`, and 300 numbers of [`ErrorCode`]. When a key was made and a
/// later step fails, the message names the key and says how to go on.
pub fn generate_in_kms(uri: &AwsKmsUri, spec: &KmsKeySpec, call: &Call) -> Result<GeneratedKmsKey> {
    let KmsKeyName::Alias(alias) = uri.name() else {
        return Err(invalid(
            "a new key gets an alias: write awskms:alias/NAME?region=REGION",
        ));
    };
    let alias = format!("alias/{alias}");
    let client = KmsClient::new(uri, None)?;
    require_consistent(uri, spec, client.region())?;
    let home = Region::new(client, uri.clone());
    let mut replicas = Vec::new();
    for region in &spec.replicas {
        let uri = uri.clone().with_region(region);
        replicas.push(Region::new(KmsClient::new(&uri, None)?, uri));
    }
    home.require_free(&alias, call)?;
    for replica in &replicas {
        replica.require_free(&alias, call)?;
    }
    let made = home.create(spec, call)?;
    log::emit(Level::Info, "awskms", format_args!("made {}", made.arn));
    let complete = || -> Result<Vec<AwsKmsUri>> {
        home.name(&made.id, &alias, call)?;
        let mut uris = vec![home.uri.clone()];
        for replica in &replicas {
            home.replicate(&made.id, replica.client.region(), spec, call)?;
            replica.wait_until_made(&made.id, call)?;
            replica.name(&made.id, &alias, call)?;
            uris.push(replica.uri.clone());
        }
        Ok(uris)
    };
    let after = |error: Error| {
        error.in_context(format_args!(
            "the key {} was made, but not all that was asked for; do the rest by hand (aws kms create-alias, \
             replicate-key), or plan its deletion (aws kms schedule-key-deletion --key-id {})",
            made.arn, made.id
        ))
    };
    let uris = complete().map_err(after)?;
    let signer = AwsKmsSigner::open_on(home.client, uri, call).map_err(after)?;
    Ok(GeneratedKmsKey {
        public_key: signer.public_key().clone(),
        arn: made.arn.clone(),
        uris,
    })
}

/// KMS in one region, and the new key's URI there.
struct Region {
    client: KmsClient,
    uri: AwsKmsUri,
}

struct Made {
    id: String,
    arn: String,
}

impl Region {
    /// The URI names the region, so that it means the same anywhere.
    fn new(client: KmsClient, uri: AwsKmsUri) -> Self {
        let uri = uri.with_region(client.region());
        Self { client, uri }
    }

    fn require_free(&self, alias: &str, call: &Call) -> Result<()> {
        let asked = json!({ "KeyId": alias });
        let answer = self
            .client
            .send("DescribeKey", &asked, alias, Repeat::Freely, call);
        match answer {
            Err(error) if error.code() == ErrorCode::KmsNotFound => Ok(()),
            Err(error) => Err(error),
            Ok(answer) => Err(Error::new(
                ErrorCode::KeyExists,
                format!(
                    "there is a key {alias} in {} already ({}); choose another name, or remove that alias first",
                    self.client.region(),
                    answer["KeyMetadata"]["Arn"]
                        .as_str()
                        .unwrap_or("its ARN was not told")
                ),
            )),
        }
    }

    fn create(&self, spec: &KmsKeySpec, call: &Call) -> Result<Made> {
        let asked = json!({
            "KeySpec": key_spec(spec),
            "KeyUsage": "SIGN_VERIFY",
            "Description": spec.description,
            "MultiRegion": spec.multi_region || !spec.replicas.is_empty(),
            "Tags": tags(spec),
        });
        let what = "a new key";
        let answer = self
            .client
            .send("CreateKey", &asked, what, Repeat::WhenRefused, call)
            .map_err(|error| match error.code() {
                ErrorCode::Network | ErrorCode::Timeout | ErrorCode::KmsUnavailable => error
                    .in_context(
                        "it is not known whether a key was made; look for one without an alias (aws kms list-keys)",
                    )
                    .with_retryable(false),
                _ => error,
            })?;
        let what = "AWS KMS CreateKey";
        let metadata = answer.get("KeyMetadata").unwrap_or(&Value::Null);
        Ok(Made {
            id: text(metadata, "KeyId", what)?.to_owned(),
            arn: text(metadata, "Arn", what)?.to_owned(),
        })
    }

    /// Gives the key its alias. A key that was just replicated may not take it yet.
    fn name(&self, id: &str, alias: &str, call: &Call) -> Result<()> {
        let asked = json!({ "AliasName": alias, "TargetKeyId": id });
        self.when_ready(call, || {
            self.client
                .send("CreateAlias", &asked, alias, Repeat::Freely, call)
                .map(|_| ())
        })
        .or_else(|error| match error.code() {
            // An earlier try whose answer was lost may have made it.
            ErrorCode::KeyExists if self.leads_to(alias, id, call)? => Ok(()),
            _ => Err(error),
        })
    }

    fn leads_to(&self, alias: &str, id: &str, call: &Call) -> Result<bool> {
        let asked = json!({ "KeyId": alias });
        let answer = self
            .client
            .send("DescribeKey", &asked, alias, Repeat::Freely, call)?;
        Ok(answer["KeyMetadata"]["KeyId"].as_str() == Some(id))
    }

    fn replicate(&self, id: &str, region: &str, spec: &KmsKeySpec, call: &Call) -> Result<()> {
        let asked = json!({
            "KeyId": id,
            "ReplicaRegion": region,
            "Description": spec.description,
            "Tags": tags(spec),
        });
        self.when_ready(call, || {
            self.client
                .send("ReplicateKey", &asked, id, Repeat::WhenRefused, call)
                .map(|_| ())
        })
    }

    fn wait_until_made(&self, id: &str, call: &Call) -> Result<()> {
        let asked = json!({ "KeyId": id });
        self.when_ready(call, || {
            let answer = self
                .client
                .send("DescribeKey", &asked, id, Repeat::Freely, call)?;
            match answer["KeyMetadata"]["KeyState"].as_str() {
                Some("Creating") => Err(Error::new(
                    ErrorCode::KmsState,
                    format!(
                        "the replica in {} is still being made",
                        self.client.region()
                    ),
                )),
                _ => Ok(()),
            }
        })
    }

    /// Repeats `work` once a second, a minute long, while the key is being made.
    fn when_ready(&self, call: &Call, work: impl Fn() -> Result<()>) -> Result<()> {
        const SECOND: std::time::Duration = std::time::Duration::from_secs(1);
        for _ in 0..60 {
            match work() {
                Err(error)
                    if matches!(error.code(), ErrorCode::KmsState | ErrorCode::KmsNotFound) =>
                {
                    if let Err(over) = call.pause(SECOND, "waiting for the replica") {
                        return match over.code() {
                            ErrorCode::Cancelled => Err(over),
                            _ => Err(error),
                        };
                    }
                }
                done => return done,
            }
        }
        work()
    }
}

fn require_consistent(uri: &AwsKmsUri, spec: &KmsKeySpec, home: &str) -> Result<()> {
    if spec.alg.is_rsa() && ![2048, 3072, 4096].contains(&spec.rsa_bits) {
        return Err(invalid("KMS makes RSA keys of 2048, 3072 or 4096 bits"));
    }
    for region in &spec.replicas {
        if !is_region(region) {
            return Err(invalid(&format!(
                "\"{}\" is no AWS region; write for example eu-west-1",
                region.escape_debug()
            )));
        }
        if region == home {
            return Err(invalid(&format!(
                "the key itself is in {home}; name another region for its replica"
            )));
        }
    }
    if uri.endpoint().is_some_and(|endpoint| !endpoint.is_plain()) && !spec.replicas.is_empty() {
        return Err(invalid(
            "endpoint= is one region's, and the replicas are in others; leave it out",
        ));
    }
    Ok(())
}

fn key_spec(spec: &KmsKeySpec) -> String {
    match spec.alg {
        Algorithm::ES256 => "ECC_NIST_P256".to_owned(),
        Algorithm::ES384 => "ECC_NIST_P384".to_owned(),
        _ => format!("RSA_{}", spec.rsa_bits),
    }
}

fn tags(spec: &KmsKeySpec) -> Value {
    spec.tags
        .iter()
        .map(|(key, value)| json!({ "TagKey": key, "TagValue": value }))
        .collect()
}

fn invalid(problem: &str) -> Error {
    Error::new(ErrorCode::InvalidArgument, problem)
}
