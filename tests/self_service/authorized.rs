//! Requests with a token: when a refused one is replaced, and how often.

use std::sync::{Arc, Barrier, Mutex};

use segl::apis::Authorized;
use segl::http::{Method, Request, Response, Transport, TransportSettings, UreqTransport};
use segl::profiles::ClientSettings;
use segl::{Call, Result, TokenClient, TokenRequest};
use serde_json::{Value, json};

use crate::support::signer;
use crate::world::{ADMIN_KEY, ORG, World, jwk};

fn echo(world: &World) -> Request {
    Request::new(Method::Get, world.simulator.urls().api.parse().unwrap())
}

fn send(world: &World, api: &Authorized) -> (u16, Value) {
    let answer = api.send(&echo(world), &Call::none()).unwrap();
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

#[test]
fn one_token_serves_many_requests() {
    let world = World::new();
    let api = world.authorized();
    let (status, first) = send(&world, &api);
    assert_eq!((status, &first["scope"]), (200, &json!("some:other")));
    assert_eq!(send(&world, &api).1["jti"], first["jti"]);
    assert_eq!(world.simulator.requests().maskinporten_issued, 1);
}

#[test]
fn a_refused_token_is_replaced_exactly_once() {
    let world = World::new();
    let api = world.authorized();
    let (_, first) = send(&world, &api);
    assert_eq!(world.simulator.reject_tokens(), 1);
    let (status, second) = send(&world, &api);
    assert_eq!(status, 200);
    assert_ne!(first["jti"], second["jti"]);
    send(&world, &api);
    let requests = world.simulator.requests();
    assert_eq!(
        (requests.maskinporten_issued, requests.api_unauthorized),
        (2, 1)
    );
}

#[test]
fn many_threads_with_one_refused_token_all_get_their_answer() {
    let world = World::new();
    let api = world.authorized();
    send(&world, &api);
    world.simulator.reject_tokens();
    let barrier = Barrier::new(8);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                barrier.wait();
                assert_eq!(send(&world, &api).0, 200);
            });
        }
    });
    let requests = world.simulator.requests();
    assert!((1..=8).contains(&requests.api_unauthorized), "{requests:?}");
    assert_eq!(requests.maskinporten_issued, 2, "{requests:?}");
}

#[test]
fn an_api_that_takes_no_token_is_asked_twice_and_not_for_ever() {
    let (world, other) = (World::new(), World::new());
    let answer = world
        .authorized()
        .send(&echo(&other), &Call::none())
        .unwrap();
    assert_eq!(answer.status, 401);
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(challenge.contains("invalid_token"), "{challenge}");
    assert_eq!(other.simulator.requests().api, 2);
    assert_eq!(world.simulator.requests().maskinporten_issued, 2);
}

#[test]
fn an_api_that_takes_no_token_costs_two_however_often_it_is_asked() {
    let (world, other) = (World::new(), World::new());
    let api = world.authorized();
    for _ in 0..50 {
        let answer = api.send(&echo(&other), &Call::none()).unwrap();
        assert_eq!(answer.status, 401);
    }
    assert_eq!(world.simulator.requests().maskinporten_issued, 2);
    assert_eq!(other.simulator.requests().api, 51);
}

#[test]
fn tokens_of_one_second_and_of_two_hours_serve() {
    for (lifetime, step, most) in [(1, 1, 5), (7200, 1200, 1)] {
        let world = World::new();
        let client = json!({
            "client_id": "admin", "orgno": ORG, "scopes": ["some:other"],
            "jwks": [jwk("admin-key", &ADMIN_KEY)], "access_token_lifetime": lifetime,
        });
        let url = format!("{}/maskinporten/clients", world.simulator.urls().admin);
        let request = Request::new(Method::Post, url.parse().unwrap()).json(&client);
        let transport = UreqTransport::new(TransportSettings::default());
        assert_eq!(transport.send(&request, &Call::none()).unwrap().status, 201);
        let api = world.authorized();
        for _ in 0..5 {
            assert_eq!(send(&world, &api).0, 200);
            world.later(step);
        }
        let requests = world.simulator.requests();
        assert_eq!(requests.api_unauthorized, 0);
        assert!(
            (1..=most).contains(&requests.maskinporten_issued),
            "{requests:?}"
        );
    }
}

#[test]
fn the_body_is_sent_again_too() {
    let world = World::new();
    let api = world.authorized();
    send(&world, &api);
    world.simulator.reject_tokens();
    let url = world.simulator.urls().api.parse().unwrap();
    let request = Request::new(Method::Post, url).json(&json!({ "x": 1 }));
    let answer = api.send(&request, &Call::none()).unwrap();
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!((answer.status, &body["method"]), (200, &json!("POST")));
}

/// Runs `between` once, before the first request to the API goes out.
struct Interrupted {
    inner: UreqTransport,
    between: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl std::fmt::Debug for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Interrupted")
    }
}

impl Transport for Interrupted {
    fn send(&self, request: &Request, call: &Call) -> Result<Response> {
        if request.url.as_str().contains("/api/") {
            let between = self.between.lock().unwrap().take();
            if let Some(between) = between {
                between();
            }
        }
        self.inner.send(request, call)
    }
}

#[test]
fn a_token_that_another_thread_got_meanwhile_is_not_given_up() {
    let world = Arc::new(World::new());
    let transport = Arc::new(Interrupted {
        inner: UreqTransport::new(TransportSettings::default()),
        between: Mutex::default(),
    });
    let settings = json!({
        "profile": "maskinporten",
        "issuer": world.simulator.urls().maskinporten_issuer,
        "client_id": "admin",
        "kid": "admin-key",
        "scopes": ["some:other"],
    });
    let client = TokenClient::builder(ClientSettings::from_json(&settings.to_string()).unwrap())
        .signer(signer(&ADMIN_KEY))
        .clock(world.clock.clone())
        .transport(transport.clone())
        .build(&Call::none())
        .unwrap();
    let client = Arc::new(client);
    let api = Authorized::new(client.clone(), TokenRequest::default());
    send(&world, &api);

    // While this request is on its way with the first token, that token is
    // revoked, and another thread notices and gets the second one.
    let meanwhile = (world.clone(), client.clone());
    *transport.between.lock().unwrap() = Some(Box::new(move || {
        let (world, client) = meanwhile;
        world.simulator.reject_tokens();
        client.forget(None);
        client
            .token(&TokenRequest::default(), &Call::none())
            .unwrap();
    }));
    let (status, answer) = send(&world, &api);
    assert_eq!(status, 200);
    let requests = world.simulator.requests();
    assert_eq!(requests.maskinporten_issued, 2, "the second token is used");
    assert_eq!(requests.api_unauthorized, 1);
    assert_eq!(send(&world, &api).1["jti"], answer["jti"]);
}
