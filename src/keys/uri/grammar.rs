//! The attributes of a key URI (RFC 7512 section 2.3).
//!
//! Errors name attributes and positions and never repeat a value: it may be a
//! PIN, or hold one after a delimiter was mistyped.

use std::fmt;

use super::percent;
use super::token_settings::SETTING_NAMES;
use crate::error::{Error, ErrorCode, Result};

/// The path attributes of RFC 7512.
pub(super) const PATH_NAMES: [&str; 13] = [
    "token",
    "manufacturer",
    "serial",
    "model",
    "library-manufacturer",
    "library-description",
    "library-version",
    "slot-manufacturer",
    "slot-description",
    "slot-id",
    "object",
    "type",
    "id",
];

/// The query attributes of RFC 7512.
pub(super) const QUERY_NAMES: [&str; 4] = ["pin-source", "pin-value", "module-name", "module-path"];

/// Cuts one component of a URI into its attributes and checks each one's form:
/// name, characters, and that it is not there twice. `start` is the position of
/// the component's first character in the URI, counting from 1.
pub(super) fn attributes(
    component: &str,
    place: Place,
    start: usize,
) -> impl Iterator<Item = Result<Attribute<'_>>> {
    let mut seen: Vec<String> = Vec::new();
    let mut position = start;
    let pieces = (!component.is_empty()).then(|| component.split(place.delimiter()));
    pieces
        .into_iter()
        .flatten()
        .enumerate()
        .map(move |(index, piece)| {
            let attribute = Attribute::cut(piece, place, index + 1, position, &seen)?;
            position += piece.len() + 1;
            seen.push(attribute.name.clone());
            Ok(attribute)
        })
}

/// The component an attribute stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Before the `?`.
    Path,
    /// After it.
    Query,
}

impl Place {
    fn delimiter(self) -> char {
        match self {
            Self::Path => ';',
            Self::Query => '&',
        }
    }

    fn allows(self) -> fn(u8) -> bool {
        match self {
            Self::Path => percent::is_pk11_pchar,
            Self::Query => percent::is_pk11_qchar,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Path => "path",
            Self::Query => "query",
        })
    }
}

/// One `name=value` whose form is right.
pub(super) struct Attribute<'a> {
    label: String,
    name: String,
    value: &'a str,
}

impl<'a> Attribute<'a> {
    fn cut(
        piece: &'a str,
        place: Place,
        number: usize,
        position: usize,
        seen: &[String],
    ) -> Result<Self> {
        let nameless = format!("{place} attribute {number} at character {position}");
        let delimiter = place.delimiter();
        let refuse = |problem: &str| Err(refusal(format!("{nameless} {problem}")));
        if piece.is_empty() {
            return refuse(&format!(
                "is empty; remove the \"{delimiter}\" that is one too many"
            ));
        }
        let Some((name, value)) = piece.split_once('=') else {
            return refuse("has no \"=\"; write name=value");
        };
        if name.is_empty() || !name.bytes().all(is_name_char) {
            return refuse(
                "has no proper name: a name is made of the letters a to z, digits, \"-\" and \"_\"",
            );
        }
        let name = name.to_ascii_lowercase();
        let is_standard = PATH_NAMES.contains(&name.as_str())
            || QUERY_NAMES.contains(&name.as_str())
            || SETTING_NAMES.contains(&name.as_str());
        // What looks like a name after a PIN may be the rest of it.
        let may_be_secret = !is_standard && seen.iter().any(|earlier| earlier.contains("pin"));
        let label = if may_be_secret {
            nameless
        } else {
            format!("{place} attribute {number} \"{name}\" at character {position}")
        };
        let attribute = Self { label, name, value };
        if let Err((offset, problem)) = percent::check(value, place.allows()) {
            let at = position + piece.len() - value.len() + offset;
            return Err(attribute.refuse(format_args!("is wrong: character {at} {problem}")));
        }
        if hides_pin(value) {
            return Err(attribute.refuse(MISTYPED_DELIMITER));
        }
        if seen.contains(&attribute.name) && (place == Place::Path || is_standard) {
            return Err(attribute.refuse("is there already; keep one of the two"));
        }
        Ok(attribute)
    }

    /// The name, in lower case.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The value as it stands, for attributes that know no percent-encoding.
    pub(super) fn literal(&self) -> &'a str {
        self.value
    }

    /// The value's octets, percent-decoded.
    pub(super) fn octets(&self) -> Vec<u8> {
        percent::decode(self.value)
    }

    /// The value as text, percent-decoded.
    pub(super) fn text(&self) -> Result<String> {
        String::from_utf8(self.octets())
            .map_err(|_| self.refuse("is not UTF-8 once percent-decoded; encode its UTF-8 bytes"))
    }

    /// The error about this attribute. `problem` says what is wrong and what to
    /// do, without the value.
    pub(super) fn refuse(&self, problem: impl fmt::Display) -> Error {
        refusal(format_args!("{self} {problem}"))
    }
}

/// Which attribute, and where: `query attribute 2 "pin-source" at character 40`.
impl fmt::Display for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label)
    }
}

/// A `KEY_URI` error.
pub(super) fn refusal(problem: impl fmt::Display) -> Error {
    Error::new(ErrorCode::KeyUri, format!("key URI: {problem}"))
}

/// True when a value swallowed a PIN attribute: `token=a&pin-value=1` and
/// `module-path=/m.so?pin-value=1` follow the grammar, and would be printed.
pub(super) fn hides_pin(value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    value.contains("pin-value=") || value.contains("pin-source=")
}

pub(super) const MISTYPED_DELIMITER: &str = "holds another PIN attribute in its value; separate path attributes with \";\", begin the query \
     with one \"?\", separate query attributes with \"&\" (a literal \"=\" is %3D)";

fn is_name_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}
