//! The configuration: its errors name the setting, and the checked-in schema is
//! the one the types give.

#[path = "support/frozen.rs"]
mod frozen;
mod support;

use segl::{Call, Config, ErrorCode, TokenClient};

#[test]
fn errors_name_the_path_of_the_setting() {
    let cases = [
        (
            "[clients.a]\nprofile = \"maskinporten\"\nclient_id = \"x\"\ncolour = 1",
            "clients.a.colour",
        ),
        (
            "[clients.a]\nprofile = \"vipps\"\nclient_id = \"x\"",
            "clients.a.profile",
        ),
        (
            "[clients.a]\nprofile = \"dnb\"\nclient_id = \"\"",
            "clients.a.client_id",
        ),
        (
            "[clients.a]\nprofile = \"dnb\"\nclient_id = \"x\"\nscopes = [\"a,b\"]",
            "clients.a.scopes[0]",
        ),
        (
            "[clients.a]\nprofile = \"dnb\"\nclient_id = \"x\"\nlifetime_seconds = -1",
            "clients.a.lifetime_seconds",
        ),
        (
            "[[clients.a.keys]]\nkey = \"file:a\"\n[[clients.a.keys]]\nkey = \"file:b\"\ncolour = 1",
            "clients.a.keys[1].colour",
        ),
        (
            "[security]\nallow_everything = true",
            "security.allow_everything",
        ),
        ("colour = 1", "colour"),
    ];
    for (toml, path) in cases {
        let error = Config::from_toml(toml).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Config, "{toml}");
        let found = error.details().config_path.as_deref();
        assert!(
            found.is_some_and(|found| path.starts_with(found)),
            "{path}: {error}"
        );
        assert!(error.message().contains(found.unwrap()), "{error}");
    }
}

#[test]
fn json_has_the_same_words() {
    let config = Config::from_json(
        r#"{"clients":{"a":{"profile":"dnb","client_id":"x","scopes":["s"]}},"security":{"allow_pin_command":true}}"#,
    )
    .unwrap();
    let client_id = config.client("a").unwrap().client_id.clone().unwrap();
    assert_eq!(client_id.as_str(), "x");
    assert!(config.pin_policy().allow_command);
    for bad in [r#"{"clients":{"a":{"client_id":"x"}}}"#, "{", "{} {}", "[]"] {
        assert_eq!(
            Config::from_json(bad).unwrap_err().code(),
            ErrorCode::Config,
            "{bad}"
        );
    }
}

#[test]
fn broken_toml_names_the_line() {
    let error = Config::from_toml("[clients.a]\nprofile = ").unwrap_err();
    assert!(error.message().contains("line 2"), "{error}");
}

#[test]
fn a_missing_client_lists_those_there_are() {
    let config =
        Config::from_toml("[clients.bank]\nprofile = \"dnb\"\nclient_id = \"x\"\nkey = \"file:k\"")
            .unwrap();
    let error = TokenClient::from_config(&config, "bnak", &Call::none()).unwrap_err();
    assert!(error.message().contains("it has bank"), "{error}");
    assert_eq!(error.details().config_path.as_deref(), Some("clients.bnak"));
}

#[test]
fn an_error_of_a_client_names_the_client() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("rsa.pem");
    std::fs::write(&key, support::pem(&support::rsa_key())).unwrap();
    let toml = format!(
        "[clients.bank]\nprofile = \"maskinporten\"\nclient_id = \"x\"\nkid = \"k\"\nkey = \"file:{}\"",
        key.display()
    );
    let path = folder.path().join("segl.toml");
    std::fs::write(&path, toml).unwrap();
    let config = Config::from_file(&path).unwrap();
    let error = TokenClient::from_config(&config, "bank", &Call::none()).unwrap_err();
    assert_eq!(
        error.details().config_path.as_deref(),
        Some("clients.bank.environment")
    );
    assert!(error.message().contains("client \"bank\""), "{error}");
}

#[test]
fn an_error_of_an_entry_names_the_client_and_the_entry() {
    let toml = "[clients.bank]\nprofile = \"dnb\"\nclient_id = \"x\"\n\
                [[clients.bank.keys]]\nkey = \"file:/none\"\n\
                [[clients.bank.keys]]\nkey = \"file:/none\"\n";
    let open = |toml: &str| {
        let config = Config::from_toml(toml).unwrap();
        TokenClient::from_config(&config, "bank", &Call::none()).unwrap_err()
    };
    let error = open(&format!("{toml}certificate = \"pkcs11:token=a\""));
    assert_eq!(
        error.details().config_path.as_deref(),
        Some("clients.bank.keys[1].certificate"),
        "{error}"
    );
    assert!(
        error.message().starts_with("client \"bank\": keys[1]: "),
        "{error}"
    );
    let error = open(&toml.replace("\"x\"\n", "\"x\"\nkid = \"k\"\n"));
    assert_eq!(
        error.details().config_path.as_deref(),
        Some("clients.bank.kid")
    );
    assert!(error.message().contains("keys[0].kid"), "{error}");
}

#[test]
fn a_pin_in_a_uri_is_refused_unless_allowed_and_never_shown() {
    let toml = |security: &str| {
        format!(
            "{security}\n[clients.a]\nprofile = \"dnb\"\nclient_id = \"x\"\nkey = \"file:/none?pin-value=geheim\""
        )
    };
    let open = |security| {
        let config = Config::from_toml(&toml(security)).unwrap();
        TokenClient::from_config(&config, "a", &Call::none()).unwrap_err()
    };
    let refused = open("");
    assert_eq!(refused.code(), ErrorCode::PinSource, "{refused}");
    let allowed = open("[security]\nallow_pin_value = true");
    assert_eq!(allowed.code(), ErrorCode::Io, "{allowed}");
    let misplaced =
        Config::from_toml("[clients]\na = \"file:/none?pin-value=geheim\"").unwrap_err();
    for error in [refused, allowed, misplaced] {
        assert!(!format!("{error} {error:?}").contains("geheim"), "{error}");
    }
    let config = Config::from_toml(&toml("")).unwrap();
    let builder = TokenClient::builder(config.client("a").unwrap().clone());
    assert!(!format!("{config:?} {builder:?}").contains("geheim"));
}

#[test]
fn the_schema_is_up_to_date() {
    frozen::check("docs/config.schema.json", &segl::config::schema().unwrap());
}

#[test]
fn the_schema_of_the_operations_is_up_to_date() {
    let schema = segl::apis::operations_schema();
    let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    frozen::check("docs/operations.schema.json", &text);
}
