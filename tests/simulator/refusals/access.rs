//! What the client may have.

use serde_json::json;

use super::{Case, case, run};
use crate::support::*;

#[test]
fn are_refused() {
    run(cases());
}

fn cases() -> Vec<Case> {
    let scopes = "Token request contains invalid scopes for client, ";
    vec![
        case(
            "foreign scope",
            "invalid_scope",
            "MP-200",
            &format!("{scopes}bank:admin"),
            |grant| {
                grant.claims["scope"] = json!("bank:saldo bank:admin");
            },
        ),
        case(
            "scopes with a comma",
            "invalid_scope",
            "MP-200",
            &format!("{scopes}bank:saldo,bank:short"),
            |grant| grant.claims["scope"] = json!("bank:saldo,bank:short"),
        ),
        case(
            "scope for logins",
            "invalid_scope",
            "MP-201",
            "Token request contains scopes not allowed for maskinporten.",
            |grant| grant.claims["scope"] = json!("login:only"),
        ),
        case(
            "scope without access",
            "forbidden",
            "MP-250",
            "Consumer has not been granted access to the scope bank:limited.",
            |grant| grant.claims["scope"] = json!("bank:limited"),
        ),
        case(
            "no delegation of this scope",
            "forbidden",
            "MP-251",
            "Consumer 974760673 has not delegated access to the scope bank:short to supplier 910753614.",
            |grant| {
                grant.claims["scope"] = json!("bank:short");
                grant.claims["consumer_org"] = json!(CUSTOMER);
            },
        ),
        case(
            "no delegation by this consumer",
            "forbidden",
            "MP-251",
            "Consumer 991825827 has not delegated access to the scope bank:saldo to supplier 910753614.",
            |grant| grant.claims["consumer_org"] = json!(STRANGER),
        ),
    ]
}
