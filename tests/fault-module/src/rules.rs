//! The language of the rules. `fault.h` describes it for its users.

use std::time::Duration;

use cryptoki_sys::{CK_ATTRIBUTE_TYPE, CK_MECHANISM_TYPE, CK_SLOT_ID, CK_ULONG};

use crate::function::Function;
use crate::rule::Rule;

/// One rule of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    Rule(Rule),
    MaxSessions(usize),
    PinLimit(u32),
    NoOsLocking,
    RawEcPoint,
    NoPublicKey,
    NoMechanism(CK_MECHANISM_TYPE),
    OnlyMechanism(CK_MECHANISM_TYPE),
    BrokenMechanism(CK_MECHANISM_TYPE),
    NoAttribute(CK_ATTRIBUTE_TYPE),
    Serial(String),
    ShortFind,
    CloseAll,
    Logout,
    Initialize,
    Finalize,
    Refinalize,
    Disconnect,
    NoToken,
    TokenBack(Option<CK_SLOT_ID>),
    Release,
    Clear,
}

/// The rules in `text`, which are separated by `;` or line ends.
///
/// # Errors
/// The first rule that is not understood.
pub(crate) fn parse(text: &str) -> Result<Vec<Command>, String> {
    let rules = text.split([';', '\n']).map(str::trim);
    let rules = rules.filter(|rule| !rule.is_empty());
    rules
        .map(|rule| command(rule).ok_or_else(|| format!("\"{rule}\" is no rule")))
        .collect()
}

fn command(text: &str) -> Option<Command> {
    let mut words = text.split_whitespace();
    let first = words.next()?;
    let rest: Vec<&str> = words.collect();
    if let Some(function) = Function::named(first) {
        return rule(Rule::new(function), &rest);
    }
    if first == "swap_keys" {
        let mut swap = Rule::new(Function::C_SignInit);
        swap.effect.swap_keys = true;
        return rule(swap, &rest);
    }
    if first == "token_back" {
        return match rest[..] {
            [] => Some(Command::TokenBack(None)),
            [slot] => Some(Command::TokenBack(Some(ulong(
                slot.strip_prefix("slot=")?,
            )?))),
            _ => None,
        };
    }
    if !rest.is_empty() {
        return None;
    }
    Some(match first.split_once('=') {
        Some(("max_sessions", max)) => Command::MaxSessions(number(max)?.try_into().ok()?),
        Some(("pin_limit", limit)) => Command::PinLimit(number(limit)?.try_into().ok()?),
        Some(("no_mechanism", kind)) => Command::NoMechanism(ulong(kind)?),
        Some(("only_mechanism", kind)) => Command::OnlyMechanism(ulong(kind)?),
        Some(("broken_mechanism", kind)) => Command::BrokenMechanism(ulong(kind)?),
        Some(("no_attribute", kind)) => Command::NoAttribute(ulong(kind)?),
        Some(("serial", serial)) => Command::Serial(serial.to_owned()),
        Some(_) => return None,
        None => match first {
            "no_os_locking" => Command::NoOsLocking,
            "raw_ec_point" => Command::RawEcPoint,
            "no_public_key" => Command::NoPublicKey,
            "short_find" => Command::ShortFind,
            "close_all" => Command::CloseAll,
            "logout" => Command::Logout,
            "initialize" => Command::Initialize,
            "finalize" => Command::Finalize,
            "refinalize" => Command::Refinalize,
            "disconnect" => Command::Disconnect,
            "no_token" => Command::NoToken,
            "release" => Command::Release,
            "clear" => Command::Clear,
            _ => return None,
        },
    })
}

fn rule(mut rule: Rule, words: &[&str]) -> Option<Command> {
    for word in words {
        match word.split_once('=') {
            Some(("rv", rv)) => rule.effect.rv = Some(ulong(rv)?),
            Some(("after", after)) => rule.after = number(after)?,
            Some(("every", every)) => rule.every = number(every).filter(|every| *every > 0)?,
            Some(("count", count)) => rule.count = number(count)?,
            Some(("delay_ms", delay)) => {
                rule.effect.delay = Duration::from_millis(number(delay)?);
            }
            Some(_) => return None,
            None => match *word {
                "executed" => rule.effect.executed = true,
                "hang" => rule.effect.hang = true,
                "flip" if rule.function == Function::C_Sign => rule.effect.flip = true,
                "der" if rule.function == Function::C_Sign => rule.effect.der = true,
                _ => return None,
            },
        }
    }
    Some(Command::Rule(rule))
}

#[allow(clippy::useless_conversion, reason = "CK_ULONG has 32 bits on Windows")]
fn ulong(text: &str) -> Option<CK_ULONG> {
    number(text)?.try_into().ok()
}

/// Decimal, or hexadecimal after `0x`.
fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_has_its_function_effect_and_calls() {
        let mut expected = Rule::new(Function::C_Sign);
        expected.effect.rv = Some(0x30);
        expected.effect.executed = true;
        expected.after = 5;
        expected.count = 3;
        expected.every = 2;
        assert_eq!(
            parse("C_Sign executed rv=0x30 after=5 count=3 every=2"),
            Ok(vec![Command::Rule(expected)])
        );
    }

    #[test]
    fn a_text_has_many_rules() {
        assert_eq!(
            parse("max_sessions=3; no_mechanism=0x1041\n\n token_back slot=7;release;"),
            Ok(vec![
                Command::MaxSessions(3),
                Command::NoMechanism(0x1041),
                Command::TokenBack(Some(7)),
                Command::Release,
            ])
        );
        assert_eq!(parse(" "), Ok(vec![]));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for rule in [
            "C_Nothing rv=5",
            "C_Sign rv",
            "C_Sign rv=0xzz",
            "C_Sign every=0",
            "C_Login flip",
            "C_Sign sometimes",
            "max_sessions",
            "max_sessions=-1",
            "token_back in=7",
            "clear all",
            "hang",
        ] {
            let text = format!("short_find; {rule}; clear");
            assert_eq!(parse(&text), Err(format!("\"{rule}\" is no rule")));
        }
    }
}
