//! `segl key health`

use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::key;
use super::output::{Output, print_line_to_reader};
use crate::clock::{Clock, SystemClock, UnixTime};
use crate::error::{Error, ErrorCode, Result};
use crate::keys::health::TokenHealth;
use crate::keys::{Certificate, Health, HealthState, Signer};
use crate::token::expiry::DEFAULT_WARN_DAYS;
use crate::token::{Expiring, Expiry};

#[derive(Args)]
pub(super) struct Arguments {
    /// URI of the key.
    #[arg(value_name = "URI")]
    uri: String,
    /// Checks again after so many seconds, until interrupted; one line each time.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    watch: Option<u32>,
    /// Ends after so many checks.
    #[arg(long, value_name = "N", requires = "watch", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<()> {
    let signer = key::open(&arguments.uri)?;
    let Some(seconds) = arguments.watch else {
        let check = Check::of(&*signer);
        output.value(&json!(check.report), &check.report.lines())?;
        return check.result;
    };
    let mut done = 0;
    loop {
        let check = Check::of(&*signer);
        let line = match output.json {
            true => json!(check.report).to_string(),
            false => check.report.line(),
        };
        let is_read = print_line_to_reader(&line)?;
        done += 1;
        if !is_read || Some(done) == arguments.count {
            return check.result;
        }
        std::thread::sleep(Duration::from_secs(seconds.into()));
    }
}

/// One signature, and what the key says of itself after it.
struct Check {
    report: Report,
    result: Result<()>,
}

#[derive(Serialize)]
struct Report {
    /// The key's URI without secrets.
    key: Option<String>,
    /// When it was checked, RFC 3339.
    at: String,
    /// How long the signature took; absent when there is none.
    signed_in_ms: Option<u64>,
    /// When the certificate beside the key ends, seconds since 1970.
    certificate_not_after: Option<i64>,
    /// That it ends soon or has ended, and what to do.
    warnings: Vec<String>,
    #[serde(flatten)]
    health: Health,
}

impl Check {
    fn of(signer: &dyn Signer) -> Self {
        let start = Instant::now();
        let probed = signer.probe(&key::call());
        let took = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut health = signer.health();
        if let Err(error) = &probed
            && health.state == HealthState::Ready
        {
            health.state = HealthState::Unavailable;
            health.problem = Some(error.message().to_owned());
        }
        let now = SystemClock.now();
        let certificate = signer.certificates().first();
        let expiry = certificate
            .and_then(Certificate::not_after)
            .map(|not_after| Expiry::new(Expiring::Certificate, "key", not_after));
        let warning = expiry
            .as_ref()
            .and_then(|expiry| expiry.warning(now, DEFAULT_WARN_DAYS));
        let report = Report {
            key: signer.origin().uri,
            at: now.to_string(),
            signed_in_ms: probed.is_ok().then_some(took),
            certificate_not_after: expiry.map(|expiry| expiry.not_after.seconds()),
            warnings: warning.into_iter().collect(),
            health,
        };
        let result = probed.and_then(|()| report.require_ready());
        Self { report, result }
    }
}

impl Report {
    fn require_ready(&self) -> Result<()> {
        if self.health.state == HealthState::Ready {
            return Ok(());
        }
        Err(Error::new(
            ErrorCode::TokenUnavailable,
            format!("the key signed, but is not ready: {}", self.state()),
        )
        .with_retryable(true))
    }

    /// The state, and why it is not ready.
    fn state(&self) -> String {
        let state = json!(self.health.state);
        let name = state.as_str().unwrap_or_default().replace('_', " ");
        match &self.health.problem {
            Some(problem) => format!("{name}: {problem}"),
            None => name,
        }
    }

    fn line(&self) -> String {
        match self.signed_in_ms {
            Some(millis) => format!("{}  {}, signed in {millis} ms", self.at, self.state()),
            None => format!("{}  {}", self.at, self.state()),
        }
    }

    fn lines(&self) -> String {
        let mut lines = vec![
            self.key.clone().unwrap_or_default(),
            format!("state         {}", self.state()),
        ];
        if let Some(millis) = self.signed_in_ms {
            lines.push(format!("signed in     {millis} ms"));
        }
        if let Some(end) = self.certificate_not_after {
            lines.push(format!(
                "certificate   ends at {}",
                UnixTime::from_seconds(end)
            ));
        }
        lines.extend(
            self.warnings
                .iter()
                .map(|warning| format!("warning       {warning}")),
        );
        if let Some(signatures) = self.health.signatures {
            let last = self
                .health
                .last_signature
                .map(|at| format!(", the last at {}", UnixTime::from_seconds(at)));
            lines.push(format!(
                "signatures    {signatures}{}",
                last.unwrap_or_default()
            ));
        }
        if let Some(token) = &self.health.token {
            lines.extend(token_lines(token));
        }
        lines.join("\n")
    }
}

fn token_lines(token: &TokenHealth) -> Vec<String> {
    let sessions = &token.sessions;
    let counters = pairs(&json!(token.counters));
    let mut lines = vec![
        format!(
            "sessions      {} idle, {} busy, {} stuck, {} callers waiting, at most {}",
            sessions.idle, sessions.busy, sessions.stuck, sessions.waiting, sessions.max
        ),
        format!(
            "made anew     module {}, login {}",
            token.generation, token.epoch
        ),
        format!("counted       {counters}"),
    ];
    if !token.failures.is_empty() {
        lines.push(format!("failures      {}", pairs(&json!(token.failures))));
    }
    if let Some(failure) = &token.last_failure {
        lines.push(format!(
            "last failure  {} at {}: {}",
            failure.error,
            UnixTime::from_seconds(failure.at),
            failure.message
        ));
    }
    lines
}

/// The members of an object as `name 1, another_name 2`.
fn pairs(object: &serde_json::Value) -> String {
    let members = object.as_object().into_iter().flatten();
    let texts: Vec<_> = members
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    texts.join(", ")
}
