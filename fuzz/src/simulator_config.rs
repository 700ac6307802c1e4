//! The simulator's configuration: what is taken can be started from, and what is refused
//! says where.

use segl::ErrorCode;
use segl::simulator::SimulatorConfig;

pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let table = text.parse::<toml::Table>();
    // Nothing of this machine is read.
    if let Ok(table) = &table
        && names_file(&toml::Value::Table(table.clone()))
    {
        return;
    }
    match SimulatorConfig::from_toml(text) {
        Ok(_) => assert!(table.is_ok()),
        Err(error) => {
            assert_eq!(error.code(), ErrorCode::Config, "{error}");
            assert!(!error.message().is_empty());
        }
    }
}

fn names_file(value: &toml::Value) -> bool {
    match value {
        toml::Value::String(text) => text.starts_with("file:"),
        toml::Value::Array(items) => items.iter().any(names_file),
        toml::Value::Table(table) => table.values().any(names_file),
        _ => false,
    }
}
