//! All pages of an answer, one after the other.

use super::{Case, DsopControl, Page, Party};
use crate::call::Call;
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorCode, Result};

/// An answer in more pages than this has no end. With the 1000 transactions on a page that
/// are asked of banks it is ten million.
const MOST_PAGES: usize = 10_000;

impl DsopControl {
    /// The page at `url` and all that follow. `shown` is the path for messages: a
    /// reference is mostly the account's number.
    pub(super) fn all(
        &self,
        url: Endpoint,
        case: &Case,
        party: Option<&Party>,
        shown: &str,
        call: &Call,
    ) -> Result<Vec<Page>> {
        let shown = format!("{}/{shown}", self.base.as_str().trim_end_matches('/'));
        let mut seen = vec![url];
        let mut pages = Vec::new();
        while let Some(url) = seen.last() {
            let page = self.page(url, case, party, &shown, call)?;
            let next = page.next().cloned();
            pages.push(page);
            match next {
                Some(next) if seen.contains(&next) || seen.len() == MOST_PAGES => {
                    return Err(Error::new(
                        ErrorCode::ApiBadResponse,
                        format!(
                            "GET {shown}: the bank's pages have no end: page {} leads on to one that was there already, or \
                             there are more than {MOST_PAGES}; tell the bank",
                            seen.len()
                        ),
                    ));
                }
                Some(next) => seen.push(next),
                None => break,
            }
        }
        Ok(pages)
    }
}
