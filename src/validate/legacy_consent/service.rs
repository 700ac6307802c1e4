//! Services of Altinn 2, as a consent token has them.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::Value;
use zeroize::Zeroizing;

use super::super::consent::malformed;
use crate::error::{Error, ErrorCode, Result};

/// A service of Altinn 2: its code and edition, for example `5498_1` (Lånekassen's
/// balance of student loans).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServiceEdition {
    code: String,
    edition: String,
}

/// The parameters of each service: `Navn=…` in `5498_1_Navn=…`, by name.
pub(super) type Services = BTreeMap<ServiceEdition, BTreeMap<String, Zeroizing<String>>>;

impl ServiceEdition {
    /// The code: 1 to 10 digits.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The edition: 1 to 10 digits.
    pub fn edition(&self) -> &str {
        &self.edition
    }
}

/// Reads `Services`: one text, or an array. A service with several parameters stands there
/// several times.
pub(super) fn services(value: &Value) -> Result<Services> {
    let wrong = || {
        malformed(
            "\"Services\" has an element that is no text CODE_EDITION or CODE_EDITION_NAME=VALUE",
        )
    };
    let elements = match value {
        Value::Array(elements) => elements.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut services = Services::new();
    for element in elements {
        let (service, parameter) = element.as_str().and_then(split).ok_or_else(wrong)?;
        let parameters = services.entry(service).or_default();
        if let Some((name, value)) = parameter {
            parameters.insert(name.to_owned(), Zeroizing::new(value.to_owned()));
        }
    }
    Ok(services)
}

type Parameter<'a> = (&'a str, &'a str);

fn split(text: &str) -> Option<(ServiceEdition, Option<Parameter<'_>>)> {
    let mut parts = text.splitn(3, '_');
    let (code, edition) = (parts.next()?, parts.next()?);
    let is_number =
        |text: &str| (1..=10).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if !is_number(code) || !is_number(edition) {
        return None;
    }
    let parameter = match parts.next() {
        None => None,
        Some(text) => Some(text.split_once('=').filter(|(name, _)| !name.is_empty())?),
    };
    let service = ServiceEdition {
        code: code.to_owned(),
        edition: edition.to_owned(),
    };
    Some((service, parameter))
}

impl FromStr for ServiceEdition {
    type Err = Error;

    /// # Errors
    /// `INVALID_ARGUMENT`.
    fn from_str(text: &str) -> Result<Self> {
        match split(text) {
            Some((service, None)) => Ok(service),
            _ => Err(Error::new(
                ErrorCode::InvalidArgument,
                "this is no service of Altinn 2; give its code and edition, for example 5498_1",
            )),
        }
    }
}

/// Prints `5498_1`.
impl fmt::Display for ServiceEdition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.code, self.edition)
    }
}

impl<'de> Deserialize<'de> for ServiceEdition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_and_an_array_are_read() {
        let one = services(&json!("5498_1")).unwrap();
        assert_eq!(one, services(&json!(["5498_1"])).unwrap());
        let all = json!([
            "5498_1",
            "5498_1_Navn=Kari_=Nordmann",
            "4628_210607_fraOgMed=2017-06",
            "4628_210607_tilOgMed=2017-08"
        ]);
        let all = services(&all).unwrap();
        let of = |service: &str| all[&service.parse().unwrap()].clone();
        assert_eq!(all.len(), 2);
        assert_eq!(of("5498_1")["Navn"].as_str(), "Kari_=Nordmann");
        assert_eq!(of("4628_210607").len(), 2);
    }

    #[test]
    fn others_are_refused() {
        for value in [
            json!(null),
            json!(5498),
            json!(""),
            json!("5498"),
            json!("5498_"),
            json!("_1"),
            json!("a_1"),
            json!("5498_1_"),
            json!("5498_1_Navn"),
            json!("5498_1_=x"),
            json!(["5498_1", 1]),
            json!({ "5498_1": {} }),
        ] {
            let error = services(&value).unwrap_err();
            assert_eq!(error.code(), ErrorCode::ConsentMalformed, "{value}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read(code in "[0-9]{1,10}", edition in "[0-9]{1,10}", value in "\\PC{0,20}") {
            let text = format!("{code}_{edition}");
            let service: ServiceEdition = text.parse().unwrap();
            prop_assert_eq!(service.to_string(), text.clone());
            let read = services(&json!(format!("{text}_Navn={value}"))).unwrap();
            prop_assert_eq!(read[&service]["Navn"].as_str(), &value);
        }

        #[test]
        fn no_text_panics(text in "[0-9_]{0,6}\\PC{0,12}") {
            let _ = services(&json!(text));
            let _ = text.parse::<ServiceEdition>();
        }
    }
}
