//! The relations of a file, one after the other, in constant memory.

use std::io::Read;

use openssl::sha::Sha256;
use zeroize::Zeroizing;

use super::super::relation::{MAX_LEN, Relation};
use crate::error::{Error, ErrorCode, Result};

/// How much is read at once, in bytes.
const BLOCK: usize = 64 * 1024;

/// The most bytes of an entry that are kept: a relation with the mark at the beginning of
/// a file. What is longer is wrong; blanks around it do not count.
const KEPT: usize = MAX_LEN + BOM.len();

/// UTF-8's mark at the beginning of a file, which Windows programs write.
const BOM: &[u8] = "\u{feff}".as_bytes();

/// Reads relations that stand one a line, or between commas. Blanks around them, blank
/// lines, line ends of Windows, a comma at the end of a line and a byte order mark are
/// passed over.
pub(super) struct Entries<R> {
    reader: R,
    block: Zeroizing<Vec<u8>>,
    next: usize,
    filled: usize,
    /// Where the next byte is in the file.
    offset: u64,
    line: u64,
    text: Zeroizing<Vec<u8>>,
    /// Whether the entry has more than `text`.
    is_cut: bool,
    hash: Sha256,
}

/// One relation and where it stands.
pub(super) struct Entry {
    pub(super) relation: Result<Relation>,
    /// Counted from 1.
    pub(super) line: u64,
    /// The first byte, and the one behind the last, what separates it included.
    pub(super) start: u64,
    pub(super) end: u64,
}

impl<R: Read> Entries<R> {
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader,
            block: Zeroizing::new(vec![0; BLOCK]),
            next: 0,
            filled: 0,
            offset: 0,
            line: 1,
            text: Zeroizing::new(Vec::with_capacity(KEPT)),
            is_cut: false,
            hash: Sha256::new(),
        }
    }

    /// The next relation; `None` at the end.
    ///
    /// # Errors
    /// What reading fails with.
    pub(super) fn next(&mut self) -> std::io::Result<Option<Entry>> {
        loop {
            let (start, line) = (self.offset, self.line);
            let Some(end) = self.read_text()? else {
                return Ok(None);
            };
            let text = self.trimmed(start);
            if text.is_empty() && !self.is_cut && end != End::Comma {
                continue;
            }
            let relation = match std::str::from_utf8(text) {
                _ if self.is_cut => wrong("it is longer than an identifier with a date"),
                Err(_) => wrong("it is not text in UTF-8"),
                Ok("") => wrong("nothing stands before a comma"),
                Ok(text) => text.parse(),
            };
            return Ok(Some(Entry {
                relation,
                line,
                start,
                end: self.offset,
            }));
        }
    }

    /// How many bytes were read, and their SHA-256.
    pub(super) fn finish(self) -> (u64, [u8; 32]) {
        (self.offset, self.hash.finish())
    }

    /// Reads up to the next comma, line end or the end of the file; `None` when there is
    /// nothing more.
    fn read_text(&mut self) -> std::io::Result<Option<End>> {
        self.text.clear();
        self.is_cut = false;
        let mut is_any = false;
        loop {
            if self.next == self.filled && !self.fill()? {
                return Ok(is_any.then_some(End::File));
            }
            is_any = true;
            let rest = &self.block[self.next..self.filled];
            let length = rest
                .iter()
                .position(|byte| matches!(byte, b',' | b'\n'))
                .unwrap_or(rest.len());
            keep(&rest[..length], &mut self.text, &mut self.is_cut);
            let end = match rest.get(length) {
                Some(b',') => Some(End::Comma),
                Some(_) => Some(End::Line),
                None => None,
            };
            let used = length + usize::from(end.is_some());
            self.next += used;
            self.offset += used as u64;
            if end == Some(End::Line) {
                self.line += 1;
            }
            if end.is_some() {
                return Ok(end);
            }
        }
    }

    /// What was read, without blanks, and without the mark at the beginning of the file.
    fn trimmed(&self, start: u64) -> &[u8] {
        let text = match start {
            0 => self.text.strip_prefix(BOM).unwrap_or(&self.text),
            _ => &self.text,
        };
        text.trim_ascii()
    }

    fn fill(&mut self) -> std::io::Result<bool> {
        self.next = 0;
        self.filled = 0;
        loop {
            match self.reader.read(&mut self.block) {
                Ok(read) => {
                    self.filled = read;
                    self.hash.update(&self.block[..read]);
                    return Ok(read > 0);
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Adds bytes to an entry's text as far as there is room. Blanks before it and behind what
/// is kept may be left out.
fn keep(bytes: &[u8], text: &mut Vec<u8>, is_cut: &mut bool) {
    let bytes = match text.is_empty() {
        true => bytes.trim_ascii_start(),
        false => bytes,
    };
    let (kept, dropped) = bytes.split_at(bytes.len().min(KEPT - text.len()));
    text.extend_from_slice(kept);
    *is_cut |= !dropped.trim_ascii().is_empty();
}

fn wrong(problem: &str) -> Result<Relation> {
    Err(Error::new(ErrorCode::InvalidArgument, problem))
}

/// What an entry ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Comma,
    Line,
    File,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Gives bytes in pieces of so many.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let length = self.0.len().min(self.1).min(into.len());
            into[..length].copy_from_slice(&self.0[..length]);
            self.0 = &self.0[length..];
            Ok(length)
        }
    }

    fn read(bytes: &[u8], piece: usize) -> Vec<(Option<String>, u64, u64, u64)> {
        let mut entries = Entries::new(Pieces(bytes, piece));
        let mut all = Vec::new();
        while let Some(entry) = entries.next().unwrap() {
            let text = entry.relation.ok().map(|relation| {
                let mut text = Vec::new();
                relation.write(&mut text);
                String::from_utf8(text).unwrap()
            });
            all.push((text, entry.line, entry.start, entry.end));
        }
        let (size, hash) = entries.finish();
        assert_eq!(size, bytes.len() as u64);
        assert_eq!(hash, openssl::sha::sha256(bytes));
        all
    }

    #[test]
    fn lines_commas_blanks_and_marks_are_read_alike() {
        let (a, b) = ("922203687#2019-11-08", "917439389");
        let blanks = " ".repeat(2000);
        for text in [
            format!("{a}\n{b}"),
            format!("{a}\n{b}\n"),
            format!("{a}\r\n\r\n{b}\r\n"),
            format!("{a},{b}"),
            format!("{a} , {b},\n"),
            format!("\u{feff}{a}\n\n\t{b}  \n\n"),
            format!("\n\n{a},\n{b},\n"),
            format!("{blanks}{a}{blanks}\n{blanks}\n{b}"),
            format!("\u{feff}{a}{blanks}\n{blanks}{b}{blanks}\r\n{blanks}"),
        ] {
            let read = read(text.as_bytes(), 7);
            let texts: Vec<_> = read.iter().map(|entry| entry.0.as_deref()).collect();
            assert_eq!(texts, [Some(a), Some(b)], "{text:?}");
        }
        assert!(read(b"", 1).is_empty());
        assert!(read(b"\r\n \n", 1).is_empty());
    }

    #[test]
    fn what_is_wrong_is_told_by_its_line() {
        let long = "9".repeat(200_000);
        let blanks = " ".repeat(2000);
        let text = format!(
            "917439389\nx\n,917439389\n{long}\n\u{feff}917439389\n917439389 917439389\n\u{e5}\n917439389{blanks}1\n\
             23079422568#2019-11-08{blanks}1\n"
        );
        let wrong: Vec<_> = read(text.as_bytes(), 1000)
            .into_iter()
            .filter_map(|(relation, line, ..)| relation.is_none().then_some(line))
            .collect();
        assert_eq!(wrong, [2, 3, 4, 5, 6, 7, 8, 9]);
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter_and_nothing_panics(
            bytes in proptest::collection::vec(
                prop_oneof![
                    Just(b',' ), Just(b'\n'), Just(b'\r'), Just(b' '), Just(b'#'), Just(b'-'), b'0'..=b'9', any::<u8>()
                ],
                0..300,
            ),
            piece in 1_usize..100,
        ) {
            let whole = read(&bytes, usize::MAX);
            prop_assert_eq!(&whole, &read(&bytes, piece));
            let mut end = 0;
            for (_, _, start, stop) in whole {
                prop_assert!(start >= end && stop > start);
                end = stop;
            }
        }
    }
}
