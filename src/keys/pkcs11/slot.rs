//! Which token a URI means (RFC 7512 section 2.5).

use std::fmt;

use cryptoki_sys::*;

use super::instance::Entered;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::uri::Pkcs11Uri;
use crate::log::{self, Level};

/// What a token says it is, without the padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TokenName {
    pub label: String,
    pub serial: String,
    pub manufacturer: String,
    pub model: String,
}

impl fmt::Display for TokenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "token \"{}\" (serial {})",
            self.label.escape_debug(),
            self.serial.escape_debug()
        )
    }
}

impl From<&CK_TOKEN_INFO> for TokenName {
    fn from(info: &CK_TOKEN_INFO) -> Self {
        Self {
            label: text(&info.label),
            serial: text(&info.serialNumber),
            manufacturer: text(&info.manufacturerID),
            model: text(&info.model),
        }
    }
}

/// A token and the slot it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub slot: CK_SLOT_ID,
    pub name: TokenName,
}

/// The one token that `uri` means.
///
/// # Errors
/// `TOKEN_NOT_FOUND` and `TOKEN_AMBIGUOUS`, listing the tokens.
pub(super) fn choose(module: &Entered<'_>, uri: &Pkcs11Uri) -> Result<Place> {
    require_library(module, uri)?;
    let present = scan(module)?;
    let mut matching = Vec::new();
    for place in &present {
        if token_matches(&place.name, uri) && slot_matches(module, place.slot, uri) {
            matching.push(place.clone());
        }
    }
    one(matching, &present, &wanted(uri))
}

/// The token that was at `wanted`, wherever it is now. Where two slots show it, the
/// one it was in. When it is gone, another one that `stand_in` means by label takes
/// its place: a group of HSMs may show another serial number after one of them failed.
///
/// # Errors
/// As [`choose`].
pub(super) fn find_again(
    module: &Entered<'_>,
    wanted: &Place,
    stand_in: Option<&Pkcs11Uri>,
) -> Result<Place> {
    let present = scan(module)?;
    if present.contains(wanted) {
        return Ok(wanted.clone());
    }
    let same = present.iter().filter(|place| place.name == wanted.name);
    let same: Vec<_> = same.cloned().collect();
    if same.is_empty()
        && let Some(uri) = stand_in.filter(|uri| uri.token().is_some())
    {
        return choose(module, uri);
    }
    one(same, &present, &wanted.name.to_string())
}

fn one(mut matching: Vec<Place>, present: &[Place], wanted: &str) -> Result<Place> {
    match (matching.pop(), matching.is_empty()) {
        (Some(place), true) => Ok(place),
        (Some(last), false) => {
            matching.push(last);
            Err(Error::new(
                ErrorCode::TokenAmbiguous,
                format!(
                    "{} tokens match {wanted}: {}; name one by token and serial",
                    matching.len(),
                    list(&matching)
                ),
            ))
        }
        (None, _) => Err(Error::new(
            ErrorCode::TokenNotFound,
            format!(
                "no token matches {wanted}; the module has {}",
                if present.is_empty() {
                    "none at all: check its configuration and its connection".to_owned()
                } else {
                    list(present)
                }
            ),
        )),
    }
}

/// Every token that tells its name. A slot that fails is left out, for others
/// may work.
fn scan(module: &Entered<'_>) -> Result<Vec<Place>> {
    let mut present = Vec::new();
    for slot in module.slots()? {
        match module.token_info(slot) {
            Ok(info) if info.flags & CKF_TOKEN_INITIALIZED == 0 && text(&info.label).is_empty() => {
            }
            Ok(info) => present.push(Place {
                slot,
                name: TokenName::from(&info),
            }),
            Err(failure) => log::emit(
                Level::Warn,
                "pkcs11",
                format_args!("slot {slot} is left out: {}", Error::from(failure)),
            ),
        }
    }
    Ok(present)
}

fn token_matches(name: &TokenName, uri: &Pkcs11Uri) -> bool {
    is(uri.token(), &name.label)
        && is(uri.serial(), &name.serial)
        && is(uri.manufacturer(), &name.manufacturer)
        && is(uri.model(), &name.model)
}

fn slot_matches(module: &Entered<'_>, slot: CK_SLOT_ID, uri: &Pkcs11Uri) -> bool {
    if uri
        .slot_id()
        .is_some_and(|id| CK_SLOT_ID::try_from(id) != Ok(slot))
    {
        return false;
    }
    if uri.slot_manufacturer().is_none() && uri.slot_description().is_none() {
        return true;
    }
    module.slot_info(slot).is_ok_and(|info| {
        is(uri.slot_manufacturer(), &text(&info.manufacturerID))
            && is(uri.slot_description(), &text(&info.slotDescription))
    })
}

fn require_library(module: &Entered<'_>, uri: &Pkcs11Uri) -> Result<()> {
    if uri.library_manufacturer().is_none()
        && uri.library_description().is_none()
        && uri.library_version().is_none()
    {
        return Ok(());
    }
    let info = module.info()?;
    let (manufacturer, description) = (text(&info.manufacturerID), text(&info.libraryDescription));
    let version = (info.libraryVersion.major, info.libraryVersion.minor);
    if is(uri.library_manufacturer(), &manufacturer)
        && is(uri.library_description(), &description)
        && uri.library_version().is_none_or(|wanted| wanted == version)
    {
        return Ok(());
    }
    Err(Error::new(
        ErrorCode::TokenNotFound,
        format!(
            "the module is not the one of the URI's library attributes; \
             it is \"{}\" of \"{}\", version {}.{}",
            description.escape_debug(),
            manufacturer.escape_debug(),
            version.0,
            version.1
        ),
    ))
}

/// The URI's attributes of the token and its slot.
fn wanted(uri: &Pkcs11Uri) -> String {
    let slot_id = uri.slot_id().map(|id| id.to_string());
    let attributes = [
        ("token", uri.token()),
        ("serial", uri.serial()),
        ("manufacturer", uri.manufacturer()),
        ("model", uri.model()),
        ("slot-manufacturer", uri.slot_manufacturer()),
        ("slot-description", uri.slot_description()),
        ("slot-id", slot_id.as_deref()),
    ];
    let given: Vec<_> = attributes
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}=\"{}\"", value?.escape_debug())))
        .collect();
    if given.is_empty() {
        return "a URI without token".to_owned();
    }
    given.join(" and ")
}

/// An absent attribute matches everything, an empty one only what is empty.
fn is(wanted: Option<&str>, actual: &str) -> bool {
    wanted.is_none_or(|wanted| wanted.trim_end_matches(' ') == actual)
}

fn list(places: &[Place]) -> String {
    let places: Vec<_> = places
        .iter()
        .map(|place| format!("{} in slot {}", place.name, place.slot))
        .collect();
    places.join(", ")
}

/// A fixed-size text field: padded with blanks, or by some modules with NULs.
fn text(field: &[u8]) -> String {
    let end = field
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end])
        .trim_end_matches(' ')
        .to_owned()
}
