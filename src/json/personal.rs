//! JSON that may name a person.

use std::fmt;
use std::ops::Deref;

use serde::{Serialize, Serializer};
use serde_json::Value;
use zeroize::Zeroize;

/// A JSON value that may name a person. Its texts are wiped when it is dropped, and `Debug`
/// prints `[redacted]`; whoever clones the value inside, or writes it as text, has a copy
/// to look after.
#[derive(Clone, PartialEq)]
pub struct PersonalJson(Value);

impl From<Value> for PersonalJson {
    /// Takes the value over; no copy is made.
    fn from(value: Value) -> Self {
        Self(value)
    }
}

impl Deref for PersonalJson {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.0
    }
}

impl Serialize for PersonalJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl fmt::Debug for PersonalJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Drop for PersonalJson {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_text_is_left() {
        let mut value = json!({ "a": "b", "c": [{ "d": "e" }, "f"], "g": 1 });
        wipe(&mut value);
        assert_eq!(value, json!({ "a": "", "c": [{ "d": "" }, ""], "g": 1 }));
    }

    #[test]
    fn nothing_is_shown() {
        let value = PersonalJson::from(json!({ "pid": "23079422568" }));
        assert_eq!(format!("{value:?}"), "[redacted]");
    }
}
