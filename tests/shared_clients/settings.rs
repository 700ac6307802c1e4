//! The setting in a client: a store of the program's own, and what is wrong.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use segl::{Call, Error, ErrorCode};
use serde_json::{Value, json};

use crate::memory_store::Memory;
use crate::world::{LIFE, World, build, builder, token};

#[test]
fn a_store_of_the_programs_own_is_used_instead_of_redis() {
    let world = World::new(LIFE);
    let store = Memory::new();
    let mut settings = world.settings();
    let key = settings["shared_cache"]["key"].clone();
    // What only Redis needs may be there; nobody asks it.
    let with_url = json!({ "key": key, "url": world.redis.url() });
    for shared_cache in [json!({ "key": key }), with_url] {
        settings["shared_cache"] = shared_cache;
        token(
            &build(builder(&settings).shared_store(Arc::clone(&store) as _)),
            0,
        );
    }
    assert_eq!(world.issued(), 1);
    assert_eq!(store.names().len(), 1);
    assert_eq!(world.redis.names().len(), 0);
}

#[test]
fn what_is_wrong_names_the_setting_and_says_what_to_do() {
    let world = World::new(LIFE);
    let settings = world.settings();
    let (url, key) = (
        &settings["shared_cache"]["url"],
        &settings["shared_cache"]["key"],
    );
    let file = |name: &str, content: &str, mode: u32| {
        let path = world.redis.dir.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        format!("file:{}", path.display())
    };
    let (open, empty, short) = (
        file(
            "open",
            "K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=",
            0o644,
        ),
        file("empty", "", 0o600),
        file("short", "c2VjcmV0LXRleHQ=", 0o600),
    );
    let text = "K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=";
    let cases: [(Value, &str, &[&str]); 10] = [
        (
            json!({ "url": url }),
            "key",
            &["is missing", "openssl rand -base64 32"],
        ),
        (
            json!({ "key": key }),
            "url",
            &["is missing", "redis://HOST"],
        ),
        (
            json!({ "url": url, "key": "file:/no/such" }),
            "key",
            &[
                "names file:/no/such",
                "cannot be read",
                "check that it exists",
            ],
        ),
        (
            json!({ "url": url, "key": open }),
            "key",
            &["open: every user", "chmod it to 0400"],
        ),
        (
            json!({ "url": url, "key": empty }),
            "key",
            &["empty: the file is empty; write the sealing key into it"],
        ),
        (json!({ "url": url, "key": short }), "key", &["32"]),
        (
            json!({ "url": url, "key": text }),
            "key",
            &[
                "where the sealing key is read from",
                "file:/ABSOLUTE/PATH or env:NAME",
            ],
        ),
        (
            json!({ "url": url, "keys": [key, "env:SEGL_NO_SUCH"] }),
            "keys[1]",
            &[
                "names env:SEGL_NO_SUCH",
                "is not set; set it to the sealing key",
            ],
        ),
        (
            json!({ "url": url, "key": key, "password": empty }),
            "password",
            &["write the password into it"],
        ),
        (
            json!({ "url": url, "key": key, "password": "secret-text" }),
            "password",
            &["where the password is read from"],
        ),
    ];
    for (shared_cache, setting, parts) in cases {
        let mut settings = settings.clone();
        settings["shared_cache"] = shared_cache;
        let error = builder(&settings).build(&Call::none()).unwrap_err();
        refused(&error, &format!("shared_cache.{setting}"), parts);
    }
}

#[test]
fn a_store_without_a_sealing_key_is_refused() {
    let world = World::new(LIFE);
    let mut settings = world.settings();
    settings.as_object_mut().unwrap().remove("shared_cache");
    let built = builder(&settings)
        .shared_store(Memory::new())
        .build(&Call::none());
    refused(
        &built.unwrap_err(),
        "shared_cache",
        &["is missing", "\"key\""],
    );
    settings["shared_cache"] = json!({});
    let built = builder(&settings)
        .shared_store(Memory::new())
        .build(&Call::none());
    refused(&built.unwrap_err(), "shared_cache.key", &["is missing"]);
}

fn refused(error: &Error, setting: &str, parts: &[&str]) {
    eprintln!("{error}");
    assert_eq!(error.code(), ErrorCode::Config, "{error}");
    assert_eq!(
        error.details().config_path.as_deref(),
        Some(setting),
        "{error}"
    );
    let message = error.message();
    assert!(message.contains(&format!("\"{setting}\"")), "{error}");
    for part in parts {
        assert!(message.contains(part), "{part}: {error}");
    }
    let shown = format!("{error:?}");
    for never in ["PIN", "K7gNU3", "c2VjcmV0", "secret-text"] {
        assert!(!message.contains(never), "{shown}");
    }
}
