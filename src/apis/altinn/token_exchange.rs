//! Altinn's token for Maskinporten's (Altinn/altinn-authentication,
//! `AuthenticationController`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::super::errors::{bad_response, require_success_as};
use super::super::header_template::Values;
use super::super::operations::{Context, Describe};
use super::super::service::Repeat;
use super::{Altinn, problem};
use crate::call::Call;
use crate::clock::UnixTime;
use crate::error::Result;
use crate::http::Method;
use crate::jws;
use crate::secret::Secret;

/// A token is replaced so many seconds before its `exp`.
const MARGIN: i64 = 60;

/// Most seconds that a token is kept; Altinn's last half an hour.
const LONGEST: i64 = 24 * 3600;

/// Which token of Altinn's is wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct TokenExchange {
    /// Makes Digdir's own organisation the test organisation `ttd`.
    pub test: bool,
    /// Asks for a new token, whatever is kept: an API refused the one before.
    pub renew: bool,
}

impl TokenExchange {
    /// The same as the test organisation `ttd`, for Digdir's own clients.
    #[must_use]
    pub fn as_test_organisation(mut self) -> Self {
        self.test = true;
        self
    }

    /// The same, but a new token.
    #[must_use]
    pub fn renewed(mut self) -> Self {
        self.renew = true;
        self
    }
}

impl Altinn {
    /// An Altinn token for Maskinporten's. It has the same claims but for issuer and
    /// session, and lasts 30 minutes. The client keeps it until a minute before its `exp`,
    /// so that asking often costs nothing; [`TokenExchange::renew`] asks Altinn again.
    ///
    /// # Errors
    /// `API_UNAUTHORIZED` when Altinn does not take the token, the other API numbers of
    /// [`crate::ErrorCode`], and those of the token endpoint.
    pub fn exchange_token(&self, exchange: TokenExchange, call: &Call) -> Result<Secret> {
        let path = ["authentication", "api", "v1", "exchange", "maskinporten"];
        let query: &[_] = match exchange.test {
            true => &[("test", "true")],
            false => &[],
        };
        let url = self.service.url(&path, query)?;
        let place = url.as_str().to_owned();
        let (kept, clock) = (self.client.exchanged(), self.service.clock());
        if !exchange.renew
            && let Some(token) = kept.find(&place, &self.token_request, clock.moment())
        {
            return Ok(token);
        }
        let begun = kept.begin(clock.moment());
        let request = self.service.request(Method::Get, url, Values::default())?;
        let answer = self.service.send(&request, Repeat::Safe, call)?;
        let what = request.named();
        require_success_as(&answer, &what, |body| problem::read(body, answer.status))?;
        let Some(token) = token(&answer.body) else {
            return Err(bad_response(&answer, &what, "is not a token"));
        };
        let token_secret = Secret::from(token.as_bytes());
        if let Some(life) = life(token, clock.now()) {
            kept.put(
                &place,
                &self.token_request,
                token_secret.clone(),
                begun,
                life.saturating_mul(1000),
            );
        }
        Ok(token_secret)
    }
}

/// The token itself, or a JSON string of it.
fn token(body: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(body).ok()?.trim();
    let token = text
        .strip_prefix('"')
        .and_then(|inside| inside.strip_suffix('"'))
        .unwrap_or(text);
    let is_jwt = token.split('.').count() == 3
        && token
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'"');
    is_jwt.then_some(token)
}

/// The seconds for which a token is kept, if it is.
fn life(token: &str, now: UnixTime) -> Option<i64> {
    let decoded = jws::decode(token).ok()?;
    let seconds = |name| decoded.claims.get(name).and_then(serde_json::Value::as_i64);
    let exp = seconds("exp")?;
    // A clock that is behind would take the token for younger than it is.
    let from = seconds("iat").map_or(now.seconds(), |iat| iat.max(now.seconds()));
    let life = exp.saturating_sub(from).saturating_sub(MARGIN);
    (1..=LONGEST).contains(&life).then_some(life)
}

pub(in super::super) struct ExchangeToken;

#[derive(Serialize)]
pub(in super::super) struct Exchanged {
    token: Zeroizing<String>,
}

impl Describe for ExchangeToken {
    const NAME: &'static str = "altinn.exchange_token";
    const SUMMARY: &'static str = "Gets an Altinn token for Maskinporten's.";
    type Input = TokenExchange;
    type Output = Exchanged;

    fn run(exchange: TokenExchange, context: &Context<'_>) -> Result<Exchanged> {
        let token = Altinn::of(context)?.exchange_token(exchange, context.call)?;
        let token = String::from_utf8_lossy(token.expose()).into_owned();
        Ok(Exchanged {
            token: Zeroizing::new(token),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quotes_are_no_part_of_a_token() {
        for body in ["a.b.c", "\"a.b.c\"", " \"a.b.c\"\n"] {
            assert_eq!(token(body.as_bytes()), Some("a.b.c"));
        }
        for body in [
            "",
            "\"",
            "a.b",
            "a.b.c.d",
            "\"a.b.c",
            "a b.c.d",
            "{\"a\":\"b.c.d\"}",
        ] {
            assert_eq!(token(body.as_bytes()), None, "{body}");
        }
    }

    proptest! {
        #[test]
        fn any_body_is_a_token_or_not(body: Vec<u8>) {
            if let Some(token) = token(&body) {
                prop_assert!(token.bytes().all(|byte| byte.is_ascii_graphic()));
            }
        }
    }
}
