//! `segl jwk`

use clap::Args;
use serde_json::{Value, json};

use super::key::open;
use super::output::{Output, pretty, print_line};
use crate::alg::Algorithm;
use crate::error::{Error, ErrorCode, Result};

#[derive(Args)]
pub(super) struct Arguments {
    /// URIs of the keys.
    #[arg(value_name = "URI", required = true)]
    uris: Vec<String>,
    /// Prints a JWK Set: {"keys":[…]}.
    #[arg(long)]
    set: bool,
    /// Prints an array, as Maskinporten's web self-service wants it.
    #[arg(long, conflicts_with = "set")]
    array: bool,
    /// The kid, instead of the RFC 7638 thumbprint (one key only).
    #[arg(long)]
    kid: Option<String>,
    /// The alg, instead of the key's usual one (one key only).
    #[arg(long)]
    alg: Option<String>,
}

pub(super) fn run(arguments: &Arguments, _output: &Output) -> Result<()> {
    if arguments.uris.len() > 1 && (arguments.kid.is_some() || arguments.alg.is_some()) {
        return Err(Error::new(
            ErrorCode::InvalidArgument,
            "--kid and --alg need exactly one key; run the command once for each",
        ));
    }
    let mut keys = arguments
        .uris
        .iter()
        .map(|uri| jwk(uri, arguments))
        .collect::<Result<Vec<_>>>()?;
    let value = match (arguments.set, arguments.array, keys.len()) {
        (true, _, _) => json!({ "keys": keys }),
        (false, false, 1) => keys.remove(0),
        _ => Value::Array(keys),
    };
    print_line(&pretty(&value))
}

fn jwk(uri: &str, arguments: &Arguments) -> Result<Value> {
    let signer = open(uri)?;
    let alg = match &arguments.alg {
        Some(name) => {
            let alg: Algorithm = name.parse()?;
            crate::keys::require_algorithm(&*signer, alg)?;
            alg
        }
        None => signer.algorithms()[0],
    };
    let key = signer.public_key();
    let kid = arguments.kid.as_deref().unwrap_or(key.thumbprint());
    Ok(Value::Object(key.to_registration(kid, alg)))
}
