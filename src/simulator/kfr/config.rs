//! What KFR knows before it starts.

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use super::super::config::org_number;
use crate::keys::OrgNumber;

/// Settings of the register.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in super::super) struct KfrConfig {
    /// Seconds from the acceptance of a batch until its relations are there.
    pub(super) load_seconds: u32,
    /// The version of `customerRelationships`, 1 or 2.
    #[serde(deserialize_with = "version")]
    pub(super) version: u8,
    pub(super) banks: Vec<Bank>,
}

impl Default for KfrConfig {
    fn default() -> Self {
        Self {
            load_seconds: 0,
            version: 1,
            banks: Vec::new(),
        }
    }
}

/// A bank with a name of its own, and the accounts that begin with these four digits.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bank {
    #[serde(deserialize_with = "org_number")]
    pub(super) orgno: OrgNumber,
    pub(super) name: String,
    #[serde(default)]
    pub(super) registration_numbers: Vec<String>,
}

impl KfrConfig {
    /// The name of a bank; of one that has none here, its number.
    pub(super) fn name<'a>(&'a self, orgno: &'a str) -> &'a str {
        let named = self.banks.iter().find(|bank| bank.orgno.as_str() == orgno);
        named.map_or(orgno, |bank| &bank.name)
    }
}

fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    match u8::deserialize(deserializer)? {
        version @ 1..=2 => Ok(version),
        _ => Err(D::Error::custom("version is 1 or 2")),
    }
}
