//! What is kept for one token.

use std::fmt;

use zeroize::Zeroizing;

/// A token as instances share it. Its memory is wiped; `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct SharedToken {
    /// The token endpoint's whole answer, JSON as received.
    pub response_json: Zeroizing<String>,
    /// When it was requested, in milliseconds since 1970-01-01T00:00:00Z.
    pub requested_at: i64,
    /// When it expires, in milliseconds since 1970-01-01T00:00:00Z.
    pub expires_at: i64,
}

/// The two times, eight bytes each, big-endian.
const TIMES_LEN: usize = 16;

impl SharedToken {
    /// The times and then the answer. Not as JSON, for a JSON reader leaves copies
    /// of the token in memory that nobody wipes.
    pub(super) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let answer = self.response_json.as_bytes();
        let mut bytes = Zeroizing::new(Vec::with_capacity(TIMES_LEN + answer.len()));
        bytes.extend_from_slice(&self.requested_at.to_be_bytes());
        bytes.extend_from_slice(&self.expires_at.to_be_bytes());
        bytes.extend_from_slice(answer);
        bytes
    }

    /// What [`SharedToken::to_bytes`] made.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (requested_at, rest) = bytes.split_first_chunk()?;
        let (expires_at, answer) = rest.split_first_chunk()?;
        Some(Self {
            response_json: Zeroizing::new(std::str::from_utf8(answer).ok()?.to_owned()),
            requested_at: i64::from_be_bytes(*requested_at),
            expires_at: i64::from_be_bytes(*expires_at),
        })
    }
}

impl fmt::Debug for SharedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedToken")
            .field("requested_at", &self.requested_at)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_lead_back_and_short_ones_do_not() {
        let token = SharedToken {
            response_json: Zeroizing::new("{\"access_token\":\"æ\"}".into()),
            requested_at: -1,
            expires_at: i64::MAX,
        };
        let bytes = token.to_bytes();
        assert_eq!(SharedToken::from_bytes(&bytes), Some(token));
        assert_eq!(SharedToken::from_bytes(&bytes[..TIMES_LEN - 1]), None);
        assert_eq!(SharedToken::from_bytes(&[0xff; 17]), None, "not UTF-8");
    }
}
