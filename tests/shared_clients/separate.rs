//! What differs in anything that matters is not shared, though Redis and the sealing key
//! are the same.

use std::collections::BTreeSet;

use segl::{TokenClient, TokenRequest};
use serde_json::json;

use crate::support::signer;
use crate::world::{LIFE, World, build, builder, other_key, request, simulator, token};

/// Text and claims of the token that `client` gets for `request`.
fn get(client: &TokenClient, request: &TokenRequest) -> (String, serde_json::Value) {
    let token = client.token(request, &segl::Call::none()).unwrap();
    let claims = segl::jws::decode(token.access_token()).unwrap().claims;
    (token.access_token().to_owned(), claims.into())
}

#[test]
fn clients_keys_scopes_and_environments_never_share() {
    let world = World::new(LIFE);
    let elsewhere = simulator(LIFE, world.clock.clone());
    let settings = world.settings();
    let mut of_two = settings.clone();
    of_two["client_id"] = "two".into();
    of_two["kid"] = "two-a".into();
    let mut by_other_key = settings.clone();
    by_other_key["kid"] = "one-b".into();
    let mut in_other_environment = settings.clone();
    in_other_environment["issuer"] = elsewhere.urls().maskinporten_issuer.as_str().into();
    let mut with_resource = settings.clone();
    with_resource["resource"] = json!(["https://api.example"]);
    let by_other_key = TokenClient::builder(
        segl::profiles::ClientSettings::from_json(&by_other_key.to_string()).unwrap(),
    )
    .signer(signer(&other_key()));
    let clients = [
        world.instance_with(&settings),
        world.instance_with(&of_two),
        build(by_other_key),
        world.instance_with(&in_other_environment),
        build(builder(&with_resource)),
    ];
    let first: Vec<_> = clients
        .iter()
        .map(|client| get(client, &request(0)))
        .collect();
    let other_scope = get(&clients[0], &request(1));
    let both_scopes = TokenRequest::from_json(r#"{"scopes":["a:1","a:0"]}"#).unwrap();
    let both_scopes_text = get(&clients[0], &both_scopes);
    let all: BTreeSet<_> = first
        .iter()
        .chain([&other_scope, &both_scopes_text])
        .map(|(text, _)| text)
        .collect();
    assert_eq!(all.len(), clients.len() + 2, "each has its own");
    assert_eq!(world.redis.names().len(), all.len());
    assert_eq!(world.issued(), all.len() as u64 - 1);
    assert_eq!(elsewhere.requests().maskinporten_issued, 1);
    assert_eq!(first[1].1["client_id"], "two");
    assert_eq!(other_scope.1["scope"], "a:1");
    let elsewhere_issuer = elsewhere.urls().maskinporten_issuer.as_str();
    assert_eq!(first[3].1["iss"], elsewhere_issuer);

    // The same in other words is the same.
    let twin = world.instance_with(&settings);
    let in_other_order = TokenRequest::from_json(r#"{"scopes":["a:0","a:1"]}"#).unwrap();
    assert_eq!(get(&twin, &in_other_order).0, both_scopes_text.0);
    assert_eq!(token(&twin, 0).access_token(), first[0].0);
    assert_eq!(twin.token_health().shared, 2);
    assert_eq!(twin.token_health().requests, 0);
}

#[test]
fn another_sealing_key_or_prefix_is_another_cache() {
    let world = World::new(LIFE);
    let path = world.redis.dir.path().join("other-key");
    std::fs::write(&path, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&path, mode).unwrap();
    let mut other_key = world.settings();
    other_key["shared_cache"]["key"] = path.display().to_string().into();
    let mut other_prefix = world.settings();
    other_prefix["shared_cache"]["prefix"] = "other".into();
    for settings in [world.settings(), other_key, other_prefix] {
        token(&world.instance_with(&settings), 0);
        token(&world.instance_with(&settings), 0);
    }
    assert_eq!(world.issued(), 3);
}
