//! Who sent the grant, and when.

use serde_json::json;

use super::{Case, remove, run, unauthenticated};
use crate::support::*;

#[test]
fn are_refused() {
    run(cases());
}

fn cases() -> Vec<Case> {
    let kid_required =
        "Invalid JWT. The client requires pre-registered jwk and no key identifier (kid) provided.";
    let aud = "Invalid JWT claim aud.";
    vec![
        unauthenticated("unknown iss", "MP-100", "Client not found.", |grant| {
            grant.claims["iss"] = json!("oidc_nobody");
        }),
        unauthenticated("no iss", "MP-100", "Client not found.", |grant| {
            remove(&mut grant.claims, "iss");
        }),
        unauthenticated("aud without slash", "MP-110", aud, |grant| {
            let aud = grant.claims["aud"].as_str().unwrap().trim_end_matches('/');
            grant.claims["aud"] = json!(aud);
        }),
        unauthenticated("aud is the token endpoint", "MP-110", aud, |grant| {
            grant.claims["aud"] = json!(format!("{}token", grant.claims["aud"].as_str().unwrap()));
        }),
        unauthenticated("aud is an array", "MP-110", aud, |grant| {
            grant.claims["aud"] = json!([grant.claims["aud"]]);
        }),
        unauthenticated("no aud", "MP-110", aud, |grant| {
            remove(&mut grant.claims, "aud")
        }),
        unauthenticated(
            "unknown kid",
            "",
            "Unknown key identifier (kid) for client.",
            |grant| {
                grant.header["kid"] = json!("key-9");
            },
        ),
        unauthenticated("neither kid nor x5c", "", kid_required, |grant| {
            remove(&mut grant.header, "kid");
        }),
        unauthenticated("x5c of a client with keys", "", kid_required, |grant| {
            remove(&mut grant.header, "kid");
            grant.header["x5c"] = json!(["MIIC"]);
        }),
        unauthenticated(
            "kid and x5c",
            "",
            "Invalid JWT. Exactly one of kid and x5c must be present in the header.",
            |grant| grant.header["x5c"] = json!(["MIIC"]),
        ),
        unauthenticated(
            "key of more than a year",
            "MP-121",
            "Expired key.",
            |grant| {
                grant.header["kid"] = json!("old");
            },
        ),
        unauthenticated("another key", "MP-124", "Invalid JWT signature.", |grant| {
            grant.key = &OTHER_RSA_KEY;
        }),
        unauthenticated("PS256", "MP-124", "Invalid JWT signature.", |grant| {
            grant.header["alg"] = json!("PS256");
        }),
        unauthenticated("ES256", "MP-124", "Invalid JWT signature.", |grant| {
            grant.header["alg"] = json!("ES256");
            grant.key = &EC_KEY;
        }),
        unauthenticated("alg none", "MP-124", "Invalid JWT signature.", |grant| {
            grant.header["alg"] = json!("none");
        }),
        unauthenticated("no alg", "MP-124", "Invalid JWT signature.", |grant| {
            remove(&mut grant.header, "alg");
        }),
        unauthenticated("too long", "", "JWT has too long lifetime.", |grant| {
            grant.claims["exp"] = json!(NOW + 121);
        }),
        unauthenticated("milliseconds", "", "JWT has too long lifetime.", |grant| {
            grant.claims["iat"] = json!(NOW * 1000);
            grant.claims["exp"] = json!((NOW + 120) * 1000);
        }),
        unauthenticated(
            "too long comes before too early",
            "",
            "JWT has too long lifetime.",
            |grant| {
                grant.claims["iat"] = json!(NOW + 500);
                grant.claims["exp"] = json!(NOW + 900);
            },
        ),
        unauthenticated(
            "issued in 11 seconds",
            "",
            "Issue time is after now.",
            |grant| {
                grant.claims["iat"] = json!(NOW + 11);
            },
        ),
        unauthenticated(
            "too early comes before expired",
            "",
            "Issue time is after now.",
            |grant| {
                grant.claims["iat"] = json!(NOW + 11);
                grant.claims["exp"] = json!(NOW - 11);
            },
        ),
        unauthenticated(
            "expired 11 seconds ago",
            "MP-130",
            "JWT is expired.",
            |grant| {
                grant.claims["iat"] = json!(NOW - 120);
                grant.claims["exp"] = json!(NOW - 11);
            },
        ),
    ]
}
