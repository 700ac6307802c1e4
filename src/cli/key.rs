//! `segl key generate`, `segl key show` and `segl key health`

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::health;
use super::output::Output;
use crate::alg::{Algorithm, KeyEncryption};
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::hex;
use crate::keys::describe::{CertificateDescription, Description};
use crate::keys::generate::{RsaBits, TokenKeySpec, generate_in_file, generate_on_token};
use crate::keys::uri::{FileUri, PinSource};
use crate::keys::{KeyUri, PublicJwk, Signer};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Makes a key pair, in a file, on a token or in AWS KMS.
    Generate(GenerateArguments),
    /// Shows a key: algorithms, kid, public JWK, certificate, and whether it can be extracted.
    Show {
        /// URI of the key.
        #[arg(value_name = "URI")]
        uri: String,
    },
    /// Makes one signature and shows how the key and its token are doing.
    ///
    /// It fails when the key does not sign; with --watch the last check counts.
    Health(health::Arguments),
}

#[derive(Args)]
pub(super) struct GenerateArguments {
    /// What the key is for: RS256, RS384, RS512, PS256, ES256 or ES384 to sign, RSA-OAEP-256 or
    /// RSA-OAEP to decrypt.
    #[arg(long)]
    alg: String,
    /// Size of an RSA key: 2048, 3072 or 4096.
    #[arg(long, default_value_t = 2048)]
    bits: u32,
    /// Writes PKCS#8 PEM to this file (mode 0600). It must not exist.
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "token",
        conflicts_with = "token"
    )]
    out: Option<PathBuf>,
    /// Encrypts the file with the passphrase from here: file:… or env:…
    #[arg(long, value_name = "SOURCE", requires = "out")]
    passphrase_source: Option<String>,
    /// Makes the key on this token, or in AWS KMS under the alias of awskms:alias/NAME?region=…;
    /// it can never leave it.
    #[arg(long, value_name = "URI")]
    token: Option<String>,
    /// CKA_LABEL of the new key.
    #[arg(long, requires = "token")]
    label: Option<String>,
    /// CKA_ID of the new key in hexadecimal; random when left out.
    #[arg(long, requires = "token", value_name = "HEX")]
    id: Option<String>,
    #[command(flatten)]
    kms: super::kms::Options,
}

pub(super) fn run(command: Command, output: &Output) -> Result<()> {
    match command {
        Command::Generate(arguments) => generate(&arguments, output),
        Command::Show { uri } => show(&uri, output),
        Command::Health(arguments) => health::run(&arguments, output),
    }
}

/// Opens the key that `uri` names.
pub(super) fn open(uri: &str) -> Result<Arc<dyn Signer>> {
    crate::keys::open(&uri.parse()?, None, &call())
}

/// The bounds of one piece of work with a key.
pub(super) fn call() -> Call {
    Call::within(Duration::from_secs(60))
}

fn generate(arguments: &GenerateArguments, output: &Output) -> Result<()> {
    let (alg, encryption) = purpose(&arguments.alg)?;
    let bits = RsaBits::new(arguments.bits)?;
    if let Some(uri) = &arguments.token
        && let KeyUri::AwsKms(uri) = uri.parse()?
    {
        if arguments.label.is_some() || arguments.id.is_some() {
            let problem = "--label and --id are for PKCS#11 tokens; a key in AWS KMS is named by the alias in --token";
            super::wrong_command_line(ErrorKind::ArgumentConflict, problem);
        }
        if encryption.is_some() {
            return Err(super::kms::makes_no_decryption_key(&uri, bits));
        }
        return super::kms::generate(&uri, alg, bits, &arguments.kms, output);
    }
    arguments.kms.require_none();
    let (key, place) = match (&arguments.out, &arguments.token) {
        (Some(path), _) => {
            let passphrase = arguments
                .passphrase_source
                .as_deref()
                .map(|source| PinSource::parse(source, Default::default())?.read())
                .transpose()?;
            let key = generate_in_file(alg, bits, path, passphrase.as_ref())?;
            (key, FileUri::of(path).to_string())
        }
        (None, Some(uri)) => on_token(uri, alg, encryption.is_some(), bits, arguments)?,
        (None, None) => {
            return Err(Error::new(
                ErrorCode::InvalidArgument,
                "give --out or --token",
            ));
        }
    };
    let jwk = match encryption {
        Some(encryption) => key.to_encryption(key.thumbprint(), encryption),
        None => key.to_registration(key.thumbprint(), alg),
    };
    output.value(
        &json!({ "key": place, "kid": key.thumbprint(), "jwk": jwk }),
        &format!("{place}\n{} key, kid {}", describe(&key), key.thumbprint()),
    )
}

/// What kind of key is wanted, and how others encrypt to it if it is to decrypt.
fn purpose(alg: &str) -> Result<(Algorithm, Option<KeyEncryption>)> {
    let encryption = KeyEncryption::ALL.into_iter().find(|own| own.name() == alg);
    match encryption {
        Some(encryption) => Ok((Algorithm::RS256, Some(encryption))),
        None => Ok((alg.parse()?, None)),
    }
}

fn on_token(
    uri: &str,
    alg: Algorithm,
    decrypts: bool,
    bits: RsaBits,
    arguments: &GenerateArguments,
) -> Result<(PublicJwk, String)> {
    let KeyUri::Pkcs11(uri) = uri.parse()? else {
        return Err(Error::new(
            ErrorCode::KeyUri,
            "--token takes a pkcs11: or awskms: URI; for a file use --out",
        ));
    };
    let Some(label) = arguments.label.clone() else {
        let problem = "a key on a token needs a label; give --label";
        super::wrong_command_line(ErrorKind::MissingRequiredArgument, problem);
    };
    let id = arguments.id.as_deref().map(key_id).transpose()?;
    let mut spec = TokenKeySpec::new(alg, &label);
    spec.decrypts = decrypts;
    spec.rsa_bits = bits.get();
    spec.id = id;
    let key = generate_on_token(&uri, None, &spec, &call())?;
    Ok((key, KeyUri::Pkcs11(uri.with_object(&label)).to_string()))
}

fn key_id(text: &str) -> Result<Vec<u8>> {
    let id = hex::decode(text).filter(|id| !id.is_empty());
    id.ok_or_else(|| {
        Error::new(
            ErrorCode::InvalidArgument,
            "--id takes bytes in hexadecimal, two digits each, for example 02",
        )
    })
}

fn show(uri: &str, output: &Output) -> Result<()> {
    let signer = open(uri)?;
    let key = signer.public_key();
    let description = Description::of(&*signer);
    let jwk = Value::Object(key.to_registration(key.thumbprint(), signer.algorithms()[0]));
    let mut json = json!(description);
    json["kid"] = key.thumbprint().into();
    json["jwk"] = jwk.clone();
    let mut text = format!(
        "{}\n{} key, kid (thumbprint) {}\nalgorithms   {}\nextractable  {}\n",
        description.uri.as_deref().unwrap_or(description.kind),
        describe(key),
        key.thumbprint(),
        description.algorithms.join(" "),
        match description.extractable {
            Some(true) => "yes: the private key can leave its home",
            Some(false) => "no: the private key cannot leave the device",
            None => "unknown",
        },
    );
    if let Some(token) = &description.token {
        text.push_str(&format!("token        {token}\n"));
    }
    for certificate in &description.certificates {
        text.push_str(&certificate_text(certificate));
    }
    text.push_str(&format!("jwk          {jwk}"));
    output.value(&json, &text)
}

/// Kind and size, for people.
pub(super) fn describe(key: &PublicJwk) -> String {
    match key.curve() {
        Some(curve) => format!("EC {}", curve.name()),
        None => format!("RSA {}", key.bits()),
    }
}

fn certificate_text(certificate: &CertificateDescription) -> String {
    format!(
        "certificate  {}\n  issuer     {}\n  orgno      {}\n  expires    {}\n",
        certificate.subject,
        certificate.issuer,
        certificate.orgno.as_deref().unwrap_or("none"),
        certificate.not_after.as_deref().unwrap_or("unknown"),
    )
}
