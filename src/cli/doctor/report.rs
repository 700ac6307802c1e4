//! The findings, as they come for people, or all together for programs.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::super::output::{Output, pretty, print_line};
use super::finding::{Check, Finding, Status, millis};
use crate::error::{Error, Result};

/// As wide as the longest name, `shared cache`.
const CHECK_WIDTH: usize = 13;
/// As wide as the longest name, `warning` or `skipped`.
const STATUS_WIDTH: usize = 8;

/// Takes findings, prints them, and knows the exit code.
pub(super) struct Report {
    output: Output,
    findings: Vec<(Option<String>, Finding)>,
    /// The first failure to print.
    unprinted: Result<()>,
}

impl Report {
    pub(super) fn new(output: Output) -> Self {
        Self {
            output,
            findings: Vec::new(),
            unprinted: Ok(()),
        }
    }

    /// Adds what was found of a client, or of none in particular.
    pub(super) fn add(&mut self, client: Option<&str>, finding: Finding) {
        let finding = match client {
            Some(name) => finding.in_client(name),
            None => finding,
        };
        let finding = match finding.error.as_ref().map(Error::code) {
            Some(code) => finding.or_remedy(&format!("look up {code} in docs/errors.md")),
            None => finding,
        };
        if !self.output.json {
            let last = self.findings.last();
            if let Some(name) = client
                && last.is_none_or(|(last, _)| last.as_deref() != client)
            {
                self.print(&format!("\n{name}"));
            }
            self.print(&lines(&finding));
        }
        self.findings.push((client.map(str::to_owned), finding));
    }

    /// Adds a failure, unless an earlier check of the same client has told it.
    pub(super) fn add_failure(&mut self, client: &str, check: Check, error: Error) {
        let told = self.findings.iter().find(|(of, finding)| {
            let known = finding.error.as_ref();
            of.as_deref() == Some(client)
                && known.is_some_and(|known| is_same(known.message(), error.message()))
        });
        let finding = match told {
            None => Finding::failed_with(check, error),
            Some((_, cause)) => {
                let cause = name(&json!(cause.check));
                Finding::skipped(check, format!("see the failure of \"{cause}\" above"))
            }
        };
        self.add(Some(client), finding);
    }

    /// Prints what is left. The exit code is 0 when nothing failed, 3 when all that
    /// failed may succeed later, else 1.
    ///
    /// # Errors
    /// `IO` when something could not be printed.
    pub(super) fn finish(mut self) -> Result<ExitCode> {
        if self.output.json {
            let all = self.findings.iter();
            let all: Vec<_> = all
                .map(|(client, finding)| finding.json(client.as_deref()))
                .collect();
            self.print(&pretty(&Value::Array(all)));
        } else {
            self.print(&format!("\n{}", self.summary()));
        }
        self.unprinted?;
        let failed = |(_, finding): &&(_, Finding)| finding.status == Status::Failed;
        let may_pass =
            |(_, finding): &(_, Finding)| finding.error.as_ref().is_some_and(Error::retryable);
        let failed: Vec<_> = self.findings.iter().filter(failed).collect();
        Ok(match failed.iter().all(|failed| may_pass(failed)) {
            _ if failed.is_empty() => ExitCode::SUCCESS,
            true => ExitCode::from(3),
            false => ExitCode::from(1),
        })
    }

    fn summary(&self) -> String {
        let all = [
            Status::Failed,
            Status::Warning,
            Status::Note,
            Status::Ok,
            Status::Skipped,
        ];
        let counts = all.into_iter().filter_map(|status| {
            let with = |(_, finding): &&(_, Finding)| finding.status == status;
            let count = self.findings.iter().filter(with).count();
            (count > 0).then(|| format!("{count} {}", name(&json!(status))))
        });
        counts.collect::<Vec<_>>().join(", ")
    }

    fn print(&mut self, text: &str) {
        if self.unprinted.is_ok() {
            self.unprinted = print_line(text);
        }
    }
}

/// One of them may have a context before it.
fn is_same(one: &str, other: &str) -> bool {
    one.ends_with(other) || other.ends_with(one)
}

fn lines(finding: &Finding) -> String {
    let status = name(&json!(finding.status));
    let check = name(&json!(finding.check));
    let mut text = format!(
        "  {status:STATUS_WIDTH$} {check:CHECK_WIDTH$} {}",
        finding.what
    );
    if let Some(took) = finding.took {
        text.push_str(&format!(" ({} ms)", millis(took)));
    }
    let indent = " ".repeat(2 + STATUS_WIDTH + 1 + CHECK_WIDTH + 1);
    if let Some(error) = &finding.error {
        text.push_str(&format!("\n{indent}[{}]", facts(error)));
    }
    if let Some(remedy) = &finding.remedy {
        text.push_str(&format!("\n{indent}To do: {remedy}"));
    }
    text
}

/// What a person looks an error up by.
fn facts(error: &Error) -> String {
    let details = error.details();
    let named =
        |label: &str, text: &Option<String>| text.as_ref().map(|text| format!("{label}{text}"));
    let facts = [
        Some(format!("{} {}", error.code().name(), error.code().number())),
        named("", &details.provider_code),
        details.http_status.map(|status| format!("HTTP {status}")),
        named("trace id ", &details.trace_id),
        named("setting ", &details.config_path),
    ];
    facts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// A name of the JSON, for people.
fn name(json: &Value) -> String {
    json.as_str().unwrap_or_default().replace('_', " ")
}
