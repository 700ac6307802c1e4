//! JSON that people and programs wrote, into types that refuse what they do not know.

pub(crate) mod unique;

use serde::de::DeserializeOwned;

/// What is wrong with a text, and where.
pub(crate) enum Problem {
    /// It is no JSON object.
    Syntax {
        what: String,
        /// Counted from 1.
        line: Option<usize>,
    },
    /// A member is unknown, missing, or of another type or form.
    Member { path: String, what: String },
}

/// The value of an object. What is wrong is said without repeating values, for they may
/// be secrets or persons'.
pub(crate) fn from_object<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    // serde would take an array of the values for an object.
    if !text.trim_start().starts_with('{') {
        return Err(Problem::Syntax {
            what: "it is not an object".to_owned(),
            line: None,
        });
    }
    let deserializer = &mut serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut *deserializer).map_err(|error| {
        let inner = error.inner();
        match inner.is_data() {
            true => Problem::Member {
                path: error.path().to_string(),
                what: without_value(&without_position(inner)),
            },
            false => syntax(inner),
        }
    })?;
    deserializer.end().map_err(|error| syntax(&error))?;
    Ok(value)
}

/// serde repeats a value that stands where another type should.
pub(crate) fn without_value(problem: &str) -> String {
    let is_about_value = ["invalid type: ", "invalid value: "]
        .iter()
        .find_map(|start| Some((*start, problem.strip_prefix(start)?)));
    match is_about_value.and_then(|(start, rest)| Some((start, rest.rfind(", expected")?, rest))) {
        Some((start, expected, rest)) => {
            let kind = rest.split([' ', '`', '"', ',']).next().unwrap_or_default();
            let kind = if kind == "string" { "a text" } else { kind };
            format!("{start}{kind}{}", &rest[expected..])
        }
        None => problem.to_owned(),
    }
}

fn syntax(error: &serde_json::Error) -> Problem {
    Problem::Syntax {
        what: without_position(error),
        line: Some(error.line()),
    }
}

fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::without_value;

    #[test]
    fn values_are_not_repeated() {
        for (said, shown) in [
            (
                "invalid type: integer `23079422568`, expected a string",
                "invalid type: integer, expected a string",
            ),
            (
                r#"invalid type: string "a, expected b", expected u32"#,
                "invalid type: a text, expected u32",
            ),
            (
                "invalid value: floating point `1.5`, expected u8",
                "invalid value: floating, expected u8",
            ),
            ("missing field `key`", "missing field `key`"),
        ] {
            assert_eq!(without_value(said), shown);
        }
    }
}
