//! `pkcs11:` URIs (RFC 7512).

use std::fmt;
use std::path::{Path, PathBuf};

use super::grammar::{self, Attribute, PATH_NAMES, Place, QUERY_NAMES};
use super::percent::{encode_all, encode_location, encode_path};
use super::token_settings::{SETTING_NAMES, TokenSettings};
use super::{PinPolicy, PinSource};
use crate::error::Result;
use crate::log::{self, Level};

/// A parsed `pkcs11:` URI. All values are percent-decoded.
///
/// An absent attribute matches everything, each present one narrows the choice,
/// and a present but empty one (`serial=`) matches only what is empty (RFC 7512
/// section 2.5).
#[derive(Debug, Clone, Default)]
pub struct Pkcs11Uri {
    pub(super) token: Option<String>,
    pub(super) manufacturer: Option<String>,
    pub(super) serial: Option<String>,
    pub(super) model: Option<String>,
    pub(super) library_manufacturer: Option<String>,
    pub(super) library_description: Option<String>,
    pub(super) library_version: Option<(u8, u8)>,
    pub(super) slot_manufacturer: Option<String>,
    pub(super) slot_description: Option<String>,
    pub(super) slot_id: Option<u64>,
    pub(super) object: Option<String>,
    pub(super) id: Option<Vec<u8>>,
    pub(super) module_path: Option<PathBuf>,
    pub(super) pin_source: Option<PinSource>,
    pub(super) settings: TokenSettings,
}

impl Pkcs11Uri {
    /// Parses what follows `pkcs11:`, which is at character `start` of the URI.
    pub(super) fn parse(rest: &str, start: usize, policy: PinPolicy) -> Result<Self> {
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut uri = Self::default();
        for attribute in grammar::attributes(path, Place::Path, start) {
            uri.set_path_attribute(&attribute?)?;
        }
        for attribute in grammar::attributes(query, Place::Query, start + path.len() + 1) {
            uri.set_query_attribute(&attribute?, policy)?;
        }
        Ok(uri)
    }

    /// The token's label (`CK_TOKEN_INFO.label`).
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The token's manufacturer (`CK_TOKEN_INFO.manufacturerID`).
    pub fn manufacturer(&self) -> Option<&str> {
        self.manufacturer.as_deref()
    }

    /// The token's serial number (`CK_TOKEN_INFO.serialNumber`).
    pub fn serial(&self) -> Option<&str> {
        self.serial.as_deref()
    }

    /// The token's model (`CK_TOKEN_INFO.model`).
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// The module's manufacturer (`CK_INFO.manufacturerID`).
    pub fn library_manufacturer(&self) -> Option<&str> {
        self.library_manufacturer.as_deref()
    }

    /// The module's description (`CK_INFO.libraryDescription`).
    pub fn library_description(&self) -> Option<&str> {
        self.library_description.as_deref()
    }

    /// The module's version, major and minor (`CK_INFO.libraryVersion`).
    pub fn library_version(&self) -> Option<(u8, u8)> {
        self.library_version
    }

    /// The slot's manufacturer (`CK_SLOT_INFO.manufacturerID`).
    pub fn slot_manufacturer(&self) -> Option<&str> {
        self.slot_manufacturer.as_deref()
    }

    /// The slot's description (`CK_SLOT_INFO.slotDescription`).
    pub fn slot_description(&self) -> Option<&str> {
        self.slot_description.as_deref()
    }

    /// The slot's number, a further filter only: numbers move.
    pub fn slot_id(&self) -> Option<u64> {
        self.slot_id
    }

    /// The key's `CKA_LABEL`.
    pub fn object(&self) -> Option<&str> {
        self.object.as_deref()
    }

    /// The key's `CKA_ID`, raw bytes.
    pub fn id(&self) -> Option<&[u8]> {
        self.id.as_deref()
    }

    /// The module's library file, absolute.
    pub fn module_path(&self) -> Option<&Path> {
        self.module_path.as_deref()
    }

    /// Where the PIN comes from.
    pub fn pin_source(&self) -> Option<&PinSource> {
        self.pin_source.as_ref()
    }

    /// How the token is to be used.
    pub fn settings(&self) -> &TokenSettings {
        &self.settings
    }

    /// The same token and module, for the object with this `CKA_LABEL`.
    #[must_use]
    pub fn with_object(mut self, label: &str) -> Self {
        self.object = Some(label.to_owned());
        self
    }

    fn set_path_attribute(&mut self, attribute: &Attribute<'_>) -> Result<()> {
        match attribute.name() {
            "token" => self.token = Some(attribute.text()?),
            "manufacturer" => self.manufacturer = Some(attribute.text()?),
            "serial" => self.serial = Some(attribute.text()?),
            "model" => self.model = Some(attribute.text()?),
            "library-manufacturer" => self.library_manufacturer = Some(attribute.text()?),
            "library-description" => self.library_description = Some(attribute.text()?),
            "library-version" => self.library_version = Some(version(attribute)?),
            "slot-manufacturer" => self.slot_manufacturer = Some(attribute.text()?),
            "slot-description" => self.slot_description = Some(attribute.text()?),
            "slot-id" => self.slot_id = Some(number(attribute)?),
            "object" => self.object = Some(attribute.text()?),
            "id" => self.id = Some(attribute.octets()),
            "type" => require_private(attribute)?,
            name if QUERY_NAMES.contains(&name) || SETTING_NAMES.contains(&name) => {
                return Err(attribute.refuse("belongs in the query; write it after a \"?\""));
            }
            _ => {
                return Err(attribute.refuse(
                    "is not one that segl can match; correct its name or remove it (RFC 7512 lets it match nothing)",
                ));
            }
        }
        Ok(())
    }

    fn set_query_attribute(&mut self, attribute: &Attribute<'_>, policy: PinPolicy) -> Result<()> {
        match attribute.name() {
            "pin-source" | "pin-value" => {
                PinSource::set(&mut self.pin_source, attribute, policy)?;
            }
            "module-path" => self.module_path = Some(absolute_path(attribute)?),
            "module-name" => {
                return Err(attribute.refuse(
                    "is not searched for; remove it and name the module's file with module-path=/PATH",
                ));
            }
            name if SETTING_NAMES.contains(&name) => self.settings.set(attribute)?,
            name if PATH_NAMES.contains(&name) => {
                return Err(attribute.refuse("belongs in the path; write it before the \"?\""));
            }
            _ => log::emit(
                Level::Warn,
                "uri",
                format_args!("key URI: {attribute} is unknown and ignored"),
            ),
        }
        Ok(())
    }
}

/// The URI in canonical form, without any secret.
impl fmt::Display for Pkcs11Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |name, value: &Option<String>| {
            let value = value.as_deref()?;
            Some(format!("{name}={}", encode_path(value)))
        };
        let path = [
            text("token", &self.token),
            text("manufacturer", &self.manufacturer),
            text("serial", &self.serial),
            text("model", &self.model),
            text("library-manufacturer", &self.library_manufacturer),
            text("library-description", &self.library_description),
            self.library_version
                .map(|(major, minor)| format!("library-version={major}.{minor}")),
            text("slot-manufacturer", &self.slot_manufacturer),
            text("slot-description", &self.slot_description),
            self.slot_id.map(|id| format!("slot-id={id}")),
            text("object", &self.object),
            self.id
                .as_deref()
                .map(|id| format!("id={}", encode_all(id))),
        ];
        let module_path = self.module_path.as_deref().map(Path::to_string_lossy);
        let mut query = vec![
            module_path.map(|path| format!("module-path={}", encode_location(&path))),
            self.pin_source.as_ref().map(PinSource::as_attribute),
        ];
        query.extend(self.settings.as_attributes().into_iter().map(Some));
        let joined = |parts: &[Option<String>], delimiter| {
            let parts: Vec<&str> = parts.iter().flatten().map(String::as_str).collect();
            parts.join(delimiter)
        };
        write!(f, "pkcs11:{}", joined(&path, ";"))?;
        if query.iter().any(Option::is_some) {
            write!(f, "?{}", joined(&query, "&"))?;
        }
        Ok(())
    }
}

/// `1*DIGIT [ "." 1*DIGIT ]`, each number one byte; `3` is `3.0`.
fn version(attribute: &Attribute<'_>) -> Result<(u8, u8)> {
    let text = attribute.literal();
    let (major, minor) = text.split_once('.').unwrap_or((text, "0"));
    decimal(major).zip(decimal(minor)).ok_or_else(|| {
        attribute
            .refuse("must be a major version and perhaps a minor one, each 0 to 255, such as 2.6")
    })
}

fn number(attribute: &Attribute<'_>) -> Result<u64> {
    decimal(attribute.literal())
        .ok_or_else(|| attribute.refuse("must be a decimal number that fits 64 bits, such as 0"))
}

/// `1*DIGIT`: `str::parse` alone would take a sign.
fn decimal<T: std::str::FromStr>(text: &str) -> Option<T> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

fn require_private(attribute: &Attribute<'_>) -> Result<()> {
    if attribute.literal().eq_ignore_ascii_case("private") {
        return Ok(());
    }
    Err(attribute.refuse(
        "must be private, for segl signs with private keys; write type=private or remove it",
    ))
}

fn absolute_path(attribute: &Attribute<'_>) -> Result<PathBuf> {
    let path = PathBuf::from(attribute.text()?);
    if path.is_absolute() && !path.as_os_str().as_encoded_bytes().contains(&0) {
        return Ok(path);
    }
    Err(attribute.refuse(
        "must be the absolute path of the module's file, such as module-path=/usr/lib/softhsm/libsofthsm2.so",
    ))
}
