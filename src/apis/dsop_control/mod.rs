//! DSOP Control (kontrollinformasjon) 2.0: a bank's accounts of a person or an
//! organisation, for public agencies (Bits' OpenAPI document, 2.0.0).

mod case;
pub(super) mod operations;
mod page;

use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;
use zeroize::Zeroizing;

pub use case::{AdditionalReference, AdditionalReferenceType, Case, LegalMandate, Party, Period};
pub use page::Page;

use super::errors::{bad_response, require_success};
use super::header_template::Values;
use super::service::{Known, Repeat, Service};
use crate::call::Call;
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorCode, Result};
use crate::http::{Method, Request, Response};
use crate::jwe::{self, Accepted};
use crate::profiles::{Environment, ServiceName, TokenRequest};
use crate::token::{Decryption, TokenClient};

/// Every bank has a base URL of its own. An answer is `application/jose` unless it is an
/// error; in test, banks give plain JSON to who accepts that.
const DSOP_CONTROL: Known = Known {
    name: ServiceName::DsopControl,
    prod: None,
    test: None,
    headers: &[
        ("Accept", "application/jose"),
        ("CorrelationID", "{correlation_id}"),
        ("AccountInfoRequestID", "{account_info_request_id}"),
        ("Legal-Mandate", "{legal_mandate}"),
        ("PartyID", "{person}"),
        ("AdditionalReferenceID", "{additional_reference}"),
        ("AdditionalReferenceIDType", "{additional_reference_type}"),
        ("RequesterID", "{requester}"),
    ],
    placeholders: &[
        "correlation_id",
        "account_info_request_id",
        "legal_mandate",
        "person",
        "additional_reference",
        "additional_reference_type",
        "requester",
    ],
};

/// The version in the paths.
const VERSION: &str = "v2";

/// An answer in more pages than this has no end. With the 1000 transactions on a page that
/// are asked of banks it is ten million.
const MOST_PAGES: usize = 10_000;

/// One bank's accounts, with Maskinporten's tokens and the client's key to decrypt the
/// answers (setting `decryption`).
#[derive(Debug, Clone)]
pub struct DsopControl {
    service: Service,
    client: Arc<TokenClient>,
    /// With the version.
    base: Endpoint,
}

/// What is asked about an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Details,
    Transactions,
    Cards,
    Roles,
}

impl DsopControl {
    /// The bank at `bank`, its base URL with or without `/v2`; where it is `None`, that of
    /// the client's settings. The token is for that URL (`resource`), unless
    /// `token_request` says otherwise; banks refuse tokens for others.
    ///
    /// # Errors
    /// `CONFIG` naming the setting, `decryption` if it is missing; `URL`;
    /// `API_NOT_ALLOWED` when the client's setting `apis` does not have the bank.
    pub fn new(
        client: Arc<TokenClient>,
        mut token_request: TokenRequest,
        bank: Option<&str>,
    ) -> Result<Self> {
        let settings = client.service_settings(ServiceName::DsopControl);
        let set = settings.and_then(|settings| settings.base_url.as_deref());
        let bank = bank.or(set).ok_or_else(|| {
            Error::new(
                ErrorCode::InvalidArgument,
                "there is no bank; give its base URL, or set services.dsop_control.base_url",
            )
        })?;
        let base = versioned(bank)?;
        super::require_allowed(&base, client.apis())?;
        if token_request.resource.is_none() {
            token_request.resource = Some(vec![bank.to_owned()]);
        }
        let service = Service::new(&DSOP_CONTROL, Arc::clone(&client), token_request)?.at(&base);
        Ok(Self {
            service,
            client,
            base,
        })
    }

    /// The accounts of `party`, all pages. With `only_primary_owner` not those that others
    /// own.
    ///
    /// # Errors
    /// `JWE_INVALID` and `JWE_ALGORITHM` for an answer that is not encrypted as it must
    /// be; the API numbers of [`ErrorCode`], with the bank's code (`ACC-001`) as
    /// `provider_code`; those of the token endpoint and of the key.
    pub fn accounts(
        &self,
        case: &Case,
        party: &Party,
        only_primary_owner: bool,
        period: Period,
        call: &Call,
    ) -> Result<Vec<Page>> {
        let mut query = vec![("OnlyPrimaryOwner", only_primary_owner.to_string())];
        query.extend(period.query());
        let url = self.url(&["accounts"], &query)?;
        self.all(url, case, Some(party), "accounts", call)
    }

    /// One account with its balances. `reference` is its `accountReference`.
    ///
    /// # Errors
    /// As [`DsopControl::accounts`].
    pub fn account(
        &self,
        case: &Case,
        reference: &str,
        period: Period,
        call: &Call,
    ) -> Result<Vec<Page>> {
        self.of_account(Part::Details, case, reference, period, call)
    }

    /// The transactions of an account, all pages.
    ///
    /// # Errors
    /// As [`DsopControl::accounts`].
    pub fn transactions(
        &self,
        case: &Case,
        reference: &str,
        period: Period,
        call: &Call,
    ) -> Result<Vec<Page>> {
        self.of_account(Part::Transactions, case, reference, period, call)
    }

    /// The payment cards of an account, all pages.
    ///
    /// # Errors
    /// As [`DsopControl::accounts`].
    pub fn cards(
        &self,
        case: &Case,
        reference: &str,
        period: Period,
        call: &Call,
    ) -> Result<Vec<Page>> {
        self.of_account(Part::Cards, case, reference, period, call)
    }

    /// Who has a role for an account, all pages.
    ///
    /// # Errors
    /// As [`DsopControl::accounts`].
    pub fn roles(
        &self,
        case: &Case,
        reference: &str,
        period: Period,
        call: &Call,
    ) -> Result<Vec<Page>> {
        self.of_account(Part::Roles, case, reference, period, call)
    }

    fn of_account(
        &self,
        part: Part,
        case: &Case,
        reference: &str,
        period: Period,
        call: &Call,
    ) -> Result<Vec<Page>> {
        if matches!(reference, "" | "." | "..") {
            return Err(Error::new(
                ErrorCode::InvalidArgument,
                "the account reference is none; take accountReference of the list of accounts",
            ));
        }
        let (last, shown) = match part {
            Part::Details => (None, "accounts/…"),
            Part::Transactions => (Some("transactions"), "accounts/…/transactions"),
            Part::Cards => (Some("cards"), "accounts/…/cards"),
            Part::Roles => (Some("roles"), "accounts/…/roles"),
        };
        let segments: Vec<_> = ["accounts", reference].into_iter().chain(last).collect();
        let url = self.url(&segments, &period.query())?;
        self.all(url, case, None, shown, call)
    }

    fn url(&self, segments: &[&str], query: &[(&str, String)]) -> Result<Endpoint> {
        let query: Vec<_> = query
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        self.service.url(segments, &query)
    }

    /// The page at `url` and all that follow. `shown` is the path for messages: a
    /// reference is mostly the account's number.
    fn all(
        &self,
        url: Endpoint,
        case: &Case,
        party: Option<&Party>,
        shown: &str,
        call: &Call,
    ) -> Result<Vec<Page>> {
        let shown = format!("{}/{shown}", self.base.as_str().trim_end_matches('/'));
        let mut seen = vec![url];
        let mut pages = Vec::new();
        while let Some(url) = seen.last() {
            let page = self.page(url, case, party, &shown, call)?;
            let next = page.next().cloned();
            pages.push(page);
            match next {
                Some(next) if seen.contains(&next) || seen.len() == MOST_PAGES => {
                    return Err(Error::new(
                        ErrorCode::ApiBadResponse,
                        format!(
                            "GET {shown}: the bank's pages have no end: page {} leads on to one that was there already, or \
                             there are more than {MOST_PAGES}; tell the bank",
                            seen.len()
                        ),
                    ));
                }
                Some(next) => seen.push(next),
                None => break,
            }
        }
        Ok(pages)
    }

    fn page(
        &self,
        url: &Endpoint,
        case: &Case,
        party: Option<&Party>,
        shown: &str,
        call: &Call,
    ) -> Result<Page> {
        let correlation_id = Uuid::new_v4().to_string();
        let reference = case.additional_reference.as_ref();
        let values = Values::default()
            .with("correlation_id", correlation_id.as_str())
            .with(
                "account_info_request_id",
                case.account_info_request_id.to_string(),
            )
            .with("legal_mandate", case.legal_mandate.encoded())
            .with_optional("person", party.map(Party::expose))
            .with_optional(
                "additional_reference",
                reference.map(|reference| reference.id.as_str()),
            )
            .with_optional(
                "additional_reference_type",
                reference.map(|reference| reference.kind.as_str()),
            )
            .with_optional(
                "requester",
                case.requester_id.as_ref().map(|id| id.as_str()),
            );
        let request = self
            .service
            .request(Method::Get, url.clone(), values)?
            .shown_as(shown);
        let what = &request.named();
        let takes_plain = self.takes_plain(&request);
        // Before anything is sent: without its key the answer is no use.
        let decryption = match self.client.decryption() {
            Some(decryption) => {
                decryption.key(call)?;
                Some(decryption)
            }
            None if takes_plain => None,
            None => return Err(without_key()),
        };
        let answer = self.service.send(&request, Repeat::Safe, call);
        let traced = |error: Error| {
            error.with_details(|details| {
                details
                    .trace_id
                    .get_or_insert_with(|| correlation_id.clone());
            })
        };
        let answer = answer.map_err(traced)?;
        require_success(&answer, what).map_err(|error| traced(with_bank_code(error, &answer)))?;
        let json = match media_type(&answer).as_str() {
            "application/jose" => decrypted(&answer, decryption, what, call),
            "application/json" if takes_plain => text(&answer.body)
                .map(Zeroizing::new)
                .ok_or_else(|| bad_response(&answer, what, "is not UTF-8")),
            other => Err(not_encrypted(what, other)),
        };
        let json = json.map_err(traced)?;
        Page::read(json, url, &self.base)
            .map_err(|problem| traced(bad_response(&answer, what, problem)))
    }

    /// Whether an answer in the clear is what was asked for: in test only, and when the
    /// settings have the header `Accept` say so.
    fn takes_plain(&self, request: &Request) -> bool {
        let accept = request
            .headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("Accept"));
        self.client.environment() == Some(Environment::Test)
            && accept.is_some_and(|(_, value)| value.contains("application/json"))
    }
}

/// The base URL with the version at its end.
fn versioned(bank: &str) -> Result<Endpoint> {
    let endpoint: Endpoint = bank
        .parse()
        .map_err(|error: Error| error.in_context("the bank's base URL"))?;
    if endpoint.as_str().contains('?') {
        return Err(Error::new(
            ErrorCode::Url,
            "the bank's base URL has a query; leave it out",
        ));
    }
    let base = endpoint.as_str().trim_end_matches('/');
    match base.rsplit('/').next() {
        Some(VERSION) => base.parse(),
        _ => format!("{base}/{VERSION}").parse(),
    }
}

/// The content of an encrypted answer.
fn decrypted(
    answer: &Response,
    decryption: Option<&Decryption>,
    what: &str,
    call: &Call,
) -> Result<Zeroizing<String>> {
    let decryption = decryption.ok_or_else(without_key)?;
    let compact = std::str::from_utf8(&answer.body)
        .map_err(|_| bad_response(answer, what, "is not text"))?
        .trim();
    let accepted = Accepted {
        key_encryption: decryption.settings().key_encryption.clone(),
        content_encryption: decryption.settings().content_encryption.clone(),
    };
    let plain = decryption
        .with_key(call, |key| jwe::decrypt(compact, key, &accepted, call))
        .map_err(|error| error.in_context(what))?;
    text(plain.expose())
        .map(Zeroizing::new)
        .ok_or_else(|| bad_response(answer, what, "is not UTF-8, decrypted"))
}

fn text(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(str::to_owned)
}

/// `Content-Type` without parameters, in lower case.
fn media_type(answer: &Response) -> String {
    let value = answer.header("content-type").unwrap_or_default();
    let media_type = value.split(';').next().unwrap_or_default();
    media_type.trim().to_ascii_lowercase()
}

/// The bank's own code, `ACC-` and three digits.
fn with_bank_code(error: Error, answer: &Response) -> Error {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let code = body.get("code").and_then(Value::as_str);
    let is_code = |code: &&str| {
        let digits = code.strip_prefix("ACC-");
        digits.is_some_and(|digits| {
            digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    match code.filter(is_code) {
        Some(code) => error.with_details(|details| details.provider_code = Some(code.to_owned())),
        None => error,
    }
}

fn not_encrypted(what: &str, media_type: &str) -> Error {
    let media_type: String = media_type.chars().take(60).collect();
    Error::new(
        ErrorCode::JweInvalid,
        format!(
            "{what}: the bank's answer is not encrypted (Content-Type \"{}\"), and was not read; tell the bank. In the test \
             environment it is taken when services.dsop_control.headers has Accept = \"application/json\"",
            media_type.escape_debug()
        ),
    )
}

fn without_key() -> Error {
    Error::new(
        ErrorCode::Config,
        "setting \"decryption\" is missing; banks encrypt their answers, so name the private key of the client's \
         encryption certificate there",
    )
    .with_details(|details| details.config_path = Some("decryption".to_owned()))
}
