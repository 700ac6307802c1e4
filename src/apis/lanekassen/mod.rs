//! Lånekassen's balance of student loans ("saldo studielån", dokumentasjon.dsop.no,
//! `dsop_saldostudielan_*`).

mod balance;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use uuid::Uuid;

pub use balance::{Account, AccountName, Balance, BalanceType, Booked, Money};

use super::consent_query::PLACEHOLDERS;
use super::consent_token::ConsentToken;
use super::errors::{Meaning, bad_response, json_where, with_request_id};
use super::header_template::Values;
use super::operations::{Context, Describe};
use super::service::{Known, Repeat, Service};
use crate::call::Call;
use crate::error::{ErrorCode, Result};
use crate::http::Method;
use crate::person_id::PersonId;
use crate::profiles::{ServiceName, TokenRequest};
use crate::token::TokenClient;

const LANEKASSEN: Known = Known {
    name: ServiceName::Lanekassen,
    prod: Some("https://ekstern01.api.lanekassen.no/saldo/v1"),
    test: Some("https://ekstern01.api.test.lanekassen.no/saldo/v1"),
    headers: &[
        ("ApiKey", "{api_key}"),
        // Without "Bearer".
        ("Authorization", "{access_token}"),
        ("Consent-ID", "{consent_token}"),
        ("PSU_ID", "{person}"),
        ("X-Request-Id", "{request_id}"),
    ],
    placeholders: PLACEHOLDERS,
};

/// What the documentation says of its statuses.
const MEANINGS: &[Meaning] = &[
    Meaning {
        status: 400,
        code: ErrorCode::ApiInvalidRequest,
        remedy: "it does not take one of the headers; check the API key and the setting services.lanekassen.headers",
    },
    Meaning {
        status: 401,
        code: ErrorCode::ApiUnauthorized,
        remedy: "it does not take the access token; check the environment, the scope lanekassen:lan/v1/saldoopplysninger, \
                 and that the header Authorization is without \"Bearer\"",
    },
    Meaning {
        status: 403,
        code: ErrorCode::ApiConsentRefused,
        remedy: "it does not take the consent; it must be in time, given by this person, and its CoveredBy the token's \
                 consumer. One that it answered with 200 before is sent no more",
    },
    Meaning {
        status: 404,
        code: ErrorCode::ApiNotFound,
        remedy: "it does not know the person (PSU_ID)",
    },
];

/// Lånekassen with Maskinporten's tokens and an API key.
#[derive(Debug, Clone)]
pub struct Lanekassen(Service);

/// How Lånekassen learns of the person's consent.
#[derive(Debug, Clone)]
pub enum Consent {
    /// With this token of Altinn 2: the first time it is used.
    First(ConsentToken),
    /// It knows: it has answered with 200 to the consent before and keeps it until its
    /// `ValidTo`, or the consent is in the access token (Altinn 3).
    Known,
}

impl Lanekassen {
    /// The scope for balances.
    pub const BALANCE_SCOPE: &str = "lanekassen:lan/v1/saldoopplysninger";

    /// Lånekassen as `client`'s settings have it, with tokens for `token_request`.
    ///
    /// # Errors
    /// `CONFIG` naming the setting.
    pub fn new(client: Arc<TokenClient>, token_request: TokenRequest) -> Result<Self> {
        Service::new(&LANEKASSEN, client, token_request).map(Self)
    }

    /// What `person` owes.
    ///
    /// # Errors
    /// `CONFIG` when there is no API key, `API_INVALID_REQUEST` (400), `API_UNAUTHORIZED` (401),
    /// `API_CONSENT_REFUSED` (403), `API_NOT_FOUND` for a person that it does not know (404),
    /// `API_BAD_RESPONSE` for an answer about somebody else too, the other API numbers of
    /// [`ErrorCode`], those of the token endpoint and the network. `trace_id` is the
    /// `X-Request-Id` unless Lånekassen gave another.
    pub fn balance(&self, person: &PersonId, consent: &Consent, call: &Call) -> Result<Balance> {
        let request_id = Uuid::new_v4().to_string();
        let consent = match consent {
            Consent::First(token) => Some(token.expose()),
            Consent::Known => None,
        };
        let values = Values::default()
            .with("person", person.expose())
            .with("request_id", &*request_id)
            .with_optional("consent_token", consent);
        let url = self.0.url(&["Accounts"], &[])?;
        let request = self.0.request(Method::Get, url, values)?;
        let what = request.named();
        let asked = self
            .0
            .send(&request, Repeat::Safe, call)
            .and_then(|answer| {
                let balance: Balance = json_where(&answer, &what, MEANINGS)?;
                match balance.is_about(person) {
                    true => Ok(balance),
                    false => Err(bad_response(
                        &answer,
                        &what,
                        "is about another person (Bban)",
                    )),
                }
            });
        asked.map_err(|error| with_request_id(error, &request_id))
    }
}

pub(super) struct GetBalance;

/// Whose balance, with which consent.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    /// Whose.
    person: PersonId,
    /// The consent, the first time that it is used; left out later until its `ValidTo`, and
    /// when it is in the access token (Altinn 3).
    #[serde(default)]
    consent_token: Option<ConsentToken>,
}

impl Describe for GetBalance {
    const NAME: &'static str = "lanekassen.balance";
    const SUMMARY: &'static str = "Gets the balance of a person's student loan.";
    type Input = Input;
    type Output = Balance;

    fn run(input: Input, context: &Context<'_>) -> Result<Balance> {
        let lanekassen =
            Lanekassen::new(Arc::clone(context.client), context.token_request.clone())?;
        let consent = input.consent_token.map_or(Consent::Known, Consent::First);
        lanekassen.balance(&input.person, &consent, context.call)
    }
}
