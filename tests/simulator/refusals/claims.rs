//! What the grant says.

use serde_json::json;

use super::{Case, case, remove, run};
use crate::grants::CLIENT;
use crate::support::*;

#[test]
fn are_refused() {
    run(cases());
}

fn cases() -> Vec<Case> {
    let malformed = "Invalid assertion. Invalid parameter value.";
    let unknown = "Invalid assertion. Unknown claim ";
    let failed = "Validation of JWT claim failed: ";
    let claim = |name, problem: &str, change| {
        case(
            name,
            "invalid_request",
            "",
            &format!("{failed}{problem}"),
            change,
        )
    };
    let target = |name, problem: &str, change| {
        case(
            name,
            "invalid_target",
            "",
            &format!("Invalid resource: {problem}."),
            change,
        )
    };
    let missing = |name, change| {
        let description = format!("Invalid assertion. Missing JWT claim {name}.");
        case(name, "invalid_grant", "", &description, change)
    };
    vec![
        missing("iat", |grant| remove(&mut grant.claims, "iat")),
        missing("exp", |grant| remove(&mut grant.claims, "exp")),
        missing("scope", |grant| grant.claims["scope"] = json!(" ")),
        case(
            "nbf",
            "invalid_request",
            "",
            &format!("{unknown}nbf."),
            |grant| {
                grant.claims["nbf"] = json!(NOW);
            },
        ),
        case(
            "sub",
            "invalid_request",
            "",
            &format!("{unknown}sub."),
            |grant| {
                grant.claims["sub"] = json!(CLIENT);
            },
        ),
        case(
            "x5t in the header",
            "invalid_request",
            "",
            &format!("{unknown}x5t."),
            |grant| {
                grant.header["x5t"] = json!("AA");
            },
        ),
        case(
            "typ at+jwt",
            "invalid_request",
            "MP-011",
            malformed,
            |grant| {
                grant.header["typ"] = json!("at+jwt");
            },
        ),
        case("crit", "invalid_request", "MP-011", malformed, |grant| {
            grant.header["crit"] = json!(["b64"]);
        }),
        case(
            "iat as text",
            "invalid_request",
            "MP-011",
            malformed,
            |grant| {
                grant.claims["iat"] = json!(NOW.to_string());
            },
        ),
        case(
            "exp with a fraction",
            "invalid_request",
            "MP-011",
            malformed,
            |grant| {
                grant.claims["exp"] = json!(NOW as f64 + 60.5);
            },
        ),
        case(
            "jti as a number",
            "invalid_request",
            "MP-011",
            malformed,
            |grant| {
                grant.claims["jti"] = json!(1);
            },
        ),
        case(
            "jti empty",
            "invalid_request",
            "MP-011",
            malformed,
            |grant| {
                grant.claims["jti"] = json!("");
            },
        ),
        case(
            "scope as an array",
            "invalid_request",
            "MP-011",
            malformed,
            |grant| {
                grant.claims["scope"] = json!(["bank:saldo"]);
            },
        ),
        claim("pid of 10 digits", "pid is not 11 digits.", |grant| {
            grant.claims["pid"] = json!("0584899835");
        }),
        claim("pid with a letter", "pid is not 11 digits.", |grant| {
            grant.claims["pid"] = json!("0584899835x");
        }),
        claim(
            "consumer_org with prefix",
            "consumer_org is not an organization number.",
            |grant| {
                grant.claims["consumer_org"] = json!("0192:974760673");
            },
        ),
        claim(
            "own consumer_org",
            "The combination consumer_org in claim and delegation scope on client is invalid.",
            |grant| grant.claims["consumer_org"] = json!(ORGNO),
        ),
        claim(
            "consumer_org and iss_onbehalfof",
            "consumer_org and iss_onbehalfof are mutually exclusive.",
            |grant| {
                grant.claims["consumer_org"] = json!(CUSTOMER);
                grant.claims["iss_onbehalfof"] = json!("customer");
            },
        ),
        claim(
            "iss_onbehalfof",
            "iss_onbehalfof is not registered on the client.",
            |grant| {
                grant.claims["iss_onbehalfof"] = json!("customer");
            },
        ),
        target("resource as text", "only an array is supported", |grant| {
            grant.claims["resource"] = json!("https://api.example.com");
        }),
        target("resource empty", "only an array is supported", |grant| {
            grant.claims["resource"] = json!([]);
        }),
        target(
            "resource with a fragment",
            "a fragment is not allowed",
            |grant| {
                grant.claims["resource"] = json!(["https://api.example.com/#a"]);
            },
        ),
        target("resource without scheme", "not an absolute URI", |grant| {
            grant.claims["resource"] = json!(["api.example.com"]);
        }),
        target("resource of numbers", "not a string", |grant| {
            grant.claims["resource"] = json!([1])
        }),
    ]
}
