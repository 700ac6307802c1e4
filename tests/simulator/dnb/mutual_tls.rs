//! DNB over HTTPS: certificates, tokens that are bound to them, and the API.

use std::path::Path;

use serde_json::{Value, json};

use super::{CLIENT, OTHER_SCOPE, SCOPE, claims, header};
use crate::client_certificates::{Authority, self_signed, thumbprint};
use crate::support::*;
use crate::tls::{Curl, Secure};

/// A bank with [`CLIENT`], which has `certificates` registered.
fn bank(toml: &str, certificates: &[String]) -> Secure {
    let secure = Secure::new(toml);
    let client = json!({
        "client_id": CLIENT,
        "jwks": [ec_jwk("key-1", &EC_KEY)],
        "scopes": [SCOPE],
        "certificates": certificates,
    });
    assert_eq!(secure.fixture.admin("dnb/clients", &client).status, 201);
    secure
}

/// `[tls]` that trusts what `authority` issues.
fn trusting(authority: &Authority) -> String {
    format!(
        "[tls]\ntrusted_certificates = ['''{}''']",
        String::from_utf8(authority.certificate.to_pem().unwrap()).unwrap()
    )
}

fn fetch(secure: &Secure, identity: Option<&Path>) -> Curl {
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("client_assertion", &jws(&header(), &claims(), &EC_KEY))
        .append_pair(
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        )
        .append_pair("grant_type", "client_credentials")
        .finish();
    secure.curl(
        identity,
        &["--data", &form, &secure.urls().dnb_token_endpoint],
    )
}

fn call(secure: &Secure, identity: Option<&Path>, token: &str) -> Curl {
    let authorization = format!("Authorization: Bearer {token}");
    secure.curl(identity, &["-H", &authorization, &secure.urls().dnb_api])
}

/// The token of an answer.
fn token(answer: &Curl) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

#[track_caller]
fn refused(answer: &Curl, problem: &str) {
    assert_eq!(answer.status, 401, "{problem}: {answer:?}");
    let body = answer.json();
    assert_eq!(body["error"], "invalid_client", "{answer:?}");
    let description = body["error_description"].as_str().unwrap();
    assert!(description.contains(problem), "{problem}: {description}");
}

#[track_caller]
fn unauthorized(answer: &Curl, problem: &str) {
    assert_eq!(answer.status, 401, "{problem}: {answer:?}");
    assert!(
        answer
            .head
            .contains("www-authenticate: Bearer error=\"invalid_token\""),
        "{answer:?}"
    );
    let body = answer.json();
    let description = body["error_description"].as_str().unwrap();
    assert!(description.contains(problem), "{problem}: {description}");
}

#[test]
fn a_token_is_bound_to_the_certificate_that_fetched_it() {
    let authority = Authority::new("a qualified CA");
    let secure = bank(&trusting(&authority), &[]);
    let (certificate, key) = authority.issue("one", NOW - 10, NOW + 10);
    let (other, other_key) = authority.issue("other", NOW - 10, NOW + 10);
    let expected = thumbprint(&certificate);
    let one = secure.identity("one.pem", &[certificate], &key);
    let other = secure.identity("other.pem", &[other], &other_key);

    let token = token(&fetch(&secure, Some(&one)));
    let plain = secure.fixture.simulator.urls();
    let claims = verified_claims(&token, &plain.dnb_jwks_uri);
    assert_eq!(claims["cnf"], json!({ "x5t#S256": expected }));
    assert_eq!(claims["iss"], json!(secure.urls().dnb_issuer));

    let answer = call(&secure, Some(&one), &token);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["client_id"], CLIENT);
    assert_eq!(answer.json()["x5t#S256"], expected);

    unauthorized(&call(&secure, Some(&other), &token), "another certificate");
    unauthorized(
        &call(&secure, None, &token),
        "a client certificate is needed",
    );
    unauthorized(&call(&secure, Some(&one), "x"), "malformed");
    let without = secure.curl(Some(&one), &[&secure.urls().dnb_api]);
    assert_eq!(without.status, 401);
    assert!(
        without.head.contains("www-authenticate: Bearer\r\n"),
        "{without:?}"
    );
    let over_plain = with_token("GET", &plain.dnb_api, &token, None);
    assert_eq!(over_plain.status, 401, "{over_plain:?}");

    secure.fixture.simulator.reject_tokens();
    unauthorized(&call(&secure, Some(&one), &token), "revoked");
    let requests = secure.fixture.simulator.requests();
    assert_eq!((requests.dnb_api, requests.dnb_api_unauthorized), (7, 6));
}

#[test]
fn certificates_of_strangers_are_refused() {
    let (authority, other) = (Authority::new("a qualified CA"), Authority::new("another"));
    let secure = bank(&trusting(&authority), &[]);
    refused(&fetch(&secure, None), "a client certificate is needed");
    for (name, (certificate, key), problem) in [
        (
            "expired",
            authority.issue("c", NOW - 10, NOW - 1),
            "is expired",
        ),
        (
            "future",
            authority.issue("c", NOW + 1, NOW + 10),
            "is not valid yet",
        ),
        (
            "foreign",
            other.issue("c", NOW - 10, NOW + 10),
            "issuer is not trusted",
        ),
        (
            "own",
            self_signed("c", NOW - 10, NOW + 10),
            "issuer is not trusted",
        ),
    ] {
        let identity = secure.identity(&format!("{name}.pem"), &[certificate], &key);
        refused(&fetch(&secure, Some(&identity)), problem);
    }
    let requests = secure.fixture.simulator.requests();
    assert_eq!((requests.dnb_token, requests.dnb_issued), (5, 0));
    assert_eq!(
        (requests.tls_connections, requests.tls_with_certificate),
        (5, 4)
    );
}

#[test]
fn a_chain_leads_to_the_issuer() {
    let authority = Authority::new("a qualified CA");
    let (issuing, certificate, key) = authority.issue_below("issuing", "leaf");
    let secure = bank(&trusting(&authority), &[]);
    let chain = [certificate.clone(), issuing];
    let whole = secure.identity("whole.pem", &chain, &key);
    token(&fetch(&secure, Some(&whole)));
    let alone = secure.identity("alone.pem", &[certificate], &key);
    refused(&fetch(&secure, Some(&alone)), "issuer is not trusted");
}

#[test]
fn without_issuers_certificates_are_registered_or_self_signed() {
    let (own, own_key) = self_signed("own", NOW - 10, NOW + 10);
    let (issued, issued_key) = Authority::new("nobody's").issue("c", NOW - 10, NOW + 10);
    let hexadecimal: Vec<_> = issued
        .digest(openssl::hash::MessageDigest::sha256())
        .unwrap()
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    for registered in [
        vec![],
        vec![thumbprint(&issued)],
        vec![hexadecimal.join(":")],
    ] {
        let secure = bank("[tls]", &registered);
        let own = secure.identity("own.pem", std::slice::from_ref(&own), &own_key);
        let issued = secure.identity("issued.pem", std::slice::from_ref(&issued), &issued_key);
        if registered.is_empty() {
            token(&fetch(&secure, Some(&own)));
            refused(
                &fetch(&secure, Some(&issued)),
                "neither registered nor self-signed",
            );
        } else {
            let token = token(&fetch(&secure, Some(&issued)));
            assert_eq!(call(&secure, Some(&issued), &token).status, 200);
            refused(
                &fetch(&secure, Some(&own)),
                "is not the one that is registered",
            );
        }
    }
}

#[test]
fn mutual_tls_is_required_everywhere_or_nowhere() {
    let (certificate, key) = self_signed("own", NOW - 10, NOW + 10);
    let secure = bank("dnb.mutual_tls = 'required'\n[tls]", &[]);
    let answer = secure
        .fixture
        .dnb_token(&jws(&header(), &claims(), &EC_KEY), SCOPE);
    assert_eq!(
        (answer.status, &answer.json["error"]),
        (401, &json!("invalid_client"))
    );
    let identity = secure.identity("own.pem", std::slice::from_ref(&certificate), &key);
    token(&fetch(&secure, Some(&identity)));

    let secure = bank("dnb.mutual_tls = 'off'\n[tls]", &[]);
    let identity = secure.identity("own.pem", std::slice::from_ref(&certificate), &key);
    let unbound = token(&fetch(&secure, None));
    assert_eq!(call(&secure, None, &unbound).status, 200);
    let bound = token(&fetch(&secure, Some(&identity)));
    unauthorized(&call(&secure, None, &bound), "another certificate");

    // By default over HTTPS only, where a token must be bound too.
    let secure = bank("[tls]", &[]);
    let plain = secure
        .fixture
        .dnb_token(&jws(&header(), &claims(), &EC_KEY), SCOPE);
    let unbound = plain.access_token();
    let api = &secure.fixture.simulator.urls().dnb_api;
    assert_eq!(with_token("GET", api, unbound, None).status, 200);
    let identity = secure.identity("own.pem", &[certificate], &key);
    unauthorized(
        &call(&secure, Some(&identity), unbound),
        "bound to no certificate",
    );
}

#[test]
fn a_registration_jwt_authenticates_nobody_over_https_either() {
    let (certificate, key) = self_signed("own", NOW - 10, NOW + 10);
    let secure = bank("[tls]", &[]);
    let identity = secure.identity("own.pem", &[certificate], &key);
    let registration = jws(
        &json!({ "alg": "ES256" }),
        &super::registration::claims(),
        &EC_KEY,
    );
    let form = format!(
        "grant_type=client_credentials&client_assertion={registration}&client_assertion_type=\
         urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
    );
    let answer = secure.curl(
        Some(&identity),
        &["--data", &form, &secure.urls().dnb_token_endpoint],
    );
    refused(&answer, "is a registration JWT");
}

#[test]
fn discovery_names_the_endpoints_that_take_certificates() {
    let secure = Secure::new("[tls]");
    let (plain, https) = (secure.fixture.simulator.urls(), secure.urls());
    let alias = json!({ "token_endpoint": https.dnb_token_endpoint });
    let at_root = |base: &str| format!("{base}/.well-known/oauth-authorization-server/dnb");

    let document = get(&plain.dnb_metadata).json;
    assert_eq!(document["issuer"], json!(plain.dnb_issuer));
    assert_eq!(document["token_endpoint"], json!(plain.dnb_token_endpoint));
    assert_eq!(document["mtls_endpoint_aliases"], alias);
    assert_eq!(document["tls_client_certificate_bound_access_tokens"], true);
    assert_eq!(get(&at_root(&plain.base)).json, document);

    let document = secure.curl(None, &[&https.dnb_metadata]).json();
    assert_eq!(document["issuer"], json!(https.dnb_issuer));
    assert_eq!(document["token_endpoint"], json!(https.dnb_token_endpoint));
    assert_eq!(document["mtls_endpoint_aliases"], alias);
    assert_eq!(secure.curl(None, &[&at_root(&https.base)]).json(), document);
    assert_eq!(secure.fixture.simulator.requests().dnb_metadata, 4);

    let without = get(&Fixture::new("").simulator.urls().dnb_metadata).json;
    assert_eq!(without["mtls_endpoint_aliases"], Value::Null);
    assert_eq!(
        without["tls_client_certificate_bound_access_tokens"],
        Value::Null
    );
}

#[test]
fn prevalidation_wants_its_scope_and_json() {
    let (certificate, key) = self_signed("own", NOW - 10, NOW + 10);
    let secure = bank("[tls]", &[]);
    let identity = secure.identity("own.pem", &[certificate], &key);
    let token = token(&fetch(&secure, Some(&identity)));
    let post = |market: &str, media_type: &str, body: &str| {
        let authorization = format!("Authorization: Bearer {token}");
        let media_type = format!("Content-Type: {media_type}");
        let url = format!("{}/dnb/api/prevalidation/{market}", secure.urls().base);
        let arguments = [
            "-H",
            &authorization,
            "-H",
            &media_type,
            "--data",
            body,
            &url,
        ];
        secure.curl(Some(&identity), &arguments)
    };
    let json = "application/json";
    let answer = post("norway", json, "{\"account\":\"1\"}");
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(
        answer.json(),
        json!({ "client_id": CLIENT, "request": { "account": "1" } })
    );
    let forbidden = post("international", json, "{}");
    assert_eq!(forbidden.status, 403, "{forbidden:?}");
    assert!(forbidden.head.contains("error=\"insufficient_scope\""));
    assert!(forbidden.body.contains(OTHER_SCOPE), "{forbidden:?}");
    assert_eq!(post("sweden", json, "{}").status, 404);
    assert_eq!(post("norway", "text/plain", "{}").status, 415);
    assert_eq!(post("norway", json, "[]").status, 400);
}
