//! Norwegian account numbers.

use std::fmt;
use std::str::FromStr;

use zeroize::Zeroizing;

use crate::error::{Error, ErrorCode, Result};

/// A Norwegian account number (BBAN): 11 digits. KFR does not look at its check digit
/// (OpenAPI document, `accountServicingProvider`), so neither does this type. Its memory
/// is wiped, and `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct AccountNumber(Zeroizing<String>);

impl AccountNumber {
    /// The digits. They must not be logged.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountNumber {
    type Err = Error;

    /// # Errors
    /// `INVALID_ARGUMENT`, without the text.
    fn from_str(text: &str) -> Result<Self> {
        if text.len() == 11 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Self(Zeroizing::new(text.to_owned())));
        }
        Err(Error::new(
            ErrorCode::InvalidArgument,
            format!(
                "an account number is 11 digits without points; this has {} characters (not shown)",
                text.chars().count()
            ),
        ))
    }
}

impl fmt::Debug for AccountNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
