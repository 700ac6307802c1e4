//! Where a PIN or passphrase comes from (RFC 7512 section 2.4, `pin-source`).

use std::fmt;
use std::path::{Path, PathBuf};

use super::grammar::Attribute;
use super::{file, percent, pin_read};
use crate::error::{Error, ErrorCode, Result};
use crate::secret::Secret;

/// A source of a PIN or passphrase. Neither `Debug` nor `Display` prints a PIN
/// or a command, which may hold one.
#[derive(Clone)]
#[non_exhaustive]
pub enum PinSource {
    /// A file; one trailing newline is not part of the PIN.
    File(PathBuf),
    /// An environment variable.
    Env(String),
    /// The standard output of a command (only when the policy allows it).
    Command(String),
    /// In the URI itself, as `pin-value` (only when the policy allows it).
    Value(Secret),
}

/// Which risky PIN sources are allowed. The default allows none of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PinPolicy {
    /// Allows `pin-source=|command`.
    pub allow_command: bool,
    /// Allows `pin-value=…`.
    pub allow_value: bool,
}

impl PinSource {
    /// Parses `file:/abs/path`, a plain absolute path, `env:NAME`, or
    /// `|command` where the policy allows it. Nothing is percent-decoded: in a
    /// URI that has been done once already.
    ///
    /// # Errors
    /// `PIN_SOURCE` for another form, or one that the policy forbids. The
    /// message does not repeat the text, which may be the PIN itself.
    pub fn parse(text: &str, policy: PinPolicy) -> Result<Self> {
        if let Some(command) = text.strip_prefix('|') {
            return Self::from_command(command, policy);
        }
        Self::parse_place(text)?.ok_or_else(|| {
            refusal(
                "a PIN source must be file:/ABSOLUTE/PATH, env:NAME, or |COMMAND where that is allowed",
            )
        })
    }

    /// Parses `file:/abs/path`, a plain absolute path or `env:NAME`; `None` for anything
    /// else.
    ///
    /// # Errors
    /// `PIN_SOURCE` when what follows `env:` is no name.
    pub(crate) fn parse_place(text: &str) -> Result<Option<Self>> {
        let (scheme, rest) = text.split_once(':').unwrap_or(("", text));
        if scheme.eq_ignore_ascii_case("env") {
            return Self::from_variable(rest).map(Some);
        }
        let path = if scheme.eq_ignore_ascii_case("file") {
            file::without_authority(rest)
        } else {
            Some(text)
        };
        let path = path.filter(|path| Path::new(path).is_absolute() && !path.contains('\0'));
        Ok(path.map(|path| Self::File(path.into())))
    }

    /// Reads the PIN, anew each time.
    ///
    /// A file must be a regular one (a symbolic link to one will do), closed to
    /// other users, and hold at most 4096 bytes; one newline at its end is not
    /// part of the PIN, and neither is one at the end of a command's output. A
    /// command runs in `sh -c`, without input, and its standard error is
    /// dropped. The call lasts as long as the command does.
    ///
    /// # Errors
    /// `PIN_SOURCE` naming the source and what is wrong with it.
    pub fn read(&self) -> Result<Secret> {
        self.read_secret("PIN")
            .map_err(|error| error.in_context(format_args!("PIN source {self}")))
    }

    /// As [`PinSource::read`], for a secret of which errors speak as `what`. They do not
    /// name the source.
    pub(crate) fn read_secret(&self, what: &str) -> Result<Secret> {
        match self {
            Self::File(path) => pin_read::file(path, what),
            Self::Env(name) => pin_read::variable(name, what),
            Self::Command(command) => pin_read::command(command, what),
            Self::Value(pin) => Ok(pin.clone()),
        }
    }

    /// True when both are the same file or the same variable, whatever PIN is
    /// there.
    pub(crate) fn is_same_place(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File(own), Self::File(other)) => own == other,
            (Self::Env(own), Self::Env(other)) => own == other,
            _ => false,
        }
    }

    /// Sets `slot` from a `pin-source` or `pin-value` attribute.
    pub(super) fn set(
        slot: &mut Option<Self>,
        attribute: &Attribute<'_>,
        policy: PinPolicy,
    ) -> Result<()> {
        if slot.is_some() {
            return Err(
                attribute.refuse("stands beside another PIN; keep pin-source and remove pin-value")
            );
        }
        let source = if attribute.name() == "pin-value" {
            Self::from_value(Secret::new(attribute.octets()), policy)
        } else {
            Self::parse(&attribute.text()?, policy)
        };
        *slot =
            Some(source.map_err(|error| error.in_context(format_args!("key URI: {attribute}")))?);
        Ok(())
    }

    /// The query attribute for this source, percent-encoded, without secrets.
    pub(super) fn as_attribute(&self) -> String {
        match self {
            Self::File(path) => format!("pin-source=file:{}", file::encode(path)),
            Self::Env(name) => format!("pin-source=env:{}", percent::encode_location(name)),
            Self::Command(_) => format!("pin-source={self}"),
            Self::Value(_) => format!("pin-value={self}"),
        }
    }

    fn from_command(command: &str, policy: PinPolicy) -> Result<Self> {
        if !policy.allow_command {
            return Err(refusal(
                "a PIN from a command is not allowed here; allow commands in the configuration, \
                 or use file:/ABSOLUTE/PATH or env:NAME",
            ));
        }
        if command.trim().is_empty() || command.contains('\0') {
            return Err(refusal(
                "the command after \"|\" is empty or holds a NUL; write |COMMAND",
            ));
        }
        Ok(Self::Command(command.to_owned()))
    }

    fn from_variable(name: &str) -> Result<Self> {
        if name.is_empty() || name.contains(['=', '\0']) {
            return Err(refusal(
                "what follows \"env:\" is not the name of an environment variable; write env:NAME",
            ));
        }
        Ok(Self::Env(name.to_owned()))
    }

    fn from_value(pin: Secret, policy: PinPolicy) -> Result<Self> {
        if !policy.allow_value {
            return Err(refusal(
                "a PIN in the URI is not allowed here, for URIs end up in logs; allow pin-value in the \
                 configuration, or use pin-source=file:/ABSOLUTE/PATH or pin-source=env:NAME",
            ));
        }
        if pin.expose().is_empty() {
            return Err(refusal("the PIN is empty; write it or remove pin-value"));
        }
        Ok(Self::Value(pin))
    }
}

/// The source as it is written in `pin-source`, without secrets: `file:/run/pin`,
/// `env:PIN`, `|[redacted]`, and `[redacted]` for a `pin-value`.
impl fmt::Display for PinSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file:{}", file::literal(path).escape_debug()),
            Self::Env(name) => write!(f, "env:{}", name.escape_debug()),
            Self::Command(_) => f.write_str("|[redacted]"),
            Self::Value(_) => f.write_str("[redacted]"),
        }
    }
}

impl fmt::Debug for PinSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PinSource({self})")
    }
}

/// A `PIN_SOURCE` error.
pub(super) fn refusal(problem: impl Into<String>) -> Error {
    Error::new(ErrorCode::PinSource, problem)
}
