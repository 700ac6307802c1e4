//! `segl register`

use clap::Subcommand;
use serde_json::json;

use super::client::ClientArguments;
use super::output::Output;
use crate::error::{Error, ErrorCode, Result};
use crate::jws;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Prints the registration JWT for DNB.
    Dnb(ClientArguments),
}

pub(super) fn run(command: &Command, output: &Output) -> Result<()> {
    let Command::Dnb(arguments) = command;
    let (client, call) = arguments.open()?;
    let key = client.signer().public_key().thumbprint().to_owned();
    let jwt = client.registration(&call)?;
    let decoded = jws::decode(&jwt)?;
    let kid = &decoded.claims["cnf"]["jwk"]["kid"];
    let expires = decoded.claims["exp"]
        .as_i64()
        .ok_or_else(|| Error::new(ErrorCode::Unsupported, "the registration JWT has no expiry"))?;
    if client.signer().origin().extractable != Some(false) {
        output.note(
            "Note: this key may leave its home. DNB wants production keys made in an HSM and not exportable.",
        );
    }
    output.note(&format!(
        "Send this JWT to DNB with the contact form on developer.dnb.no before {}; DNB answers with the client_id.",
        crate::clock::UnixTime::from_seconds(expires)
    ));
    output.value(
        &json!({ "registration": jwt, "kid": kid, "thumbprint": key, "expires_at": expires }),
        &jwt,
    )
}
