//! The settings: what is refused, and that no secret is shown.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use segl::token::shared::{ObtainedFrom, SharedCache, SharedCacheSettings};
use segl::{Config, Error, ErrorCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::ask;
use crate::store::Memory;

/// As `openssl rand -base64 32` prints one.
const KEY: &str = "K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=\n";

fn secret(dir: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = dir.path().join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    path
}

fn settings(json: Value) -> SharedCacheSettings {
    serde_json::from_value(json).unwrap()
}

#[test]
fn a_program_with_its_own_store_needs_a_key_only() {
    let dir = TempDir::new().unwrap();
    let key = secret(&dir, "key", KEY);
    let url_safe = KEY.replace('+', "-").replace('/', "_");
    let same = secret(&dir, "same", url_safe.trim_end().trim_end_matches('='));
    let store = Memory::new();
    let with = |json| SharedCache::with_store(&settings(json), store.clone()).unwrap();
    ask(
        &with(json!({ "key": format!("file:{}", key.display()) })),
        "a",
    );
    let same = with(json!({ "keys": [same], "lease_ms": 100, "timeout_ms": 5000 }));
    assert_eq!(ask(&same, "never fetched").from, ObtainedFrom::Shared);
    let other = with(json!({ "key": key, "prefix": "other" }));
    assert_eq!(ask(&other, "b").from, ObtainedFrom::Fetched);
}

#[test]
fn what_is_wrong_is_named_and_no_secret_is() {
    let dir = TempDir::new().unwrap();
    let key = secret(&dir, "key", KEY);
    let short = secret(&dir, "short", "c2VjcmV0LXRleHQ=");
    let open = secret(&dir, "open", KEY);
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).unwrap();
    let store = Memory::new();
    let config = ErrorCode::Config;
    for (json, path, code) in [
        (json!({}), "key", config),
        (json!({ "key": key, "keys": [key] }), "keys", config),
        (json!({ "key": short }), "key", config),
        (json!({ "keys": [key, short] }), "keys[1]", config),
        (json!({ "key": KEY.trim() }), "key", config),
        (json!({ "key": "env:SEGL_NO_SUCH" }), "key", config),
        (json!({ "key": "env:" }), "key", config),
        (json!({ "key": "|cat key" }), "key", config),
        (json!({ "key": open }), "key", config),
        (json!({ "key": dir.path() }), "key", config),
        (json!({ "key": key, "prefix": "" }), "prefix", config),
        (json!({ "key": key, "prefix": "a b" }), "prefix", config),
        (json!({ "key": key, "timeout_ms": 0 }), "timeout_ms", config),
        (json!({ "key": key, "lease_ms": 99 }), "lease_ms", config),
        (
            json!({ "key": key, "lease_ms": 60_001 }),
            "lease_ms",
            config,
        ),
    ] {
        let shown = json.to_string();
        let error = SharedCache::with_store(&settings(json), store.clone()).unwrap_err();
        refused(&error, path, code, &shown);
    }
}

#[cfg(feature = "redis")]
#[test]
fn what_is_wrong_about_redis_is_named_and_no_secret_is() {
    let dir = TempDir::new().unwrap();
    let key = secret(&dir, "key", KEY);
    let password = secret(&dir, "password", "secret-text");
    let config = ErrorCode::Config;
    for (json, path, code) in [
        (json!({}), "url", config),
        (json!({ "url": "secret-text" }), "url", config),
        (
            json!({ "url": "http://secret-text@localhost" }),
            "url",
            config,
        ),
        (json!({ "url": "redis://:secret-text@" }), "url", config),
        (
            json!({ "url": "redis://:secret-text@0.0.0.0" }),
            "url",
            config,
        ),
        (
            json!({ "url": "redis://:secret-text@host/x" }),
            "url",
            config,
        ),
        (
            json!({ "url": "rediss://:secret-text@host/#insecure" }),
            "url",
            config,
        ),
        (
            json!({ "url": "redis://:secret-text@host?ssl=true" }),
            "url",
            config,
        ),
        (
            json!({ "url": "redis://:secret-text@host", "password": password }),
            "password",
            config,
        ),
        (
            json!({ "url": "redis://host", "password": "secret-text" }),
            "password",
            config,
        ),
        (
            json!({ "url": "redis://host", "ca_file": password }),
            "ca_file",
            config,
        ),
        (
            json!({ "url": "rediss://host", "ca_file": "/no/such" }),
            "ca_file",
            config,
        ),
        (
            json!({ "url": "rediss://host", "ca_file": password }),
            "ca_file",
            config,
        ),
    ] {
        let shown = json.to_string();
        let mut settings = settings(json);
        settings.key = Some(key.display().to_string().into());
        let error = SharedCache::from_settings(&settings).unwrap_err();
        refused(&error, path, code, &shown);
        assert!(!format!("{settings:?}").contains("secret-text"));
    }
    let fine = settings(json!({
        "url": "rediss://segl:secret-text@cache.example:6380/2",
        "key": key,
    }));
    let shown = format!("{:?}", SharedCache::from_settings(&fine).unwrap());
    assert!(shown.contains("cache.example:6380"), "{shown}");
    assert!(!shown.contains("secret-text"), "{shown}");
}

#[cfg(not(feature = "redis"))]
#[test]
fn a_build_without_redis_says_how_to_get_it() {
    let settings = settings(json!({ "url": "redis://localhost" }));
    let error = SharedCache::from_settings(&settings).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Config);
    assert!(error.message().contains("feature \"redis\""), "{error}");
    let path = error.details().config_path.as_deref();
    assert_eq!(path, Some("shared_cache"));
}

#[test]
fn it_stands_in_a_client() {
    let with = |extra: &str| {
        Config::from_toml(&format!(
            "[clients.a]\nprofile = \"dnb\"\n[clients.a.shared_cache]\nurl = \"redis://:secret-text@host\"\n{extra}"
        ))
    };
    let config = with("key = \"env:SEGL_CACHE_KEY\"").unwrap();
    let shared = config.client("a").unwrap().shared_cache.as_ref().unwrap();
    let url = shared.url.as_ref().unwrap();
    assert_eq!(url.expose(), "redis://:secret-text@host");
    assert!(!format!("{config:?}").contains("secret-text"));
    let error = with("colour = 1").unwrap_err();
    let path = error.details().config_path.as_deref();
    assert!(
        path.is_some_and(|path| "clients.a.shared_cache.colour".starts_with(path)),
        "{error}"
    );
    let error = with("key = 1").unwrap_err();
    assert!(!error.message().contains("secret-text"), "{error}");
}

fn refused(error: &Error, path: &str, code: ErrorCode, settings: &str) {
    assert_eq!(error.code(), code, "{settings}: {error}");
    let path = format!("shared_cache.{path}");
    assert_eq!(
        error.details().config_path.as_deref(),
        Some(path.as_str()),
        "{settings}: {error}"
    );
    assert!(error.message().contains(&path), "{error}");
    assert!(!error.message().contains("PIN"), "{error}");
    let shown = format!("{error:?}");
    for secret in [KEY.trim(), "secret-text", "c2VjcmV0"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
