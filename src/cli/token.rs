//! `segl token`

use clap::Args;
use serde_json::{Value, json};

use super::client::{ClientArguments, RequestArguments};
use super::output::Output;
use crate::call::Call;
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorCode, Result};
use crate::http::Method;
use crate::token::{Token, TokenClient, TokenType};

#[derive(Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    client: ClientArguments,
    #[command(flatten)]
    request: RequestArguments,
    /// Prints the whole header line: Authorization: Bearer … (or DPoP …)
    #[arg(long)]
    header: bool,
    /// Prints beside it the line DPoP: … for one request, with this method, to this URL
    #[arg(long, num_args = 2, value_names = ["METHOD", "URL"], requires = "header")]
    dpop_proof: Option<Vec<String>>,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<()> {
    let request = arguments.request.token_request()?;
    let (client, call) = arguments.client.open()?;
    let token = client.token(&request, &call)?;
    let mut response: Value = serde_json::from_str(token.response_json()).unwrap_or(Value::Null);
    // The secret stands once in the output.
    if let Some(members) = response.as_object_mut() {
        members.remove("access_token");
    }
    let proof = arguments.dpop_proof.as_deref();
    let proof = proof.map(|target| prove(&client, target, &token, &call));
    let proof = proof.transpose()?;
    let mut text = match arguments.header {
        true => format!("Authorization: {}", token.authorization().as_str()),
        false => token.access_token().to_owned(),
    };
    if let Some(proof) = &proof {
        text.push_str(&format!("\nDPoP: {proof}"));
    } else if token.token_type() == TokenType::Dpop {
        output.note(
            "each request needs a DPoP proof of its own too: --header --dpop-proof METHOD URL",
        );
    }
    let mut value = json!({
        "access_token": token.access_token(),
        "token_type": token.token_type().name(),
        "expires_at": token.expires_at().seconds(),
        "scope": token.scope(),
        "response": response,
    });
    if let Some(proof) = proof {
        value["dpop_proof"] = proof.into();
    }
    output.value(&value, &text)
}

fn prove(client: &TokenClient, target: &[String], token: &Token, call: &Call) -> Result<String> {
    let [method, url] = target else {
        return Err(Error::new(
            ErrorCode::InvalidArgument,
            "--dpop-proof takes a method and a URL",
        ));
    };
    let (method, url): (Method, Endpoint) = (method.parse()?, url.parse()?);
    client.dpop_proof(method, &url, token, call)
}
