//! `authorization_details`.

use serde_json::{Value, json};

use super::{Case, Grant, assert_refused, case, run};
use crate::grants::{self, CLIENT, CONSENT, PERSON};
use crate::support::*;

#[test]
fn are_refused() {
    run(cases());
}

#[test]
fn consents_end() {
    let fixture = grants::fixture();
    fixture.set_time(NOW + 1000);
    let mut claims = grants::claims(&fixture, CLIENT);
    claims["iat"] = json!(NOW + 1000);
    claims["exp"] = json!(NOW + 1120);
    claims["authorization_details"] = consent(json!({}));
    let answer = fixture.grant(&jws(
        &json!({ "alg": "RS256", "kid": "key-1" }),
        &claims,
        &RSA_KEY,
    ));
    let description = "Invalid authorization details values: validTo has passed.";
    assert_refused(
        &fixture,
        &answer,
        400,
        "invalid_authorization_details",
        Some("MP-303"),
        description,
    );
}

fn cases() -> Vec<Case> {
    let error = "invalid_authorization_details";
    let unknown_type = |name, change| {
        case(
            name,
            error,
            "MP-301",
            "Unknown authorization details type.",
            change,
        )
    };
    let unknown_field = |name, change| {
        case(
            name,
            error,
            "MP-302",
            "Unknown fields in the authorization details.",
            change,
        )
    };
    let value = |name, field: &str, change| {
        let description = format!("Invalid authorization details values: {field}.");
        case(name, error, "MP-303", &description, change)
    };
    let nobody = |name, change| {
        let description = "Invalid authorization details values: \
                           no system user for this client, organization and externalRef.";
        case(
            name,
            "invalid_altinn_customer_configuration",
            "MP-303",
            description,
            change,
        )
    };
    vec![
        unknown_type("misspelt type", |grant| {
            details(grant, consent(json!({ "type": "urn:altinn:concent" })))
        }),
        unknown_type("no type", |grant| details(grant, json!([{}]))),
        unknown_type("element of text", |grant| {
            details(grant, json!(["urn:altinn:consent"]))
        }),
        value("no element", "exactly one element is supported", |grant| {
            details(grant, json!([]))
        }),
        value("an object", "exactly one element is supported", |grant| {
            details(grant, json!({}))
        }),
        value(
            "two elements",
            "exactly one element is supported",
            |grant| {
                let one = system_user(json!({}))[0].clone();
                details(grant, json!([one, one]));
            },
        ),
        unknown_field("systemuserorg", |grant| {
            details(grant, system_user(json!({ "systemuserorg": {} })))
        }),
        unknown_field("more in systemuser_org", |grant| {
            let org =
                json!({ "authority": "iso6523-actorid-upis", "ID": "0192:974760673", "name": "x" });
            details(grant, system_user(json!({ "systemuser_org": org })));
        }),
        unknown_field("to of a consent", |grant| {
            details(grant, consent(json!({ "to": ORGNO })))
        }),
        value("bare orgno", "systemuser_org", |grant| {
            let org = json!({ "authority": "iso6523-actorid-upis", "ID": "974760673" });
            details(grant, system_user(json!({ "systemuser_org": org })));
        }),
        value("other authority", "systemuser_org", |grant| {
            let org = json!({ "authority": "iso6523", "ID": "0192:974760673" });
            details(grant, system_user(json!({ "systemuser_org": org })));
        }),
        value("externalRef with a blank", "externalRef", |grant| {
            details(grant, system_user(json!({ "externalRef": "avdeling 2" })));
        }),
        value("externalRef of 256", "externalRef", |grant| {
            details(
                grant,
                system_user(json!({ "externalRef": "å".repeat(256) })),
            );
        }),
        nobody("unknown externalRef", |grant| {
            details(
                grant,
                system_user(json!({ "externalRef": "ø".repeat(255) })),
            );
        }),
        nobody("unknown organisation", |grant| {
            let org = json!({ "authority": "iso6523-actorid-upis", "ID": "0192:991825827" });
            details(grant, system_user(json!({ "systemuser_org": org })));
        }),
        value("consent without id", "id", |grant| {
            details(grant, consent(json!({ "id": null })))
        }),
        value("id is no uuid", "id", |grant| {
            details(grant, consent(json!({ "id": "1" })))
        }),
        value("unknown id", "id", |grant| {
            details(
                grant,
                consent(json!({ "id": "1a7d59f8-8c62-4312-9fb4-62456664c96f" })),
            );
        }),
        value("from without urn", "from", |grant| {
            details(grant, consent(json!({ "from": "05848998356" })))
        }),
        value("from another person", "from", |grant| {
            let from = "urn:altinn:person:identifier-no:05848998357";
            details(grant, consent(json!({ "from": from })));
        }),
        value(
            "consent to the supplier",
            "to is not the consumer",
            |grant| {
                grant.claims["consumer_org"] = json!(CUSTOMER);
                details(grant, consent(json!({})));
            },
        ),
    ]
}

fn system_user(extra: Value) -> Value {
    let mut element = json!({
        "type": "urn:altinn:systemuser",
        "systemuser_org": { "authority": "iso6523-actorid-upis", "ID": "0192:974760673" },
    });
    for (name, value) in extra.as_object().unwrap() {
        element[name] = value.clone();
    }
    json!([element])
}

fn consent(extra: Value) -> Value {
    let mut element = json!({ "type": "urn:altinn:consent", "id": CONSENT, "from": PERSON });
    for (name, value) in extra.as_object().unwrap() {
        element[name] = value.clone();
    }
    json!([element])
}

fn details(grant: &mut Grant, value: Value) {
    grant.claims["authorization_details"] = value;
}
