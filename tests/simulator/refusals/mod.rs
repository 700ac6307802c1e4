//! Grants that Maskinporten refuses, each with its answer word for word.

mod access;
mod claims;
mod details;
mod senders;

use openssl::pkey::{PKey, Private};
use serde_json::{Value, json};

use crate::grants::{self, CLIENT};
use crate::support::*;

/// What would be a good grant if a case left it alone.
struct Grant {
    header: Value,
    claims: Value,
    key: &'static PKey<Private>,
}

struct Case {
    name: &'static str,
    change: fn(&mut Grant),
    status: u16,
    error: &'static str,
    code: Option<&'static str>,
    description: String,
}

fn case(
    name: &'static str,
    error: &'static str,
    code: &'static str,
    description: &str,
    change: fn(&mut Grant),
) -> Case {
    Case {
        name,
        change,
        status: if error == "forbidden" { 403 } else { 400 },
        error,
        code: Some(code).filter(|code| !code.is_empty()),
        description: description.to_owned(),
    }
}

/// A refusal for who the sender is, or is not.
fn unauthenticated(
    name: &'static str,
    code: &'static str,
    detail: &str,
    change: fn(&mut Grant),
) -> Case {
    let description = format!("Invalid assertion. Client authentication failed. {detail}");
    case(name, "invalid_grant", code, &description, change)
}

fn remove(object: &mut Value, name: &str) {
    object.as_object_mut().unwrap().remove(name);
}

/// Requires an answer of exactly `error`, `error_description` with a trace id
/// at its end, and `error_uri` where there is a code.
pub fn assert_refused(
    fixture: &Fixture,
    answer: &Answer,
    status: u16,
    error: &str,
    code: Option<&str>,
    description: &str,
) {
    let issuer = &fixture.simulator.urls().maskinporten_issuer;
    assert_eq!(answer.status, status, "{answer:?}");
    let text = answer.json["error_description"].as_str().unwrap();
    let trace_id = text
        .strip_prefix(&format!("{description} (trace_id: "))
        .and_then(|rest| rest.strip_suffix(')'))
        .unwrap_or_else(|| panic!("expected {description:?} with a trace id, got {text:?}"));
    assert!(
        trace_id.len() == 32 && trace_id.bytes().all(|b| b.is_ascii_hexdigit()),
        "{text}"
    );
    let mut expected = json!({ "error": error, "error_description": text });
    if let Some(code) = code {
        expected["error_uri"] = json!(format!("{issuer}errors/{code}"));
    }
    assert_eq!(answer.json, expected);
    assert_eq!(answer.headers["content-type"], "application/json");
}

fn run(cases: Vec<Case>) {
    let fixture = grants::fixture();
    for case in &cases {
        let mut grant = Grant {
            header: json!({ "alg": "RS256", "kid": "key-1" }),
            claims: grants::claims(&fixture, CLIENT),
            key: &RSA_KEY,
        };
        (case.change)(&mut grant);
        println!("{}", case.name);
        let answer = fixture.grant(&jws(&grant.header, &grant.claims, grant.key));
        assert_refused(
            &fixture,
            &answer,
            case.status,
            case.error,
            case.code,
            &case.description,
        );
    }
    assert_eq!(fixture.simulator.requests().maskinporten_issued, 0);
    assert_eq!(
        fixture.simulator.requests().maskinporten_token,
        cases.len() as u64
    );
}

#[test]
fn a_grant_is_used_once() {
    let fixture = grants::fixture();
    let header = json!({ "alg": "RS256", "kid": "key-1" });
    let refused = |answer: &Answer| {
        assert_refused(
            &fixture,
            answer,
            400,
            "invalid_grant",
            Some("MP-012"),
            "Grant is used before.",
        );
    };

    let mut claims = grants::claims(&fixture, CLIENT);
    let assertion = jws(&header, &claims, &RSA_KEY);
    assert_eq!(fixture.grant(&assertion).status, 200);
    refused(&fixture.grant(&assertion));
    claims["scope"] = json!("bank:short");
    refused(&fixture.grant(&jws(&header, &claims, &RSA_KEY)));

    // Without jti the whole assertion counts.
    remove(&mut claims, "jti");
    let assertion = jws(&header, &claims, &RSA_KEY);
    assert_eq!(fixture.grant(&assertion).status, 200);
    refused(&fixture.grant(&assertion));
    claims["exp"] = json!(NOW + 119);
    assert_eq!(fixture.grant(&jws(&header, &claims, &RSA_KEY)).status, 200);

    // A refused scope uses the grant up; a wrong signature does not.
    claims["jti"] = json!("refused");
    claims["scope"] = json!("bank:admin");
    assert_eq!(
        fixture.grant(&jws(&header, &claims, &OTHER_RSA_KEY)).status,
        400
    );
    let answer = fixture.grant(&jws(&header, &claims, &RSA_KEY));
    assert_eq!(answer.json["error"], "invalid_scope");
    refused(&fixture.grant(&jws(&header, &claims, &RSA_KEY)));
}

#[test]
fn malformed_assertions() {
    let fixture = grants::fixture();
    let header = r#"{"alg":"RS256","kid":"key-1"}"#;
    let claims = grants::claims(&fixture, CLIENT).to_string();
    let good = jws_of(header, &claims, &RSA_KEY);
    let (input, signature) = good.rsplit_once('.').unwrap();
    let cases = [
        "not a JWS".to_owned(),
        input.to_owned(),
        format!("{good}.{signature}"),
        format!("{good}\n"),
        format!("{good}=="),
        good.replacen('.', "=.", 1),
        format!(
            "{input}.{}",
            signature.replacen(char::is_alphanumeric, "+", 1)
        ),
        jws_of(
            r#"{"alg":"RS256","alg":"RS256","kid":"key-1"}"#,
            &claims,
            &RSA_KEY,
        ),
        jws_of(
            header,
            &claims.replace("{\"", r#"{"iss":"twice",""#),
            &RSA_KEY,
        ),
        jws_of(header, &format!("[{claims}]"), &RSA_KEY),
        jws_of(header, "", &RSA_KEY),
    ];
    for assertion in &cases {
        println!("{assertion}");
        let description = "Invalid assertion. Invalid parameter value.";
        let answer = fixture.grant(assertion);
        assert_refused(
            &fixture,
            &answer,
            400,
            "invalid_request",
            Some("MP-011"),
            description,
        );
    }
    assert_eq!(fixture.grant(&good).status, 200);
}

#[test]
fn requests_that_are_none() {
    let fixture = grants::fixture();
    let url = &fixture.simulator.urls().maskinporten_token_endpoint;
    let claims = grants::claims(&fixture, CLIENT);
    let assertion = jws(
        &json!({ "alg": "RS256", "kid": "key-1" }),
        &claims,
        &RSA_KEY,
    );
    let grant_type = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    let refused = |answer: &Answer, error: &str, description: &str| {
        assert_refused(&fixture, answer, 400, error, None, description);
    };

    assert_eq!(get(url).status, 405);
    let form = format!(
        "grant_type={}&assertion={assertion}",
        grant_type.replace(':', "%3A")
    );
    let wrong_type = "Content-Type must be application/x-www-form-urlencoded";
    refused(
        &post(url, "application/json", &form),
        "invalid_request",
        wrong_type,
    );
    refused(
        &post(url, "text/plain", &form),
        "invalid_request",
        wrong_type,
    );
    refused(
        &post_form(
            url,
            &[
                ("grant_type", "client_credentials"),
                ("assertion", &assertion),
            ],
        ),
        "unsupported_grant_type",
        "Unsupported grant type.",
    );
    refused(
        &post_form(url, &[("assertion", &assertion)]),
        "invalid_request",
        "Missing parameter grant_type",
    );
    refused(
        &post_form(url, &[("grant_type", grant_type), ("assertion", "")]),
        "invalid_request",
        "Missing parameter assertion",
    );
    refused(
        &post_form(
            url,
            &[
                ("grant_type", grant_type),
                ("assertion", &assertion),
                ("assertion", &assertion),
            ],
        ),
        "invalid_request",
        "Parameter assertion is given twice",
    );
    let answer = post(
        url,
        "application/x-www-form-urlencoded; charset=UTF-8",
        &form,
    );
    assert_eq!(answer.status, 200, "{answer:?}");
}
