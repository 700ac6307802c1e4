//! KFR's calls with JSON in and JSON out.

mod batch;
mod check_batch;
mod lookups;
mod own_customers;

use std::str::FromStr;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Error as _};
use zeroize::Zeroizing;

pub(in crate::apis) use batch::SendBatch;
pub(in crate::apis) use check_batch::CheckBatch;
pub(in crate::apis) use lookups::{AccountServicingProvider, CustomerRelationships};
pub(in crate::apis) use own_customers::{Add, Banks, Remove};

use super::{CorrelationId, Kfr};
use crate::apis::operations::Context;
use crate::error::{Error, Result};

fn kfr(context: &Context<'_>, id: Option<CorrelationId>) -> Result<Kfr> {
    let kfr = Kfr::new(Arc::clone(context.client), context.token_request.clone())?;
    Ok(match id {
        Some(id) => kfr.with_correlation_id(id),
        None => kfr,
    })
}

/// `deserialize_with` for a checked text, which no error repeats.
fn checked<'de, D: Deserializer<'de>, T: FromStr<Err = Error>>(
    deserializer: D,
) -> std::result::Result<T, D::Error> {
    let wrong = |_| D::Error::custom("it must be a text");
    let text = Zeroizing::<String>::deserialize(deserializer).map_err(wrong)?;
    text.parse()
        .map_err(|error: Error| D::Error::custom(error.message()))
}
