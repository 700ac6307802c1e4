//! Every refusal of a key URI names the attribute and its place and says what
//! to do.

use segl::{ErrorCode, KeyUri};

use crate::{refused, refused_as};

#[test]
fn schemes() {
    for text in [
        "",
        "key.pem",
        "/etc/key:1.pem",
        "C:\\keys\\k.pem",
        " pkcs11:",
        "1a:b",
        ":",
    ] {
        refused(text, &["no scheme", "write file:PATH"]);
    }
    for (text, scheme) in [
        ("gcpkms:alias/secret", "\"gcpkms\""),
        ("PKCS12:secret", "\"pkcs12\""),
        ("https://secret", "\"https\""),
    ] {
        refused(text, &[scheme, "use file:, pkcs11: or awskms:"]);
        let error = text.parse::<KeyUri>().unwrap_err();
        assert!(!error.message().contains("secret"), "{error}");
    }
}

#[test]
fn form_of_attributes() {
    for (text, parts) in [
        // Empty ones.
        (
            "pkcs11:;",
            ["path attribute 1 at character 8", "remove the \";\""],
        ),
        (
            "pkcs11:token=a;",
            ["path attribute 2 at character 16", "remove the \";\""],
        ),
        (
            "pkcs11:token=a;;id=b",
            ["path attribute 2 at character 16", "remove the \";\""],
        ),
        (
            "pkcs11:?&",
            ["query attribute 1 at character 9", "remove the \"&\""],
        ),
        (
            "pkcs11:?v=1&",
            ["query attribute 2 at character 13", "remove the \"&\""],
        ),
        // Names.
        (
            "pkcs11:token",
            ["path attribute 1 at character 8", "write name=value"],
        ),
        (
            "pkcs11:?1234",
            ["query attribute 1 at character 9", "write name=value"],
        ),
        (
            "pkcs11:=a",
            ["path attribute 1 at character 8", "no proper name"],
        ),
        (
            "pkcs11:to%6ben=a",
            ["path attribute 1 at character 8", "no proper name"],
        ),
        (
            "pkcs11: token=a",
            ["path attribute 1 at character 8", "no proper name"],
        ),
        (
            "pkcs11:t\u{f8}ken=a",
            ["path attribute 1 at character 8", "no proper name"],
        ),
        // Names in the wrong place.
        (
            "pkcs11:colour=a",
            ["path attribute 1 \"colour\" at character 8", "remove it"],
        ),
        (
            "pkcs11:pin-source=a",
            ["path attribute 1 \"pin-source\"", "after a \"?\""],
        ),
        (
            "pkcs11:PIN-VALUE=a",
            ["path attribute 1 \"pin-value\"", "after a \"?\""],
        ),
        (
            "pkcs11:module-path=a",
            ["path attribute 1 \"module-path\"", "after a \"?\""],
        ),
        (
            "pkcs11:module-name=a",
            ["path attribute 1 \"module-name\"", "after a \"?\""],
        ),
        // Twice.
        (
            "pkcs11:token=a;TOKEN=a",
            ["path attribute 2 \"token\" at character 16", "keep one"],
        ),
        ("pkcs11:id=a;id=a", ["path attribute 2 \"id\"", "keep one"]),
        (
            "pkcs11:type=private;type=private",
            ["path attribute 2 \"type\"", "keep one"],
        ),
        (
            "pkcs11:?module-path=/a&module-path=/a",
            ["query attribute 2 \"module-path\"", "keep one"],
        ),
        (
            "pkcs11:?pin-source=/a&pin-source=/a",
            ["query attribute 2 \"pin-source\"", "keep one"],
        ),
        (
            "pkcs11:?pin-value=a&pin-value=a",
            ["query attribute 2 \"pin-value\"", "keep one"],
        ),
    ] {
        refused(text, &parts);
    }
}

#[test]
fn every_path_attribute_is_refused_in_the_query() {
    for name in [
        "token",
        "manufacturer",
        "serial",
        "model",
        "library-manufacturer",
        "library-description",
        "library-version",
        "slot-manufacturer",
        "slot-description",
        "slot-id",
        "object",
        "type",
        "id",
    ] {
        let named = format!("query attribute 1 \"{name}\" at character 9");
        refused(&format!("pkcs11:?{name}=1"), &[&named, "before the \"?\""]);
        let twice = format!("pkcs11:{name}=private;{name}=private");
        assert!(twice.parse::<KeyUri>().is_err(), "{twice}");
    }
}

#[test]
fn characters_of_values() {
    for text in [
        "pkcs11:token=a/b",
        "pkcs11:token=a b",
        "pkcs11:token=a#b",
        "pkcs11:token=a\"b",
        "pkcs11:token=a\\b",
        "pkcs11:token=a|b",
        "pkcs11:token=a\u{e6}",
        "pkcs11:token=a\nb",
        "pkcs11:token=a\0",
    ] {
        refused(
            text,
            &[
                "\"token\" at character 8",
                "character 15",
                "percent-encoded",
            ],
        );
    }
    for text in [
        "pkcs11:?v=a;b",
        "pkcs11:?v=a#b",
        "pkcs11:?v=a b",
        "pkcs11:?v=a\u{e6}",
    ] {
        refused(
            text,
            &["query attribute 1 \"v\" at character 9", "character 12"],
        );
    }
    for text in [
        "pkcs11:token=a%",
        "pkcs11:token=a%4",
        "pkcs11:token=a%4g",
        "pkcs11:token=a%zz",
        "pkcs11:token=a%\u{e6}",
        "pkcs11:token=a%+1",
    ] {
        refused(text, &["\"token\"", "character 15", "%25"]);
    }
    for text in [
        "pkcs11:token=%ff",
        "pkcs11:object=%c3",
        "pkcs11:?module-path=/%ff",
    ] {
        refused(text, &["attribute 1", "not UTF-8"]);
    }
}

#[test]
fn values_with_a_form_of_their_own() {
    for value in [
        "", ".", "1.", ".1", "1.2.3", "256", "1.256", "+1", "-1", "1.%30", "a",
    ] {
        refused(
            &format!("pkcs11:library-version={value}"),
            &["path attribute 1 \"library-version\"", "such as 2.6"],
        );
    }
    for value in ["", "+1", "-1", "0x1", "%31", "1.0", "18446744073709551616"] {
        refused(
            &format!("pkcs11:slot-id={value}"),
            &["path attribute 1 \"slot-id\"", "decimal number"],
        );
    }
    for value in [
        "",
        "public",
        "cert",
        "secret-key",
        "data",
        "%70rivate",
        "privat",
    ] {
        refused(
            &format!("pkcs11:type={value}"),
            &["path attribute 1 \"type\"", "type=private"],
        );
    }
    for value in ["", "m.so", "./m.so", "file:/m.so", "/m%00.so"] {
        refused(
            &format!("pkcs11:?module-path={value}"),
            &["query attribute 1 \"module-path\"", "absolute path"],
        );
    }
}

#[test]
fn modules_are_named_by_file() {
    for text in [
        "pkcs11:?module-name=softhsm2",
        "pkcs11:?module-name=softhsm2&module-path=/m.so",
    ] {
        refused(
            text,
            &["query attribute 1 \"module-name\"", "module-path=/PATH"],
        );
    }
    refused(
        "pkcs11:?module-path=/m.so&module-name=softhsm2",
        &[
            "query attribute 2 \"module-name\" at character 27",
            "remove it",
        ],
    );
}

#[test]
fn one_pin_only() {
    for text in [
        "pkcs11:?pin-source=env:P&pin-value=1",
        "pkcs11:?pin-value=1&pin-source=env:P",
        "file:k?pin-value=1&pin-source=env:P",
    ] {
        refused(text, &["query attribute 2 \"pin-", "keep pin-source"]);
    }
    // Contradiction comes before policy: allowing pin-value would not help.
    refused_as(
        ErrorCode::KeyUri,
        "pkcs11:?pin-source=env:P&pin-value=1".parse::<KeyUri>(),
        "default policy",
        &["query attribute 2 \"pin-value\""],
    );
}

/// Each of these follows the grammar, with the PIN as part of another value.
#[test]
fn pins_behind_a_mistyped_delimiter() {
    for text in [
        "pkcs11:token=t&pin-value=hemmelig",
        "pkcs11:token=t&PIN-source=hemmelig",
        "pkcs11:?module-path=/m.so?pin-value=hemmelig",
        "pkcs11:?vendor=1?pin-value=hemmelig",
        "file:/k.pem&pin-value=hemmelig",
        "file:/k.pem;pin-source=hemmelig",
    ] {
        refused(
            text,
            &[
                "PIN attribute in its value",
                "begin the query with one \"?\"",
            ],
        );
        let error = text.parse::<KeyUri>().unwrap_err();
        assert!(!format!("{error:?}").contains("hemmelig"));
    }
}

/// What follows an unencoded "&" in a PIN looks like an attribute.
#[test]
fn rests_of_a_pin_are_not_named() {
    for (text, place) in [
        (
            "pkcs11:?pin-value=a&hemmelig=%zz",
            "query attribute 2 at character 21 is wrong",
        ),
        (
            "pkcs11:?pin-source=|a&hemmelig=%zz",
            "query attribute 2 at character 23 is wrong",
        ),
        (
            "pkcs11:?pinvalue=a&hemmelig=%zz",
            "query attribute 2 at character 20 is wrong",
        ),
        (
            "file:k?pin-value=a&hemmelig=1",
            "query attribute 2 at character 20 is not known",
        ),
    ] {
        refused(text, &[place]);
        let error = KeyUri::parse(text, crate::ALLOW_ALL).unwrap_err();
        assert!(!format!("{error:?}").contains("hemmelig"));
    }
    refused("pkcs11:?vendor=a&name=%zz", &["query attribute 2 \"name\""]);
}
