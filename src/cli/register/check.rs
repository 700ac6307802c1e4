//! `segl register maskinporten --check`

use serde::Serialize;
use serde_json::{Value, json};

use super::super::output::Output;
use super::client_keys::ClientKey;
use super::maskinporten::time;
use super::table::table;
use crate::apis::{RegisteredKey, RegisteredKeys};
use crate::clock::UnixTime;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::PublicJwk;

const DAY: i64 = 86_400;

/// Prints every key with its date.
///
/// # Errors
/// `KEY_REGISTRATION` unless every key is registered and lives for more than
/// `warn_days`.
pub(super) fn run(
    name: &str,
    keys: &[ClientKey],
    registered: &RegisteredKeys,
    now: UnixTime,
    warn_days: u32,
    output: &Output,
) -> Result<()> {
    let soon = now.plus(i64::from(warn_days) * DAY);
    let findings: Vec<_> = keys
        .iter()
        .map(|key| Finding::of(key, registered, now, soon))
        .collect();
    let bad: Vec<_> = findings
        .iter()
        .filter(|finding| !finding.is_good())
        .collect();
    let members: Vec<_> = findings.iter().map(|finding| finding.json(now)).collect();
    let rows: Vec<_> = findings.iter().map(Finding::row).collect();
    output.value(
        &json!({ "client": name, "ok": bad.is_empty(), "keys": members }),
        &table(["KEY", "KID", "STATE", "EXPIRES"], &rows),
    )?;
    if bad.is_empty() {
        return Ok(());
    }
    let problems: Vec<_> = bad
        .iter()
        .map(|finding| format!("{} {}", finding.kid, finding.state.words()))
        .collect();
    Err(Error::new(
        ErrorCode::KeyRegistration,
        format!(
            "client \"{name}\": {}; register the client's keys again, which gives each another year",
            problems.join(", ")
        ),
    ))
}

struct Finding {
    setting: String,
    kid: String,
    state: State,
    expires: Option<UnixTime>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in super::super) enum State {
    Registered,
    ExpiresSoon,
    Expired,
    /// Registered, but the API does not say until when.
    ExpiryUnknown,
    /// The `kid` is that of another key.
    OtherKey,
    NotRegistered,
}

impl State {
    /// That of `key`, for which the API shows `found`.
    pub(in super::super) fn of(
        key: &PublicJwk,
        found: Option<&RegisteredKey>,
        now: UnixTime,
        soon: UnixTime,
    ) -> Self {
        let Some(found) = found else {
            return Self::NotRegistered;
        };
        if found.public_key().as_ref() != Some(key) {
            return Self::OtherKey;
        }
        match found.exp {
            None => Self::ExpiryUnknown,
            Some(_) if found.is_expired(now) => Self::Expired,
            Some(exp) if exp <= soon => Self::ExpiresSoon,
            Some(_) => Self::Registered,
        }
    }

    pub(in super::super) fn words(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::ExpiresSoon => "expires soon",
            Self::Expired => "is expired",
            Self::ExpiryUnknown => "is registered until nobody knows when",
            Self::OtherKey => "is registered for another key",
            Self::NotRegistered => "is not registered",
        }
    }
}

impl Finding {
    fn of(key: &ClientKey, registered: &RegisteredKeys, now: UnixTime, soon: UnixTime) -> Self {
        let kid = key.wanted.kid();
        let found = registered.find(kid);
        Self {
            setting: key.setting.clone(),
            kid: kid.to_owned(),
            state: State::of(key.wanted.key(), found, now, soon),
            expires: found.and_then(|found| found.exp),
        }
    }

    fn is_good(&self) -> bool {
        self.state == State::Registered
    }

    fn json(&self, now: UnixTime) -> Value {
        let left = |exp: UnixTime| exp.seconds().saturating_sub(now.seconds()).div_euclid(DAY);
        json!({
            "key": self.setting,
            "kid": self.kid,
            "state": self.state,
            "expires_at": self.expires.map(UnixTime::seconds),
            "days_left": self.expires.map(left),
        })
    }

    fn row(&self) -> [String; 4] {
        let state = self.state.words().to_owned();
        [
            self.setting.clone(),
            self.kid.clone(),
            state,
            time(self.expires),
        ]
    }
}
