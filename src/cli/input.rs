//! What commands take as an argument, from a file, or from standard input.

use std::fs::File;
use std::io::{self, Read};

use zeroize::Zeroizing;

use crate::error::{Error, ErrorCode, Result};

/// The most bytes of JSON or of a token that are read. The longest input, a list of customers
/// for KFR, has some 10 MB.
const MAX_LEN: u64 = 64 * 1024 * 1024;

/// A JSON object: the argument itself, the content of `@FILE`, or standard input for `-`.
/// `what` names it in errors, which never show it.
pub(super) fn json_object(argument: &str, what: &str) -> Result<Zeroizing<String>> {
    let json = text(argument, what)?;
    match json.trim_start().chars().next() {
        Some('{') => Ok(json),
        Some(_) => Err(wrong(format!(
            "{what} is no JSON object; give one that begins with {{, @FILE, or - for standard input"
        ))),
        None => Err(wrong(format!("{what} is empty; give a JSON object"))),
    }
}

/// Text, as [`json_object`] takes it.
pub(super) fn text(argument: &str, what: &str) -> Result<Zeroizing<String>> {
    utf8(limited(argument, what)?, what)
}

/// The argument itself, or standard input for `-`.
pub(super) fn text_or_stdin(argument: &str, what: &str) -> Result<Zeroizing<String>> {
    match argument {
        "-" => text("-", what),
        own => Ok(Zeroizing::new(own.to_owned())),
    }
}

/// Bytes of any number: the argument itself, the content of `@FILE`, or standard input for
/// `-`.
pub(super) fn bytes(argument: &str, what: &str) -> Result<Zeroizing<Vec<u8>>> {
    read(argument, what, u64::MAX)
}

/// Refuses a person's identifier where an argument stands for something else, before an error
/// can repeat it.
pub(super) fn refuse_person(argument: &str) -> Result<()> {
    match is_person(argument) {
        true => Err(wrong(
            "other users of this machine can see arguments; give the 11 digits in a file, or on standard input where \
             the command reads it",
        )),
        false => Ok(()),
    }
}

/// Whether an argument is 11 digits, of themselves or after the `@` of a file.
pub(super) fn is_person(argument: &str) -> bool {
    let argument = argument.strip_prefix('@').unwrap_or(argument);
    argument.len() == 11 && argument.bytes().all(|byte| byte.is_ascii_digit())
}

fn limited(argument: &str, what: &str) -> Result<Zeroizing<Vec<u8>>> {
    let bytes = read(argument, what, MAX_LEN + 1)?;
    match bytes.len() as u64 > MAX_LEN {
        true => Err(wrong(format!(
            "{what} has more than {} MiB, which is too much",
            MAX_LEN >> 20
        ))),
        false => Ok(bytes),
    }
}

/// At most `most` bytes.
fn read(argument: &str, what: &str, most: u64) -> Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    let (place, done) = match (argument, argument.strip_prefix('@')) {
        ("-", _) => (
            "standard input",
            io::stdin().lock().take(most).read_to_end(&mut bytes),
        ),
        (_, Some(path)) => (
            path,
            File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes)),
        ),
        (own, None) => return Ok(Zeroizing::new(own.as_bytes().to_vec())),
    };
    done.map_err(|source| {
        let hint = match argument {
            "-" => "",
            _ => "; correct the path",
        };
        Error::new(
            ErrorCode::Io,
            format!("{what}: {place} cannot be read: {source}{hint}"),
        )
        .with_source(source)
    })?;
    Ok(bytes)
}

fn utf8(mut bytes: Zeroizing<Vec<u8>>, what: &str) -> Result<Zeroizing<String>> {
    String::from_utf8(std::mem::take(&mut *bytes))
        .map(Zeroizing::new)
        .map_err(|error| {
            drop(Zeroizing::new(error.into_bytes()));
            Error::new(ErrorCode::InvalidUtf8, format!("{what} is not UTF-8"))
        })
}

fn wrong(problem: impl Into<String>) -> Error {
    Error::new(ErrorCode::InvalidArgument, problem.into())
}
