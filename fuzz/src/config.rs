//! Settings: TOML and JSON are taken and refused alike, and a PIN in them is not shown.

use segl::Config;
use segl::profiles::ClientSettings;
use serde_json::{Value, json};

use super::private::{MARK, assert_hidden};

pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let of_toml = Config::from_toml(text);
    if let Ok(table) = text.parse::<toml::Table>() {
        if let Some(json) = in_json(&toml::Value::Table(table)) {
            let of_json = Config::from_json(&json.to_string());
            assert_eq!(of_toml.is_ok(), of_json.is_ok(), "{of_toml:?} {of_json:?}");
            hides_pins(json);
        }
    } else {
        assert!(of_toml.is_err());
    }
    let _ = Config::from_json(text);
    let _ = ClientSettings::from_json(text);
    if let Ok(json @ Value::Object(_)) = serde_json::from_str(text) {
        hides_pins(json);
    }
}

/// The same in JSON, which has neither dates nor numbers without end.
fn in_json(value: &toml::Value) -> Option<Value> {
    Some(match value {
        toml::Value::String(text) => text.as_str().into(),
        toml::Value::Integer(number) => (*number).into(),
        toml::Value::Float(number) if number.is_finite() => (*number).into(),
        toml::Value::Float(_) => return None,
        toml::Value::Boolean(value) => (*value).into(),
        toml::Value::Datetime(_) => return None,
        toml::Value::Array(items) => {
            let items: Option<Vec<_>> = items.iter().map(in_json).collect();
            items?.into()
        }
        toml::Value::Table(table) => {
            let members = table
                .iter()
                .map(|(name, value)| Some((name.clone(), in_json(value)?)));
            Value::Object(members.collect::<Option<_>>()?)
        }
    })
}

/// The same settings with a PIN in each client's key, where it may and may not be.
fn hides_pins(mut config: Value) {
    if config.to_string().contains(MARK) {
        return;
    }
    let Some(clients) = config.get_mut("clients").and_then(Value::as_object_mut) else {
        return;
    };
    for client in clients.values_mut().filter_map(Value::as_object_mut) {
        client.insert(
            "key".into(),
            format!("pkcs11:token=t?pin-value={MARK}").into(),
        );
        shows_no_pin(ClientSettings::from_json(
            &Value::Object(client.clone()).to_string(),
        ));
        // Another type than a text.
        client.insert("certificate".into(), json!([MARK]));
        shows_no_pin(ClientSettings::from_json(
            &Value::Object(client.clone()).to_string(),
        ));
        client.remove("certificate");
    }
    shows_no_pin(Config::from_json(&config.to_string()));
}

fn shows_no_pin<T: std::fmt::Debug>(outcome: segl::Result<T>) {
    match outcome {
        Ok(settings) => {
            let shown = format!("{settings:?}");
            assert!(!shown.contains(MARK), "{shown}");
        }
        Err(error) => assert_hidden(&error, "settings"),
    }
}
