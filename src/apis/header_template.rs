//! Header values with placeholders, as `Bearer {access_token}`.

use std::collections::BTreeMap;
use std::fmt;

use zeroize::Zeroizing;

/// The placeholder of the access token, in every service's headers.
pub(super) const ACCESS_TOKEN: &str = "access_token";

/// A header value whose placeholders are known. `Debug` shows nothing of it, for a setting
/// may have a secret in it.
#[derive(Clone)]
pub(super) struct HeaderTemplate(Vec<Part>);

#[derive(Clone)]
enum Part {
    Text(String),
    Placeholder(String),
}

/// What stands for placeholders. Their memory is wiped.
#[derive(Default)]
pub(super) struct Values(BTreeMap<&'static str, Zeroizing<String>>);

impl Values {
    /// The same with `value` for `{name}`.
    #[must_use]
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.insert(name, Zeroizing::new(value.into()));
        self
    }

    /// The same with `value` for `{name}`, if there is one.
    #[must_use]
    pub(super) fn with_optional(
        self,
        name: &'static str,
        value: Option<impl Into<String>>,
    ) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

impl HeaderTemplate {
    /// Reads a value. What is wrong with it is said without repeating it.
    pub(super) fn parse(text: &str, known: &[&str]) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(start);
            let name = from
                .strip_prefix('{')
                .and_then(|inside| inside.split_once('}'));
            let Some((name, after)) = name else {
                return Err("has a brace without its partner".to_owned());
            };
            if name != ACCESS_TOKEN && !known.contains(&name) {
                return Err(format!(
                    "has a placeholder that the service does not know; it knows {ACCESS_TOKEN}{}",
                    known
                        .iter()
                        .map(|name| format!(", {name}"))
                        .collect::<String>()
                ));
            }
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Placeholder(name.to_owned()));
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self(parts))
    }

    /// Whether `{name}` stands in it.
    pub(super) fn mentions(&self, name: &str) -> bool {
        self.0
            .iter()
            .any(|part| matches!(part, Part::Placeholder(own) if own == name))
    }

    /// The value; `None` when one of its placeholders has none.
    pub(super) fn render(&self, values: &Values) -> Option<Zeroizing<String>> {
        let parts = self.0.iter().map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            Part::Placeholder(name) => values.0.get(name.as_str()).map(|value| value.as_str()),
        });
        // Joined at once, for a text that grows leaves what it had behind.
        let parts: Vec<&str> = parts.collect::<Option<_>>()?;
        Some(Zeroizing::new(parts.concat()))
    }
}

impl fmt::Debug for HeaderTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_replaced_and_a_missing_one_leaves_all_out() {
        let template = HeaderTemplate::parse("a {access_token} b{person}", &["person"]).unwrap();
        let token = Values::default().with("access_token", "T");
        assert!(template.render(&token).is_none());
        let both = token.with("person", "P{x}");
        assert_eq!(template.render(&both).unwrap().as_str(), "a T bP{x}");
    }

    #[test]
    fn unknown_placeholders_and_lone_braces_are_refused() {
        for text in [
            "{x}",
            "{",
            "}",
            "a}b",
            "{access_token",
            "{{access_token}}",
            "{}",
        ] {
            assert!(HeaderTemplate::parse(text, &["person"]).is_err(), "{text}");
        }
    }
}
