//! DPoP proofs, made with OpenSSL: at token endpoints and at APIs.

use openssl::pkey::{PKey, Private};
use openssl::sha::sha256;
use serde_json::{Value, json};

use crate::grants;
use crate::helseid::{fetch, fetch_with, fixture, nonce, proof};
use crate::support::*;
use crate::tls::Secure;

/// A proof that is good until it is changed.
pub struct Proof {
    header: Value,
    claims: Value,
    key: &'static PKey<Private>,
}

impl Proof {
    pub fn new(method: &str, url: &str) -> Self {
        let mut jwk = ec_jwk("", &OTHER_EC_KEY);
        jwk.as_object_mut().unwrap().remove("kid");
        Self {
            header: json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": jwk }),
            claims: json!({ "jti": fresh_jti(), "htm": method, "htu": url, "iat": NOW }),
            key: &OTHER_EC_KEY,
        }
    }

    /// For an API call with `token`.
    fn with_token(self, token: &str) -> Self {
        self.claim("ath", json!(base64url(sha256(token.as_bytes()))))
    }

    pub fn claim(mut self, name: &str, value: Value) -> Self {
        self.claims[name] = value;
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.claims.as_object_mut().unwrap().remove(name);
        self
    }

    fn header(mut self, name: &str, value: Value) -> Self {
        self.header[name] = value;
        self
    }

    fn by(mut self, key: &'static PKey<Private>) -> Self {
        self.key = key;
        self
    }

    pub fn signed(&self) -> String {
        jws(&self.header, &self.claims, self.key)
    }
}

/// Calls an API with a token and proofs.
fn call(method: &str, url: &str, scheme: &str, token: &str, proofs: &[String]) -> Answer {
    let authorization = format!("{scheme} {token}");
    let mut headers = vec![("Authorization", authorization.as_str())];
    headers.extend(proofs.iter().map(|proof| ("DPoP", proof.as_str())));
    send(method, url, &headers, None)
}

#[track_caller]
fn refused(answer: &Answer, error: &str, problem: &str) {
    assert_eq!(answer.status, 400, "{problem}: {answer:?}");
    assert_eq!(answer.json["error"], error, "{problem}: {answer:?}");
    let description = answer.json["error_description"].as_str().unwrap();
    assert!(description.contains(problem), "{problem}: {description}");
}

#[track_caller]
fn unauthorized(answer: &Answer, error: &str, problem: &str) {
    assert_eq!(answer.status, 401, "{problem}: {answer:?}");
    let challenge = &answer.headers["www-authenticate"];
    let expected = format!("DPoP error=\"{error}\", algs=\"RS256 RS384 RS512 PS256 ES256 ES384\"");
    assert_eq!(challenge, &expected, "{problem}");
    assert_eq!(answer.json["error"], error);
    let description = answer.json["error_description"].as_str().unwrap();
    assert!(description.contains(problem), "{problem}: {description}");
}

/// Proofs for a request that are refused for one fault each. `good` makes a good
/// one.
fn faults(url: &str, good: impl Fn() -> Proof) -> Vec<(&'static str, Proof)> {
    let mut private = ec_jwk("", &OTHER_EC_KEY);
    private["d"] = json!(base64url(
        OTHER_EC_KEY.ec_key().unwrap().private_key().to_vec()
    ));
    vec![
        ("typ is not dpop+jwt", good().header("typ", json!("JWT"))),
        ("alg is not one", good().header("alg", json!("HS256"))),
        ("alg is not one", good().header("alg", json!("none"))),
        ("jwk is missing", good().header("jwk", json!("x"))),
        ("private key", good().header("jwk", private)),
        (
            "jwk cannot be used",
            good().header("jwk", json!({ "kty": "oct", "k": "AA" })),
        ),
        ("not made by the key in jwk", good().by(&EC_KEY)),
        (
            "not made by the key in jwk",
            good().header("alg", json!("ES384")),
        ),
        ("critical extension", good().header("crit", json!(["x"]))),
        (
            "htm is not the request's",
            good().claim("htm", json!("PUT")),
        ),
        ("htm is missing", good().without("htm")),
        ("htu is missing", good().without("htu")),
        (
            "htu is not the request's URL",
            good().claim("htu", json!(format!("{url}/"))),
        ),
        (
            "htu is not the request's URL",
            good().claim("htu", json!(url.replacen("http:", "https:", 1))),
        ),
        (
            "htu is not an absolute URL",
            good().claim("htu", json!("/x")),
        ),
        (
            "htu has a query",
            good().claim("htu", json!(format!("{url}?x=y"))),
        ),
        ("iat is missing", good().without("iat")),
        (
            "iat is not in whole",
            good().claim("iat", json!(NOW as f64 + 0.5)),
        ),
        ("iat is too old", good().claim("iat", json!(NOW - 11))),
        (
            "iat lies in the future",
            good().claim("iat", json!(NOW + 11)),
        ),
        ("jti is missing", good().without("jti")),
        ("jti is missing", good().claim("jti", json!(""))),
        ("jti is not a string", good().claim("jti", json!(1))),
    ]
}

#[test]
fn the_token_endpoint_refuses_every_fault() {
    let fixture = fixture("");
    let url = &fixture.simulator.urls().helseid_token_endpoint;
    let faults = faults(url, || proof(&fixture));
    let number = faults.len() as u64;
    for (problem, proof) in faults {
        let answer = fetch(&fixture, &proof);
        refused(&answer, "invalid_dpop_proof", problem);
        assert!(answer.headers.contains_key("dpop-nonce"), "{problem}");
    }
    let assertion = || {
        jws(
            &crate::helseid::header(),
            &crate::helseid::claims(&fixture),
            &EC_KEY,
        )
    };
    let proofs = [proof(&fixture).signed(), proof(&fixture).signed()];
    for (problem, proofs) in [
        ("there is no DPoP header", &proofs[..0]),
        ("more than one DPoP header", &proofs[..]),
        ("malformed", &["x".to_owned()][..]),
    ] {
        let answer = fetch_with(&fixture, &assertion(), proofs);
        refused(&answer, "invalid_dpop_proof", problem);
    }
    let requests = fixture.simulator.requests();
    assert_eq!(
        (requests.dpop_refused, requests.helseid_issued),
        (number + 3, 0)
    );

    for iat in [NOW - 10, NOW + 10] {
        let answer = fetch(&fixture, &proof(&fixture).claim("iat", json!(iat)));
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let used = proof(&fixture);
    assert_eq!(fetch(&fixture, &used).status, 200);
    refused(
        &fetch(&fixture, &used),
        "invalid_dpop_proof",
        "jti was used before",
    );
    let upper = url.replacen("http://", "HTTP://", 1);
    let answer = fetch(&fixture, &proof(&fixture).claim("htu", json!(upper)));
    assert_eq!(answer.status, 200, "normalised: {answer:?}");
}

#[test]
fn a_nonce_is_demanded_and_replaced() {
    let fixture = fixture("[helseid.dpop]\nnonce_seconds = 60\nnonce_uses = 2");
    let url = &fixture.simulator.urls().helseid_token_endpoint;
    let with = |nonce: &str| Proof::new("POST", url).claim("nonce", json!(nonce));
    let without = fetch(&fixture, &Proof::new("POST", url));
    assert_eq!(without.status, 400);
    assert_eq!(
        without.json,
        json!({
            "error": "use_dpop_nonce",
            "error_description": "Authorization server requires nonce in DPoP proof",
        })
    );
    let first = &without.headers["dpop-nonce"];
    refused(&fetch(&fixture, &with("x")), "use_dpop_nonce", "nonce");

    let answer = fetch(&fixture, &with(first));
    assert_eq!((answer.status, &answer.headers["dpop-nonce"]), (200, first));
    let answer = fetch(&fixture, &with(first));
    let second = &answer.headers["dpop-nonce"];
    assert_eq!(answer.status, 200);
    assert_ne!(second, first, "after two uses");
    let late = fetch(&fixture, &with(first));
    refused(&late, "use_dpop_nonce", "nonce");
    assert_eq!(&late.headers["dpop-nonce"], second);

    fixture.set_time(NOW + 60);
    let third = nonce(&fixture);
    assert_ne!(&third, second, "after a minute");
    let late = fetch(&fixture, &with(second).claim("iat", json!(NOW + 60)));
    assert_eq!(
        late.json["error"], "invalid_client",
        "the assertion is old by now"
    );
    let requests = fixture.simulator.requests();
    assert_eq!(
        (requests.dpop_nonce_demanded, requests.dpop_accepted),
        (3, 2)
    );
}

#[test]
fn an_api_takes_the_token_with_a_proof_only() {
    let fixture = fixture("");
    let url = &fixture.simulator.urls().helseid_api;
    let token = fetch(&fixture, &proof(&fixture)).access_token().to_owned();
    let without = get(url);
    assert_eq!(without.status, 401);
    assert_eq!(
        without.headers["www-authenticate"],
        "DPoP algs=\"RS256 RS384 RS512 PS256 ES256 ES384\""
    );
    let nonce = without.headers["dpop-nonce"].clone();
    assert_ne!(nonce, crate::helseid::nonce(&fixture), "a nonce of its own");
    let good = || {
        let proof = Proof::new("GET", url).with_token(&token);
        proof.claim("nonce", json!(nonce))
    };

    let answer = call("GET", url, "DPoP", &token, &[good().signed()]);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json["jkt"], json!(thumbprint(&OTHER_EC_KEY)));
    assert_eq!(answer.json["client_id"], crate::helseid::CLIENT);
    let scoped = format!("{url}?scope=nhn:kjernejournal/api");
    let answer = call("GET", &scoped, "DPoP", &token, &[good().signed()]);
    assert_eq!(answer.status, 200, "without the query: {answer:?}");
    let forbidden = format!("{url}?scope=nhn:other");
    let answer = call("GET", &forbidden, "DPoP", &token, &[good().signed()]);
    assert_eq!(
        (answer.status, answer.headers["www-authenticate"].as_str()),
        (403, "DPoP error=\"insufficient_scope\"")
    );

    for (problem, proof) in faults(url, good) {
        let answer = call("GET", url, "DPoP", &token, &[proof.signed()]);
        unauthorized(&answer, "invalid_dpop_proof", problem);
    }
    for proof in [good().without("ath"), good().with_token("another token")] {
        let answer = call("GET", url, "DPoP", &token, &[proof.signed()]);
        unauthorized(&answer, "invalid_dpop_proof", "ath is not the hash");
    }
    let answer = call("GET", url, "DPoP", &token, &[]);
    unauthorized(&answer, "invalid_dpop_proof", "there is no DPoP header");
    let used = good().signed();
    assert_eq!(
        call("GET", url, "DPoP", &token, std::slice::from_ref(&used)).status,
        200
    );
    let answer = call("GET", url, "DPoP", &token, &[used]);
    unauthorized(&answer, "invalid_dpop_proof", "jti was used before");

    let other = good().header("jwk", ec_jwk("", &EC_KEY)).by(&EC_KEY);
    let answer = call("GET", url, "DPoP", &token, &[other.signed()]);
    unauthorized(&answer, "invalid_token", "bound to another key");
    let answer = call("GET", url, "Bearer", &token, &[good().signed()]);
    unauthorized(&answer, "invalid_token", "send it with the scheme DPoP");
    let answer = call("GET", url, "DPoP", "x", &[good().signed()]);
    unauthorized(&answer, "invalid_token", "malformed");

    for proof in [good().without("nonce"), good().claim("nonce", json!("x"))] {
        let answer = call("GET", url, "DPoP", &token, &[proof.signed()]);
        unauthorized(
            &answer,
            "use_dpop_nonce",
            "Resource server requires nonce in DPoP proof",
        );
        assert_eq!(answer.headers["dpop-nonce"], nonce);
    }
    fixture.simulator.reject_tokens();
    let answer = call("GET", url, "DPoP", &token, &[good().signed()]);
    unauthorized(&answer, "invalid_token", "revoked");
}

#[test]
fn rsa_keys_prove_possession_too() {
    let fixture = fixture("");
    let mut jwk = rsa_jwk("", &RSA_KEY);
    for name in ["kid", "use", "alg"] {
        jwk.as_object_mut().unwrap().remove(name);
    }
    for alg in ["RS256", "PS256"] {
        let proof = proof(&fixture)
            .header("alg", json!(alg))
            .header("jwk", jwk.clone());
        let answer = fetch(&fixture, &proof.by(&RSA_KEY));
        assert_eq!(answer.status, 200, "{alg}: {answer:?}");
    }
    let limited = fixture_with_es256_only();
    let refused_alg = proof(&limited)
        .header("alg", json!("PS256"))
        .header("jwk", jwk);
    let answer = fetch(&limited, &refused_alg.by(&RSA_KEY));
    refused(&answer, "invalid_dpop_proof", "alg is not one");
}

fn fixture_with_es256_only() -> Fixture {
    fixture("helseid.dpop.algorithms = ['ES256']")
}

#[test]
fn htu_names_https_over_https() {
    let secure = Secure::new("helseid.dpop.nonces = false\n[tls]");
    let client = json!({
        "client_id": crate::helseid::CLIENT,
        "jwks": [ec_jwk("key-1", &EC_KEY)],
        "scopes": ["a"],
    });
    assert_eq!(secure.fixture.admin("helseid/clients", &client).status, 201);
    let urls = secure.urls();
    let fetch = |htu: &str| {
        let mut claims = crate::helseid::claims(&secure.fixture);
        claims["aud"] = json!(urls.helseid_issuer);
        let assertion = jws(&crate::helseid::header(), &claims, &EC_KEY);
        let form = format!(
            "grant_type=client_credentials&client_assertion={assertion}&client_assertion_type=\
             urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
        );
        let proof = format!("DPoP: {}", Proof::new("POST", htu).signed());
        let url = &urls.helseid_token_endpoint;
        secure.curl(None, &["-H", &proof, "--data", &form, url])
    };
    let answer = fetch(&urls.helseid_token_endpoint);
    assert_eq!(answer.json()["token_type"], "DPoP", "{answer:?}");
    let plain = fetch(&secure.fixture.simulator.urls().helseid_token_endpoint);
    assert_eq!(plain.json()["error"], "invalid_dpop_proof", "{plain:?}");
}

/// Sends a good grant to Maskinporten with these proofs.
fn grant(fixture: &Fixture, proofs: &[String]) -> Answer {
    let claims = grants::claims(fixture, grants::CLIENT);
    let assertion = jws(
        &json!({ "alg": "RS256", "kid": "key-1" }),
        &claims,
        &RSA_KEY,
    );
    let body = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
        .append_pair("assertion", &assertion)
        .finish();
    let url = &fixture.simulator.urls().maskinporten_token_endpoint;
    let form = Some(("application/x-www-form-urlencoded", body.as_str()));
    let headers: Vec<_> = proofs
        .iter()
        .map(|proof| ("DPoP", proof.as_str()))
        .collect();
    send("POST", url, &headers, form)
}

#[test]
fn maskinporten_binds_tokens_where_it_is_told_to() {
    let maskinporten = |mode: &str| {
        let fixture = Fixture::new(&format!("maskinporten.dpop.mode = '{mode}'"));
        assert_eq!(
            fixture
                .admin("maskinporten/clients", &grants::client())
                .status,
            201
        );
        fixture
    };
    let proof = |fixture: &Fixture| {
        Proof::new(
            "POST",
            &fixture.simulator.urls().maskinporten_token_endpoint,
        )
    };
    let advertised = |fixture: &Fixture| {
        let document = get(&fixture.simulator.urls().maskinporten_metadata).json;
        document.get("dpop_signing_alg_values_supported").is_some()
    };

    let off = maskinporten("off");
    let ignored = grant(&off, &["no proof at all".to_owned()]);
    assert_eq!(ignored.json["token_type"], "Bearer", "{ignored:?}");
    assert!(!advertised(&off));

    let accepted = maskinporten("accepted");
    assert!(advertised(&accepted));
    let urls = accepted.simulator.urls();
    let unbound = grant(&accepted, &[]);
    assert_eq!(unbound.json["token_type"], "Bearer");
    let bound = grant(&accepted, &[proof(&accepted).signed()]);
    assert_eq!(bound.json["token_type"], "DPoP", "{bound:?}");
    let token = bound.access_token();
    let claims = verified_claims(token, &urls.maskinporten_jwks_uri);
    assert_eq!(claims["token_type"], "DPoP");
    assert_eq!(claims["cnf"]["jkt"], json!(thumbprint(&OTHER_EC_KEY)));

    assert_eq!(
        with_token("GET", &urls.api, unbound.access_token(), None).status,
        200
    );
    let proven = Proof::new("GET", &urls.api).with_token(token).signed();
    assert_eq!(call("GET", &urls.api, "DPoP", token, &[proven]).status, 200);
    let as_bearer = with_token("GET", &urls.api, token, None);
    unauthorized(&as_bearer, "invalid_token", "send it with the scheme DPoP");
    let own = Proof::new("GET", &urls.api).with_token(unbound.access_token());
    let answer = call(
        "GET",
        &urls.api,
        "DPoP",
        unbound.access_token(),
        &[own.signed()],
    );
    unauthorized(&answer, "invalid_token", "bound to no key");
    let clients = format!("{}/clients", urls.self_service);
    let answer = with_token("GET", &clients, token, None);
    assert_eq!(answer.status, 401, "no DPoP there: {answer:?}");

    let required = maskinporten("required");
    let without = grant(&required, &[]);
    refused(&without, "invalid_dpop_proof", "there is no DPoP header");
    assert!(
        without.json["error_description"]
            .as_str()
            .unwrap()
            .contains("trace_id")
    );
    assert_eq!(grant(&required, &[proof(&required).signed()]).status, 200);
}

#[test]
fn maskinporten_demands_nonces_where_it_is_told_to() {
    let fixture = Fixture::new(
        "[maskinporten.dpop]\nmode = 'required'\nnonces = true\nnonce_uses = 1\nnonce_seconds = 60",
    );
    let client = fixture.admin("maskinporten/clients", &grants::client());
    assert_eq!(client.status, 201);
    let urls = fixture.simulator.urls();
    let at_token_endpoint = |nonce: &str| {
        let proof = Proof::new("POST", &urls.maskinporten_token_endpoint);
        grant(&fixture, &[proof.claim("nonce", json!(nonce)).signed()])
    };
    let without = grant(
        &fixture,
        &[Proof::new("POST", &urls.maskinporten_token_endpoint).signed()],
    );
    let wanted = "Authorization server requires nonce in DPoP proof";
    refused(&without, "use_dpop_nonce", wanted);
    let nonce = &without.headers["dpop-nonce"];
    let answer = at_token_endpoint(nonce);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_ne!(&answer.headers["dpop-nonce"], nonce, "after one use");
    refused(&at_token_endpoint(nonce), "use_dpop_nonce", wanted);

    let token = answer.access_token();
    let at_api = |nonce: &str| {
        let proof = Proof::new("GET", &urls.api).with_token(token);
        let proof = proof.claim("nonce", json!(nonce));
        call("GET", &urls.api, "DPoP", token, &[proof.signed()])
    };
    let other = at_api(&answer.headers["dpop-nonce"]);
    unauthorized(
        &other,
        "use_dpop_nonce",
        "Resource server requires nonce in DPoP proof",
    );
    let first = &other.headers["dpop-nonce"];
    let answer = at_api(first);
    assert_eq!(answer.status, 200, "{answer:?}");
    let second = &answer.headers["dpop-nonce"];
    assert_ne!(second, first);
    fixture.set_time(NOW + 60);
    assert_ne!(&get(&urls.api).headers["dpop-nonce"], second, "an old one");
}
