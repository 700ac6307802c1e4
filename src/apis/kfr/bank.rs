//! What KFR answers about banks.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A bank with which a customer has a relationship.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Bank {
    /// The bank's organisation number. Both spellings are read, for Bits' documents have
    /// both.
    #[serde(alias = "organizationID", alias = "organizationId")]
    pub organization_id: String,
    /// The bank's name.
    #[serde(alias = "bankName")]
    pub bank_name: String,
    /// Whether the customer has an account that can take payments today. Only KAR knows;
    /// in KFR's own answers it is always false (Bits' FAQ).
    #[serde(alias = "activeAccount", default)]
    pub active_account: bool,
    /// What the customer is there (version 2.0, with `onlyPrimaryOwner`).
    #[serde(
        alias = "ownershipType",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub ownership_type: Option<OwnershipType>,
}

/// What a customer is at a bank (version 2.0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum OwnershipType {
    /// Owns an account, or owned one.
    #[serde(rename = "primary_owner", alias = "primaryOwner")]
    PrimaryOwner,
    /// Has or had a relationship, but owned no account.
    #[serde(rename = "not_primary_owner", alias = "notPrimaryOwner")]
    NotPrimaryOwner,
    /// The bank cannot tell, or says something that is not documented.
    #[serde(rename = "unknown", other)]
    Unknown,
}

/// The bank that holds an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Provider {
    /// The bank's organisation number, from either spelling.
    #[serde(alias = "organizationID", alias = "organizationId")]
    pub organization_id: String,
    /// The bank's name.
    #[serde(alias = "bankName")]
    pub bank_name: String,
}

#[derive(Deserialize)]
pub(super) struct Banks {
    pub(super) banks: Vec<Bank>,
}

/// Which banks somebody has is that customer's own matter.
impl fmt::Debug for Bank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bank([redacted])")
    }
}
