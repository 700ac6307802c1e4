//! All pages of an answer, one after the other.

use std::collections::HashSet;

use super::{Case, DsopControl, Page, Party};
use crate::call::Call;
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorCode, Result};

/// The most pages of one answer.
const MOST_PAGES: usize = 10_000;

/// The most bytes that the pages of one answer may have together, decrypted. Bits'
/// documentation names no size. With some 600 bytes for a transaction these are more than
/// 200,000; who needs more divides the period.
const MOST_BYTES: usize = 128 * 1024 * 1024;

impl DsopControl {
    /// The page at `url` and all that follow. `shown` is the path for messages: a
    /// reference is mostly the account's number.
    ///
    /// # Errors
    /// `RESPONSE_TOO_LARGE` for more than [`MOST_PAGES`] or [`MOST_BYTES`],
    /// `API_BAD_RESPONSE` for pages that lead in a circle.
    pub(super) fn all(
        &self,
        mut url: Endpoint,
        case: &Case,
        party: Option<&Party>,
        shown: &str,
        call: &Call,
    ) -> Result<Vec<Page>> {
        let shown = format!("{}/{shown}", self.base.as_str().trim_end_matches('/'));
        let mut seen = HashSet::new();
        let mut pages = Vec::new();
        let mut bytes = 0;
        loop {
            let page = self.page(&url, case, party, &shown, call)?;
            let next = page.next().cloned();
            bytes += page.as_str().len();
            pages.push(page);
            if bytes > MOST_BYTES {
                return Err(too_large(&shown, &format!("{MOST_BYTES} bytes")));
            }
            seen.insert(url);
            url = match next {
                None => return Ok(pages),
                Some(next) if seen.contains(&next) => {
                    return Err(Error::new(
                        ErrorCode::ApiBadResponse,
                        format!(
                            "GET {shown}: the bank's pages have no end: page {} leads on to one that was there already; \
                             tell the bank",
                            pages.len()
                        ),
                    ));
                }
                Some(_) if pages.len() == MOST_PAGES => {
                    return Err(too_large(&shown, &format!("{MOST_PAGES} pages")));
                }
                Some(next) => next,
            };
        }
    }
}

fn too_large(shown: &str, limit: &str) -> Error {
    Error::new(
        ErrorCode::ResponseTooLarge,
        format!(
            "GET {shown}: the bank's answer has more than {limit}, and none of it was kept; ask for a shorter period \
             (from_date, to_date), and for the rest after it"
        ),
    )
}
