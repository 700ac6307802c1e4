//! Persons in the register.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::person_id::PersonId;

/// The table `[krr]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::simulator) struct KrrConfig {
    /// By their identifiers.
    pub(super) persons: HashMap<PersonId, Record>,
}

/// A person, with the register's own names.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Record {
    reservasjon: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reservasjonstidspunkt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reservasjon_oppdatert: Option<String>,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) varslingsstatus: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kontaktinformasjon: Option<ContactInformation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) digital_post: Option<DigitalPost>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sertifikat: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) spraak: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) spraak_oppdatert: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ContactInformation {
    #[serde(skip_serializing_if = "Option::is_none")]
    epostadresse: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    epostadresse_oppdatert: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    epostadresse_sist_verifisert: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mobiltelefonnummer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mobiltelefonnummer_oppdatert: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mobiltelefonnummer_sist_verifisert: Option<String>,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DigitalPost {
    postkasseadresse: String,
    postkasseleverandoeradresse: String,
}

impl Default for Record {
    fn default() -> Self {
        Self {
            reservasjon: "NEI".to_owned(),
            reservasjonstidspunkt: None,
            reservasjon_oppdatert: None,
            status: "AKTIV".to_owned(),
            varslingsstatus: None,
            kontaktinformasjon: None,
            digital_post: None,
            sertifikat: None,
            spraak: None,
            spraak_oppdatert: None,
        }
    }
}
