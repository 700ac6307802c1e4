//! How an assertion's header names its key: `kid`, `x5c`, or not at all.

use super::choices::X5cForm;
use super::client_settings::{ClientSettings, KeySetting};
use super::setting_error;
use crate::alg::Algorithm;
use crate::clock::UnixTime;
use crate::error::{Error, ErrorCode, Result};
use crate::jws::Header;
use crate::keys::x509::{Certificate, order_chain};
use crate::keys::{KeyUri, Signer};

/// Exactly one way to name the key.
#[derive(Debug, Clone)]
pub(super) enum KeyReference {
    Kid(String),
    X5c(Vec<Certificate>),
    None,
}

impl KeyReference {
    /// What the settings say: a `kid`, else a certificate from the settings or
    /// beside the key, else nothing.
    pub(super) fn from_settings(
        settings: &ClientSettings,
        certificates: Option<&[Certificate]>,
        signer: &dyn Signer,
        now: UnixTime,
    ) -> Result<Self> {
        if let Some(kid) = &settings.kid {
            if kid.is_empty() {
                return Err(setting_error(
                    "kid",
                    "is empty; leave it out or give the registered key id",
                ));
            }
            return Ok(Self::Kid(kid.clone()));
        }
        if settings.x5c == Some(X5cForm::None) {
            return Ok(Self::None);
        }
        let certificates = certificates.unwrap_or(signer.certificates()).to_vec();
        let mut chain = order_chain(signer.public_key(), certificates)?;
        let Some(leaf) = chain.first() else {
            return match settings.x5c {
                None => Ok(Self::None),
                Some(_) => Err(setting_error(
                    "x5c",
                    "needs a certificate, and none is beside the key; set \"certificate\"",
                )),
            };
        };
        leaf.require_valid(now)?;
        if settings.eseal {
            require_whole_chain(&chain)?;
        } else if settings.x5c != Some(X5cForm::Chain) {
            chain.truncate(1);
        }
        Ok(Self::X5c(chain))
    }

    /// The key's own certificate, when the header has it.
    pub(super) fn leaf(&self) -> Option<&Certificate> {
        match self {
            Self::X5c(chain) => chain.first(),
            _ => None,
        }
    }

    /// The header for `alg`, with `typ` as set or else `default_typ`.
    pub(super) fn header(
        &self,
        alg: Algorithm,
        settings: &ClientSettings,
        default_typ: Option<&str>,
    ) -> Result<Header> {
        let mut header = Header::new(alg);
        header.typ = match settings.typ.as_deref() {
            Some("") => None,
            Some(typ) => Some(typ.to_owned()),
            None => default_typ.map(str::to_owned),
        };
        match self {
            Self::Kid(kid) => header.kid = Some(kid.clone()),
            Self::X5c(chain) => {
                header.x5c = chain.iter().map(Certificate::to_x5c).collect();
                if settings.x5t_s256 {
                    header.x5t_s256 = chain.first().map(Certificate::to_x5t_s256);
                }
            }
            Self::None => {}
        }
        if settings.x5t_s256 && header.x5t_s256.is_none() {
            return Err(setting_error(
                "x5t_s256",
                "needs a certificate; set \"certificate\"",
            ));
        }
        Ok(header)
    }
}

/// An eSeal is accepted with its issuers only. The root may be left out, as those
/// who check have it, but a leaf that another issued does not stand alone.
fn require_whole_chain(chain: &[Certificate]) -> Result<()> {
    match chain {
        [leaf] if !leaf.is_issued_by(leaf) => Err(setting_error(
            "certificate",
            format_args!(
                "has the certificate of \"{}\" alone, and an eSeal needs its whole chain; \
                 add that of \"{}\" and those above it",
                leaf.subject(),
                leaf.issuer()
            ),
        )),
        _ => Ok(()),
    }
}

/// The algorithm that the settings name, else the key's usual one among `allowed`.
pub(super) fn choose_algorithm(
    settings: &ClientSettings,
    signer: &dyn Signer,
    allowed: &[Algorithm],
    service: &str,
) -> Result<Algorithm> {
    let names = |algorithms: &[Algorithm]| {
        let names: Vec<_> = algorithms.iter().map(|alg| alg.name()).collect();
        names.join(", ")
    };
    let possible: Vec<Algorithm> = signer
        .algorithms()
        .iter()
        .copied()
        .filter(|alg| allowed.contains(alg))
        .collect();
    let Some(usual) = possible.first() else {
        return Err(Error::new(
            ErrorCode::KeyType,
            format!(
                "{service} accepts {} only, and this {} key of {} bits makes {}; use another key",
                names(allowed),
                signer.public_key().kty(),
                signer.public_key().bits(),
                names(signer.algorithms())
            ),
        ));
    };
    let Some(wanted) = &settings.alg else {
        return Ok(*usual);
    };
    let wanted: Algorithm = wanted.parse()?;
    if possible.contains(&wanted) {
        return Ok(wanted);
    }
    Err(setting_error(
        "alg",
        format_args!(
            "is {wanted}; this key at {service} can use {}",
            names(&possible)
        ),
    ))
}

/// The certificates that the settings name, in file order; `None` when they
/// name none.
///
/// # Errors
/// `IO`, `CERTIFICATE`, or `CONFIG` when the setting is no `file:` URI or stands
/// beside a `kid`.
pub fn certificates(settings: &ClientSettings) -> Result<Option<Vec<Certificate>>> {
    if settings.kid.is_some() && (settings.certificate.is_some() || settings.x5c.is_some()) {
        return Err(setting_error(
            "kid",
            "excludes \"certificate\" and \"x5c\": a header names its key by exactly one of them",
        ));
    }
    let certificate = settings.certificate.as_ref();
    certificate
        .map(|uri| certificate_file("certificate", uri))
        .transpose()
}

/// The certificates in the file that `setting` names as `uri`, in file order.
///
/// # Errors
/// `IO`, `CERTIFICATE`, or `CONFIG` when it is no `file:` URI.
pub(crate) fn certificate_file(setting: &str, uri: &KeySetting) -> Result<Vec<Certificate>> {
    let KeyUri::File(file) = uri.expose().parse()? else {
        return Err(setting_error(
            setting,
            "must be a file: URI; a certificate on a token is found beside its key",
        ));
    };
    let bytes = crate::file::read(file.path(), "certificate file")?;
    Certificate::read_chain(&bytes).map_err(|error| {
        error.in_context(format_args!("certificate file {}", file.path().display()))
    })
}
