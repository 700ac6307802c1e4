//! The multipart form of a batch, read strictly.

use time::{Date, Month};

use super::refusal::KfrRefusal;
use crate::keys::OrgNumber;
use crate::person_id::PersonId;

/// The relations of one batch request.
#[derive(Clone, PartialEq, Eq)]
pub struct KfrBatch {
    pub(super) relations: Vec<(Box<str>, Option<Date>)>,
}

impl KfrBatch {
    /// Reads a form by its `Content-Type` and its bytes, as the simulator does: a boundary
    /// without quotes, line ends CRLF, two parts with names, `customer_type` `DSOPBANK`,
    /// `customers` one line of identifiers between commas. A semicolon at the end of
    /// `Content-Disposition` may stand, as in Bits' FAQ, or not.
    ///
    /// # Errors
    /// What KFR answers: 403 for anything about the boundary, 400 for the rest.
    pub fn parse(content_type: &str, body: &[u8]) -> Result<Self, KfrRefusal> {
        let boundary = boundary(content_type)?;
        let [kind, customers] = parts(boundary, body)?;
        let kind = Part::parse(kind)?;
        let customers = Part::parse(customers)?;
        if kind.name != "customer_type" || customers.name != "customers" {
            return Err(KfrRefusal::invalid_request(
                "the parts are not customer_type and customers, in this order",
            ));
        }
        if !customers.has_filename || customers.media_type != Some("text/plain") {
            return Err(KfrRefusal::invalid_request(
                "customers is no file of type text/plain",
            ));
        }
        if kind.content != "DSOPBANK" {
            return Err(KfrRefusal::invalid_type(
                "customer_type is not DSOPBANK alone",
            ));
        }
        let relations = customers.content.split(',').map(relation);
        Ok(Self {
            relations: relations.collect::<Result<_, _>>()?,
        })
    }

    /// Its relations as they were written.
    pub fn relations(&self) -> impl Iterator<Item = String> {
        self.relations.iter().map(|(customer, start)| match start {
            Some(start) => format!("{customer}#{start}"),
            None => customer.to_string(),
        })
    }
}

/// Without the identifiers.
impl std::fmt::Debug for KfrBatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KfrBatch({} relations)", self.relations.len())
    }
}

/// Whose relation it is, by right control digits.
pub(super) fn is_customer(text: &str) -> bool {
    match text.len() {
        9 => text.parse::<OrgNumber>().is_ok(),
        11 => text.parse::<PersonId>().is_ok(),
        _ => false,
    }
}

/// A date as `2019-11-08`.
pub(super) fn date(text: &str) -> Option<Date> {
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let mut numbers = text.split('-');
    let (year, month, day) = (numbers.next()?, numbers.next()?, numbers.next()?);
    let has_form = numbers.next().is_none()
        && [(year, 4), (month, 2), (day, 2)]
            .iter()
            .all(|(text, length)| text.len() == *length && is_digits(text));
    if !has_form {
        return None;
    }
    let month = Month::try_from(month.parse::<u8>().ok()?).ok()?;
    Date::from_calendar_date(year.parse().ok()?, month, day.parse().ok()?).ok()
}

fn relation(text: &str) -> Result<(Box<str>, Option<Date>), KfrRefusal> {
    let (customer, start) = match text.split_once('#') {
        Some((customer, start)) => (customer, Some(start)),
        None => (text, None),
    };
    if !is_customer(customer) {
        return Err(KfrRefusal::invalid_customer(&format!(
            "an identifier of {} characters is no organisation's and no person's",
            customer.chars().count()
        )));
    }
    let start = start
        .map(|start| date(start).ok_or_else(|| KfrRefusal::invalid_date("a start date is no date")))
        .transpose()?;
    Ok((customer.into(), start))
}

fn boundary(content_type: &str) -> Result<&str, KfrRefusal> {
    let (media_type, parameter) = content_type
        .split_once(';')
        .ok_or_else(|| KfrRefusal::no_access("Content-Type has no boundary"))?;
    if media_type.trim() != "multipart/form-data" {
        return Err(KfrRefusal::invalid_request(
            "Content-Type is not multipart/form-data",
        ));
    }
    let boundary = parameter.trim().strip_prefix("boundary=");
    match boundary {
        Some(quoted) if quoted.starts_with('"') => Err(KfrRefusal::no_access(
            "the boundary in Content-Type has quotes",
        )),
        Some(boundary)
            if (1..=70).contains(&boundary.len())
                && boundary.bytes().all(|byte| byte.is_ascii_graphic()) =>
        {
            Ok(boundary)
        }
        _ => Err(KfrRefusal::no_access("Content-Type has no boundary alone")),
    }
}

/// The two parts between the boundaries.
fn parts<'a>(boundary: &str, body: &'a [u8]) -> Result<[&'a [u8]; 2], KfrRefusal> {
    let wrong = |reason: &str| Err(KfrRefusal::no_access(reason));
    let first = format!("--{boundary}\r\n");
    let Some(rest) = body.strip_prefix(first.as_bytes()) else {
        return wrong("the body does not begin with the boundary of Content-Type and CRLF");
    };
    let last = format!("\r\n--{boundary}--");
    let rest = rest.strip_suffix(b"\r\n").unwrap_or(rest);
    let Some(rest) = rest.strip_suffix(last.as_bytes()) else {
        return wrong("the body does not end with the boundary of Content-Type");
    };
    let between = format!("\r\n--{boundary}\r\n");
    let at = |from: &[u8]| {
        from.windows(between.len())
            .position(|window| window == between.as_bytes())
    };
    let Some(middle) = at(rest) else {
        return wrong("the boundary of Content-Type does not stand between two parts");
    };
    let (one, two) = (&rest[..middle], &rest[middle + between.len()..]);
    match at(two) {
        Some(_) => wrong("there are more than two parts"),
        None => Ok([one, two]),
    }
}

struct Part<'a> {
    name: &'a str,
    has_filename: bool,
    media_type: Option<&'a str>,
    content: &'a str,
}

impl<'a> Part<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, KfrRefusal> {
        let wrong = KfrRefusal::invalid_request;
        let text = std::str::from_utf8(bytes).map_err(|_| wrong("a part is not text"))?;
        let (head, content) = text
            .split_once("\r\n\r\n")
            .ok_or_else(|| wrong("a part has no empty line behind its headers"))?;
        let mut part = Self {
            name: "",
            has_filename: false,
            media_type: None,
            content,
        };
        for line in head.split("\r\n") {
            match line.split_once(": ") {
                Some(("Content-Disposition", value)) => part.read_disposition(value)?,
                Some(("Content-Type", value)) => part.media_type = Some(value),
                _ => return Err(wrong("a part has a header that is not documented")),
            }
        }
        match part.name {
            "" => Err(wrong("a part has no name")),
            _ => Ok(part),
        }
    }

    fn read_disposition(&mut self, value: &'a str) -> Result<(), KfrRefusal> {
        let value = value.strip_suffix(';').unwrap_or(value);
        let mut parameters = value.split("; ");
        if parameters.next() != Some("form-data") {
            return Err(KfrRefusal::invalid_request("a part is no form-data"));
        }
        for parameter in parameters {
            let read = parameter.split_once('=').and_then(|(name, value)| {
                let value = value.strip_prefix('"')?.strip_suffix('"')?;
                Some((name, value))
            });
            match read {
                Some(("name", name)) => self.name = name,
                Some(("filename", name)) => self.has_filename = !name.is_empty(),
                _ => {
                    return Err(KfrRefusal::invalid_request(
                        "Content-Disposition has something else than name and filename",
                    ));
                }
            }
        }
        Ok(())
    }
}
