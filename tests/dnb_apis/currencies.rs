//! `dnb.currency_rates`

use segl::ErrorCode;
use serde_json::json;

use crate::world::{World, run};

fn key_file(key: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), key).unwrap();
    file
}

#[test]
fn rates_are_read_to_the_digit_in_every_form() {
    for form in ["data", "currencyRates", "list"] {
        let world = World::new(&format!(
            "[dnb.currencies]\napi_keys = ['the-key']\nform = '{form}'\nrates = {{ EUR = '11.4350', USD = '9.10000000000000000001' }}"
        ));
        let key = key_file("the-key");
        let client = world.client_with(&json!({"dnb_currencies": {
            "base_url": world.simulator.urls().dnb_currencies,
            "api_key": format!("file:{}", key.path().display()),
        }}));
        for input in [json!({}), json!({"currency": "NOK"})] {
            let answer = run(&client, "dnb.currency_rates", &input).unwrap();
            let rates: Vec<_> = answer["rates"]
                .as_array()
                .unwrap()
                .iter()
                .map(|rate| {
                    (
                        rate["currency"].as_str().unwrap(),
                        rate["rate"].as_str().unwrap(),
                    )
                })
                .collect();
            assert_eq!(
                rates,
                [("EUR", "11.4350"), ("USD", "9.10000000000000000001")],
                "{form}"
            );
        }
        let error = run(&client, "dnb.currency_rates", &json!({"currency": "XXX"})).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ApiNotFound);
        assert_eq!(
            world.simulator.requests().dnb_token,
            0,
            "no token is asked for"
        );
    }
}

#[test]
fn the_key_is_needed_and_its_header_is_a_setting() {
    let world = World::new("[dnb.currencies]\napi_keys = ['the-key']");
    let base = &world.simulator.urls().dnb_currencies;
    let client = world.client_with(&json!({"dnb_currencies": {"base_url": base}}));
    let error = run(&client, "dnb.currency_rates", &json!({})).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Config);
    assert_eq!(
        error.details().config_path.as_deref(),
        Some("services.dnb_currencies.api_key")
    );

    let key = key_file("another");
    let place = format!("file:{}", key.path().display());
    let client =
        world.client_with(&json!({"dnb_currencies": {"base_url": base, "api_key": place}}));
    let error = run(&client, "dnb.currency_rates", &json!({})).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ApiForbidden);
    assert!(!error.to_string().contains("another"));

    // With the header elsewhere, the simulator does not find it.
    let client = world.client_with(&json!({"dnb_currencies": {
        "base_url": base, "api_key": place,
        "headers": {"x-api-key": "", "apiKey": "{api_key}"},
    }}));
    assert!(run(&client, "dnb.currency_rates", &json!({})).is_err());
    let error = run(&client, "dnb.currency_rates", &json!({"currency": "nok"})).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
}
