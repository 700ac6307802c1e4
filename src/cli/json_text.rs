//! JSON for people to read.

/// From this depth on lines begin at the same column: what others nest deeper would be
/// mostly blanks.
const DEEPEST: usize = 64;

/// `json` with a line for each member. Numbers and texts stay as they are written: a value
/// read and written again would lose digits of numbers. It must be JSON.
pub(super) fn indented(json: &str) -> String {
    let mut shown = String::with_capacity(json.len() * 2);
    let mut depth: usize = 0;
    let mut rest = json.chars().peekable();
    let mut is_text = false;
    while let Some(c) = rest.next() {
        if is_text {
            shown.push(c);
            match c {
                '"' => is_text = false,
                '\\' => shown.extend(rest.next()),
                _ => {}
            }
            continue;
        }
        match c {
            ' ' | '\t' | '\r' | '\n' => {}
            '{' | '[' => {
                while rest.next_if(|next| next.is_ascii_whitespace()).is_some() {}
                shown.push(c);
                match rest.next_if(|next| matches!(next, '}' | ']')) {
                    Some(end) => shown.push(end),
                    None => {
                        depth += 1;
                        new_line(&mut shown, depth);
                    }
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut shown, depth);
                shown.push(c);
            }
            ',' => {
                shown.push(c);
                new_line(&mut shown, depth);
            }
            ':' => shown.push_str(": "),
            _ => {
                is_text = c == '"';
                shown.push(c);
            }
        }
    }
    shown
}

fn new_line(shown: &mut String, depth: usize) {
    shown.push('\n');
    shown.extend(std::iter::repeat_n("  ", depth.min(DEEPEST)));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn digits_stay() {
        let shown = indented(r#"{"a":[1.10,{ }],"b\\":"x\",:{"}"#);
        assert_eq!(
            shown,
            "{\n  \"a\": [\n    1.10,\n    {}\n  ],\n  \"b\\\\\": \"x\\\",:{\"\n}"
        );
    }

    #[test]
    fn deep_answers_stay_small() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        let shown = indented(&deep);
        assert!(shown.len() < deep.len() * (2 * DEEPEST + 2));
        assert_eq!(shown.split_whitespace().collect::<String>(), deep);
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::vec((".{0,4}", inner), 0..4).prop_map(|members| json!(
                    members.into_iter().collect::<serde_json::Map<_, _>>()
                )),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_is_what_serde_makes_of_it(value in value()) {
            let shown = indented(&value.to_string());
            prop_assert_eq!(&shown, &serde_json::to_string_pretty(&value).unwrap());
            prop_assert_eq!(indented(&shown), shown);
        }
    }
}
