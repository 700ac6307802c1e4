//! Gets an access token for a client of `segl.toml`.
//!
//! `cargo run --example token -- segl.toml bank`

use segl::{Call, Config, TokenClient, TokenRequest};

fn main() -> segl::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().unwrap_or("segl.toml".into());
    let name = arguments.next().unwrap_or("bank".into());

    let config = Config::from_file(file.as_ref())?;
    let client = TokenClient::from_config(&config, &name, &Call::none())?;
    let token = client.token(&TokenRequest::default(), &Call::none())?;
    println!(
        "a token of {} bytes, valid until {}",
        token.access_token().len(),
        token.expires_at()
    );
    Ok(())
}
