//! The nonces that servers give (RFC 9449 sections 8 and 9).

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;

/// So many servers' nonces are kept; of more, those that gave one last.
const MOST_SERVERS: usize = 64;

/// A longer one is not kept; it would not fit into a header.
const LONGEST: usize = 2048;

/// The last nonce of each origin. Lock-free: requests read it while answers write it.
#[derive(Default)]
pub(super) struct Nonces(ArcSwap<Vec<Given>>);

/// A nonce and the origin that gave it.
#[derive(Clone, PartialEq, Eq)]
struct Given {
    origin: Arc<str>,
    nonce: Arc<str>,
}

impl Nonces {
    /// The last nonce that `origin` gave.
    pub(super) fn of(&self, origin: &str) -> Option<Arc<str>> {
        let given = self.0.load();
        let given = given.iter().find(|given| *given.origin == *origin);
        given.map(|given| Arc::clone(&given.nonce))
    }

    /// Keeps `nonce` in the place of an older one. False when it is none.
    pub(super) fn note(&self, origin: &str, nonce: &str) -> bool {
        if !is_nonce(nonce) {
            return false;
        }
        let newest = Given {
            origin: origin.into(),
            nonce: nonce.into(),
        };
        if self.0.load().last() != Some(&newest) {
            self.0.rcu(|given| {
                let others = given.iter().filter(|given| given.origin != newest.origin);
                let mut kept: Vec<_> = others.cloned().collect();
                if kept.len() == MOST_SERVERS {
                    kept.remove(0);
                }
                kept.push(newest.clone());
                kept
            });
        }
        true
    }
}

/// `nonce = 1*NQCHAR` (RFC 9449 section 8.1, RFC 6749 appendix A).
fn is_nonce(text: &str) -> bool {
    let is_nqchar = |byte| matches!(byte, b'\x21' | b'\x23'..=b'\x5b' | b'\x5d'..=b'\x7e');
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(is_nqchar)
}

impl fmt::Debug for Nonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Nonces(of {} servers)", self.0.load().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_one_of_each_server_counts_and_the_oldest_server_goes() {
        let nonces = Nonces::default();
        for number in 0..=MOST_SERVERS {
            assert!(nonces.note(&format!("https://{number}"), "first"));
            assert!(nonces.note("https://0", &format!("n{number}")));
        }
        assert_eq!(
            nonces.of("https://0").as_deref(),
            Some(&*format!("n{MOST_SERVERS}"))
        );
        assert_eq!(nonces.of("https://1"), None);
        assert_eq!(nonces.of("https://2").as_deref(), Some("first"));
    }

    #[test]
    fn what_no_header_or_json_text_takes_is_no_nonce() {
        let nonces = Nonces::default();
        let long = "n".repeat(LONGEST + 1);
        for text in ["", " ", "a b", "a\"b", "a\\b", "a\nb", "å", &long] {
            assert!(!nonces.note("https://a", text), "{text:?}");
        }
        assert_eq!(nonces.of("https://a"), None);
        assert!(nonces.note("https://a", "eyJ7S_zG.eyJH0-Z.HX4w-7v~!#[]"));
    }
}
