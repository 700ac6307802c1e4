//! The settings of one client, as in `segl.toml`.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::choices::{
    AudienceForm, ClientAuthentication, Environment, Grant, JtiForm, ProfileName, X5cForm,
};
use super::decryption_settings::DecryptionSettings;
use super::dpop_settings::DpopSettings;
use super::end_time::EndTime;
use super::service_settings::{ServiceName, ServiceSettings};
use super::setting_error;
use super::shared_cache_settings::SharedCacheSettings;
use super::tls_settings::TlsSettings;
use super::values::{ClientId, Scope};
use crate::error::Result;

/// The settings of one client. The same words in TOML, in JSON through the C
/// ABI, and in every binding; unknown ones are refused.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ClientSettings {
    /// Whose rules apply.
    pub profile: ProfileName,
    /// Which environment of the service: sets issuer, audience and endpoint.
    #[serde(default)]
    pub environment: Option<Environment>,
    /// The client's identifier at the service. DNB gives it after registration;
    /// until then it may be left out for `segl register dnb`. An `eseal` needs none.
    #[serde(default)]
    pub client_id: Option<ClientId>,
    /// The URI of the private key: `pkcs11:…`, `awskms:…` or `file:…`. Left out when `keys`
    /// is set, or when the program gives a signer of its own.
    #[serde(default)]
    pub key: Option<KeySetting>,
    /// Several keys, used in order: a later one signs while those before it
    /// cannot, or the service refuses them. Excludes `key`, `kid`, `certificate`, `x5c`, `alg` and
    /// `registered_until`, which stand in each entry.
    #[serde(default)]
    pub keys: Vec<ClientKey>,
    /// `file:` URI of the certificate (PEM with the chain, or DER) for `x5c`.
    /// Left out, a certificate beside the key (token object, PKCS#12, PEM) is used.
    #[serde(default)]
    pub certificate: Option<KeySetting>,
    /// What goes into `x5c`: the leaf only (default) or the whole chain.
    #[serde(default)]
    pub x5c: Option<X5cForm>,
    /// The key is one of a European eSeal (Maskinporten's pilot): `x5c` has the
    /// whole chain, `kid` is excluded, and `client_id` may be left out.
    #[serde(default)]
    pub eseal: bool,
    /// Adds `x5t#S256`, the certificate's thumbprint, to the header.
    #[serde(default)]
    pub x5t_s256: bool,
    /// The `kid` under which the public key is registered. DNB's default is the
    /// RFC 7638 thumbprint.
    #[serde(default)]
    pub kid: Option<String>,
    /// When the registration under `kid` ends: a date such as "2027-11-20", which
    /// stands for its first second in UTC, or RFC 3339. Maskinporten's ends a year
    /// after the key was registered or registered again. Nothing is refused after
    /// it; see `warn_days`.
    #[serde(default)]
    pub registered_until: Option<EndTime>,
    /// How many days before a certificate or a registration of this client ends
    /// warnings begin: in the log, once a day while assertions are made, and in the
    /// health of its keys. Default 30; 0 for none.
    #[serde(default)]
    pub warn_days: Option<u32>,
    /// Leaves `kid` out of the assertion's header (profile `dnb` only).
    #[serde(default)]
    pub omit_kid: bool,
    /// The signature algorithm; the key's usual one when left out.
    #[serde(default)]
    pub alg: Option<String>,
    /// The `typ` header. An empty text leaves it out.
    #[serde(default)]
    pub typ: Option<String>,
    /// Scopes of every token, unless a request names its own.
    #[serde(default)]
    pub scopes: Vec<Scope>,
    /// `resource` (RFC 8707) of every token, unless a request names its own.
    #[serde(default)]
    pub resource: Vec<String>,
    /// Organisation number of the consumer on whose behalf tokens are requested
    /// (Maskinporten delegation), unless a request names its own, or `null` for
    /// none.
    #[serde(default)]
    pub consumer_org: Option<String>,
    /// Organisation number of the client itself. A certificate must be that
    /// organisation's, and `consumer_org` another. Left out, the certificate's counts.
    #[serde(default)]
    pub orgno: Option<String>,
    /// The authorisation server's issuer identifier, instead of the environment's.
    #[serde(default)]
    pub issuer: Option<String>,
    /// The `aud` claim, instead of the service's usual one.
    #[serde(default)]
    pub audience: Option<String>,
    /// Whether `aud` is a string or an array of one.
    #[serde(default)]
    pub audience_form: Option<AudienceForm>,
    /// Whether `resource` is an array (default) or, when there is one, a string.
    #[serde(default)]
    pub resource_form: Option<AudienceForm>,
    /// The token endpoint, instead of the environment's.
    #[serde(default)]
    pub token_endpoint: Option<String>,
    /// Takes the token endpoint from the issuer's metadata (RFC 8414; DNB's and HelseID's
    /// is OpenID Connect Discovery, as is that of a generic server which answers 404 for
    /// the former), which is read at the first request and every 24 hours. A
    /// client with a client certificate uses the one in `mtls_endpoint_aliases` (RFC
    /// 8705), if there is one. Excludes `token_endpoint`.
    #[serde(default)]
    pub discovery: bool,
    /// Where the metadata is, when it is not where the issuer's should be. As
    /// `discovery` otherwise.
    #[serde(default)]
    pub metadata: Option<String>,
    /// Life of an assertion, `exp - iat`, in seconds.
    #[serde(default)]
    pub lifetime_seconds: Option<u32>,
    /// Seconds by which `iat` lies before the time of signing, 0 to 9, against
    /// clocks that are a little ahead. Default 2 for Digdir's services, else 0.
    #[serde(default)]
    pub backdate_seconds: Option<u32>,
    /// Adds `nbf`, equal to `iat`. Off by default.
    #[serde(default)]
    pub nbf: bool,
    /// The form of `jti`.
    #[serde(default)]
    pub jti: Option<JtiForm>,
    /// How the assertion is used (profile `generic` only).
    #[serde(default)]
    pub grant: Option<Grant>,
    /// How the client proves who it is (profile `generic` only). Default
    /// `private_key_jwt`. With a method of TLS it is the client certificate of `tls`
    /// alone: there is no assertion, and no setting of one.
    #[serde(default)]
    pub token_endpoint_auth_method: Option<ClientAuthentication>,
    /// Sends `client_id` as a form parameter too (client assertions only).
    #[serde(default)]
    pub send_client_id: bool,
    /// `aud` of the registration JWT (profile `dnb` only).
    #[serde(default)]
    pub registration_audience: Option<String>,
    /// Life of the registration JWT in seconds, at most 30 days (profile `dnb` only).
    #[serde(default)]
    pub registration_lifetime_seconds: Option<u32>,
    /// Time for one try to get a token, signing included, in milliseconds. Default
    /// 10,000. A call goes on trying until its own time is over.
    #[serde(default)]
    pub timeout_ms: Option<u32>,
    /// Time for the name look-up, and again for connection and TLS, in
    /// milliseconds. Default 5,000.
    #[serde(default)]
    pub connect_timeout_ms: Option<u32>,
    /// How the client speaks TLS: its certificate, and what it expects of servers.
    #[serde(default)]
    pub tls: Option<TlsSettings>,
    /// Tokens that are bound to a key of the client (DPoP, RFC 9449): profile
    /// `generic` when this is set, `helseid` always.
    #[serde(default)]
    pub dpop: Option<DpopSettings>,
    /// The keys to which services encrypt their answers, as the banks of DSOP Control do.
    #[serde(default)]
    pub decryption: Option<DecryptionSettings>,
    /// Base URL of Digdir's administration API, instead of the environment's, for
    /// `segl register maskinporten` (profile `maskinporten` only).
    #[serde(default)]
    pub self_service: Option<String>,
    /// A cache that the instances of a service share, so that not each of them
    /// fetches its own token.
    #[serde(default)]
    pub shared_cache: Option<SharedCacheSettings>,
    /// The base URLs of the APIs that `segl call`, `segl_client_send` and
    /// `segl::apis::ApiRequest` may send this client's tokens to: those URLs and all
    /// below them. Left out, any https URL.
    #[serde(default)]
    pub apis: Vec<String>,
    /// The services behind this client's tokens, by name, where they differ from what
    /// segl knows of them.
    #[serde(default)]
    pub services: BTreeMap<ServiceName, ServiceSettings>,
    /// The most bytes that the body of an answer may have, of the token endpoint and
    /// of APIs. Default 1,048,576.
    #[serde(default)]
    pub max_response_bytes: Option<u64>,
}

/// One of several keys of a client: the same key pair on another token, or one
/// that is registered beside the others. Each setting is as that of the client
/// with the same name.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ClientKey {
    /// The URI of the private key: `pkcs11:…`, `awskms:…` or `file:…`.
    pub key: KeySetting,
    /// The `kid` under which the public key is registered.
    #[serde(default)]
    pub kid: Option<String>,
    /// `file:` URI of the certificate for `x5c`.
    #[serde(default)]
    pub certificate: Option<KeySetting>,
    /// What goes into `x5c`: the leaf only (default) or the whole chain.
    #[serde(default)]
    pub x5c: Option<X5cForm>,
    /// The signature algorithm; the key's usual one when left out.
    #[serde(default)]
    pub alg: Option<String>,
    /// When the registration under `kid` ends: a date such as "2027-11-20", or RFC
    /// 3339.
    #[serde(default)]
    pub registered_until: Option<EndTime>,
}

impl ClientSettings {
    /// Whether the client certificate is all that the client proves itself with.
    pub fn authenticates_by_tls(&self) -> bool {
        self.token_endpoint_auth_method
            .is_some_and(ClientAuthentication::is_by_tls)
    }

    /// Whether the client shows servers a client certificate.
    pub fn has_client_certificate(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.key.is_some())
    }

    /// The settings as each key is used with: one for each entry of `keys`, in
    /// order, with that entry's settings in the place of the client's; else the
    /// settings themselves.
    ///
    /// # Errors
    /// `CONFIG` when a setting stands beside `keys` that belongs into its entries.
    pub fn for_each_key(&self) -> Result<Vec<Self>> {
        if self.keys.is_empty() {
            return Ok(vec![self.clone()]);
        }
        let misplaced = [
            ("key", self.key.is_some()),
            ("kid", self.kid.is_some()),
            ("certificate", self.certificate.is_some()),
            ("x5c", self.x5c.is_some()),
            ("alg", self.alg.is_some()),
            ("registered_until", self.registered_until.is_some()),
        ];
        if let Some((setting, _)) = misplaced.iter().find(|(_, is_set)| *is_set) {
            return Err(setting_error(
                setting,
                format_args!("stands beside \"keys\"; move it into an entry, as keys[0].{setting}"),
            ));
        }
        let with = |entry: &ClientKey| Self {
            key: Some(entry.key.clone()),
            keys: Vec::new(),
            kid: entry.kid.clone(),
            certificate: entry.certificate.clone(),
            x5c: entry.x5c,
            alg: entry.alg.clone(),
            registered_until: entry.registered_until,
            ..self.clone()
        };
        Ok(self.keys.iter().map(with).collect())
    }
}

/// A key or certificate URI as it stands in the settings. It may hold a PIN, so
/// its memory is wiped and `Debug` shows nothing of it.
#[derive(Clone, Deserialize, JsonSchema)]
#[schemars(with = "String")]
pub struct KeySetting(Zeroizing<String>);

impl KeySetting {
    /// The URI's text. It must not be logged.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for KeySetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[key URI]")
    }
}
