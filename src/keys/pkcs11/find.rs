//! Finding the private key, and what its token says about it.

use std::fmt;

use cryptoki_sys::*;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use super::cryptoki::Attribute;
use super::session::Session;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::uri::Pkcs11Uri;

/// How many keys a message lists.
const LISTED: usize = 10;

/// What a private key is looked for by. `None` matches every key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub id: Option<Vec<u8>>,
    pub label: Option<Vec<u8>>,
}

impl From<&Pkcs11Uri> for Wanted {
    fn from(uri: &Pkcs11Uri) -> Self {
        Self {
            id: uri.id().map(Into::into),
            label: uri.object().map(Into::into),
        }
    }
}

/// What a private key is looked for to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Sign,
    Decrypt,
}

impl Purpose {
    /// The attribute that allows it, and its name.
    fn attribute(self) -> (CK_ATTRIBUTE_TYPE, &'static str) {
        match self {
            Self::Sign => (CKA_SIGN, "CKA_SIGN"),
            Self::Decrypt => (CKA_DECRYPT, "CKA_DECRYPT"),
        }
    }
}

/// A private key and its attributes. `None` is what the token does not tell.
#[derive(Debug)]
pub(super) struct PrivateKey {
    pub handle: CK_OBJECT_HANDLE,
    pub id: Vec<u8>,
    pub label: Vec<u8>,
    pub key_type: CK_KEY_TYPE,
    pub sensitive: Option<bool>,
    pub extractable: Option<bool>,
    pub never_extractable: Option<bool>,
    pub always_authenticate: bool,
    /// `CKA_ALLOWED_MECHANISMS`; empty when all are allowed.
    pub allowed_mechanisms: Vec<CK_MECHANISM_TYPE>,
}

impl PrivateKey {
    /// Finds this very key again, not another one that its URI matches by then.
    pub fn wanted(&self) -> Wanted {
        let present = |name: &Vec<u8>| (!name.is_empty()).then(|| name.clone());
        Wanted {
            id: present(&self.id),
            label: present(&self.label),
        }
    }
}

/// As path attributes of a URI, ready to be pasted into one.
impl fmt::Display for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&describe(&self.label, &self.id))
    }
}

/// The one private key that is `wanted`, with its attributes. Of several that match, the
/// one that may decrypt is it, if that is what it is for: a signing key often has the
/// same label.
///
/// # Errors
/// `KEY_NOT_FOUND` listing the private keys there are, `KEY_AMBIGUOUS` listing
/// those that match, `KEY_TYPE` for a key that is neither RSA nor EC, `MECHANISM`
/// for one that must not do what it is for.
pub(super) fn private_key(
    session: &Session<'_>,
    wanted: &Wanted,
    purpose: Purpose,
) -> Result<PrivateKey> {
    let handle = private_key_handle(session, wanted, purpose)?;
    let key = PrivateKey {
        handle,
        id: session.bytes(handle, CKA_ID)?.unwrap_or_default(),
        label: session.bytes(handle, CKA_LABEL)?.unwrap_or_default(),
        key_type: match session.numbers(handle, CKA_KEY_TYPE)?.as_deref() {
            Some([key_type]) => *key_type,
            _ => CK_KEY_TYPE::MAX,
        },
        sensitive: session.flag(handle, CKA_SENSITIVE)?,
        extractable: session.flag(handle, CKA_EXTRACTABLE)?,
        never_extractable: session.flag(handle, CKA_NEVER_EXTRACTABLE)?,
        always_authenticate: session.flag(handle, CKA_ALWAYS_AUTHENTICATE)? == Some(true),
        allowed_mechanisms: session
            .numbers(handle, CKA_ALLOWED_MECHANISMS)?
            .unwrap_or_default(),
    };
    if !matches!(key.key_type, CKK_RSA | CKK_EC) {
        return Err(Error::new(
            ErrorCode::KeyType,
            format!(
                "the private key {key} has CKA_KEY_TYPE 0x{:x}; use an RSA key, or an EC key on P-256 or P-384",
                key.key_type
            ),
        ));
    }
    let (attribute, name) = purpose.attribute();
    if session.flag(handle, attribute)? == Some(false) {
        let (verb, use_instead) = match purpose {
            Purpose::Sign => ("sign", "use a signing key"),
            Purpose::Decrypt => ("decrypt", "use a key that was made for it"),
        };
        return Err(Error::new(
            ErrorCode::Mechanism,
            format!("the private key {key} must not {verb} ({name} is false); {use_instead}"),
        ));
    }
    Ok(key)
}

/// Looks for private keys. It is a question that only the token can answer.
///
/// # Errors
/// What the token says to it.
pub(super) fn any_private_key(session: &Session<'_>) -> Result<()> {
    let any = Wanted {
        id: None,
        label: None,
    };
    private_keys(session, &any).map(drop)
}

fn private_key_handle(
    session: &Session<'_>,
    wanted: &Wanted,
    purpose: Purpose,
) -> Result<CK_OBJECT_HANDLE> {
    let mut found = private_keys(session, wanted)?;
    if purpose == Purpose::Decrypt && found.len() > 1 {
        let mut able = Vec::new();
        for key in &found {
            let is_rsa = session.numbers(*key, CKA_KEY_TYPE)?.as_deref() == Some(&[CKK_RSA]);
            if is_rsa && session.flag(*key, CKA_DECRYPT)? != Some(false) {
                able.push(*key);
            }
        }
        if !able.is_empty() {
            found = able;
        }
    }
    match (found.pop(), found.is_empty()) {
        (Some(handle), true) => Ok(handle),
        (Some(last), false) => {
            found.push(last);
            Err(Error::new(
                ErrorCode::KeyAmbiguous,
                format!(
                    "more than one private key matches {}: {}; name one by id",
                    describe_wanted(wanted),
                    list(session, &found)?
                ),
            ))
        }
        (None, _) => {
            let all = Wanted {
                id: None,
                label: None,
            };
            let all = private_keys(session, &all)?;
            Err(Error::new(
                ErrorCode::KeyNotFound,
                format!(
                    "no private key matches {}; the token {}",
                    describe_wanted(wanted),
                    if all.is_empty() {
                        "shows no private key at all".to_owned()
                    } else {
                        format!("has {}", list(session, &all)?)
                    }
                ),
            ))
        }
    }
}

/// Private keys that are `wanted`, at most one more than a message lists.
pub(super) fn private_keys(
    session: &Session<'_>,
    wanted: &Wanted,
) -> Result<Vec<CK_OBJECT_HANDLE>> {
    let mut template = vec![
        Attribute::number(CKA_CLASS, CKO_PRIVATE_KEY),
        Attribute::flag(CKA_TOKEN, true),
    ];
    if let Some(id) = &wanted.id {
        template.push(Attribute::bytes(CKA_ID, id));
    }
    if let Some(label) = &wanted.label {
        template.push(Attribute::bytes(CKA_LABEL, label));
    }
    session.find(&template, LISTED + 1)
}

/// A key as path attributes of a URI, ready to be pasted into one.
pub(super) fn describe(label: &[u8], id: &[u8]) -> String {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    let id: String = id.iter().map(|byte| format!("%{byte:02X}")).collect();
    format!("object={};id={id}", percent_encode(label, KEPT))
}

fn describe_wanted(wanted: &Wanted) -> String {
    match (&wanted.label, &wanted.id) {
        (Some(label), Some(id)) => describe(label, id),
        (Some(label), None) => describe(label, &[]).trim_end_matches(";id=").to_owned(),
        (None, Some(id)) => describe(&[], id).trim_start_matches("object=;").to_owned(),
        (None, None) => "a URI without object or id".to_owned(),
    }
}

fn list(session: &Session<'_>, keys: &[CK_OBJECT_HANDLE]) -> Result<String> {
    let mut parts = Vec::new();
    for key in keys.iter().take(LISTED) {
        let label = session.bytes(*key, CKA_LABEL)?.unwrap_or_default();
        let id = session.bytes(*key, CKA_ID)?.unwrap_or_default();
        parts.push(describe(&label, &id));
    }
    if keys.len() > LISTED {
        parts.push("and more".to_owned());
    }
    Ok(parts.join(", "))
}
