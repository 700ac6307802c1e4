//! What the program prints: one value on standard output, the rest on standard
//! error.

use std::io::{ErrorKind, IsTerminal, Write};

use serde_json::{Map, Value, json};

use crate::error::{Details, Error, ErrorCode, Result};
use crate::log::{self, Level, Sink};

/// How to print.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    pub(super) json: bool,
}

impl Output {
    /// Prints `json` for programs, or `text` for people.
    pub(super) fn value(&self, json: &Value, text: &str) -> Result<()> {
        if self.json {
            print_line(&pretty(json))
        } else {
            print_line(text)
        }
    }

    /// Prints a remark for people on standard error.
    pub(super) fn note(&self, text: &str) {
        if !self.json {
            eprintln!("{text}");
        }
    }

    /// Prints an error on standard error.
    pub(super) fn error(&self, error: &Error) {
        if self.json {
            eprintln!("{}", pretty(&error_json(error)));
        } else {
            eprintln!("segl: {error}");
            eprintln!("      ({} {})", error.code().name(), error.code().number());
        }
    }
}

/// Prints one line on standard output. A reader that has gone away is no error.
pub(super) fn print_line(text: &str) -> Result<()> {
    print_line_to_reader(text).map(|_| ())
}

/// Prints bytes as they are on standard output. A reader that has gone away is no
/// error.
pub(super) fn print_bytes(bytes: &[u8]) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    let written = stdout.write_all(bytes).and_then(|()| stdout.flush());
    reached_reader(written).map(|_| ())
}

/// Prints what somebody else wrote: as it is, but for what a terminal would take for a
/// command.
pub(super) fn print_body(body: &[u8]) -> Result<()> {
    match std::io::stdout().is_terminal() {
        true => print_bytes(escaped(&String::from_utf8_lossy(body), "\n\t").as_bytes()),
        false => print_bytes(body),
    }
}

/// Text of somebody else without line breaks, and without what a terminal would take
/// for a command.
pub(super) fn on_one_line(text: &str) -> String {
    escaped(text, "\t")
}

fn escaped(text: &str, kept: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character.is_control() && !kept.contains(character) {
            true => escaped.extend(character.escape_unicode()),
            false => escaped.push(character),
        }
    }
    escaped
}

/// As [`print_line`]; false when the reader has gone away.
pub(super) fn print_line_to_reader(text: &str) -> Result<bool> {
    let mut stdout = std::io::stdout().lock();
    reached_reader(writeln!(stdout, "{text}").and_then(|()| stdout.flush()))
}

/// False when the reader has gone away.
fn reached_reader(written: std::io::Result<()>) -> Result<bool> {
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Error::new(
            ErrorCode::Io,
            format!("standard output cannot be written: {error}"),
        )),
    }
}

/// JSON with two blanks of indentation. No control character is in it but line breaks
/// between its members.
pub(super) fn pretty(value: &Value) -> String {
    without_controls(format!("{value:#}"))
}

/// JSON on one line, without control characters.
pub(super) fn compact(value: &Value) -> String {
    without_controls(value.to_string())
}

fn without_controls(json: String) -> String {
    if !json.chars().any(is_left_by_json) {
        return json;
    }
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        match is_left_by_json(character) {
            true => escaped.push_str(&format!("\\u{:04x}", u32::from(character))),
            false => escaped.push(character),
        }
    }
    escaped
}

/// A control character that JSON need not escape (RFC 8259 section 7).
fn is_left_by_json(character: char) -> bool {
    ('\u{7f}'..='\u{9f}').contains(&character)
}

/// Log records go to standard error.
pub(super) fn log_to_stderr(level: &str) {
    let level = match level {
        "debug" => Level::Debug,
        "info" => Level::Info,
        _ => Level::Warn,
    };
    log::set_sink(Some(Box::new(StderrSink)), level);
}

struct StderrSink;

impl Sink for StderrSink {
    fn log(&self, level: Level, target: &'static str, message: &str) {
        eprintln!("{level:?} {target}: {message}");
    }
}

fn error_json(error: &Error) -> Value {
    json!({ "error": error_members(error) })
}

/// An error's number, name, message and the facts that there are.
pub(super) fn error_members(error: &Error) -> Map<String, Value> {
    let Details {
        retryable,
        retry_after,
        http_status,
        ck_rv,
        ck_function,
        oauth_error,
        oauth_error_description,
        error_uri,
        provider_code,
        trace_id,
        config_path,
    } = error.details();
    let optional = [
        (
            "retry_after_ms",
            retry_after.map(|wait| json!(wait.as_millis() as u64)),
        ),
        ("http_status", http_status.map(|status| json!(status))),
        ("ck_rv", ck_rv.map(|rv| json!(rv))),
        ("ck_function", ck_function.map(|name| json!(name))),
        ("oauth_error", oauth_error.as_ref().map(|text| json!(text))),
        (
            "oauth_error_description",
            oauth_error_description.as_ref().map(|text| json!(text)),
        ),
        ("error_uri", error_uri.as_ref().map(|text| json!(text))),
        (
            "provider_code",
            provider_code.as_ref().map(|text| json!(text)),
        ),
        ("trace_id", trace_id.as_ref().map(|text| json!(text))),
        ("config_path", config_path.as_ref().map(|text| json!(text))),
    ];
    let mut object = Map::new();
    object.insert("code".into(), error.code().number().into());
    object.insert("name".into(), error.code().name().into());
    object.insert("message".into(), error.message().into());
    object.insert("retryable".into(), (*retryable).into());
    for (name, value) in optional {
        if let Some(value) = value {
            object.insert(name.into(), value);
        }
    }
    object
}
