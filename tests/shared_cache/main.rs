//! The cache that instances share: what is in it, who fetches, and that nothing that
//! is wrong with its store stops a token.

mod flight;
#[cfg(feature = "redis")]
mod redis_faults;
#[cfg(feature = "redis")]
#[path = "../support/redis_server.rs"]
mod redis_server;
#[cfg(feature = "redis")]
mod redis_store;
#[cfg(feature = "redis")]
mod redis_tls;
mod sealing;
mod settings;
#[path = "../support/memory_store.rs"]
mod store;
#[path = "../support/mod.rs"]
mod support;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Once};
use std::thread;
use std::time::Duration;

use segl::log::{self, Level};
use segl::token::shared::{
    Obtained, ObtainedFrom, SealingKey, SharedCache, SharedStore, SharedToken, obtain,
};
use segl::{Call, Result};
use zeroize::Zeroizing;

/// What tokens are asked for in these tests.
const KEY: &[u8; 32] = &[7; 32];

/// A token that is good for an hour, with `name` in it.
fn token(name: &str) -> SharedToken {
    let now = support::now() * 1000;
    SharedToken {
        response_json: Zeroizing::new(format!(
            "{{\"access_token\":\"secret-{name}\",\"token_type\":\"Bearer\",\"expires_in\":3600}}"
        )),
        requested_at: now,
        expires_at: now + 3_600_000,
    }
}

fn sealing_key(byte: u8) -> SealingKey {
    SealingKey::from_bytes(&[byte; 32]).unwrap()
}

/// One instance of a service.
fn instance(store: &Arc<impl SharedStore + 'static>) -> SharedCache {
    SharedCache::new(Arc::clone(store) as Arc<dyn SharedStore>, sealing_key(1))
}

/// A token by way of `cache`; when it has none, one with `name` is fetched.
fn ask(cache: &SharedCache, name: &str) -> Obtained {
    obtain_for(cache, KEY, &mut || Ok(token(name)), &Call::none()).unwrap()
}

fn obtain_for(
    cache: &SharedCache,
    key: &[u8; 32],
    fetch: &mut dyn FnMut() -> Result<SharedToken>,
    call: &Call,
) -> Result<Obtained> {
    obtain(cache, key, &|_| true, fetch, call)
}

/// Lets every one of `instances` ask at the same moment. How often was fetched, each
/// fetch lasting a while.
fn ask_at_once(instances: Vec<SharedCache>) -> u32 {
    let fetches = AtomicU32::new(0);
    let start = std::sync::Barrier::new(instances.len());
    let answers = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for cache in &instances {
            scope.spawn(|| {
                start.wait();
                let mut fetch = || {
                    let number = fetches.fetch_add(1, Ordering::SeqCst);
                    thread::sleep(Duration::from_millis(200));
                    Ok(token(&number.to_string()))
                };
                let obtained = obtain_for(cache, KEY, &mut fetch, &Call::none()).unwrap();
                answers.lock().unwrap().push(obtained);
            });
        }
    });
    let answers = answers.into_inner().unwrap();
    let fetches = fetches.into_inner();
    assert_eq!(answers.len(), instances.len());
    let fetched = |answer: &&Obtained| answer.from == ObtainedFrom::Fetched;
    let fetched = answers.iter().filter(fetched).count();
    assert_eq!(u32::try_from(fetched).unwrap(), fetches);
    if fetches == 1 {
        assert!(
            answers
                .windows(2)
                .all(|pair| pair[0].token == pair[1].token)
        );
    }
    fetches
}

/// Log records since the first call of this.
fn records() -> Vec<(Level, String)> {
    static RECORDS: Mutex<Vec<(Level, String)>> = Mutex::new(Vec::new());
    static STARTED: Once = Once::new();
    struct Sink;
    impl log::Sink for Sink {
        fn log(&self, level: Level, _target: &'static str, message: &str) {
            let mut records = RECORDS.lock().unwrap();
            records.push((level, message.to_owned()));
        }
    }
    STARTED.call_once(|| log::set_sink(Some(Box::new(Sink)), Level::Debug));
    RECORDS.lock().unwrap().clone()
}

/// How many records of `level` have each of `parts` in them.
fn logged(level: Level, parts: &[&str]) -> usize {
    records()
        .iter()
        .filter(|(at, text)| *at == level && parts.iter().all(|part| text.contains(part)))
        .count()
}
