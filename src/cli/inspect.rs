//! `segl inspect`

use clap::Args;
use serde_json::{Map, Value, json};

use super::input::text_or_stdin;
use super::output::{Output, pretty};
use crate::clock::UnixTime;
use crate::error::Result;
use crate::jws;

#[derive(Args)]
pub(super) struct Arguments {
    /// The JWT, or "-" for standard input.
    #[arg(value_name = "TOKEN")]
    token: String,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<()> {
    let text = text_or_stdin(&arguments.token, "the JWT")?;
    let decoded = jws::decode(text.trim())?;
    let times = times(&decoded.claims);
    let json = json!({
        "verified": false,
        "header": decoded.header,
        "claims": decoded.claims,
        "times": times,
        "signature_bytes": decoded.signature.len(),
    });
    let mut text = format!(
        "header {}\nclaims {}\n",
        pretty(&Value::Object(decoded.header)),
        pretty(&Value::Object(decoded.claims))
    );
    for (name, value) in &times {
        text.push_str(&format!(
            "{name} is {}\n",
            value.as_str().unwrap_or_default()
        ));
    }
    text.push_str(&format!(
        "signature of {} bytes, NOT verified",
        decoded.signature.len()
    ));
    output.value(&json, &text)
}

fn times(claims: &Map<String, Value>) -> Map<String, Value> {
    ["iat", "nbf", "exp"]
        .into_iter()
        .filter_map(|name| {
            let seconds = claims.get(name)?.as_i64()?;
            let text = UnixTime::from_seconds(seconds).to_string();
            Some((name.to_owned(), text.into()))
        })
        .collect()
}
