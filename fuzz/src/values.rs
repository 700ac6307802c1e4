//! Checked values: what they take they print, and it is taken again; what they refuse and
//! may be a person's is not shown.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use segl::http::Method;
use segl::keys::OrgNumber;
use segl::profiles::{ClientId, EndTime, Scope};
use segl::{Algorithm, Error, PersonId};

use super::private::{digits, everything};

pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    person(text);
    match text.parse::<OrgNumber>() {
        Ok(number) => assert!(number.as_str() == text && number.to_string() == text),
        Err(error) => shows_no_number(&error, text),
    }
    printed_as_read::<Method>(text);
    printed_as_read::<Algorithm>(text);
    if let Ok(scope) = text.parse::<Scope>() {
        assert_eq!(scope.as_str(), text);
        let joined = Scope::join(&[scope.clone(), scope.clone()]);
        let split: Vec<Scope> = joined
            .split(' ')
            .map(|part| part.parse().unwrap())
            .collect();
        assert_eq!(split, [scope.clone(), scope]);
    }
    if let Ok(id) = text.parse::<ClientId>() {
        assert_eq!(id.as_str(), text);
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(serde_json::from_str::<ClientId>(&json).unwrap(), id);
    }
    if let Ok(end) = text.parse::<EndTime>() {
        let printed = end.to_string();
        assert_eq!(printed.parse::<EndTime>().ok(), Some(end), "{printed}");
    }
}

fn person(text: &str) {
    let json = serde_json::Value::from(text).to_string();
    let of_json: Result<PersonId, _> = serde_json::from_str(&json);
    match text.parse::<PersonId>() {
        Ok(person) => {
            assert_eq!(person.expose(), text);
            assert!(text.len() == 11 && text.bytes().all(|byte| byte.is_ascii_digit()));
            assert_eq!(format!("{person:?} {person:#?}"), "[redacted] [redacted]");
            assert_eq!(of_json.ok(), Some(person));
        }
        Err(error) => {
            shows_no_number(&error, text);
            let shown = of_json.unwrap_err().to_string();
            assert!(digits(text, 6).all(|run| !shown.contains(run)), "{shown}");
        }
    }
}

fn shows_no_number(error: &Error, text: &str) {
    let shown = everything(error);
    assert!(digits(text, 6).all(|run| !shown.contains(run)), "{shown}");
}

fn printed_as_read<T: FromStr + Display>(text: &str)
where
    T::Err: Debug,
{
    if let Ok(value) = text.parse::<T>() {
        assert_eq!(value.to_string(), text);
    }
}
