//! A real Redis that does not work: killed, hung, full, a replica, or with something
//! else in the place of a token. No call fails, and none waits for long.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use segl::Call;
use segl::log::Level;
use segl::token::shared::{ObtainedFrom, SharedCache};
use serde_json::json;

use crate::redis_server::{Server, free_port};
use crate::{KEY, ask, logged, obtain_for, records, token};

/// What a hung store may cost one call is 250 ms; the rest is for a machine that is
/// busy.
const BOUND: Duration = Duration::from_secs(3);

/// How long one call takes, and where its token came from.
fn timed(cache: &SharedCache, key: u8) -> (Duration, ObtainedFrom) {
    let begun = Instant::now();
    let mut fetch = || Ok(token("alone"));
    let obtained = obtain_for(cache, &[key; 32], &mut fetch, &Call::none()).unwrap();
    (begun.elapsed(), obtained.from)
}

/// Asks until the store is used again.
fn wait_until_shared(cache: &SharedCache) {
    let until = Instant::now() + Duration::from_secs(90);
    while ask(cache, "until it is back").from != ObtainedFrom::Shared {
        assert!(Instant::now() < until, "the store is not used again");
        thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn one_that_is_killed_under_load_fails_no_call_and_is_used_again() {
    records();
    let mut server = Server::start();
    let instances: Vec<_> = (0..4).map(|_| server.instance()).collect();
    let is_over = AtomicBool::new(false);
    let calls = AtomicU32::new(0);
    let slowest = thread::scope(|scope| {
        let load = |cache| {
            let (is_over, calls) = (&is_over, &calls);
            scope.spawn(move || {
                let mut slowest = Duration::ZERO;
                for key in (0..=255).cycle() {
                    if is_over.load(Ordering::SeqCst) {
                        break;
                    }
                    slowest = slowest.max(timed(cache, key).0);
                    calls.fetch_add(1, Ordering::SeqCst);
                }
                slowest
            })
        };
        let threads: Vec<_> = instances.iter().map(load).collect();
        thread::sleep(Duration::from_millis(500));
        server.kill();
        thread::sleep(Duration::from_millis(500));
        server.restart();
        for cache in &instances {
            wait_until_shared(cache);
        }
        is_over.store(true, Ordering::SeqCst);
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .max()
    });
    let slowest = slowest.unwrap();
    let calls = calls.into_inner();
    eprintln!("killed: {calls} calls, the slowest {slowest:?}");
    assert!(calls > 100, "{calls} calls");
    assert!(slowest < BOUND, "{slowest:?}");
    let address = server.url().replace("redis://", "");
    let count = |level, text| logged(level, &[&address, text]);
    assert_eq!(count(Level::Warn, "does not work"), 4, "one an instance");
    assert_eq!(count(Level::Info, "works again"), 4, "one an instance");
}

#[test]
fn one_that_hangs_costs_its_time_once() {
    let server = Server::start();
    let cache = server.instance_with(json!({ "timeout_ms": 250 }));
    ask(&cache, "a");
    server.signal("STOP");
    let (first, from) = timed(&cache, 1);
    assert_eq!(from, ObtainedFrom::Fetched);
    let begun = Instant::now();
    for key in 2..=100 {
        assert_eq!(timed(&cache, key).1, ObtainedFrom::Fetched);
    }
    let others = begun.elapsed();
    // One that was never connected: the connection is made, and nothing answers.
    let (new, from) = timed(&server.instance_with(json!({ "timeout_ms": 250 })), 1);
    assert_eq!(from, ObtainedFrom::Fetched);
    eprintln!("hung: the first call {first:?}, 99 more {others:?}, a new instance {new:?}");
    assert!(first >= Duration::from_millis(200), "{first:?}");
    assert!(first < BOUND && new < BOUND, "{first:?} {new:?}");
    assert!(others < BOUND, "{others:?}");
    server.signal("CONT");
    wait_until_shared(&cache);
}

#[test]
fn a_call_with_less_time_than_a_question_is_not_held_up() {
    let server = Server::start();
    server.signal("STOP");
    let cache = server.instance_with(json!({ "timeout_ms": 5000 }));
    let begun = Instant::now();
    let call = Call::within(Duration::from_secs(2));
    let mut fetch = || call.check("fetching").map(|()| token("a"));
    let obtained = obtain_for(&cache, KEY, &mut fetch, &call).unwrap();
    assert_eq!(obtained.from, ObtainedFrom::Fetched);
    assert!(begun.elapsed() < BOUND, "{:?}", begun.elapsed());
    server.signal("CONT");
}

#[test]
fn nobody_there_costs_next_to_nothing() {
    let server = Server::start();
    let url = format!("redis://127.0.0.1:{}", free_port());
    let cache = server.instance_with(json!({ "url": url }));
    let begun = Instant::now();
    for key in 0..100 {
        assert_eq!(timed(&cache, key).1, ObtainedFrom::Fetched);
    }
    eprintln!("nobody there: 100 calls {:?}", begun.elapsed());
    assert!(begun.elapsed() < BOUND, "{:?}", begun.elapsed());
}

#[test]
fn one_that_closes_idle_connections_is_no_outage() {
    records();
    let server = Server::start();
    let cache = server.instance();
    ask(&cache, "a");
    let _: i64 = server.ask(&["CLIENT", "KILL", "TYPE", "normal"]);
    assert_eq!(ask(&cache, "b").from, ObtainedFrom::Shared);
    let address = server.url().replace("redis://", "");
    assert_eq!(logged(Level::Warn, &[&address]), 0);
}

#[test]
fn something_else_in_the_place_of_a_token_is_replaced() {
    let server = Server::start();
    let cache = server.instance();
    ask(&cache, "a");
    let name = server.names()[0].clone();
    let lease = format!("{name}:lease");
    let big = "x".repeat(1_000_000);
    let places: [&[&str]; 4] = [
        &["SET", &name, "garbage"],
        &["SET", &name, &big],
        &["RPUSH", &name, "a", "list"],
        &["SETRANGE", &name, "20", "changed"],
    ];
    for bad in places {
        if bad[0] == "RPUSH" {
            let _: i64 = server.ask(&["DEL", &name]);
        }
        let _: redis::Value = server.ask(bad);
        // What is in the place of the lease is none: it does not end.
        let _: i64 = server.ask(&["DEL", &lease]);
        let _: redis::Value = server.ask(&["RPUSH", &lease, "a", "list"]);
        let begun = Instant::now();
        assert_eq!(ask(&cache, "b").from, ObtainedFrom::Fetched, "{}", bad[0]);
        assert_eq!(ask(&cache, "c").from, ObtainedFrom::Shared, "{}", bad[0]);
        assert!(begun.elapsed() < BOUND, "{:?}", begun.elapsed());
        assert_eq!(server.names(), [name.as_str()], "no lease is left");
    }
    let _: redis::Value = server.ask(&["SET", &name, "garbage"]);
    let _: redis::Value = server.ask(&["SET", &lease, "for ever"]);
    let (time, from) = {
        let begun = Instant::now();
        let from = ask(&cache, "d").from;
        (begun.elapsed(), from)
    };
    assert_eq!(from, ObtainedFrom::Fetched);
    assert!(time < BOUND, "{time:?}");
}

#[test]
fn one_that_is_full_or_a_replica_costs_no_token() {
    records();
    for refusal in ["OOM", "READONLY"] {
        let server = Server::start();
        let cache = server.instance();
        let set = |full| match (refusal, full) {
            ("OOM", true) => server.ask::<String>(&["CONFIG", "SET", "maxmemory", "1"]),
            ("OOM", false) => server.ask(&["CONFIG", "SET", "maxmemory", "0"]),
            (_, true) => {
                let nobody = free_port().to_string();
                server.ask(&["REPLICAOF", "127.0.0.1", &nobody])
            }
            (_, false) => server.ask(&["REPLICAOF", "NO", "ONE"]),
        };
        set(true);
        let begun = Instant::now();
        for key in 0..50 {
            assert_eq!(timed(&cache, key).1, ObtainedFrom::Fetched, "{refusal}");
        }
        eprintln!("{refusal}: 50 calls {:?}", begun.elapsed());
        assert!(begun.elapsed() < BOUND, "{:?}", begun.elapsed());
        thread::sleep(Duration::from_millis(1500));
        assert_eq!(timed(&cache, 50).1, ObtainedFrom::Fetched, "{refusal}");
        let address = server.url().replace("redis://", "");
        let warnings = logged(Level::Warn, &[&address, refusal]);
        assert_eq!(warnings, 1, "one an outage, {refusal}");
        set(false);
        wait_until_shared(&cache);
        let again = logged(Level::Info, &[&address, "works again"]);
        assert_eq!(again, 1, "one an outage, {refusal}");
    }
}

#[test]
fn one_that_answers_nonsense_or_byte_by_byte_costs_its_time_once() {
    let server = Server::start();
    let nonsense: [&[u8]; 4] = [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"$99999999999999999999\r\n",
        b"$100000000\r\nendless",
        b"-ERR unknown command 'GETRANGE', with args beginning with: 'secret-text'\r\n",
    ];
    for answer in nonsense {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                thread::spawn(move || {
                    let mut question = [0; 512];
                    let _ = stream.read(&mut question);
                    let mut rest = answer.iter().chain(std::iter::repeat(&b'x'));
                    while stream.write_all(&[*rest.next().unwrap()]).is_ok() {
                        thread::sleep(Duration::from_millis(1));
                    }
                });
            }
        });
        records();
        let url = format!("redis://127.0.0.1:{port}");
        let cache = server.instance_with(json!({ "url": url, "timeout_ms": 250 }));
        let (time, from) = timed(&cache, 1);
        eprintln!("nonsense: {time:?}");
        assert_eq!(from, ObtainedFrom::Fetched);
        assert!(time < BOUND, "{time:?}");
        assert_eq!(timed(&cache, 2).1, ObtainedFrom::Fetched);
        let address = format!("127.0.0.1:{port}");
        assert_eq!(logged(Level::Warn, &[&address, "does not work"]), 1);
        assert_eq!(logged(Level::Warn, &[&address, "secret-text"]), 0);
    }
}
