//! An API that answers with a person's balance: may the sender of a request have it? Reads the
//! access token on standard input.

use std::io::read_to_string;

use segl::{Call, Config, Error, Requirements, Validator};

fn main() -> segl::Result<()> {
    // Once, when the program starts. It may be shared by all threads.
    let config = Config::from_file("segl.toml".as_ref())?;
    let validator = Validator::from_config(&config, "saldo")?;

    // For each request: the token without "Bearer ", and whom it is about.
    let token = read_to_string(std::io::stdin()).unwrap_or_default();
    let requirements = Requirements::from_json(
        r#"{"consent": {"from": "05848998356", "resources": ["bank-saldo"]}}"#,
    )?;
    match validator.check(token.trim(), &requirements, &Call::none()) {
        Ok(token) => {
            let name = |organisation: &segl::validate::IssuedOrganisation| organisation.id();
            let consumer = token.consumer().map(name).unwrap_or_default();
            let supplier = token.supplier().map(name).unwrap_or_default();
            println!("200, for {consumer}, by {supplier}");
        }
        Err(error) => println!("{}", refusal(&error)),
    }
    Ok(())
}

/// Status and header of the answer (RFC 6750 section 3). The message is for the API's own log.
fn refusal(error: &Error) -> String {
    eprintln!("{} {error}", error.code());
    let status = error.details().http_status.unwrap_or(500);
    match &error.details().oauth_error {
        Some(word) => format!("{status}, WWW-Authenticate: Bearer error=\"{word}\""),
        None => status.to_string(),
    }
}
