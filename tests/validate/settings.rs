//! The settings of a validator.

use segl::validate::ValidatorSettings;
use segl::{Config, ErrorCode, Validator};

#[test]
fn settings_that_cannot_be_are_named() {
    for (settings, path, says) in [
        ("{}", "environment", "issuer"),
        (r#"{"environment":"ver2"}"#, "environment", ""),
        (
            r#"{"environment":"test","issuer":"https://a.example"}"#,
            "environment",
            "issuer",
        ),
        (r#"{"issuer":""}"#, "issuer", "empty"),
        (
            r#"{"issuer":"https://test.maskinporten.no"}"#,
            "issuer",
            "with its final slash",
        ),
        (
            r#"{"issuer":"https://ver2.maskinporten.no/"}"#,
            "issuer",
            "shut down",
        ),
        (r#"{"issuer":"http://a.example"}"#, "issuer", "https"),
        (
            r#"{"issuer":"a.example"}"#,
            "issuer",
            "setting \"issuer\": ",
        ),
        (
            r#"{"environment":"test","jwks_uri":"http://a.example/jwk"}"#,
            "jwks_uri",
            "https",
        ),
        (
            r#"{"environment":"test","metadata":"nowhere"}"#,
            "metadata",
            "setting \"metadata\": ",
        ),
        (
            r#"{"environment":"test","metadata":"https://a.example","jwks_uri":"https://a.example"}"#,
            "jwks_uri",
            "metadata",
        ),
        (
            r#"{"environment":"test","algorithms":["none"]}"#,
            "algorithms[0]",
            "RS256",
        ),
        (
            r#"{"environment":"test","algorithms":["RS256","HS256"]}"#,
            "algorithms[1]",
            "expected one of",
        ),
        (
            r#"{"environment":"test","leeway_seconds":61}"#,
            "leeway_seconds",
            "60",
        ),
        (
            r#"{"environment":"test","leeway_seconds":-1}"#,
            "leeway_seconds",
            "",
        ),
        (
            r#"{"environment":"test","audience":""}"#,
            "audience",
            "empty",
        ),
        (
            r#"{"environment":"test","jwks_max_age_seconds":59}"#,
            "jwks_max_age_seconds",
            "60",
        ),
        (
            r#"{"environment":"test","jwks_max_age_seconds":604801}"#,
            "jwks_max_age_seconds",
            "604800",
        ),
        (
            r#"{"environment":"test","scopes":["a b"]}"#,
            "scopes[0]",
            "blank",
        ),
        (
            r#"{"environment":"test","ca_file":"/nonexistent/ca.pem"}"#,
            "ca_file",
            "/nonexistent",
        ),
        (r#"{"environment":"test","max_age":1}"#, "max_age", ""),
    ] {
        let error = ValidatorSettings::from_json(settings)
            .and_then(Validator::new)
            .unwrap_err();
        assert_eq!(
            error.details().config_path.as_deref(),
            Some(path),
            "{settings}: {error}"
        );
        assert!(error.message().contains(says), "{error}");
    }
}

#[test]
fn errors_name_the_validator() {
    let config = Config::from_toml(
        "[validators.api]\nenvironment = 'test'\nleeway_seconds = 99\n[validators.other]\nenvironment = 'prod'",
    )
    .unwrap();
    let error = Validator::from_config(&config, "api").unwrap_err();
    assert_eq!(
        error.details().config_path.as_deref(),
        Some("validators.api.leeway_seconds")
    );
    assert!(error.message().starts_with("validator \"api\""), "{error}");
    let error = Validator::from_config(&config, "nobody").unwrap_err();
    assert_eq!(error.code(), ErrorCode::Config);
    assert!(error.message().contains("api, other"), "{error}");
    Validator::from_config(&config, "other").unwrap();
    let error = Config::from_toml("[validators.api]\ncolour = 1").unwrap_err();
    assert_eq!(
        error.details().config_path.as_deref(),
        Some("validators.api.colour")
    );
    let error = Validator::from_config(&Config::default(), "api").unwrap_err();
    assert!(error.message().contains("[validators.NAME]"), "{error}");
}

#[test]
fn a_transport_of_the_programs_own_has_its_own_authorities() {
    let settings = r#"{"environment":"test","ca_file":"/etc/ssl/certs/ca-certificates.crt"}"#;
    let error = Validator::builder(ValidatorSettings::from_json(settings).unwrap())
        .transport(crate::world::Issuer::new(&[]))
        .build()
        .unwrap_err();
    assert_eq!(error.details().config_path.as_deref(), Some("ca_file"));
}

#[test]
fn a_validator_is_shared_by_threads() {
    fn is_shared<T: Send + Sync + 'static>() {}
    is_shared::<Validator>();
    is_shared::<segl::VerifiedToken>();
}
