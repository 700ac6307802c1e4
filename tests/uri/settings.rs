//! How a token is used: segl's own query attributes.

use std::time::Duration;

use segl::keys::uri::{ForkPolicy, Lifecycle, Threads};

use crate::{pkcs11, refused};

const THUMBPRINT: &str = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";

#[test]
fn every_setting_is_read_and_printed() {
    let text = format!(
        "pkcs11:token=t?module-path=/m.so&max-sessions=3&threads=caller&keep-alive=0&extractable=allow\
         &thumbprint={THUMBPRINT}&lifecycle=exclusive&calls=serial&fork=refuse&pin-count-low=try"
    );
    let uri = pkcs11(&text);
    let settings = uri.settings();
    assert_eq!(settings.max_sessions, 3);
    assert_eq!(settings.threads, Threads::Caller);
    assert_eq!(settings.keep_alive, None);
    assert!(settings.allow_extractable);
    assert_eq!(settings.thumbprint.as_deref(), Some(THUMBPRINT));
    assert_eq!(settings.lifecycle, Lifecycle::Exclusive);
    assert!(settings.serial_calls);
    assert_eq!(settings.fork, ForkPolicy::Refuse);
    assert!(settings.try_when_count_low);
    assert_eq!(uri.to_string(), text);
}

#[test]
fn what_is_not_set_has_its_default_and_is_not_printed() {
    let uri = pkcs11("pkcs11:token=t?keep-alive=60&max-sessions=8&threads=own&calls=parallel");
    let settings = uri.settings();
    assert_eq!(settings.max_sessions, 8);
    assert_eq!(settings.threads, Threads::Own);
    assert_eq!(settings.keep_alive, Some(Duration::from_secs(60)));
    assert!(!settings.allow_extractable && !settings.serial_calls && !settings.try_when_count_low);
    assert_eq!(settings.thumbprint, None);
    assert_eq!(settings.lifecycle, Lifecycle::Auto);
    assert_eq!(settings.fork, ForkPolicy::Reinit);
    assert!(settings.init_reserved.is_none());
    assert_eq!(uri.to_string(), "pkcs11:token=t");
}

#[test]
fn the_modules_own_configuration_is_not_printed() {
    let uri = pkcs11("pkcs11:?init-reserved=configdir%3D'sql:/db'%20password%3Dhush");
    let reserved = uri.settings().init_reserved.as_ref().unwrap();
    assert_eq!(reserved.expose(), b"configdir='sql:/db' password=hush");
    for text in [uri.to_string(), format!("{uri:?}")] {
        assert!(
            !text.contains("hush") && text.contains("[redacted]"),
            "{text}"
        );
    }
}

#[test]
fn values_that_cannot_be_used_are_refused() {
    for query in [
        "max-sessions=0",
        "max-sessions=1025",
        "max-sessions=+3",
        "max-sessions=",
        "keep-alive=86401",
        "keep-alive=1s",
        "threads=Own",
        "threads=",
        "extractable=yes",
        "thumbprint=short",
        "thumbprint=NzbLsXh8uDCcd+6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
        "lifecycle=never",
        "calls=one",
        "init-reserved=a%00b",
        "fork=maybe",
        "pin-count-low=once",
        "fork=reinit&fork=refuse",
    ] {
        let name = query.split('=').next().unwrap();
        refused(&format!("pkcs11:token=t?{query}"), &[name]);
    }
    refused("pkcs11:token=t;threads=caller", &["belongs in the query"]);
}
