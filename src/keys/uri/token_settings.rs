//! How a token is used: segl's own query attributes of a `pkcs11:` URI.

use std::fmt;
use std::time::Duration;

use super::grammar::Attribute;
use super::percent::encode_location;
use crate::error::Result;
use crate::secret::Secret;

/// How segl uses the token of a `pkcs11:` URI, given by query attributes of its
/// own (RFC 7512 section 2.3 leaves room for them). The first key opened of a
/// token decides for all keys of that token, and of a module for the module.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TokenSettings {
    /// `max-sessions`: the most sessions that sign at once, 1 to 1024, beside one
    /// that keeps the login. 8 by default, and fewer where the token has fewer.
    pub max_sessions: usize,
    /// `threads`: who runs the module's functions.
    pub threads: Threads,
    /// `keep-alive`: an idle token makes a signature so often, in seconds, so that
    /// no firewall cuts its connection. 60 by default, `None` for `0`.
    pub keep_alive: Option<Duration>,
    /// `extractable=allow`: takes a private key that the token says can leave it,
    /// or of which it does not say that it cannot.
    pub allow_extractable: bool,
    /// `thumbprint`: the RFC 7638 thumbprint (SHA-256, base64url) that the public
    /// key must have.
    pub thumbprint: Option<String>,
    /// `lifecycle`: who initialises and finalizes the module.
    pub lifecycle: Lifecycle,
    /// `calls=serial`: calls the module from one thread at a time, for modules that
    /// cannot stand more. By itself for those that refuse the operating system's
    /// locks, and for p11-kit's client.
    pub serial_calls: bool,
    /// `init-reserved`: text for `pReserved` of `C_Initialize`, which some modules
    /// take their configuration from.
    pub init_reserved: Option<Secret>,
    /// `fork`: what a forked child process may do with the key.
    pub fork: ForkPolicy,
    /// `pin-count-low=try`: tries a PIN that has not worked in this process before
    /// although the token says that the last PIN it saw was wrong.
    pub try_when_count_low: bool,
}

/// Who runs the module's functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threads {
    /// `own` (default): threads of segl, so that a call that hangs in the module
    /// does not keep its caller past the deadline.
    Own,
    /// `caller`: the calling thread, and segl starts none. There is no hand-off to
    /// pay for, no keep-alive, and no protection from a module that hangs.
    Caller,
}

/// Who initialises and finalizes a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifecycle {
    /// `auto` (default): segl initialises it, or uses it as it is when that was
    /// done before; such a module is never finalized.
    Auto,
    /// `omit`: the program does both; segl never calls `C_Initialize`.
    Omit,
    /// `exclusive`: segl alone; a module that was initialised before is refused.
    Exclusive,
}

/// What a forked child process may do with a key that its parent opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForkPolicy {
    /// `reinit` (default): the child initialises the module anew and opens
    /// sessions of its own.
    Reinit,
    /// `refuse`: the child gets an error and must open its own keys in a module
    /// that its parent never initialised.
    Refuse,
}

/// The names of the query attributes that are settings.
pub(super) const SETTING_NAMES: [&str; 10] = [
    "max-sessions",
    "threads",
    "keep-alive",
    "extractable",
    "thumbprint",
    "lifecycle",
    "calls",
    "init-reserved",
    "fork",
    "pin-count-low",
];

impl Default for TokenSettings {
    fn default() -> Self {
        Self {
            max_sessions: 8,
            threads: Threads::Own,
            keep_alive: Some(Duration::from_secs(60)),
            allow_extractable: false,
            thumbprint: None,
            lifecycle: Lifecycle::Auto,
            serial_calls: false,
            init_reserved: None,
            fork: ForkPolicy::Reinit,
            try_when_count_low: false,
        }
    }
}

impl TokenSettings {
    /// Sets what one of [`SETTING_NAMES`] stands for.
    pub(super) fn set(&mut self, attribute: &Attribute<'_>) -> Result<()> {
        match attribute.name() {
            "max-sessions" => {
                self.max_sessions = number(attribute, 1, 1024)?;
            }
            "threads" => {
                let values = [("own", Threads::Own), ("caller", Threads::Caller)];
                self.threads = one_of(attribute, &values)?;
            }
            "keep-alive" => {
                let seconds = number(attribute, 0, 86_400)?;
                self.keep_alive = (seconds > 0).then(|| Duration::from_secs(seconds));
            }
            "extractable" => {
                let values = [("refuse", false), ("allow", true)];
                self.allow_extractable = one_of(attribute, &values)?;
            }
            "thumbprint" => self.thumbprint = Some(thumbprint(attribute)?),
            "lifecycle" => {
                let values = [
                    ("auto", Lifecycle::Auto),
                    ("omit", Lifecycle::Omit),
                    ("exclusive", Lifecycle::Exclusive),
                ];
                self.lifecycle = one_of(attribute, &values)?;
            }
            "calls" => {
                let values = [("parallel", false), ("serial", true)];
                self.serial_calls = one_of(attribute, &values)?;
            }
            "init-reserved" => {
                let bytes = attribute.octets();
                if bytes.contains(&0) {
                    return Err(attribute.refuse("must not hold a NUL; a C string ends there"));
                }
                self.init_reserved = Some(Secret::new(bytes));
            }
            "fork" => {
                let values = [
                    ("reinit", ForkPolicy::Reinit),
                    ("refuse", ForkPolicy::Refuse),
                ];
                self.fork = one_of(attribute, &values)?;
            }
            _ => {
                let values = [("refuse", false), ("try", true)];
                self.try_when_count_low = one_of(attribute, &values)?;
            }
        }
        Ok(())
    }

    /// The query attributes of what is not the default. `init-reserved` may hold a
    /// password, so it is `[redacted]`.
    pub(super) fn as_attributes(&self) -> Vec<String> {
        let default = Self::default();
        let keep_alive = self.keep_alive.map_or(0, |interval| interval.as_secs());
        [
            (self.max_sessions != default.max_sessions)
                .then(|| format!("max-sessions={}", self.max_sessions)),
            (self.threads == Threads::Caller).then(|| "threads=caller".to_owned()),
            (self.keep_alive != default.keep_alive).then(|| format!("keep-alive={keep_alive}")),
            self.allow_extractable
                .then(|| "extractable=allow".to_owned()),
            self.thumbprint
                .as_ref()
                .map(|thumbprint| format!("thumbprint={}", encode_location(thumbprint))),
            match self.lifecycle {
                Lifecycle::Auto => None,
                Lifecycle::Omit => Some("lifecycle=omit".to_owned()),
                Lifecycle::Exclusive => Some("lifecycle=exclusive".to_owned()),
            },
            self.serial_calls.then(|| "calls=serial".to_owned()),
            self.init_reserved
                .as_ref()
                .map(|_| "init-reserved=[redacted]".to_owned()),
            (self.fork == ForkPolicy::Refuse).then(|| "fork=refuse".to_owned()),
            self.try_when_count_low
                .then(|| "pin-count-low=try".to_owned()),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

fn number<T>(attribute: &Attribute<'_>, min: T, max: T) -> Result<T>
where
    T: std::str::FromStr + PartialOrd + fmt::Display,
{
    let text = attribute.literal();
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits
        .then(|| text.parse().ok())
        .flatten()
        .filter(|number| (&min..=&max).contains(&number))
        .ok_or_else(|| attribute.refuse(format_args!("must be a number from {min} to {max}")))
}

fn one_of<T: Copy>(attribute: &Attribute<'_>, values: &[(&str, T)]) -> Result<T> {
    let text = attribute.literal();
    if let Some((_, value)) = values.iter().find(|(name, _)| *name == text) {
        return Ok(*value);
    }
    let names: Vec<_> = values.iter().map(|(name, _)| *name).collect();
    Err(attribute.refuse(format_args!("must be {}", names.join(" or "))))
}

/// 32 bytes in base64url without padding are 43 characters.
fn thumbprint(attribute: &Attribute<'_>) -> Result<String> {
    let text = attribute.text()?;
    let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if text.len() == 43 && text.bytes().all(is_base64url) {
        return Ok(text);
    }
    Err(attribute.refuse(
        "must be a SHA-256 thumbprint of RFC 7638, 43 characters of base64url; segl key show prints it",
    ))
}
