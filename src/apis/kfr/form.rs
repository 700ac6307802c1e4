//! The multipart form of a batch (RFC 7578), as Bits' FAQ shows it.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;
use zeroize::Zeroizing;

use super::RELATIONSHIP_TYPE;
use super::relation::{self, Relation};
use crate::error::{Error, ErrorCode, Result};

/// How the lines `Content-Disposition` end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FormStyle {
    /// With a semicolon, as in Bits' FAQ.
    #[default]
    Documented,
    /// Without it, as RFC 7578 has it. Not known to be refused.
    Standard,
}

impl FormStyle {
    fn end(self) -> &'static str {
        match self {
            Self::Documented => ";",
            Self::Standard => "",
        }
    }
}

/// What separates the parts of a form. It needs no quotes in `Content-Type`, where KFR
/// does not take them, and relations have no line break, without which it cannot occur in
/// them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boundary(String);

impl Boundary {
    /// A new one.
    #[allow(clippy::new_without_default, reason = "a default is not random")]
    pub fn new() -> Self {
        Self(format!("segl{}", Uuid::new_v4().simple()))
    }

    /// Its characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Boundary {
    type Err = Error;

    /// 1 to 70 letters, digits, `-`, `_` and `.` (RFC 2046 section 5.1.1, less what would
    /// need quotes).
    ///
    /// # Errors
    /// `INVALID_ARGUMENT`.
    fn from_str(text: &str) -> Result<Self> {
        let is_boundary = (1..=70).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        match is_boundary {
            true => Ok(Self(text.to_owned())),
            false => Err(Error::new(
                ErrorCode::InvalidArgument,
                "a boundary is 1 to 70 letters, digits, '-', '_' and '.'",
            )),
        }
    }
}

/// The body of one batch request, made relation by relation in memory that is wiped.
pub struct BatchForm {
    body: Zeroizing<Vec<u8>>,
    boundary: Boundary,
    /// Where the line of customers begins.
    start: usize,
}

impl BatchForm {
    /// A form with room for so many relations.
    pub fn new(boundary: Boundary, style: FormStyle, relations: usize) -> Self {
        let (mark, end) = (boundary.as_str(), style.end());
        let head = format!(
            "--{mark}\r\n\
             Content-Disposition: form-data; name=\"customer_type\"{end}\r\n\
             \r\n\
             {RELATIONSHIP_TYPE}\r\n\
             --{mark}\r\n\
             Content-Disposition: form-data; name=\"customers\"; filename=\"customers.csv\"{end}\r\n\
             Content-Type: text/plain\r\n\
             \r\n"
        );
        // A vector that grows leaves what it held behind, unwiped.
        let room = relations * (relation::MAX_LEN + 1);
        let mut body = Vec::with_capacity(head.len() + room + mark.len() + 8);
        body.extend_from_slice(head.as_bytes());
        Self {
            start: body.len(),
            body: Zeroizing::new(body),
            boundary,
        }
    }

    /// Adds a relation.
    pub fn push(&mut self, relation: &Relation) {
        if self.body.len() > self.start {
            self.body.push(b',');
        }
        relation.write(&mut self.body);
    }

    /// The line of customers so far.
    pub(super) fn customers(&self) -> &[u8] {
        &self.body[self.start..]
    }

    /// `Content-Type` and the body.
    pub fn finish(mut self) -> (String, Zeroizing<Vec<u8>>) {
        let mark = self.boundary.as_str();
        self.body
            .extend_from_slice(format!("\r\n--{mark}--\r\n").as_bytes());
        (format!("multipart/form-data; boundary={mark}"), self.body)
    }
}

/// Without the customers.
impl fmt::Debug for BatchForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BatchForm({} bytes)", self.body.len())
    }
}
