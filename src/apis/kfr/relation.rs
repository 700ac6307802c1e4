//! One customer relationship, as a line of a batch has it.

use std::str::FromStr;

use super::customer_id::CustomerId;
use crate::apis::IsoDate;
use crate::error::{Error, ErrorCode, Result};

/// The most bytes of a relation's text: 11 digits, `#`, a date.
pub(super) const MAX_LEN: usize = 11 + 1 + 10;

/// That a customer has a relationship with a bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// Who.
    pub customer: CustomerId,
    /// Since when. `None`: since the day on which KFR reads it.
    pub start_date: Option<IsoDate>,
}

impl Relation {
    /// Writes it as KFR reads it: the digits, and `#YYYY-MM-DD` where there is a date.
    pub(super) fn write(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(self.customer.expose().as_bytes());
        if let Some(start) = self.start_date {
            to.push(b'#');
            to.extend_from_slice(start.to_string().as_bytes());
        }
    }
}

impl From<CustomerId> for Relation {
    fn from(customer: CustomerId) -> Self {
        Self {
            customer,
            start_date: None,
        }
    }
}

impl FromStr for Relation {
    type Err = Error;

    /// From `ID` or `ID#YYYY-MM-DD`, without blanks.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`, without the text.
    fn from_str(text: &str) -> Result<Self> {
        let (customer, start) = match text.split_once('#') {
            Some((customer, start)) => (customer, Some(start)),
            None => (text, None),
        };
        let start_date = start.map(str::parse).transpose().map_err(|_| {
            Error::new(
                ErrorCode::InvalidArgument,
                "what stands behind # is no date; write it as 2019-11-08 (not shown)",
            )
        })?;
        Ok(Self {
            customer: customer.parse()?,
            start_date,
        })
    }
}
