//! Consent tokens of Altinn 2 (docs.altinn.studio, "Consent token"). **Altinn 2 was shut down on
//! 2026-06-19**: this is for tokens of consents that were given before, and for nothing new.

mod claims;
mod consents;
mod requirement;
mod service;
mod settings;

pub use claims::LegacyConsent;
pub(super) use consents::LegacyConsents;
pub use requirement::LegacyConsentRequirement;
pub use service::ServiceEdition;
pub use settings::LegacyConsentSettings;
