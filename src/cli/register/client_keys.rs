//! The public keys of a client that may not be able to get tokens yet, and the
//! administration API that knows its registered ones.

use std::sync::Arc;

use crate::alg::Algorithm;
use crate::apis::{SelfService, WantedKey};
use crate::call::Call;
use crate::config::Config;
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::{self, KeyUri, x509};
use crate::profiles::{self, ClientId, ClientSettings, ProfileName};
use crate::token::TokenClient;

/// What the scopes of an admin client begin with.
const ADMIN_SCOPE: &str = "idporten:dcr.";

/// One of the client's keys.
pub(super) struct ClientKey {
    /// The setting it comes from: `key`, or `keys[0]`.
    pub(super) setting: String,
    pub(super) wanted: WantedKey,
    /// True when the setting `kid` is the one under which it is to be registered.
    pub(super) is_named: bool,
}

/// The keys of the client called `name`, or the one with this `index`. Their names
/// are `kid`, else the setting, else the thumbprint.
///
/// # Errors
/// `CONFIG` naming the setting, otherwise what opening a key reports.
pub(super) fn open(
    config: &Config,
    name: &str,
    index: Option<usize>,
    kid: Option<&str>,
    call: &Call,
) -> Result<Vec<ClientKey>> {
    let client = config.client(name)?;
    if client.profile != ProfileName::Maskinporten {
        return Err(setting_error(
            name,
            "profile",
            "is not \"maskinporten\"; only such a client has keys in Digdir's self-service",
        ));
    }
    let entries = client
        .for_each_key()
        .map_err(|error| error.in_client(name))?;
    let several = !client.keys.is_empty();
    let number = entries.len();
    let chosen: Vec<_> = entries
        .into_iter()
        .enumerate()
        .filter(|(at, _)| index.is_none_or(|index| index == *at))
        .collect();
    if chosen.is_empty() {
        return Err(Error::new(
            ErrorCode::InvalidArgument,
            format!(
                "client \"{name}\" has no key {}; the last one is {}",
                index.unwrap_or_default(),
                number - 1
            ),
        ));
    }
    if kid.is_some() && chosen.len() > 1 {
        return Err(Error::new(
            ErrorCode::InvalidArgument,
            "--kid needs exactly one key; choose it with --key",
        ));
    }
    chosen
        .iter()
        .map(|(at, settings)| {
            let setting = match several {
                true => format!("keys[{at}]"),
                false => "key".to_owned(),
            };
            open_one(config, settings, &setting, kid, call)
                .map_err(|error| error.in_context(&setting).in_client(name))
        })
        .collect()
}

fn open_one(
    config: &Config,
    settings: &ClientSettings,
    setting: &str,
    kid: Option<&str>,
    call: &Call,
) -> Result<ClientKey> {
    let uri = settings.key.as_ref().ok_or_else(|| {
        Error::new(
            ErrorCode::Config,
            "is missing; set it to a pkcs11:, awskms: or file: URI",
        )
        .with_details(|details| details.config_path = Some(setting.to_owned()))
    })?;
    let uri = KeyUri::parse(uri.expose(), config.pin_policy())?;
    let certificates = profiles::certificates(settings)?;
    let public_key = certificates.as_deref().and_then(x509::leaf_key);
    let signer = keys::open_expecting(&uri, None, public_key, call)?;
    let possible = signer.algorithms();
    let alg = match &settings.alg {
        Some(name) => name.parse()?,
        None => {
            let pkcs1 = [Algorithm::RS256, Algorithm::RS384, Algorithm::RS512];
            let usual = possible.iter().find(|alg| pkcs1.contains(alg));
            *usual.unwrap_or(&possible[0])
        }
    };
    keys::require_algorithm(&*signer, alg)?;
    let key = signer.public_key().clone();
    let kid = match kid.or(settings.kid.as_deref()) {
        Some(kid) => kid.to_owned(),
        None => key.thumbprint().to_owned(),
    };
    Ok(ClientKey {
        setting: setting.to_owned(),
        is_named: settings.kid.as_deref() == Some(kid.as_str()),
        wanted: WantedKey::new(&kid, key, alg)?,
    })
}

/// The client's identifier at Maskinporten.
pub(super) fn client_id<'a>(config: &'a Config, name: &str) -> Result<&'a ClientId> {
    let client_id = config.client(name)?.client_id.as_ref();
    client_id.ok_or_else(|| {
        setting_error(
            name,
            "client_id",
            "is missing; copy it from where the client was registered",
        )
    })
}

/// The administration API for the client called `name`; see [`admin_of`].
///
/// # Errors
/// `CONFIG` naming the setting, otherwise what opening the admin's key reports.
pub(super) fn self_service(
    config: &Config,
    name: &str,
    admin: Option<&str>,
    url: Option<&str>,
    call: &Call,
) -> Result<SelfService> {
    let (base, admin) = admin_of(config, name, admin, url)?;
    let admin = TokenClient::from_config(config, admin, call)?;
    Ok(SelfService::new(Arc::new(admin), &base))
}

/// Where the administration API is for the client called `name`: at `url`, else where
/// the setting `self_service` or the client's environment says. `admin` names the
/// client that may use it, whose name comes back; left out, it is the only one with a
/// scope for that.
///
/// # Errors
/// `CONFIG` naming the setting.
pub(in super::super) fn admin_of<'a>(
    config: &'a Config,
    name: &str,
    admin: Option<&'a str>,
    url: Option<&str>,
) -> Result<(Endpoint, &'a str)> {
    let client = config.client(name)?;
    let base: Endpoint = match (url, &client.self_service, client.environment) {
        (Some(url), _, _) => url.parse()?,
        (None, Some(url), _) => url.parse().map_err(|error: Error| {
            error
                .with_details(|details| details.config_path = Some("self_service".to_owned()))
                .in_client(name)
        })?,
        (None, None, Some(environment)) => SelfService::base_url(environment).parse()?,
        (None, None, None) => {
            return Err(setting_error(
                name,
                "environment",
                "is missing; set \"test\" or \"prod\", or \"self_service\"",
            ));
        }
    };
    let admin = match admin {
        Some(admin) => admin,
        None => only_admin(config)?,
    };
    let environment = config.client(admin)?.environment;
    if environment.is_some() && client.environment.is_some() && environment != client.environment {
        return Err(setting_error(
            admin,
            "environment",
            &format!(
                "is not that of client \"{name}\"; an admin client works in its own environment"
            ),
        ));
    }
    Ok((base, admin))
}

fn only_admin(config: &Config) -> Result<&str> {
    let is_admin = |client: &ClientSettings| {
        let mut scopes = client.scopes.iter();
        scopes.any(|scope| scope.as_str().starts_with(ADMIN_SCOPE))
    };
    let clients = config.clients.iter();
    let admins: Vec<_> = clients
        .filter(|(_, client)| is_admin(client))
        .map(|(name, _)| name.as_str())
        .collect();
    match admins.as_slice() {
        [admin] => Ok(admin),
        [] => Err(Error::new(
            ErrorCode::InvalidArgument,
            format!(
                "no client of the configuration has a scope {ADMIN_SCOPE}…; add the admin client \
                 that Digdir gave you, with idporten:dcr.read and idporten:dcr.write"
            ),
        )),
        several => Err(Error::new(
            ErrorCode::InvalidArgument,
            format!(
                "choose the admin client with --admin: {}",
                several.join(" or ")
            ),
        )),
    }
}

fn setting_error(client: &str, setting: &str, problem: &str) -> Error {
    Error::new(
        ErrorCode::Config,
        format!("setting \"{setting}\" {problem}"),
    )
    .with_details(|details| details.config_path = Some(setting.to_owned()))
    .in_client(client)
}
