//! Every API by name, with JSON in and JSON out: how the command line and programs in
//! other languages call them.

use std::fmt;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::dnb::{self, operations as psd2};
use super::dsop_control::operations as dsop_control;
use super::kfr::operations as kfr;
use super::{altinn, krr, lanekassen, nav, skatteetaten};
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::json;
use crate::token::{TokenClient, TokenRequest};

/// One operation of an API.
pub struct Operation {
    /// Service and operation, for example `"krr.lookup"`.
    pub name: &'static str,
    /// What it does, one sentence.
    pub summary: &'static str,
    run: fn(&str, &Context<'_>) -> Result<Zeroizing<String>>,
    schema: fn() -> Schema,
}

/// Whose tokens an operation uses, and how long it may take.
pub(super) struct Context<'a> {
    pub(super) client: &'a Arc<TokenClient>,
    pub(super) token_request: &'a TokenRequest,
    pub(super) call: &'a Call,
}

/// An operation's types, and what it does.
pub(super) trait Describe {
    const NAME: &'static str;
    const SUMMARY: &'static str;
    /// What it needs, with `deny_unknown_fields`.
    type Input: DeserializeOwned + JsonSchema;
    type Output: Serialize;

    fn run(input: Self::Input, context: &Context<'_>) -> Result<Self::Output>;
}

impl Operation {
    const fn of<T: Describe>() -> Self {
        Self {
            name: T::NAME,
            summary: T::SUMMARY,
            run: run::<T>,
            schema: || schema_for!(T::Input),
        }
    }

    /// Every operation, service by service.
    pub const ALL: &'static [Self] = &[
        Self::of::<altinn::GetConsentRequest>(),
        Self::of::<altinn::CreateConsentRequest>(),
        Self::of::<altinn::ExchangeToken>(),
        Self::of::<dnb::CallApi>(),
        Self::of::<dnb::CurrencyRates>(),
        Self::of::<psd2::Account>(),
        Self::of::<psd2::Accounts>(),
        Self::of::<psd2::Balances>(),
        Self::of::<psd2::GetConsent>(),
        Self::of::<psd2::ConsentStatus>(),
        Self::of::<psd2::CreateConsent>(),
        Self::of::<psd2::CreatePayment>(),
        Self::of::<psd2::DeleteConsent>(),
        Self::of::<psd2::GetPayment>(),
        Self::of::<psd2::Transactions>(),
        Self::of::<krr::LookUp>(),
        Self::of::<lanekassen::GetBalance>(),
        Self::of::<nav::Get>(),
        Self::of::<skatteetaten::Get>(),
        Self::of::<kfr::AccountServicingProvider>(),
        Self::of::<kfr::Add>(),
        Self::of::<kfr::Banks>(),
        Self::of::<kfr::SendBatch>(),
        Self::of::<kfr::CheckBatch>(),
        Self::of::<kfr::CustomerRelationships>(),
        Self::of::<kfr::Remove>(),
        Self::of::<dsop_control::Accounts>(),
        Self::of::<dsop_control::Account>(),
        Self::of::<dsop_control::Transactions>(),
        Self::of::<dsop_control::Cards>(),
        Self::of::<dsop_control::Roles>(),
    ];

    /// The operation of this name.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` listing those there are.
    pub fn named(name: &str) -> Result<&'static Self> {
        let found = Self::ALL.iter().find(|operation| operation.name == name);
        found.ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|operation| operation.name).collect();
            Error::new(
                ErrorCode::InvalidArgument,
                format!(
                    "there is no operation \"{}\"; there are {}",
                    name.escape_debug(),
                    names.join(", ")
                ),
            )
        })
    }

    /// Does it with tokens of `client` for `token_request`. `input` is a JSON object that
    /// [`Operation::schema`] describes; so is the answer one, which is wiped when it is
    /// dropped, for it may be about a person.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for another input, without repeating its values; `CONFIG` for
    /// the service's settings; the numbers of the token endpoint and of APIs.
    pub fn call(
        &self,
        client: &Arc<TokenClient>,
        token_request: &TokenRequest,
        input: &str,
        call: &Call,
    ) -> Result<Zeroizing<String>> {
        let context = Context {
            client,
            token_request,
            call,
        };
        (self.run)(input, &context).map_err(|error| error.in_context(self.name))
    }

    /// The JSON Schema of its input.
    pub fn schema(&self) -> Value {
        (self.schema)().into()
    }
}

/// The schemas of every operation's input by name, as in `docs/operations.schema.json`.
pub fn schema() -> Value {
    let inputs: Map<_, _> = Operation::ALL
        .iter()
        .map(|operation| {
            let mut schema = operation.schema();
            schema["description"] = operation.summary.into();
            (operation.name.to_owned(), schema)
        })
        .collect();
    Value::Object(inputs)
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Operation").field(&self.name).finish()
    }
}

fn run<T: Describe>(input: &str, context: &Context<'_>) -> Result<Zeroizing<String>> {
    let input = json::from_object(input)
        .map_err(|problem| Error::new(ErrorCode::InvalidArgument, problem.told("the input is")))?;
    let output = T::run(input, context)?;
    let mut output = json::to_wiped_text(&output).map_err(|source| {
        Error::new(ErrorCode::ApiBadResponse, "the answer is no JSON").with_source(source)
    })?;
    let output = String::from_utf8(std::mem::take(&mut *output))
        .map_err(|_| Error::new(ErrorCode::ApiBadResponse, "the answer is no text"))?;
    Ok(Zeroizing::new(output))
}
