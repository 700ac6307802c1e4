//! One rule about one function: what it does to a call, and to which calls.

use std::time::Duration;

use cryptoki_sys::CK_RV;

use crate::function::Function;

/// A rule in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    pub function: Function,
    pub effect: Effect,
    /// So many calls pass first.
    pub after: u64,
    /// Of the calls after those, each so many-th is met.
    pub every: u64,
    /// The most calls that are met.
    pub count: u64,
    seen: u64,
    met: u64,
}

/// What becomes of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Effect {
    /// Returned to the caller.
    pub rv: Option<CK_RV>,
    /// With `rv`: the real module does its work first, and its answer is lost.
    pub executed: bool,
    /// The call takes so much longer.
    pub delay: Duration,
    /// The call waits until it is released.
    pub hang: bool,
    /// One bit of the signature is wrong.
    pub flip: bool,
    /// An ECDSA signature is in DER.
    pub der: bool,
    /// Another key's handle is used.
    pub swap_keys: bool,
}

impl Rule {
    /// A rule that meets every call of `function` and does nothing.
    pub fn new(function: Function) -> Self {
        Self {
            function,
            effect: Effect::default(),
            after: 0,
            every: 1,
            count: u64::MAX,
            seen: 0,
            met: 0,
        }
    }

    /// Counts a call of `function`; what the rule does to it, if it is met.
    pub fn meet(&mut self, function: Function) -> Option<&Effect> {
        if self.function != function {
            return None;
        }
        self.seen += 1;
        let place = self.seen.saturating_sub(self.after);
        if place == 0 || !place.is_multiple_of(self.every) || self.met >= self.count {
            return None;
        }
        self.met += 1;
        Some(&self.effect)
    }
}

impl Effect {
    /// Adds what another rule does. Of two return values the first stays.
    pub fn add(&mut self, other: &Self) {
        if self.rv.is_none() {
            self.rv = other.rv;
            self.executed = other.executed;
        }
        self.delay += other.delay;
        self.hang |= other.hang;
        self.flip |= other.flip;
        self.der |= other.der;
        self.swap_keys |= other.swap_keys;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_every_and_count_choose_the_calls() {
        let mut rule = Rule {
            after: 2,
            every: 3,
            count: 2,
            ..Rule::new(Function::C_Sign)
        };
        let met: Vec<u64> = (1..=20)
            .filter(|_| {
                assert_eq!(rule.meet(Function::C_SignInit), None);
                rule.meet(Function::C_Sign).is_some()
            })
            .collect();
        assert_eq!(met, [5, 8]);
    }

    #[test]
    fn effects_add_up_and_the_first_value_stays() {
        let mut sum = Effect::default();
        sum.add(&Effect {
            delay: Duration::from_millis(2),
            ..Effect::default()
        });
        sum.add(&Effect {
            rv: Some(5),
            flip: true,
            ..Effect::default()
        });
        sum.add(&Effect {
            rv: Some(6),
            executed: true,
            delay: Duration::from_millis(3),
            ..Effect::default()
        });
        let expected = Effect {
            rv: Some(5),
            flip: true,
            delay: Duration::from_millis(5),
            ..Effect::default()
        };
        assert_eq!(sum, expected);
    }
}
