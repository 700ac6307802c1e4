//! The administration API's client against the simulator, over HTTP, with a
//! clock that the test moves.

use std::sync::Arc;

use openssl::pkey::{PKey, Private};
use segl::apis::{KeyChange, RegisteredKeys, SelfService, WantedKey};
use segl::clock::Clock;
use segl::profiles::{ClientId, Environment};
use segl::simulator::{Outage, OutageKind};
use segl::{Call, ErrorCode};
use serde_json::json;

use crate::support::{ScriptedTransport, builder, json_answer, now, rsa_key, signer};
use crate::world::{DAY, NEW_KEY, OLD_KEY, World, bank, jwk, wanted};

fn read(api: &SelfService) -> RegisteredKeys {
    api.registered_keys(&bank(), &Call::none()).unwrap()
}

fn register(world: &World, api: &SelfService, keys: &[WantedKey], remove: &[&str]) {
    let remove: Vec<_> = remove.iter().map(|kid| (*kid).to_owned()).collect();
    let change = KeyChange::plan(&read(api), keys, &remove, world.clock.now()).unwrap();
    api.replace_keys(&bank(), change.jwks(), &Call::none())
        .unwrap();
}

fn kids(keys: &RegisteredKeys) -> Vec<&str> {
    keys.keys.iter().map(|key| key.kid.as_str()).collect()
}

#[test]
fn the_first_key_of_a_client_gets_tokens_at_once() {
    let world = World::new();
    let api = world.admin();
    assert_eq!(read(&api), RegisteredKeys::default());
    register(&world, &api, &[wanted("old", &OLD_KEY)], &[]);
    let keys = read(&api);
    assert_eq!(kids(&keys), ["old"]);
    assert!(keys.created.is_some() && keys.last_updated.is_some());
    assert_eq!(keys.keys[0].exp, Some(world.clock.now().plus(365 * DAY)));
    assert_eq!(
        keys.keys[0].public_key().as_ref(),
        Some(signer(&OLD_KEY).public_key())
    );
    world.token("old", &OLD_KEY).unwrap();
}

#[test]
fn keys_overlap_until_the_old_one_is_removed() {
    let world = World::with("[maskinporten]\npropagation_seconds = 120");
    let api = world.admin();
    register(&world, &api, &[wanted("old", &OLD_KEY)], &[]);
    world.later(120);
    world.token("old", &OLD_KEY).unwrap();

    register(&world, &api, &[wanted("new", &NEW_KEY)], &[]);
    assert_eq!(kids(&read(&api)), ["old", "new"]);
    world.token("old", &OLD_KEY).unwrap();
    let early = world.token("new", &NEW_KEY).unwrap_err();
    assert!(
        early.message().contains("Unknown key identifier (kid)"),
        "{early}"
    );
    world.later(120);
    world.token("old", &OLD_KEY).unwrap();
    world.token("new", &NEW_KEY).unwrap();

    register(&world, &api, &[wanted("new", &NEW_KEY)], &["old"]);
    assert_eq!(kids(&read(&api)), ["new"]);
    world.token("new", &NEW_KEY).unwrap();
    let gone = world.token("old", &OLD_KEY).unwrap_err();
    assert_eq!(gone.code(), ErrorCode::TokenKidUnknown);
    assert!(
        gone.message().contains("Unknown key identifier (kid)"),
        "{gone}"
    );
}

#[test]
fn a_key_expires_after_a_year_unless_it_is_registered_again() {
    let world = World::new();
    let api = world.admin();
    let keys = [wanted("old", &OLD_KEY)];
    register(&world, &api, &keys, &[]);
    world.later(364 * DAY);
    register(&world, &api, &keys, &[]);
    world.later(365 * DAY);
    world.token("old", &OLD_KEY).unwrap();
    world.later(1);
    let error = world.token("old", &OLD_KEY).unwrap_err();
    assert_eq!(error.details().provider_code.as_deref(), Some("MP-121"));
    assert!(read(&api).keys[0].is_expired(world.clock.now()));
    register(&world, &api, &keys, &[]);
    world.token("old", &OLD_KEY).unwrap();
}

#[test]
fn what_the_api_refuses_is_an_error_that_says_why() {
    let world = World::new();
    let api = world.admin();
    let replace = |keys: Vec<serde_json::Value>| {
        let keys = keys.into_iter().map(|jwk| jwk.as_object().unwrap().clone());
        api.replace_keys(&bank(), keys.collect(), &Call::none())
            .unwrap_err()
    };
    let mut without_use = jwk("old", &OLD_KEY);
    without_use.as_object_mut().unwrap().remove("use");
    let six = (0..6).map(|n| jwk(&format!("k{n}"), &OLD_KEY)).collect();
    for (keys, problem) in [
        (vec![without_use], "\"use\""),
        (vec![jwk("strangers-key", &OLD_KEY)], "in use already"),
        (six, "at most 5"),
        (vec![], "empty"),
    ] {
        let error = replace(keys);
        assert_eq!(error.code(), ErrorCode::ApiRefused, "{error}");
        assert!(error.message().contains(problem), "{error}");
        assert_eq!(error.details().http_status, Some(400));
        let trace_id = error.details().trace_id.clone().unwrap();
        assert!(error.message().contains(&trace_id), "{error}");
        assert!(!error.retryable());
    }
    assert_eq!(read(&api), RegisteredKeys::default());
}

#[test]
fn who_may_not_is_told_so() {
    let world = World::new();
    let call = Call::none();
    let reader = world.self_service(world.admin_client(json!(["idporten:dcr.read"])));
    reader.registered_keys(&bank(), &call).unwrap();
    let error = reader.remove_keys(&bank(), &call).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ApiForbidden);
    assert!(error.message().contains("scope"), "{error}");

    for id in ["nobody", "stranger", "a/../b"] {
        let id: ClientId = id.parse().unwrap();
        let error = world.admin().registered_keys(&id, &call).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ApiNotFound, "{error}");
    }

    let other = World::new();
    let error = other
        .self_service(world.admin_client(json!(["idporten:dcr.read"])))
        .registered_keys(&bank(), &call)
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::ApiUnauthorized);
    assert_eq!(other.simulator.requests().self_service, 2);
}

#[test]
fn faults_of_the_api_are_told_apart() {
    let world = World::new();
    let api = world.admin();
    let fails = |kind: OutageKind| {
        let mut outage = Outage::new(kind);
        outage.path = Some("/self-service/api/v1/clients/bank/jwks".into());
        outage.retry_after = 7;
        world.simulator.set_outage(Some(outage));
        api.registered_keys(&bank(), &Call::none()).unwrap_err()
    };
    let error = fails(OutageKind::ServiceUnavailable);
    assert_eq!(
        (error.code(), error.retryable()),
        (ErrorCode::ApiServer, true)
    );
    let error = fails(OutageKind::TooManyRequests);
    assert_eq!(
        (error.code(), error.retryable()),
        (ErrorCode::ApiRateLimited, true)
    );
    assert_eq!(error.details().retry_after.unwrap().as_secs(), 7);
    for kind in [OutageKind::Html, OutageKind::WrongContent] {
        let error = fails(kind);
        assert_eq!(
            (error.code(), error.retryable()),
            (ErrorCode::ApiBadResponse, false),
            "{kind:?}"
        );
    }
    assert_eq!(fails(OutageKind::Cut).code(), ErrorCode::Network);
}

#[test]
fn removing_all_keys_leaves_none() {
    let world = World::new();
    let api = world.admin();
    register(&world, &api, &[wanted("old", &OLD_KEY)], &[]);
    api.remove_keys(&bank(), &Call::none()).unwrap();
    assert_eq!(read(&api), RegisteredKeys::default());
    assert!(world.token("old", &OLD_KEY).is_err());
}

#[test]
fn the_environments_are_digdirs() {
    let prod = SelfService::base_url(Environment::Prod);
    assert_eq!(prod, "https://api.samarbeid.digdir.no/api/v1");
    let test = SelfService::base_url(Environment::Test);
    assert_eq!(test, "https://api.test.samarbeid.digdir.no/api/v1");
}

/// An API that gives these answers, after one token.
pub fn scripted(answers: &[(u16, &str)]) -> SelfService {
    let token = r#"{"access_token":"t","token_type":"Bearer","expires_in":120}"#;
    let answers = answers
        .iter()
        .map(|(status, body)| json_answer(*status, body));
    let key: PKey<Private> = rsa_key();
    let settings = json!({
        "profile": "maskinporten", "environment": "test", "client_id": "admin", "kid": "k",
        "scopes": ["idporten:dcr.read"],
    });
    let admin = builder(&settings.to_string(), signer(&key), now())
        .transport(ScriptedTransport::answering(
            [json_answer(200, token)].into_iter().chain(answers),
        ))
        .build(&Call::none())
        .unwrap();
    SelfService::new(Arc::new(admin), &"https://api.example/v1/".parse().unwrap())
}

#[test]
fn what_the_api_need_not_say_is_optional() {
    let read = |answers: &[(u16, &str)]| scripted(answers).registered_keys(&bank(), &Call::none());
    assert_eq!(read(&[(200, "{}")]).unwrap(), RegisteredKeys::default());
    assert_eq!(
        read(&[(404, ""), (200, "{}")]).unwrap(),
        RegisteredKeys::default()
    );
    let error = read(&[(404, ""), (404, "")]).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ApiNotFound);

    let keys = read(&[(
        200,
        r#"{"keys":[{"kid":"a","exp":1800000000,"x5c":["AA=="],"nbf":null,"created":"x"},
            {"kid":"b","exp":"1800000001"},{"kid":"c"}],"unknown":1}"#,
    )])
    .unwrap();
    let exps: Vec<_> = keys
        .keys
        .iter()
        .map(|key| key.exp.map(|exp| exp.seconds()))
        .collect();
    assert_eq!(exps, [Some(1_800_000_000), Some(1_800_000_001), None]);
    let members: Vec<_> = keys.keys[0].jwk.keys().collect();
    assert_eq!(
        members,
        ["kid", "x5c"],
        "only what belongs to the key is sent back"
    );

    for bad in ["[]", r#"{"keys":[{"kty":"RSA"}]}"#, r#"{"keys":{}}"#, "x"] {
        let error = read(&[(200, bad)]).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ApiBadResponse, "{bad}");
    }
}
