//! Keys, certificates and organisations as Digdir's services take them.

use super::super::choices::Environment;
use super::super::client_settings::ClientSettings;
use super::super::key_reference::KeyReference;
use super::super::setting_error;
use super::Service;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::{Certificate, OrgNumber};
use crate::log::{self, Level};

impl Service {
    /// Refuses a `kid` that the self-service does not register.
    pub(in super::super) fn check_kid(&self, settings: &ClientSettings) -> Result<()> {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        match &settings.kid {
            Some(kid) if !kid.bytes().all(is_plain) => Err(setting_error(
                "kid",
                format_args!(
                    "is \"{}\"; {}'s self-service registers letters, digits, \".\", \"_\" and \"-\" only; \
                     copy it from there",
                    kid.escape_debug(),
                    self.title
                ),
            )),
            _ => Ok(()),
        }
    }

    /// Refuses a header that names no key.
    pub(in super::super) fn require_key_reference(&self, reference: &KeyReference) -> Result<()> {
        match reference {
            KeyReference::None => Err(setting_error(
                "kid",
                format_args!(
                    "is missing, and no certificate is set or beside the key; {} needs exactly one: \
                     the key id registered in its self-service, or a certificate for x5c",
                    self.title
                ),
            )),
            _ => Ok(()),
        }
    }

    /// The client's own organisation, from the certificate or the setting
    /// `orgno`, which must be the same.
    pub(in super::super) fn own_organisation(
        &self,
        settings: &ClientSettings,
        leaf: Option<&Certificate>,
    ) -> Result<Option<OrgNumber>> {
        let certified = leaf.and_then(Certificate::org_number);
        let Some(orgno) = org_number("orgno", settings.orgno.as_deref())? else {
            return Ok(certified);
        };
        match certified {
            Some(certified) if certified != orgno => Err(setting_error(
                "orgno",
                format_args!(
                    "is {orgno}, and the certificate is that of {certified}; {} would refuse it (MP-122), \
                     so use a certificate of the organisation that owns the client",
                    self.title
                ),
            )),
            _ => Ok(Some(orgno)),
        }
    }

    /// Refuses a test certificate in production. That "Test" is missing proves less,
    /// so that a certificate which seems to be for production is only warned about in
    /// test.
    pub(in super::super) fn check_environment_of(
        &self,
        leaf: &Certificate,
        settings: &ClientSettings,
    ) -> Result<()> {
        let issuer = leaf.issuer();
        match (self.environment(settings), certificate_environment(leaf)) {
            (Some(Environment::Prod), Some(Environment::Test)) => Err(Error::new(
                ErrorCode::Certificate,
                format!(
                    "the certificate was issued by \"{issuer}\", which is for tests, and the client is in production; \
                     {} would refuse it (MP-120), so use a production certificate",
                    self.title
                ),
            )
            .with_details(|details| details.config_path = Some("certificate".to_owned()))),
            (Some(Environment::Test), Some(Environment::Prod)) => {
                log::emit(
                    Level::Warn,
                    "profiles",
                    format_args!(
                        "the certificate issued by \"{issuer}\" seems to be for production; \
                         {} in test refuses such (MP-120)",
                        self.title
                    ),
                );
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// The environment that a certificate of Buypass or Commfides seems to be for: they
/// have "Test" in the names of the authorities that issue those for tests. `None` for
/// certificates of others.
pub fn certificate_environment(leaf: &Certificate) -> Option<Environment> {
    let issuer = leaf.issuer().to_lowercase();
    if !["buypass", "commfides"]
        .iter()
        .any(|ca| issuer.contains(ca))
    {
        return None;
    }
    let is_test = issuer
        .split(|c: char| !c.is_alphanumeric())
        .filter_map(|word| word.strip_prefix("test"))
        .any(|rest| rest.bytes().all(|b| b.is_ascii_digit()));
    Some(match is_test {
        true => Environment::Test,
        false => Environment::Prod,
    })
}

/// An organisation number in a setting.
pub(in super::super) fn org_number(setting: &str, text: Option<&str>) -> Result<Option<OrgNumber>> {
    text.map(|text| text.parse().map_err(|error| setting_error(setting, error)))
        .transpose()
}
