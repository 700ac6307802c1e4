//! `exchange_token`

use segl::apis::altinn::TokenExchange;
use segl::apis::{Altinn, ApiRequest};
use segl::{Call, ErrorCode, Secret, TokenRequest};
use serde_json::{Value, json};

use crate::support::claims;
use crate::world::{ORG, World, run};

fn text(token: &Secret) -> &str {
    std::str::from_utf8(token.expose()).unwrap()
}

fn exchange(altinn: &Altinn, exchange: TokenExchange) -> Secret {
    altinn.exchange_token(exchange, &Call::none()).unwrap()
}

#[test]
fn the_token_is_altinns_and_has_the_claims_of_maskinportens() {
    let world = World::new();
    let client = world.client("bank", &["altinn:serviceowner/instances.read"]);
    let altinn = Altinn::new(client.clone(), TokenRequest::default()).unwrap();
    let token = exchange(&altinn, TokenExchange::default());
    let claims = claims(text(&token));
    assert_eq!(claims["urn:altinn:orgNumber"], ORG);
    assert_eq!(claims["urn:altinn:authenticatemethod"], "maskinporten");
    assert_eq!(claims["urn:altinn:authlevel"], 3);
    assert_eq!(claims["urn:altinn:org"], "digdir");
    assert_eq!(claims["scope"], "altinn:serviceowner/instances.read");
    assert_eq!(claims["consumer"]["ID"], format!("0192:{ORG}"));
    assert!(claims.get("client_amr").is_none());
    assert_eq!(
        claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
        1800
    );

    let altinn_base = &world.simulator.urls().altinn;
    let metadata =
        format!("{altinn_base}/authentication/api/v1/openid/.well-known/openid-configuration");
    let read = |url: &str| -> Value {
        let body = ureq::get(url).call().unwrap().into_body().read_to_string();
        serde_json::from_str(&body.unwrap()).unwrap()
    };
    let metadata = read(&metadata);
    assert_eq!(metadata["issuer"], claims["iss"]);
    let keys = read(metadata["jwks_uri"].as_str().unwrap());
    let kid = segl::jws::decode(text(&token)).unwrap().header["kid"].clone();
    assert_eq!(keys["keys"][0]["kid"], kid);

    let url = format!("{altinn_base}/api/echo");
    let echo = |token: &str| {
        let answer = ureq::get(&url)
            .header("Authorization", format!("Bearer {token}"))
            .call();
        answer.map(|answer| answer.into_body().read_to_string().unwrap())
    };
    assert!(echo(text(&token)).unwrap().contains(ORG));
    let own = client
        .token(&TokenRequest::default(), &Call::none())
        .unwrap();
    assert!(
        echo(own.access_token()).is_err(),
        "Maskinporten's is not Altinn's"
    );
}

#[test]
fn digdir_is_its_test_organisation_when_it_asks_so() {
    let world = World::new();
    let altinn = world.altinn("bank", &["altinn:serviceowner/instances.read"]);
    let token = exchange(&altinn, TokenExchange::default().as_test_organisation());
    assert_eq!(claims(text(&token))["urn:altinn:org"], "ttd");
    // One is not taken for the other.
    let token = exchange(&altinn, TokenExchange::default());
    assert_eq!(claims(text(&token))["urn:altinn:org"], "digdir");
    let altinn = world.altinn("bank", &["other:one"]);
    let token = exchange(&altinn, TokenExchange::default());
    assert!(claims(text(&token)).get("urn:altinn:org").is_none());
}

#[test]
fn a_token_is_kept_until_a_minute_before_its_end() {
    let world = World::new();
    let client = world.client("bank", &["other:one"]);
    let token = |input: Value| {
        let answer = run(&client, "altinn.exchange_token", &input).unwrap();
        answer["token"].as_str().unwrap().to_owned()
    };
    let asked = || world.simulator.requests().altinn_exchange;
    let first = token(json!({}));
    for _ in 0..3 {
        assert_eq!(token(json!({})), first);
    }
    assert_eq!(asked(), 1);
    world.later(1738);
    assert_eq!(token(json!({})), first);
    world.later(3);
    let second = token(json!({}));
    assert_ne!(second, first);
    assert_eq!(asked(), 2);

    let third = token(json!({"renew": true}));
    assert_ne!(third, second);
    assert_eq!(token(json!({})), third);
    client.forget(None);
    assert_ne!(token(json!({})), third);
    assert_eq!(asked(), 4);
}

#[test]
fn tokens_of_other_requests_are_other_tokens() {
    let world = World::new();
    let client = world.client("bank", &["other:one"]);
    let altinn = |scope: &str| {
        let request = TokenRequest::for_scopes([scope.parse().unwrap()]);
        Altinn::new(client.clone(), request).unwrap()
    };
    let one = exchange(&altinn("other:one"), TokenExchange::default());
    let two = exchange(&altinn("owner:inntekt"), TokenExchange::default());
    assert_eq!(claims(text(&one))["scope"], "other:one");
    assert_eq!(claims(text(&two))["scope"], "owner:inntekt");
    let request = TokenRequest::for_scopes(["other:one".parse().unwrap()]);
    client.forget(Some(&request));
    exchange(&altinn("owner:inntekt"), TokenExchange::default());
    assert_eq!(world.simulator.requests().altinn_exchange, 2);
    exchange(&altinn("other:one"), TokenExchange::default());
    assert_eq!(world.simulator.requests().altinn_exchange, 3);
}

#[test]
fn a_token_that_maskinporten_took_back_is_replaced_once() {
    let world = World::new();
    let client = world.client("bank", &["other:one"]);
    client
        .token(&TokenRequest::default(), &Call::none())
        .unwrap();
    world.simulator.reject_tokens();
    let altinn = Altinn::new(client, TokenRequest::default()).unwrap();
    exchange(&altinn, TokenExchange::default());
    let requests = world.simulator.requests();
    assert_eq!(
        (requests.altinn_exchange, requests.maskinporten_issued),
        (2, 2)
    );
}

#[test]
fn the_body_is_quoted_when_json_is_asked_for() {
    let world = World::new();
    let client = world.client("bank", &["other:one"]);
    let url = format!(
        "{}/authentication/api/v1/exchange/maskinporten",
        world.simulator.urls().altinn
    );
    for (accept, is_quoted) in [("application/json", true), ("text/plain", false)] {
        let request = ApiRequest::new("GET", &url)
            .unwrap()
            .header("Accept", accept)
            .unwrap();
        let answer = request
            .send(&client, TokenRequest::default(), &Call::none())
            .unwrap();
        assert_eq!(answer.body.starts_with(b"\""), is_quoted, "{accept}");
    }
    let other = url.replace("maskinporten", "other");
    let answer = ApiRequest::new("GET", &other).unwrap().send(
        &client,
        TokenRequest::default(),
        &Call::none(),
    );
    assert_eq!(answer.unwrap().status, 400);
}

#[test]
fn the_token_goes_only_where_it_may() {
    let world = World::new();
    let urls = world.simulator.urls();
    let settings = json!({
        "profile": "maskinporten",
        "issuer": urls.maskinporten_issuer,
        "client_id": "bank",
        "kid": "bank-key",
        "scopes": ["other:one"],
        "apis": [urls.api],
        "services": {"altinn": {"base_url": urls.altinn}},
    });
    let settings = segl::profiles::ClientSettings::from_json(&settings.to_string()).unwrap();
    let client = segl::TokenClient::builder(settings)
        .signer(crate::support::signer(&crate::support::rsa_key()))
        .build(&Call::none())
        .unwrap();
    let error = run(&client.into(), "altinn.exchange_token", &json!({})).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ApiNotAllowed);
    assert_eq!(world.simulator.requests().maskinporten_token, 0);
}
