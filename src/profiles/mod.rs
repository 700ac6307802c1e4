//! What each service wants in an assertion: constants, claims and rules, one
//! file a service.

mod authorization_detail;
mod choices;
mod claims;
mod client_settings;
mod decryption_settings;
mod digdir;
mod dnb;
mod dpop_settings;
mod end_time;
mod generic;
mod helseid;
mod idporten;
mod issuer;
mod key_reference;
mod maskinporten;
mod maskinporten_refusals;
mod refusal;
mod request;
mod service_settings;
mod shared_cache_settings;
mod tls_client_auth;
mod tls_settings;
mod token_endpoint;
mod values;

use std::fmt;

pub use authorization_detail::AuthorizationDetail;
pub use choices::{
    AudienceForm, ClientAuthentication, Environment, Grant, JtiForm, ProfileName, X5cForm,
};
pub use client_settings::{ClientKey, ClientSettings, KeySetting};
pub(crate) use decryption_settings::decryption;
pub use decryption_settings::{DecryptionKey, DecryptionSettings};
pub use digdir::certificate_environment;
pub use dpop_settings::{DpopSettings, dpop};
pub use end_time::EndTime;
pub(crate) use issuer::{check_issuer, maskinporten_issuer, metadata_of};
pub(crate) use key_reference::certificate_file;
pub use key_reference::certificates;
pub use maskinporten_refusals::maskinporten_refusals;
pub use refusal::{KnownRefusal, ServerRefusal};
pub use request::{ConsumerOrg, TokenRequest};
pub use service_settings::{ServiceName, ServiceSettings};
pub use shared_cache_settings::{SecretSetting, SharedCacheSettings};
pub use tls_settings::{TlsSettings, TlsVersion};
pub use token_endpoint::TokenEndpoint;
pub use values::{ClientId, Scope};

use serde_json::{Map, Value};

use crate::clock::UnixTime;
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorCode, Result};
use crate::jws::Header;
use crate::keys::{Certificate, Signer};

/// One service's rules for one client.
pub trait Profile: fmt::Debug + Send + Sync {
    /// The name in configuration, for example `"maskinporten"`.
    fn name(&self) -> &'static str;

    /// Where tokens are requested.
    fn token_endpoint(&self) -> &TokenEndpoint;

    /// The header of every assertion.
    fn header(&self) -> &Header;

    /// The certificate that the header has, in `x5c` or by its thumbprint.
    fn certificate(&self) -> Option<&Certificate> {
        None
    }

    /// The claims of an assertion made at `now`, the best guess of the server's time
    /// whatever this machine's clock shows. They are made quickly, for a device may be
    /// held meanwhile; made once more for the same request, they differ in `jti` and
    /// the times only.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` when the request has something that the service
    /// would refuse.
    fn claims(&self, request: &TokenRequest, now: UnixTime) -> Result<Map<String, Value>>;

    /// Whether the client proves who it is by an assertion. One that does not has the
    /// client certificate of TLS for that (RFC 8705 section 2).
    fn has_assertion(&self) -> bool {
        true
    }

    /// The form parameters that carry `assertion` to the token endpoint, in order. It is
    /// empty where the profile has none.
    fn form(&self, assertion: &str, request: &TokenRequest) -> Vec<(&'static str, String)>;

    /// Header and claims of a JWT that registers the client's key, made at `now`.
    ///
    /// # Errors
    /// `UNSUPPORTED` when the service has no such JWT.
    fn registration(&self, _now: UnixTime) -> Result<(Header, Map<String, Value>)> {
        Err(Error::new(
            ErrorCode::Unsupported,
            format!(
                "profile {} has no registration JWT; register the public key from `segl jwk`",
                self.name()
            ),
        ))
    }

    /// True when `invalid_client` (RFC 6749 section 5.2) is all that the service says of
    /// a key that it does not know: another key of the client may do then.
    fn invalid_client_may_be_key(&self) -> bool {
        false
    }

    /// What a refusal by this service means, if the service documents it.
    fn classify(&self, _refusal: &ServerRefusal<'_>) -> Option<&'static KnownRefusal> {
        None
    }
}

/// The profile that `settings` names, for the key of `signer`. `certificates`
/// are those of [`certificates`]; without them, those beside the key count.
///
/// # Errors
/// `CONFIG` naming the setting at fault, `KEY_TYPE` when the service cannot use
/// the key, `CERTIFICATE` or `CERTIFICATE_MISMATCH` for the certificate.
pub fn build(
    settings: &ClientSettings,
    certificates: Option<&[Certificate]>,
    signer: &dyn Signer,
    now: UnixTime,
) -> Result<Box<dyn Profile>> {
    Ok(match settings.profile {
        ProfileName::Maskinporten => Box::new(maskinporten::Maskinporten::new(
            &digdir::MASKINPORTEN,
            settings,
            certificates,
            signer,
            now,
        )?),
        ProfileName::Skyporten => Box::new(maskinporten::Maskinporten::new(
            &digdir::SKYPORTEN,
            settings,
            certificates,
            signer,
            now,
        )?),
        ProfileName::Idporten => Box::new(idporten::Idporten::new(
            settings,
            certificates,
            signer,
            now,
        )?),
        ProfileName::Dnb => Box::new(dnb::Dnb::new(settings, signer)?),
        ProfileName::Helseid => Box::new(helseid::Helseid::new(settings, signer)?),
        ProfileName::Generic if settings.authenticates_by_tls() => {
            Box::new(tls_client_auth::TlsClientAuth::new(settings, signer)?)
        }
        ProfileName::Generic => {
            Box::new(generic::Generic::new(settings, certificates, signer, now)?)
        }
    })
}

/// Where the service that `settings` name gives tokens; the same as
/// [`Profile::token_endpoint`], without a key.
///
/// # Errors
/// `CONFIG` or `URL` naming the setting at fault.
pub fn token_endpoint(settings: &ClientSettings) -> Result<TokenEndpoint> {
    match settings.profile {
        ProfileName::Maskinporten => digdir::MASKINPORTEN.token_endpoint(settings),
        ProfileName::Skyporten => digdir::SKYPORTEN.token_endpoint(settings),
        ProfileName::Idporten => Ok(idporten::TOKEN_ENDPOINT),
        ProfileName::Dnb => dnb::token_endpoint(settings),
        ProfileName::Helseid => helseid::token_endpoint(settings),
        ProfileName::Generic => generic::token_endpoint(settings),
    }
}

/// The base URLs of the APIs that the client's tokens may be sent to; none stand for
/// any.
///
/// # Errors
/// `URL` naming the entry at fault.
pub fn apis(settings: &ClientSettings) -> Result<Vec<Endpoint>> {
    let urls = settings.apis.iter().enumerate();
    urls.map(|(index, url)| endpoint(&format!("apis[{index}]"), url))
        .collect()
}

/// The form of an assertion used as a grant (RFC 7523 section 2.1).
fn jwt_bearer_form(assertion: &str) -> Vec<(&'static str, String)> {
    vec![
        (
            "grant_type",
            "urn:ietf:params:oauth:grant-type:jwt-bearer".to_owned(),
        ),
        ("assertion", assertion.to_owned()),
    ]
}

/// RFC 7523 section 2.2.
const CLIENT_ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The form of an assertion used as client authentication (RFC 7523 section
/// 2.2), parameters in the order of DNB's sample.
fn client_assertion_form(
    assertion: &str,
    client_id: Option<&ClientId>,
    scope: String,
) -> Vec<(&'static str, String)> {
    let mut form = vec![
        ("client_assertion", assertion.to_owned()),
        ("client_assertion_type", CLIENT_ASSERTION_TYPE.to_owned()),
    ];
    if let Some(client_id) = client_id {
        form.push(("client_id", client_id.as_str().to_owned()));
    }
    form.push(("grant_type", "client_credentials".to_owned()));
    if !scope.is_empty() {
        form.push(("scope", scope));
    }
    form
}

/// Refuses settings that this profile does not know.
fn refuse_settings(profile: &str, present: &[(&str, bool)]) -> Result<()> {
    match present.iter().find(|(_, is_set)| *is_set) {
        None => Ok(()),
        Some((setting, _)) => Err(setting_error(
            setting,
            format_args!("has no meaning for profile {profile}; leave it out"),
        )),
    }
}

/// Refuses what only Maskinporten grants can carry.
fn refuse_grant_members(profile: &str, request: &TokenRequest) -> Result<()> {
    let present = [
        (
            "consumer_org",
            matches!(request.consumer_org, ConsumerOrg::Org(_)),
        ),
        ("iss_onbehalfof", request.iss_onbehalfof.is_some()),
        ("pid", request.pid.is_some()),
    ];
    match present.iter().find(|(_, is_set)| *is_set) {
        None => Ok(()),
        Some((member, _)) => Err(Error::new(
            ErrorCode::InvalidArgument,
            format!(
                "the token request has \"{member}\", which profile {profile} cannot carry; leave it out"
            ),
        )),
    }
}

/// The client's identifier.
fn client_id(settings: &ClientSettings) -> Result<&ClientId> {
    settings.client_id.as_ref().ok_or_else(missing_client_id)
}

fn missing_client_id() -> Error {
    setting_error(
        "client_id",
        "is missing; copy it from where the client was registered",
    )
}

/// A URL from the setting called `setting`, or from a constant.
pub(crate) fn endpoint(setting: &str, url: &str) -> Result<Endpoint> {
    url.parse()
        .map_err(|error: Error| about_setting(setting, error))
}

/// `error`, which the value of a setting led to.
pub(crate) fn about_setting(setting: &str, error: Error) -> Error {
    error
        .in_context(format_args!("setting \"{setting}\""))
        .with_details(|details| details.config_path = Some(setting.to_owned()))
}

/// An error about one setting.
pub(crate) fn setting_error(setting: &str, problem: impl fmt::Display) -> Error {
    Error::new(
        ErrorCode::Config,
        format!("setting \"{setting}\" {problem}"),
    )
    .with_details(|details| details.config_path = Some(setting.to_owned()))
}
