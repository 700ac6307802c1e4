//! Access tokens that an API receives: the issuer's keys, the claims, and what an API
//! requires of them. [`Validator`] is where to begin, and has an example.
//!
//! A check is one straight walk: *jwt* takes the token apart, *key_cache* has the issuer's
//! keys, *claims* reads what was signed, *check* compares it with what is required, *binding*
//! with what its sender has shown, *consent* with what a person allowed.

mod binding;
mod check;
mod claims;
mod consent;
pub(crate) mod dpop_proof;
mod jwks;
mod jwt;
mod key_cache;
mod key_source;
mod legacy_consent;
mod organisation;
mod refusal;
pub(crate) mod replay;
mod requirements;
mod settings;
mod signatures;
mod validator;
mod verified_token;
mod wire;

pub use binding::{ClientCertificate, DpopRequirement};
pub use claims::Confirmation;
pub use consent::{Consent, ConsentRequirement, ConsentRight, Party};
pub use legacy_consent::{
    LegacyConsent, LegacyConsentRequirement, LegacyConsentSettings, ServiceEdition,
};
pub use organisation::{EsealAuthority, IssuedOrganisation};
pub use requirements::{Requirements, Supplier};
pub use settings::ValidatorSettings;
pub use validator::{Validator, ValidatorBuilder};
pub use verified_token::VerifiedToken;

pub use crate::json::PersonalJson;
