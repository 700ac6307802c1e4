//! DSOP Control (kontrollinformasjon) 2.0: a bank's accounts of a person or an
//! organisation, for public agencies (Bits' OpenAPI document, 2.0.0).

mod bank;
mod case;
pub(super) mod operations;
mod page;
mod pages;
mod refusal;

use std::sync::Arc;

use uuid::Uuid;
use zeroize::Zeroizing;

pub use case::{AdditionalReference, AdditionalReferenceType, Case, LegalMandate, Party, Period};
pub use page::Page;

use bank::{DSOP_CONTROL, versioned};
use refusal::with_bank_code;

use super::errors::{bad_response, require_success};
use super::header_template::Values;
use super::service::{Repeat, Service};
use crate::call::Call;
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorCode, Result};
use crate::http::{Method, Request, Response};
use crate::profiles::{Environment, ServiceName, TokenRequest};
use crate::token::{Decryption, TokenClient};

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
    /// `provider_code`; those of the token endpoint and of the key. `RESPONSE_TOO_LARGE`
    /// for more than 10,000 pages or 128 MiB in all; ask for a shorter period then.
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
                decryption.open(call)?;
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
            && accept.is_some_and(|(_, value)| value.as_str().contains("application/json"))
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
    let plain = decryption
        .decrypt(compact, call)
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
