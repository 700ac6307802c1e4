//! What a cached token costs: from Rust, from eight threads, and through the C
//! ABI, against a map behind `arc-swap` with a fast hash and one coarse clock.

#[path = "../tests/support/mod.rs"]
mod fixtures;
mod support;

use std::collections::HashMap;
use std::ffi::{c_char, c_void};
use std::hint::black_box;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use arc_swap::ArcSwap;
use criterion::{Criterion, criterion_group, criterion_main};
use hashbrown::DefaultHashBuilder;
use libloading::Library;

use fixtures::{ScriptedTransport, json_answer, pem, rsa_key, signer};
use segl::clock::{Clock, SystemClock};
use segl::profiles::ClientSettings;
use segl::{Call, TokenClient, TokenRequest};

const SETTINGS: &str = r#"{"profile":"maskinporten","environment":"test","client_id":"c1","kid":"k1","scopes":["a:b"]}"#;
const REQUEST: &str = r#"{"scopes":["a:b"],"consumer_org":"910753614"}"#;
/// As long as Maskinporten's.
const TOKEN_BYTES: usize = 1200;

fn answer() -> String {
    let token = "a".repeat(TOKEN_BYTES);
    format!(r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":7200,"scope":"a:b"}}"#)
}

/// A client with 64 tokens in its cache.
fn client() -> TokenClient {
    let answers = (0..100).map(|_| json_answer(200, &answer()));
    let client = TokenClient::builder(ClientSettings::from_json(SETTINGS).unwrap())
        .signer(signer(&rsa_key()))
        .transport(ScriptedTransport::answering(answers))
        .build(&Call::none())
        .unwrap();
    for index in 0..64 {
        let request = format!(r#"{{"scopes":["a:{index}"]}}"#);
        let request = TokenRequest::from_json(&request).unwrap();
        client.token(&request, &Call::none()).unwrap();
    }
    client
}

type Entries = HashMap<String, Arc<(String, i64)>, DefaultHashBuilder>;

/// What any such cache does: a map, an entry with its end, a clock.
struct Floor {
    map: ArcSwap<Entries>,
    clock: SystemClock,
}

impl Floor {
    fn new() -> Self {
        let entry = Arc::new(("a".repeat(TOKEN_BYTES), i64::MAX));
        let entries = (0..64).map(|index| (format!("{index:>96}"), Arc::clone(&entry)));
        Self {
            map: ArcSwap::from_pointee(entries.collect()),
            clock: SystemClock,
        }
    }

    fn get(&self, key: &str) -> Option<Arc<(String, i64)>> {
        let map = self.map.load();
        let entry = map.get(key)?;
        (self.clock.moment().steady_ms() < entry.1).then(|| Arc::clone(entry))
    }
}

fn from_rust(criterion: &mut Criterion) {
    let (floor, client) = (Floor::new(), client());
    let key = format!("{:>96}", 7);
    let default = TokenRequest::default();
    let call = Call::none();
    client.token(&default, &call).unwrap();
    support::compare(
        criterion,
        "cached token in Rust, the client's own request, to an arc-swap map",
        || floor.get(&key),
        || client.token(&default, &call).unwrap(),
    );
    let request = TokenRequest::from_json(REQUEST).unwrap();
    client.token(&request, &call).unwrap();
    support::compare(
        criterion,
        "cached token in Rust, a request with scope and consumer, to an arc-swap map",
        || floor.get(&key),
        || client.token(&request, &call).unwrap(),
    );
    eight_threads(
        "cached token in Rust on eight threads, one token for all",
        {
            let (floor, client, key) = (&floor, &client, &key);
            (
                move |_| drop(black_box(floor.get(key))),
                move |_| {
                    drop(black_box(
                        client.token(&TokenRequest::default(), &Call::none()),
                    ))
                },
            )
        },
    );
    let requests: Vec<_> = (0..8)
        .map(|index| {
            let json = format!(r#"{{"scopes":["a:{index}"]}}"#);
            TokenRequest::from_json(&json).unwrap()
        })
        .collect();
    let keys: Vec<_> = (0..8).map(|index| format!("{index:>96}")).collect();
    eight_threads("cached token in Rust on eight threads, a token each", {
        let (floor, client, requests, keys) = (&floor, &client, &requests, &keys);
        (
            move |thread: usize| drop(black_box(floor.get(&keys[thread]))),
            move |thread: usize| {
                drop(black_box(client.token(&requests[thread], &Call::none())));
            },
        )
    });
}

/// Prints the ratio of the time that one operation takes a thread while eight run.
fn eight_threads(name: &str, (floor, ours): (impl Fn(usize) + Sync, impl Fn(usize) + Sync)) {
    let mut rounds = Vec::new();
    for _ in 0..15 {
        rounds.push((timed(&floor), timed(&ours)));
    }
    support::print_ratio(name, &rounds);
}

/// Seconds of wall time that an operation takes on each of eight threads.
fn timed(work: &(impl Fn(usize) + Sync)) -> f64 {
    const EACH: u32 = 40_000;
    let go = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|thread| {
                let go = &go;
                scope.spawn(move || {
                    while !go.load(Ordering::Acquire) {
                        std::thread::yield_now();
                    }
                    let begin = Instant::now();
                    for _ in 0..EACH {
                        work(thread);
                    }
                    begin.elapsed().as_secs_f64() / f64::from(EACH)
                })
            })
            .collect();
        go.store(true, Ordering::Release);
        let times = threads.into_iter().map(|thread| thread.join().unwrap());
        times.sum::<f64>() / 8.0
    })
}

#[repr(C)]
struct Bytes {
    data: *mut u8,
    len: usize,
    cap: usize,
}

#[repr(C)]
struct SeglToken {
    struct_size: usize,
    access_token: Bytes,
    response_json: Bytes,
    expires_at_ms: i64,
    flags: u32,
    reserved: u32,
    generation: u64,
}

#[allow(unsafe_code)]
impl SeglToken {
    fn new() -> Self {
        // SAFETY: integers and pointers, for which zero is a value.
        let mut token: Self = unsafe { std::mem::zeroed() };
        token.struct_size = size_of::<Self>();
        token
    }
}

type Error = *mut c_void;
type Handle = *mut c_void;
type AbiVersion = unsafe extern "C" fn() -> u32;
type FromBytes = unsafe extern "C" fn(*const u8, usize, *const u8, usize, *mut Handle) -> Error;
type ClientNew = unsafe extern "C" fn(*const ClientParams, *const c_void, *mut Handle) -> Error;
type IfNewer =
    unsafe extern "C" fn(Handle, *const c_char, usize, u64, *const c_void, *mut SeglToken) -> Error;
type TokenFree = unsafe extern "C" fn(*mut SeglToken);

#[repr(C)]
struct ClientParams {
    struct_size: usize,
    config_json: *const c_char,
    config_json_len: usize,
    signer: Handle,
}

/// Through the shared library, with a token from an endpoint on loopback.
#[allow(unsafe_code)]
fn through_the_c_abi(criterion: &mut Criterion) {
    let path = support::release_folder().join("libsegl.so");
    // SAFETY: the library is segl's own, stays loaded, and its functions have
    // the types that include/segl.h declares.
    let (abi_version, from_bytes, client_new, if_newer, token_free) = unsafe {
        let library: &'static Library = Box::leak(Box::new(Library::new(&path).unwrap()));
        (
            *library.get::<AbiVersion>(b"segl_abi_version").unwrap(),
            *library.get::<FromBytes>(b"segl_signer_from_bytes").unwrap(),
            *library.get::<ClientNew>(b"segl_client_new").unwrap(),
            *library
                .get::<IfNewer>(b"segl_client_token_if_newer")
                .unwrap(),
            *library.get::<TokenFree>(b"segl_token_free").unwrap(),
        )
    };
    let port = support::token_endpoint(answer());
    let settings = format!(
        r#"{{"profile":"maskinporten","issuer":"http://127.0.0.1:{port}/","client_id":"c1","kid":"k1","scopes":["a:b"]}}"#
    );
    let key = pem(&rsa_key());
    let (mut signer, mut client) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: every pointer is valid for the length beside it.
    unsafe {
        assert!(from_bytes(key.as_ptr(), key.len(), ptr::null(), 0, &mut signer).is_null());
        let params = ClientParams {
            struct_size: size_of::<ClientParams>(),
            config_json: settings.as_ptr().cast(),
            config_json_len: settings.len(),
            signer,
        };
        assert!(client_new(&params, ptr::null(), &mut client).is_null());
    }
    let get = |json: &str, generation: u64| {
        let mut token = SeglToken::new();
        let (data, len) = match json {
            "" => (ptr::null(), 0),
            json => (json.as_ptr(), json.len()),
        };
        // SAFETY: every pointer is valid for the length beside it; what the
        // token holds is freed once.
        unsafe {
            let error = if_newer(
                client,
                data.cast(),
                len,
                generation,
                ptr::null(),
                &mut token,
            );
            assert!(error.is_null());
            assert_eq!(token.access_token.data.is_null(), generation != 0);
            let generation = token.generation;
            if token.access_token.len != 0 {
                token_free(&mut token);
            }
            generation
        }
    };
    // SAFETY: it takes nothing.
    let empty = || unsafe { abi_version() };
    let floor = Floor::new();
    let map_key = format!("{:>96}", 7);
    let copied = || floor.get(&map_key).map(|entry| entry.0.clone());
    for (what, json) in [
        ("the client's own request", ""),
        ("a request in JSON", REQUEST),
    ] {
        let generation = get(json, 0);
        support::compare(
            criterion,
            &format!(
                "cached token through the C ABI, copied and freed, {what}, to an arc-swap map and a copy"
            ),
            copied,
            || get(json, 0),
        );
        support::compare(
            criterion,
            &format!("cached token through the C ABI, unchanged, {what}, to an empty call"),
            empty,
            || get(json, generation),
        );
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).measurement_time(std::time::Duration::from_secs(1));
    targets = from_rust, through_the_c_abi
}
criterion_main!(benches);
