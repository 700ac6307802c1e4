//! `file:` URIs.

use std::path::Path;

use segl::KeyUri;

use crate::{ALLOW_ALL, file, refused};

#[test]
fn paths() {
    for (text, path) in [
        ("file:rsa.pem", "rsa.pem"),
        ("file:keys/rsa.pem", "keys/rsa.pem"),
        ("FILE:/abs/k.pem", "/abs/k.pem"),
        ("file:///abs/k.pem", "/abs/k.pem"),
        ("file:////abs", "//abs"),
        ("file:%2F%2fabs", "//abs"),
        ("file:/a%20b/%c3%a6%3F%23.pem", "/a b/\u{e6}?#.pem"),
        ("file:a:b@!$&'()*+,;=-._~", "a:b@!$&'()*+,;=-._~"),
        ("file:/k?", "/k"),
    ] {
        let uri = file(text);
        assert_eq!(uri.path(), Path::new(path), "{text}");
        assert!(uri.pin_source().is_none());
    }
}

#[test]
fn passphrases() {
    let uri = file("file:k.p12?PIN-source=env:PASS");
    assert_eq!(uri.pin_source().unwrap().to_string(), "env:PASS");
    let uri = file("file:k.p12?pin-value=%00%ff");
    let pin = uri.pin_source().unwrap().read().unwrap();
    assert_eq!(pin.expose(), [0, 0xff]);
}

#[test]
fn display_is_canonical() {
    for (text, canonical) in [
        ("FILE:///a%2fb", "file:/a/b"),
        ("file:%2F%2fabs", "file:////abs"),
        ("file:a%20%C3%A6(1).pem", "file:a%20%C3%A6%281%29.pem"),
        (
            "file:k?pin-source=/run/pin",
            "file:k?pin-source=file:/run/pin",
        ),
        (
            "file:k?pin-source=//run/pin",
            "file:k?pin-source=file:////run/pin",
        ),
        ("file:k?pin-value=1234", "file:k?pin-value=[redacted]"),
        ("file:k?pin-source=|pass", "file:k?pin-source=|[redacted]"),
    ] {
        let uri = KeyUri::parse(text, ALLOW_ALL).unwrap();
        assert_eq!(uri.to_string(), canonical);
    }
}

#[test]
fn refusals() {
    for text in [
        "file://host/k.pem",
        "file://localhost/k.pem",
        "file://",
        "file://k.pem",
    ] {
        refused(text, &["begins with a host", "write file:/PATH"]);
    }
    for text in ["file:", "file:?pin-source=env:P"] {
        refused(text, &["path is empty", "write file:PATH"]);
    }
    for text in ["file:k#a", "file:k?pin-source=env:P#a"] {
        refused(text, &["fragment", "%23"]);
    }
    refused("file:k#a", &["character 7"]);
    refused("file:///a b", &["character 10", "%20"]);
    refused("file:\u{f8}", &["character 6", "percent-encoded"]);
    refused("file:a[1]", &["character 7"]);
    refused("file:a\\b", &["character 7"]);
    refused("file:a%2", &["character 7", "%25"]);
    refused("file:a%00", &["NUL"]);
    refused("file:%ff", &["not UTF-8"]);
    for name in ["token", "module-path", "x"] {
        let named = format!("query attribute 1 \"{name}\" at character 8");
        refused(&format!("file:k?{name}=/a"), &[&named, "remove it"]);
    }
    refused(
        "file:k?pin-source=env:P&",
        &["query attribute 2", "remove the \"&\""],
    );
}
