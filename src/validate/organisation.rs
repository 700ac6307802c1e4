//! Organisations as Maskinporten names them in `consumer` and `supplier`.

use std::fmt;

use serde_json::{Value, json};

use crate::error::{Error, ErrorCode, Result};
use crate::keys::OrgNumber;

/// An organisation in a token: an authority that gives identifiers, and the identifier
/// (docs.digdir.no, `maskinporten_protocol_token`). Only what was parsed can be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum IssuedOrganisation {
    /// One in Norway's register (authority `iso6523-actorid-upis`, ICD 0192), such as
    /// `0192:910753614`.
    Norwegian {
        /// The organisation number; its check digit is right.
        number: OrgNumber,
        /// Which part of the organisation, and who says so (OPI and OPIS of ISO 6523): none,
        /// one or two texts.
        part: Vec<String>,
    },
    /// One in another register of ISO 6523.
    Iso6523 {
        /// The register (ICD): four digits.
        icd: String,
        /// The identifier there.
        id: String,
        /// As of a Norwegian one.
        part: Vec<String>,
    },
    /// The holder of a European eSeal, which proves another thing than Norway's register
    /// does: it is equal to no organisation number.
    Eseal {
        /// Which standard the identifier follows.
        authority: EsealAuthority,
        /// The identifier, such as `NTRNO-910753614` (ETSI EN 319 412-1 section 5.1.4).
        id: String,
    },
    /// One that another authority names, which segl does not know.
    Other {
        /// The authority.
        authority: String,
        /// The identifier.
        id: String,
    },
}

/// The authorities of eSeals in Maskinporten's pilot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EsealAuthority {
    /// ETSI EN 319 412, certificate profiles.
    En319412,
    /// ETSI TS 119 612, trusted lists.
    Ts119612,
}

impl EsealAuthority {
    /// As in a token.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::En319412 => "etsi-en-319-412",
            Self::Ts119612 => "etsi_en_119_612",
        }
    }

    fn named(authority: &str) -> Option<Self> {
        [Self::En319412, Self::Ts119612]
            .into_iter()
            .find(|known| known.as_str() == authority)
    }
}

const ISO6523: &str = "iso6523-actorid-upis";

/// Norway's register of legal entities, the only ICD today.
const NORWAY: &str = "0192";

impl IssuedOrganisation {
    /// From the members `authority` and `ID` of a claim.
    ///
    /// # Errors
    /// `ACCESS_TOKEN_MALFORMED`, without the identifier.
    pub fn parse(authority: &str, id: &str) -> Result<Self> {
        if authority.is_empty() || !is_identifier(id) {
            return Err(malformed("lacks an authority or an identifier"));
        }
        if authority == ISO6523 {
            return Self::parse_iso6523(id);
        }
        let id = id.to_owned();
        Ok(match EsealAuthority::named(authority) {
            Some(authority) => Self::Eseal { authority, id },
            None => Self::Other {
                authority: authority.to_owned(),
                id,
            },
        })
    }

    fn parse_iso6523(id: &str) -> Result<Self> {
        let mut parts = id.split(':');
        let icd = parts.next().unwrap_or_default();
        let organisation = parts.next().unwrap_or_default();
        let part: Vec<_> = parts.map(str::to_owned).collect();
        let has_empty = organisation.is_empty() || part.iter().any(String::is_empty);
        if icd.len() != 4 || !icd.bytes().all(|byte| byte.is_ascii_digit()) || has_empty {
            return Err(malformed(
                "has no identifier such as 0192 and nine digits, with a colon between them",
            ));
        }
        if part.len() > 2 {
            return Err(malformed("has an identifier of more than four parts"));
        }
        if icd != NORWAY {
            return Ok(Self::Iso6523 {
                icd: icd.to_owned(),
                id: organisation.to_owned(),
                part,
            });
        }
        let number = organisation
            .parse()
            .map_err(|error: Error| malformed(error.message()))?;
        Ok(Self::Norwegian { number, part })
    }

    /// The organisation number, of a Norwegian one, and of a part of it. An eSeal has none,
    /// whatever its identifier says.
    pub fn org_number(&self) -> Option<&OrgNumber> {
        match self {
            Self::Norwegian { number, .. } => Some(number),
            _ => None,
        }
    }

    /// The member `authority`.
    pub fn authority(&self) -> &str {
        match self {
            Self::Norwegian { .. } | Self::Iso6523 { .. } => ISO6523,
            Self::Eseal { authority, .. } => authority.as_str(),
            Self::Other { authority, .. } => authority,
        }
    }

    /// The member `ID`, such as `0192:910753614`.
    pub fn id(&self) -> String {
        let joined = |icd: &str, id: &str, part: &[String]| {
            let mut text = format!("{icd}:{id}");
            for part in part {
                text.push(':');
                text.push_str(part);
            }
            text
        };
        match self {
            Self::Norwegian { number, part } => joined(NORWAY, number.as_str(), part),
            Self::Iso6523 { icd, id, part } => joined(icd, id, part),
            Self::Eseal { id, .. } | Self::Other { id, .. } => id.clone(),
        }
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "authority": self.authority(),
            "id": self.id(),
            "orgno": self.org_number().map(OrgNumber::as_str),
        })
    }
}

/// The identifier, with its authority where that is not ISO 6523.
impl fmt::Display for IssuedOrganisation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.id();
        match self {
            Self::Norwegian { .. } | Self::Iso6523 { .. } => f.write_str(&id),
            _ => write!(f, "{id} ({})", self.authority().escape_debug()),
        }
    }
}

/// Visible ASCII: nothing that looks like something else in a log or a register.
fn is_identifier(id: &str) -> bool {
    (1..=200).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

fn malformed(problem: &str) -> Error {
    Error::new(
        ErrorCode::AccessTokenMalformed,
        format!("the organisation {problem}"),
    )
}
