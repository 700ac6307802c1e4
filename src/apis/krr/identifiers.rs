//! Lists of personal identifiers, one a line.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use zeroize::Zeroizing;

use crate::error::{Error, ErrorCode, Result};
use crate::person_id::PersonId;

/// The most bytes of a line: an identifier, and blanks around it.
const LONGEST_LINE: usize = 256;

/// The identifiers in a file, as [`read_persons`].
///
/// # Errors
/// `IO` when it cannot be opened, otherwise as [`read_persons`].
pub fn read_persons_file(path: &Path) -> Result<Vec<PersonId>> {
    let what = path.display().to_string();
    let file = File::open(path).map_err(|source| {
        Error::new(
            ErrorCode::Io,
            format!("{what} cannot be opened: {source}; correct the path"),
        )
        .with_source(source)
    })?;
    read_persons(file, &what)
}

/// The identifiers that `input` has, one a line. Blanks around them and empty lines count
/// for nothing. All of it is checked; `what` names it in errors.
///
/// # Errors
/// `BATCH_LINE` with the number of a line that is no identifier, without the line; `IO`.
pub fn read_persons(input: impl Read, what: &str) -> Result<Vec<PersonId>> {
    // Not larger than needed, for its memory is not wiped.
    let mut input = BufReader::with_capacity(8 * 1024, input);
    let mut persons = Vec::new();
    let mut line = Zeroizing::new(Vec::with_capacity(LONGEST_LINE + 1));
    for number in 1.. {
        line.clear();
        let limit = LONGEST_LINE as u64 + 1;
        let read = (&mut input).take(limit).read_until(b'\n', &mut line);
        let read = read.map_err(|source| {
            Error::new(ErrorCode::Io, format!("{what} cannot be read: {source}"))
                .with_source(source)
        })?;
        if read == 0 {
            break;
        }
        let wrong = |problem: &str| {
            Error::new(
                ErrorCode::BatchLine,
                format!("line {number} of {what}: {problem}"),
            )
        };
        if line.len() > LONGEST_LINE && line.last() != Some(&b'\n') {
            return Err(wrong("it is longer than an identifier"));
        }
        let text = std::str::from_utf8(&line).map_err(|_| wrong("this is not UTF-8 text"))?;
        let text = match number {
            1 => text.strip_prefix('\u{feff}').unwrap_or(text),
            _ => text,
        };
        let text = text.trim_matches([' ', '\t', '\r', '\n']);
        if !text.is_empty() {
            persons.push(
                text.parse()
                    .map_err(|error: Error| wrong(error.message()))?,
            );
        }
    }
    Ok(persons)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_a_line_with_blanks_and_empty_lines() {
        let text = "\u{feff}23079422568\r\n\n  23079421936\t\n23079422568";
        let persons = read_persons(text.as_bytes(), "it").unwrap();
        let digits: Vec<_> = persons.iter().map(PersonId::expose).collect();
        assert_eq!(digits, ["23079422568", "23079421936", "23079422568"]);
        assert!(read_persons(&b"\n\n"[..], "it").unwrap().is_empty());
    }

    #[test]
    fn a_wrong_line_is_named_and_not_shown() {
        let text = "23079422568\n\n23079422569\n";
        let error = read_persons(text.as_bytes(), "list.txt").unwrap_err();
        assert_eq!(error.code(), ErrorCode::BatchLine);
        assert!(
            error.message().starts_with("line 3 of list.txt: "),
            "{error}"
        );
        assert!(!error.message().contains("23079422569"));
        let long = [b' '].repeat(10_000);
        for bytes in [&b"23079422568\n\xff\n"[..], b"a,23079422568", &long] {
            assert!(read_persons(bytes, "it").is_err());
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused(bytes: Vec<u8>) {
            let _ = read_persons(&*bytes, "it");
        }
    }
}
