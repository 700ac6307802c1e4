//! `segl register dnb`

use clap::Args;
use serde_json::json;

use super::super::client::ClientArguments;
use super::super::output::Output;
use crate::error::{Error, ErrorCode, Result};
use crate::jws;

#[derive(Args)]
pub(in super::super) struct Arguments {
    #[command(flatten)]
    client: ClientArguments,
    /// Which of the client's keys, counted from 0 as in keys[0].
    #[arg(long, value_name = "N", default_value_t = 0)]
    key: usize,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<()> {
    let (client, call) = arguments.client.open()?;
    let jwt = client.registration_of(arguments.key, &call)?;
    let signer = client.signers().into_iter().nth(arguments.key).flatten();
    let decoded = jws::decode(&jwt)?;
    let thumbprint = signer.as_ref().map(|key| key.public_key().thumbprint());
    let extractable = signer.as_ref().and_then(|key| key.origin().extractable);
    let kid = &decoded.claims["cnf"]["jwk"]["kid"];
    let expires = decoded.claims["exp"]
        .as_i64()
        .ok_or_else(|| Error::new(ErrorCode::Unsupported, "the registration JWT has no expiry"))?;
    if extractable != Some(false) {
        output.note(
            "Note: this key may leave its home. DNB wants production keys made in an HSM and not exportable.",
        );
    }
    output.note(&format!(
        "Send this JWT to DNB with the contact form on developer.dnb.no before {}; DNB answers with the client_id.",
        crate::clock::UnixTime::from_seconds(expires)
    ));
    output.value(
        &json!({ "registration": jwt, "kid": kid, "thumbprint": thumbprint, "expires_at": expires }),
        &jwt,
    )
}
