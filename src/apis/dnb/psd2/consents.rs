//! Consents to read accounts.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::super::errors::json;
use super::super::super::iso_date::IsoDate;
use super::super::super::redirect_url::RedirectUrl;
use super::links::Links;
use super::{AccountReference, Answer, BankId, DnbPsd2, Outgoing, Psu, Repeat};
use crate::call::Call;
use crate::clock::UnixTime;
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorCode, Result};
use crate::http::Method;

/// Most requests a day without the person (commission regulation 2018/389, article 36).
const MOST_A_DAY: u8 = 4;

/// The version of the consent API: DNB has both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ConsentVersion {
    /// `/v1/consents`
    #[default]
    V1,
    /// `/v2/consents`
    V2,
}

impl ConsentVersion {
    fn path(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }
}

/// Which accounts may be read, and what of them. Empty lists leave the choice to the
/// person, at the bank.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AccountAccess {
    /// Those whose details may be read.
    pub accounts: Vec<AccountReference>,
    /// Those whose balances may be read.
    pub balances: Vec<AccountReference>,
    /// Those whose transactions may be read.
    pub transactions: Vec<AccountReference>,
}

/// A consent that a person is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "Wire")]
#[schemars(with = "Wire")]
pub struct WantedConsent {
    access: AccountAccess,
    valid_until: IsoDate,
    frequency_per_day: u8,
    is_recurring: bool,
}

impl WantedConsent {
    /// A consent that is used once.
    pub fn once(access: AccountAccess, valid_until: IsoDate) -> Self {
        Self {
            access,
            valid_until,
            frequency_per_day: 1,
            is_recurring: false,
        }
    }

    /// A consent that is used again and again, up to `frequency_per_day` times a day
    /// without the person.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for another frequency than 1 to 4.
    pub fn recurring(
        access: AccountAccess,
        valid_until: IsoDate,
        frequency_per_day: u8,
    ) -> Result<Self> {
        if !(1..=MOST_A_DAY).contains(&frequency_per_day) {
            return Err(wrong(format_args!(
                "frequencyPerDay is {frequency_per_day}; it is 1 to {MOST_A_DAY}"
            )));
        }
        Ok(Self {
            access,
            valid_until,
            frequency_per_day,
            is_recurring: true,
        })
    }

    fn body(&self, now: UnixTime) -> Result<Wire> {
        if self.valid_until.is_past(now) {
            return Err(wrong(format_args!(
                "validUntil, {}, has passed",
                self.valid_until
            )));
        }
        Ok(Wire {
            access: self.access.clone(),
            valid_until: self.valid_until,
            frequency_per_day: self.frequency_per_day,
            recurring_indicator: self.is_recurring,
            combined_service_indicator: false,
        })
    }
}

/// A consent as the bank is sent it.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Wire {
    access: AccountAccess,
    valid_until: IsoDate,
    frequency_per_day: u8,
    recurring_indicator: bool,
    /// Payments in the same session, which the bank does not have.
    #[serde(default)]
    combined_service_indicator: bool,
}

impl TryFrom<Wire> for WantedConsent {
    type Error = Error;

    fn try_from(wire: Wire) -> Result<Self> {
        if wire.combined_service_indicator {
            return Err(wrong(format_args!(
                "combinedServiceIndicator is true, which DNB does not have"
            )));
        }
        match (wire.recurring_indicator, wire.frequency_per_day) {
            (true, frequency) => Self::recurring(wire.access, wire.valid_until, frequency),
            (false, 1) => Ok(Self::once(wire.access, wire.valid_until)),
            (false, _) => Err(wrong(format_args!(
                "frequencyPerDay is 1 for a consent that is used once"
            ))),
        }
    }
}

fn wrong(problem: fmt::Arguments<'_>) -> Error {
    Error::new(
        ErrorCode::InvalidArgument,
        format!("the consent's {problem}"),
    )
}

/// A consent that the person has not approved yet.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CreatedConsent {
    /// The bank's identifier of it, for all later requests.
    pub id: BankId,
    /// Its status, for example `received`.
    pub status: String,
    /// Where the person's browser is to go, to approve it.
    pub sca_redirect: Option<Endpoint>,
}

impl CreatedConsent {
    pub(super) fn read(answer: &Answer) -> Result<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Created {
            consent_id: BankId,
            consent_status: String,
            #[serde(rename = "_links", default)]
            links: Links,
        }
        let created: Created = json(&answer.response, &answer.what)?;
        Ok(Self {
            id: created.consent_id,
            status: created.consent_status,
            sca_redirect: created.links.sca_redirect(answer)?,
        })
    }
}

/// The status of a consent, in the answer to each question about it.
pub(super) fn status(answer: &Answer) -> Result<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Known {
        consent_status: String,
    }
    let known: Known = json(&answer.response, &answer.what)?;
    Ok(known.consent_status)
}

impl DnbPsd2 {
    /// Asks for a consent, which the person approves at [`CreatedConsent::sca_redirect`]; the
    /// bank sends the browser to `redirect` afterwards. It is sent once.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` when its time is over, and nothing is sent then;
    /// `API_INVALID_REQUEST`, `API_INVALID_IDENTIFIER` and `API_CONSENT_REFUSED` with the
    /// bank's words; the other API numbers of [`crate::ErrorCode`].
    pub fn create_consent(
        &self,
        version: ConsentVersion,
        wanted: &WantedConsent,
        psu: &Psu,
        redirect: &RedirectUrl,
        call: &Call,
    ) -> Result<CreatedConsent> {
        CreatedConsent::read(&self.post_consent(version, wanted, psu, redirect, call)?)
    }

    /// The status of a consent: `received`, `valid`, `rejected`, `expired`, `revokedByPsu` or
    /// `terminatedByTpp`.
    ///
    /// # Errors
    /// As [`DnbPsd2::create_consent`].
    pub fn consent_status(
        &self,
        version: ConsentVersion,
        id: &BankId,
        psu: &Psu,
        call: &Call,
    ) -> Result<String> {
        status(&self.get_consent(version, id, true, psu, call)?)
    }

    /// Ends a consent. It is sent again after a failure that passes. The bank may have ended
    /// the consent at the first time already, and answer to the second that it knows none
    /// (404, 410, `CONSENT_UNKNOWN`) or an expired one (`CONSENT_EXPIRED`): that is no
    /// failure, although a wrong `id` has the same answer.
    ///
    /// # Errors
    /// As [`DnbPsd2::create_consent`]; so when the first answer is that it knows none.
    pub fn delete_consent(
        &self,
        version: ConsentVersion,
        id: &BankId,
        psu: &Psu,
        call: &Call,
    ) -> Result<()> {
        let path = vec![version.path(), "consents", id.as_str()];
        let delete = Outgoing {
            method: Method::Delete,
            ..Outgoing::get(path, psu)
        };
        let (answer, may_be_done) = self.send_noting(&delete, call)?;
        answer.require_success().or_else(|error| {
            let is_over = match error.details().provider_code.as_deref() {
                Some(code) => matches!(code, "CONSENT_UNKNOWN" | "CONSENT_EXPIRED"),
                None => matches!(answer.response.status, 404 | 410),
            };
            match may_be_done && is_over {
                true => Ok(()),
                false => Err(error),
            }
        })
    }

    pub(super) fn post_consent(
        &self,
        version: ConsentVersion,
        wanted: &WantedConsent,
        psu: &Psu,
        redirect: &RedirectUrl,
        call: &Call,
    ) -> Result<Answer> {
        let body = wanted.body(self.0.clock().now())?;
        let post = Outgoing {
            method: Method::Post,
            path: vec![version.path(), "consents"],
            query: Vec::new(),
            psu,
            consent: None,
            redirect: Some(redirect),
            body: Some(&body),
            repeat: Repeat::Never,
        };
        self.send(&post, call)
    }

    pub(super) fn get_consent(
        &self,
        version: ConsentVersion,
        id: &BankId,
        status_only: bool,
        psu: &Psu,
        call: &Call,
    ) -> Result<Answer> {
        let mut path = vec![version.path(), "consents", id.as_str()];
        path.extend(status_only.then_some("status"));
        self.send(&Outgoing::get(path, psu), call)
    }
}
