//! A real Redis that works.

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use segl::token::shared::{ObtainedFrom, RedisStore, SharedStore};
use segl::{Call, ErrorCode};
use serde_json::json;

use crate::redis_server::{Server, send_signal};
use crate::{KEY, ask, ask_at_once, obtain_for, token};

#[test]
fn a_token_is_shared_sealed_for_the_rest_of_its_life() {
    let server = Server::start();
    assert_eq!(ask(&server.instance(), "a").from, ObtainedFrom::Fetched);
    let found = ask(&server.instance(), "never fetched");
    assert_eq!(found.from, ObtainedFrom::Shared);
    assert!(found.token.response_json.contains("secret-a"));
    let names = server.names();
    assert_eq!(names.len(), 1, "the lease was given back: {names:?}");
    assert!(names[0].starts_with("segl:"), "{names:?}");
    let raw: Vec<u8> = server.ask(&["GET", &names[0]]);
    for part in ["secret-a", "access_token", "Bearer"] {
        let is_in = raw
            .windows(part.len())
            .any(|found| found == part.as_bytes());
        assert!(!is_in, "{part}");
    }
    let left: i64 = server.ask(&["PTTL", &names[0]]);
    assert!((3_500_000..=3_601_000).contains(&left), "{left} ms");
}

#[test]
fn every_form_of_url_leads_there() {
    let server = Server::with(&["--requirepass", "p@ss word"]);
    let password = server.dir.path().join("password");
    std::fs::write(&password, "p@ss word\n").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&password, mode).unwrap();
    let socket = server.socket();
    let port = server.port;
    let in_url = server.instance_with(
        json!({ "url": format!("redis://default:p%40ss%20word@127.0.0.1:{port}/3") }),
    );
    ask(&in_url, "a");
    for (url, password) in [
        (format!("redis://127.0.0.1:{port}/3"), Some(&password)),
        (
            format!("redis+unix://{}?db=3", socket.display()),
            Some(&password),
        ),
        (
            format!("redis+unix://{}?db=3&pass=p%40ss+word", socket.display()),
            None,
        ),
    ] {
        let cache = server.instance_with(json!({ "url": url, "password": password }));
        let found = ask(&cache, "never fetched");
        assert_eq!(found.from, ObtainedFrom::Shared, "{url}");
    }
    let store = RedisStore::from_settings(&server.settings(json!({}))).unwrap();
    let error = store.get("a", &Call::none()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Network);
    assert!(error.message().contains("NOAUTH"), "{error}");
    let wrong = format!("redis://:wrong-word@127.0.0.1:{port}");
    let wrong = server.settings(json!({ "url": wrong }));
    let error = RedisStore::from_settings(&wrong)
        .unwrap()
        .get("a", &Call::none());
    assert!(!format!("{error:?}").contains("wrong-word"), "{error:?}");
}

#[test]
fn a_user_needs_these_rights_only() {
    let server = Server::start();
    let rights = "segl on >word ~segl:* +getrange +set +eval +get +type +pttl +del";
    let words: Vec<&str> = ["ACL", "SETUSER"]
        .into_iter()
        .chain(rights.split(' '))
        .collect();
    let _: String = server.ask(&words);
    let url = format!("redis://segl:word@127.0.0.1:{}", server.port);
    let instance = || server.instance_with(json!({ "url": url }));
    let rejected = ask(&instance(), "a").token;
    assert_eq!(server.names().len(), 1, "the lease was given back");
    assert_eq!(ask(&instance(), "b").from, ObtainedFrom::Shared);
    let is_rejected = |found: &_| *found == rejected;
    assert!(instance().forget(KEY, &is_rejected, &Call::none()));
}

/// Not a test: what it costs while all is well, for docs/shared-cache.md.
#[test]
#[ignore = "measures"]
fn costs() {
    let server = Server::start();
    let cache = server.instance();
    ask(&cache, "a");
    for what in ["a shared token", "a fetch"] {
        let mut times: Vec<Duration> = (0..2000_u32)
            .map(|number| {
                let mut key = *KEY;
                if what == "a fetch" {
                    key[..4].copy_from_slice(&number.to_be_bytes());
                }
                let begun = Instant::now();
                let mut fetch = || Ok(token("b"));
                obtain_for(&cache, &key, &mut fetch, &Call::none()).unwrap();
                begun.elapsed()
            })
            .collect();
        times.sort();
        eprintln!("{what}: median {:?}, p99 {:?}", times[1000], times[1980]);
    }
}

#[test]
fn many_instances_fetch_once() {
    for count in [2, 20] {
        let server = Server::start();
        let instances = (0..count).map(|_| server.instance());
        assert_eq!(ask_at_once(instances.collect()), 1, "{count} instances");
    }
}

#[test]
fn connections_end_with_their_instance() {
    let server = Server::start();
    let mut connection = server.connection();
    let mut clients = || -> usize {
        let list: String = redis::cmd("CLIENT")
            .arg("LIST")
            .query(&mut connection)
            .unwrap();
        list.lines().count()
    };
    let own = clients();
    let instances: Vec<_> = (0..3).map(|_| server.instance()).collect();
    for cache in &instances {
        ask(cache, "a");
    }
    assert_eq!(clients(), own + 3);
    drop(instances);
    let until = Instant::now() + Duration::from_secs(30);
    while clients() > own {
        assert!(Instant::now() < until, "connections are left behind");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn only_its_holder_ends_a_lease() {
    let server = Server::start();
    let store = RedisStore::from_settings(&server.settings(json!({}))).unwrap();
    let (call, ttl) = (Call::none(), Duration::from_secs(10));
    assert!(store.try_lease("l", "a", ttl, &call).unwrap());
    assert!(store.try_lease("l", "a", ttl, &call).unwrap(), "has it");
    assert!(!store.try_lease("l", "b", ttl, &call).unwrap());
    store.release("l", "b", &call).unwrap();
    assert!(!store.try_lease("l", "b", ttl, &call).unwrap());
    let left: i64 = server.ask(&["PTTL", "l"]);
    assert!((1..=10_000).contains(&left), "{left} ms");
    store.release("l", "a", &call).unwrap();
    assert!(store.try_lease("l", "b", ttl, &call).unwrap());
    assert!(!store.remove("none", b"x", &call).unwrap());
}

#[test]
fn only_the_rejected_token_is_forgotten() {
    let server = Server::start();
    let cache = server.instance();
    let rejected = ask(&cache, "rejected").token;
    let is_rejected = |found: &_| *found == rejected;
    assert!(cache.forget(KEY, &is_rejected, &Call::none()));
    assert_eq!(server.names().len(), 0);
    ask(&server.instance(), "replacement");
    assert!(!cache.forget(KEY, &is_rejected, &Call::none()));
    assert_eq!(server.names().len(), 1);
}

/// Not a test: the process that the next one kills. It takes the lease and never
/// comes to the end of its fetch.
#[test]
#[ignore = "is started by another test"]
fn holder() {
    let url = std::env::var("SEGL_TEST_URL").unwrap();
    let key = std::env::var("SEGL_TEST_KEY").unwrap();
    let settings = json!({ "url": url, "key": key, "lease_ms": 2000 });
    let settings = serde_json::from_value(settings).unwrap();
    let cache = segl::token::shared::SharedCache::from_settings(&settings).unwrap();
    let mut fetch = || {
        thread::sleep(Duration::from_secs(60));
        Ok(token("too late"))
    };
    obtain_for(&cache, KEY, &mut fetch, &Call::none()).unwrap();
}

#[test]
fn a_killed_holder_delays_the_others_by_its_lease() {
    let server = Server::start();
    let cache = server.instance();
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "redis_store::holder", "--ignored"])
        .env("SEGL_TEST_URL", server.url())
        .env("SEGL_TEST_KEY", server.dir.path().join("key"))
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while server.names().is_empty() {
        assert!(Instant::now() < until, "the holder took no lease");
        thread::sleep(Duration::from_millis(10));
    }
    send_signal(&holder.id().to_string(), "KILL");
    holder.wait().unwrap();
    let begun = Instant::now();
    assert_eq!(ask(&cache, "a").from, ObtainedFrom::Fetched);
    let waited = begun.elapsed();
    eprintln!("waited {waited:?} for a lease of 2 s");
    assert!(waited < Duration::from_secs(8), "{waited:?}");
    assert_eq!(ask(&server.instance(), "b").from, ObtainedFrom::Shared);
}
