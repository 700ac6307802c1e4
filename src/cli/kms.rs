//! `segl key generate --token awskms:…`

use clap::Args;
use clap::error::ErrorKind;

use super::output::Output;
use crate::alg::Algorithm;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::generate::RsaBits;
use crate::keys::uri::AwsKmsUri;

#[derive(Args)]
#[command(next_help_heading = "AWS KMS")]
pub(super) struct Options {
    /// A tag of the new key. May be given several times.
    #[arg(long = "tag", value_name = "NAME=VALUE", requires = "token")]
    tags: Vec<String>,
    /// Makes a key that can be replicated to other regions; it cannot be made one later.
    #[arg(long, requires = "token")]
    multi_region: bool,
    /// Replicates the new key to this region, under the same alias. May be given several times.
    #[arg(long = "replica", value_name = "REGION", requires = "token")]
    replicas: Vec<String>,
}

impl Options {
    /// Refuses them where they mean nothing.
    pub(super) fn require_none(&self) {
        if self.tags.is_empty() && !self.multi_region && self.replicas.is_empty() {
            return;
        }
        super::wrong_command_line(
            ErrorKind::ArgumentConflict,
            "--tag, --multi-region and --replica are for keys in AWS KMS (--token awskms:alias/NAME)",
        )
    }
}

/// What makes a key that decrypts.
pub(super) fn makes_no_decryption_key(uri: &AwsKmsUri, bits: RsaBits) -> Error {
    let region = uri
        .region()
        .map_or(String::new(), |region| format!(" --region {region}"));
    let make = format!(
        "aws kms create-key{region} --key-spec RSA_{} --key-usage ENCRYPT_DECRYPT",
        bits.get()
    );
    let command = match uri.name().alias() {
        None => make,
        Some(alias) => format!(
            "aws kms create-alias{region} --alias-name alias/{alias} \
             --target-key-id $({make} --query KeyMetadata.KeyId --output text)"
        ),
    };
    Error::new(
        ErrorCode::InvalidArgument,
        format!(
            "segl makes signing keys in AWS KMS; make this one with AWS's command line: {command}"
        ),
    )
}

#[cfg(feature = "awskms")]
pub(super) fn generate(
    uri: &AwsKmsUri,
    alg: Algorithm,
    bits: RsaBits,
    options: &Options,
    output: &Output,
) -> Result<()> {
    use std::time::Duration;

    use serde_json::json;

    use super::key::describe;
    use crate::call::Call;
    use crate::keys::awskms::{KmsKeySpec, generate_in_kms};

    let mut spec = KmsKeySpec::new(alg);
    spec.rsa_bits = bits.get();
    spec.multi_region = options.multi_region;
    spec.replicas = options.replicas.clone();
    for tag in &options.tags {
        let Some((name, value)) = tag.split_once('=') else {
            super::wrong_command_line(ErrorKind::ValueValidation, "--tag takes NAME=VALUE");
        };
        spec.tags.insert(name.to_owned(), value.to_owned());
    }
    let made = generate_in_kms(uri, &spec, &Call::within(Duration::from_secs(300)))?;
    let key = &made.public_key;
    let uris: Vec<String> = made.uris.iter().map(ToString::to_string).collect();
    let jwk = key.to_registration(key.thumbprint(), alg);
    output.value(
        &json!({
            "key": uris.first(), "replicas": uris.get(1..), "arn": made.arn,
            "kid": key.thumbprint(), "jwk": jwk,
        }),
        &format!(
            "{}\n{}\n{} key, kid {}",
            uris.join("\n"),
            made.arn,
            describe(key),
            key.thumbprint()
        ),
    )
}

#[cfg(not(feature = "awskms"))]
pub(super) fn generate(
    _: &AwsKmsUri,
    _: Algorithm,
    _: RsaBits,
    _: &Options,
    _: &Output,
) -> Result<()> {
    Err(Error::new(
        ErrorCode::Unsupported,
        "this build of segl cannot make keys in AWS KMS; build it with the cargo feature \"awskms\"",
    ))
}
