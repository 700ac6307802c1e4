//! A bank behind DSOP Control 2.0: it encrypts its answers to the key of the consumer.

mod answers;
mod config;
mod request;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Path, State as Extract};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::Padding;
use serde_json::{Map, Value};

pub(super) use config::BankConfig;

use super::access_token::AccessToken;
use super::dpop::Target;
use super::reply;
use super::state::State;
use crate::alg::KeyEncryption;
use crate::error::{Error, ErrorCode, Result};
use crate::jwe;
use crate::keys::{OrgNumber, PublicJwk};
use crate::secret::Secret;
use config::{Account, Consumer, KeyName, Wrapping};
use request::{Form, Refusal, check, invalid, parameter, party};

/// The base URL's path, which tokens are made out to.
pub(super) const BASE_PATH: &str = "/bank";

pub(super) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route("/bank/v2/accounts", any(accounts))
        .route("/bank/v2/accounts/{reference}", any(account))
        .route("/bank/v2/accounts/{reference}/{part}", any(part))
}

async fn accounts(Extract(state): Extract<Arc<State>>, target: Target) -> Response {
    answer(&state, &target, || {
        let party = party(&target.headers)?;
        let only_primary_owner = match parameter(&target, "OnlyPrimaryOwner").as_deref() {
            Some(text) if text.eq_ignore_ascii_case("true") => true,
            Some(text) if text.eq_ignore_ascii_case("false") => false,
            _ => return Err(invalid("OnlyPrimaryOwner is missing".to_owned())),
        };
        let config = &state.bank;
        let is_of_party = |account: &&Account| {
            account.owner == party
                || (!only_primary_owner && account.holders.iter().any(|holder| holder == party))
        };
        let accounts = config.accounts.iter().filter(is_of_party);
        answers::list(
            "accounts",
            accounts.map(answers::account).collect(),
            config.page_size,
            &target,
        )
    })
}

async fn account(
    Extract(state): Extract<Arc<State>>,
    Path(reference): Path<String>,
    target: Target,
) -> Response {
    answer(&state, &target, || {
        let account = find(&state, &reference)?;
        Ok(answers::details(account))
    })
}

async fn part(
    Extract(state): Extract<Arc<State>>,
    Path((reference, part)): Path<(String, String)>,
    target: Target,
) -> Response {
    answer(&state, &target, || {
        let account = find(&state, &reference)?;
        let (name, items) = match part.as_str() {
            "transactions" => ("transactions", answers::transactions(account)),
            "cards" => ("paymentCards", answers::cards(account)),
            "roles" => ("roles", answers::roles(account)),
            _ => {
                return Err(Refusal(
                    StatusCode::NOT_FOUND,
                    "ACC-003",
                    "no such path".to_owned(),
                ));
            }
        };
        answers::list(name, items, state.bank.page_size, &target)
    })
}

fn find<'a>(state: &'a State, reference: &str) -> std::result::Result<&'a Account, Refusal> {
    let accounts = &state.bank.accounts;
    accounts
        .iter()
        .find(|account| account.reference == reference)
        .ok_or_else(|| {
            Refusal(
                StatusCode::NOT_FOUND,
                "ACC-002",
                "unknown account".to_owned(),
            )
        })
}

fn answer(
    state: &State,
    target: &Target,
    make: impl FnOnce() -> std::result::Result<Value, Refusal>,
) -> Response {
    let answered = || {
        let keys = consumer(state, target)?;
        let form = check(target, state.bank.plain)?;
        let content = make()?;
        if form == Form::Plain {
            return Ok(reply::json(StatusCode::OK, &content));
        }
        let key = keys[state.bank_turns.next(&keys[0].orgno) % keys.len()];
        let jwe = encrypted(&state.bank, key, &content).map_err(|_| {
            let problem = "the answer cannot be encrypted".to_owned();
            Refusal(StatusCode::INTERNAL_SERVER_ERROR, "ACC-500", problem)
        })?;
        Ok(([(header::CONTENT_TYPE, "application/jose")], jwe).into_response())
    };
    answered().unwrap_or_else(|refusal: Refusal| refusal.into_response())
}

/// How many encrypted answers each organisation got.
#[derive(Default)]
pub(super) struct Turns(Mutex<BTreeMap<String, usize>>);

impl Turns {
    /// How many there were before this one.
    fn next(&self, organisation: &OrgNumber) -> usize {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = turns.entry(organisation.as_str().to_owned()).or_default();
        *turn += 1;
        *turn - 1
    }
}

/// The keys of the organisation whose token is good for this bank; there is one at least.
fn consumer<'a>(
    state: &'a State,
    target: &Target,
) -> std::result::Result<Vec<&'a Consumer>, Refusal> {
    let unauthorized =
        |problem: &str| Refusal(StatusCode::UNAUTHORIZED, "ACC-010", problem.to_owned());
    let forbidden = |problem: &str| Refusal(StatusCode::FORBIDDEN, "ACC-011", problem.to_owned());
    let now = state.now();
    let verify = |token: &str| state.maskinporten.verify_token(token, now);
    let token = AccessToken::bearer(&target.headers, verify)
        .map_err(|_| unauthorized("a token of Maskinporten is missing, or not valid"))?;
    let base = format!("{}{BASE_PATH}", state.urls(&target.connection).base);
    if token.text("aud") != base {
        return Err(unauthorized("the token is not for this bank (aud)"));
    }
    if !token.has_scope(&state.bank.scope) {
        return Err(forbidden("the token has not the scope"));
    }
    let of_token = |consumer: &&Consumer| consumer.orgno.as_str() == token.consumer();
    let keys: Vec<_> = state.bank.consumers.iter().filter(of_token).collect();
    if keys.is_empty() {
        return Err(forbidden("the consumer has no encryption certificate here"));
    }
    Ok(keys)
}

fn encrypted(config: &BankConfig, consumer: &Consumer, content: &Value) -> Result<String> {
    let plain = Secret::new(content.to_string().into_bytes());
    let mut members = Map::new();
    let name = match config.key_name {
        KeyName::Kid => Some(("kid", consumer.kid.clone())),
        KeyName::X5tS256 => consumer.x5t_s256.clone().map(|own| ("x5t#S256", own)),
        KeyName::None => None,
    };
    members.extend(name.map(|(name, value)| (name.to_owned(), value.into())));
    let key = &consumer.key;
    let oaep = |alg| jwe::encrypt(plain.expose(), key, alg, config.enc, members.clone());
    match config.alg {
        Wrapping::RsaOaep256 => oaep(KeyEncryption::RsaOaep256),
        Wrapping::RsaOaep => oaep(KeyEncryption::RsaOaep),
        Wrapping::Rsa15 => {
            let wrap = |content_key: &Secret| pkcs1(key, content_key.expose());
            jwe::seal(plain.expose(), "RSA1_5", config.enc, members.clone(), wrap)
        }
    }
}

fn pkcs1(key: &PublicJwk, plain: &[u8]) -> Result<Vec<u8>> {
    let encrypted = || {
        let mut context = PkeyCtx::new(key.pkey())?;
        context.encrypt_init()?;
        context.set_rsa_padding(Padding::PKCS1)?;
        let mut ciphertext = Vec::new();
        context.encrypt_to_vec(plain, &mut ciphertext)?;
        Ok(ciphertext)
    };
    encrypted().map_err(|source: openssl::error::ErrorStack| {
        Error::new(ErrorCode::KeyType, "nothing can be encrypted to the key").with_source(source)
    })
}
