//! What a check found.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use super::super::output::error_members;
use crate::clock::UnixTime;
use crate::error::Error;
use crate::token::Expiry;

/// What was checked. The names are part of the JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Check {
    /// The configuration's file.
    Config,
    /// Who may read and write the files that hold secrets.
    Files,
    /// Whether a key opens, and what it is.
    Key,
    /// One signature.
    Signature,
    /// The certificate of a key.
    Certificate,
    /// The client certificate of TLS, and its key.
    TlsCertificate,
    /// The key that tokens are bound to.
    DpopKey,
    /// The client's settings against its keys and its service.
    Settings,
    /// The way to the token endpoint.
    Network,
    /// This machine's clock against the service's.
    Clock,
    /// One access token.
    Token,
    /// How long the service takes a key.
    Registration,
    /// The cache that instances share.
    SharedCache,
}

/// How a check went. The names are part of the JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    /// As it should be.
    Ok,
    /// Worth knowing; nothing need be done.
    Note,
    /// It works, and somebody has to do something.
    Warning,
    /// It does not work.
    Failed,
    /// It was not checked; the finding says why.
    Skipped,
}

/// One finding. It holds no secret.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) check: Check,
    pub(super) status: Status,
    /// One line.
    pub(super) what: String,
    /// What to do, one line.
    pub(super) remedy: Option<String>,
    /// What failed, for its number and facts.
    pub(super) error: Option<Error>,
    /// How long it took.
    pub(super) took: Option<Duration>,
}

impl Finding {
    pub(super) fn ok(check: Check, what: impl Into<String>) -> Self {
        Self::new(check, Status::Ok, what.into(), None)
    }

    pub(super) fn note(check: Check, what: impl Into<String>, remedy: &str) -> Self {
        Self::new(check, Status::Note, what.into(), Some(remedy.to_owned()))
    }

    pub(super) fn warning(check: Check, what: impl Into<String>, remedy: &str) -> Self {
        Self::new(check, Status::Warning, what.into(), Some(remedy.to_owned()))
    }

    /// `what` there is until `expiry`: a warning when that is near.
    pub(super) fn of_end(
        check: Check,
        what: String,
        expiry: &Expiry,
        now: UnixTime,
        warn_days: u32,
    ) -> Self {
        match expiry.warning(now, warn_days) {
            None => Self::ok(check, what),
            Some(warning) => {
                let (_, remedy) = split(&warning, 0);
                Self::new(check, Status::Warning, what, remedy)
            }
        }
    }

    /// A failure that no error stands for.
    pub(super) fn failed(check: Check, what: impl Into<String>, remedy: &str) -> Self {
        Self::new(check, Status::Failed, what.into(), Some(remedy.to_owned()))
    }

    pub(super) fn failed_with(check: Check, error: Error) -> Self {
        // The server's own words may have a semicolon too.
        let description = error.details().oauth_error_description.as_deref();
        let end = description
            .and_then(|text| Some(error.message().find(text)? + text.len()))
            .unwrap_or(0);
        let (what, remedy) = split(error.message(), end);
        Self {
            error: Some(error),
            ..Self::new(check, Status::Failed, what, remedy)
        }
    }

    pub(super) fn skipped(check: Check, reason: impl Into<String>) -> Self {
        Self::new(check, Status::Skipped, reason.into(), None)
    }

    /// The same finding with `remedy`, unless it has one.
    #[must_use]
    pub(super) fn or_remedy(mut self, remedy: &str) -> Self {
        self.remedy.get_or_insert_with(|| remedy.to_owned());
        self
    }

    /// The same finding, about one of several keys.
    #[must_use]
    pub(super) fn of_key(mut self, name: Option<&str>) -> Self {
        if let Some(name) = name
            && !self.what.starts_with(name)
        {
            self.what = format!("{name}: {}", self.what);
        }
        self
    }

    /// The same finding; the setting at fault is one of this client.
    #[must_use]
    pub(super) fn in_client(mut self, name: &str) -> Self {
        let prefix = |path: String| match path.starts_with("clients.") {
            true => path,
            false => format!("clients.{name}.{path}"),
        };
        self.error = self.error.map(|error| {
            error.with_details(|details| {
                details.config_path = details.config_path.take().map(prefix)
            })
        });
        self
    }

    #[must_use]
    pub(super) fn taking(mut self, took: Duration) -> Self {
        self.took = Some(took);
        self
    }

    pub(super) fn json(&self, client: Option<&str>) -> Value {
        let mut json = json!({
            "client": client,
            "check": self.check,
            "status": self.status,
            "what": self.what,
            "remedy": self.remedy,
        });
        if let Some(took) = self.took {
            json["took_ms"] = millis(took).into();
        }
        if let (Some(error), Some(members)) = (&self.error, json.as_object_mut()) {
            members.extend(error_members(error));
            // It stands in "what" and "remedy".
            members.remove("message");
        }
        json
    }
}

impl Finding {
    fn new(check: Check, status: Status, what: String, remedy: Option<String>) -> Self {
        Self {
            check,
            status,
            what,
            remedy,
            error: None,
            took: None,
        }
    }
}

/// Whole milliseconds.
pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Messages say what failed, and after a semicolon what to do. `from` is where the
/// latter may begin, in bytes; from 0 it is what stands last.
fn split(message: &str, from: usize) -> (String, Option<String>) {
    const BETWEEN: &str = "; ";
    let at = match from {
        0 => message.rfind(BETWEEN),
        from => message[from..].find(BETWEEN).map(|at| from + at),
    };
    match at {
        Some(at) => (
            message[..at].to_owned(),
            Some(message[at + BETWEEN.len()..].to_owned()),
        ),
        None => (message.to_owned(), None),
    }
}
