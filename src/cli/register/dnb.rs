//! `segl register dnb`

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::super::client::ClientArguments;
use super::super::output::{Output, pretty, print_line};
use super::super::output_file::write_new;
use crate::clock::UnixTime;
use crate::error::{Error, ErrorCode, Result};
use crate::jws;

#[derive(Args)]
pub(in super::super) struct Arguments {
    #[command(flatten)]
    client: ClientArguments,
    /// Which of the client's keys, counted from 0 as in keys[0].
    #[arg(long, value_name = "N", default_value_t = 0)]
    key: usize,
    /// Writes the JWT to this file instead of standard output. It must not exist.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// The JWT stands alone on standard output, or in the file; what to do with it goes to
/// standard error.
pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<()> {
    let config = arguments.client.config()?;
    let client_id = config.client(arguments.client.name())?.client_id.clone();
    let (client, call) = arguments.client.open()?;
    let jwt = client.registration_of(arguments.key, &call)?;
    let signer = client.signers().into_iter().nth(arguments.key).flatten();
    let registration = Registration::read(&jwt)?;
    let extractable = signer.as_ref().and_then(|key| key.origin().extractable);
    let thumbprint = signer.as_ref().map(|key| key.public_key().thumbprint());
    if let Some(path) = &arguments.out {
        write_new(path, format!("{jwt}\n").as_bytes())?;
    }
    if let Some(warning) = warning(extractable) {
        output.note(warning);
    }
    let client_id = client_id.as_ref().map(|id| id.as_str());
    output.note(&registration.next_steps(arguments, client_id));
    if output.json {
        let mut json = json!({
            "registration": jwt,
            "kid": registration.kid,
            "thumbprint": thumbprint,
            "audience": registration.audience,
            "issued_at": registration.issued_at,
            "expires_at": registration.expires_at,
            "extractable": extractable,
            "client_id": client_id,
        });
        if let Some(path) = &arguments.out {
            json["file"] = path.display().to_string().into();
        }
        return print_line(&pretty(&json));
    }
    match arguments.out {
        Some(_) => Ok(()),
        None => print_line(&jwt),
    }
}

/// What the JWT says.
struct Registration {
    kid: String,
    audience: String,
    issued_at: i64,
    expires_at: i64,
}

impl Registration {
    fn read(jwt: &str) -> Result<Self> {
        let claims = jws::decode(jwt)?.claims;
        let jwk = claims.get("cnf").and_then(|cnf| cnf.pointer("/jwk/kid"));
        let text = |value: Option<&Value>| Some(value?.as_str()?.to_owned());
        let seconds = |name: &str| claims.get(name).and_then(Value::as_i64);
        let read = || {
            Some(Self {
                kid: text(jwk)?,
                audience: text(claims.get("aud"))?,
                issued_at: seconds("iat")?,
                expires_at: seconds("exp")?,
            })
        };
        read().ok_or_else(|| {
            Error::new(
                ErrorCode::Unsupported,
                "this is not DNB's registration JWT; use a client with profile = \"dnb\"",
            )
        })
    }

    fn next_steps(&self, arguments: &Arguments, client_id: Option<&str>) -> String {
        let (kid, name) = (&self.kid, arguments.client.name());
        let what = match &arguments.out {
            Some(path) => path.display().to_string(),
            None => "the JWT".to_owned(),
        };
        let until = UnixTime::from_seconds(self.expires_at);
        let (form, answer) = match client_id {
            None => (
                String::new(),
                format!(
                    "DNB answers with the client_id. Set it in [clients.{name}] of the configuration."
                ),
            ),
            Some(id) => (
                format!(
                    " Say that the key is one more of the client {id}, and that the others stay."
                ),
                "DNB answers when the key is registered; go on with the other keys until then."
                    .to_owned(),
            ),
        };
        format!(
            "What to do now:\n\
             \x20 1. Send {what} to DNB with the contact form on developer.dnb.no, before {until}. There is no API for it.{form}\n\
             \x20 2. {answer}\n\
             \x20 3. Compare the kid: it is {kid} here. If DNB has another for this key, set it as \"kid\".\n\
             \x20 4. Try it: segl token {name}"
        )
    }
}

/// "For production, private key should be generated in HSM and be non-exportable."
fn warning(extractable: Option<bool>) -> Option<&'static str> {
    match extractable {
        Some(false) => None,
        Some(true) => Some(
            "Warning: this key can be copied from where it is. For production DNB wants keys that were made in an HSM \
             and cannot be exported; make one with `segl key generate --token`.",
        ),
        None => Some(
            "Warning: whether this key can be copied from where it is, is not known. For production DNB wants keys \
             that were made in an HSM and cannot be exported.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_key_that_stays_where_it_is_gets_no_warning() {
        assert_eq!(warning(Some(false)), None);
        assert!(warning(Some(true)).is_some_and(|text| text.contains("can be copied")));
        assert!(warning(None).is_some_and(|text| text.contains("is not known")));
    }
}
