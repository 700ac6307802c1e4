//! Servers that err or mean harm: the answer is an error in time, or whole.

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use openssl::ssl::ShutdownResult;
use segl::http::{Method, Request, Response};
use segl::{Call, CancelToken, ErrorCode, Result, TokenClient};
use serde_json::json;

use crate::scripted_server::{answer, listen, request, say, serve};
use crate::support::{p256_key, signer};
use crate::{client, world};

fn visitor() -> TokenClient {
    let own = signer(&p256_key());
    client(&world().tls(&*own, "visitor"), Some(own)).unwrap()
}

/// Sends a request on a connection that may be kept.
fn send(client: &TokenClient, method: Method, url: &str) -> Result<Response> {
    let mut request = Request::new(method, url.parse()?);
    if method == Method::Post {
        request = request.json(&json!({}));
    }
    let limit = Call::within(Duration::from_secs(20));
    client.transport().send(&request, &limit)
}

fn text(answer: Result<Response>) -> String {
    String::from_utf8(answer.unwrap().body.to_vec()).unwrap()
}

/// The end of TLS is what tells a whole body of unknown length from a cut one.
#[test]
fn a_body_of_unknown_length_ends_with_tls_or_is_an_error() {
    let client = visitor();
    let head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    let whole = serve(move |_, stream| {
        request(stream, 0);
        say(stream, &format!("{head}all of it"));
        assert_eq!(stream.shutdown().unwrap(), ShutdownResult::Sent);
        stream.get_mut().flush().unwrap();
    });
    assert_eq!(text(send(&client, Method::Get, &whole)), "all of it");
    let cut = serve(move |_, stream| {
        request(stream, 0);
        say(stream, &format!("{head}all of"));
    });
    let error = send(&client, Method::Get, &cut).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Network, "{error}");
    assert!(error.message().contains("cut short"), "{error}");
    assert!(error.retryable());
    // A length or chunks tell it too.
    for (framed, is_whole) in [
        ("Content-Length: 4\r\n\r\nbody", true),
        ("Content-Length: 5\r\n\r\nbody", false),
        (
            "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
            true,
        ),
        ("Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n", false),
    ] {
        let url = serve(move |_, stream| {
            request(stream, 0);
            say(stream, &format!("HTTP/1.1 200 OK\r\n{framed}"));
        });
        match send(&client, Method::Get, &url) {
            Ok(answer) => {
                assert!(is_whole, "{framed}");
                assert_eq!(*answer.body, b"body");
            }
            Err(error) => {
                assert!(!is_whole, "{framed}: {error}");
                assert_eq!(error.code(), ErrorCode::Network, "{error}");
            }
        }
    }
}

#[test]
fn what_follows_an_answer_is_never_the_next_answer() {
    let client = visitor();
    for is_one_record in [true, false] {
        let url = serve(move |number, stream| {
            while request(stream, 0).is_some() {
                let good = answer(&format!("connection {number}"));
                let more = answer("of nobody's request");
                if is_one_record {
                    say(stream, &(good + &more));
                } else {
                    let _ = stream.write_all(good.as_bytes());
                    say(stream, &more);
                }
            }
        });
        for number in 1..4 {
            let text = text(send(&client, Method::Get, &url));
            assert_eq!(text, format!("connection {number}"), "{is_one_record}");
        }
    }
}

#[test]
fn a_connection_that_the_server_ended_is_not_used_again() {
    let client = visitor();
    let url = serve(|number, stream| {
        request(stream, 2);
        let _ = stream.write_all(answer(&format!("connection {number}")).as_bytes());
        // The end of TLS comes with the answer, that of TCP much later.
        let _ = stream.shutdown();
        let _ = stream.get_mut().flush();
        let _ = stream.get_mut().socket.read_to_end(&mut Vec::new());
    });
    for number in 1..4 {
        let text = text(send(&client, Method::Post, &url));
        assert_eq!(text, format!("connection {number}"));
    }
}

#[test]
fn a_request_whose_answer_is_lost_is_not_sent_again() {
    let client = visitor();
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&seen);
    let url = serve(move |_, stream| {
        request(stream, 2);
        counter.fetch_add(1, Ordering::SeqCst);
        say(stream, &answer("ok"));
        if request(stream, 2).is_some() {
            counter.fetch_add(1, Ordering::SeqCst);
        }
    });
    assert_eq!(text(send(&client, Method::Post, &url)), "ok");
    let error = send(&client, Method::Post, &url).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Network, "{error}");
    assert_eq!(seen.load(Ordering::SeqCst), 2);
}

#[test]
fn answers_without_a_body_leave_the_connection_usable() {
    let client = visitor();
    let url = serve(|number, stream| {
        while let Some(head) = request(stream, 0) {
            let reply = match head.split(' ').next() {
                Some("HEAD") => "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n".to_owned(),
                Some("DELETE") => "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
                Some("OPTIONS") => "HTTP/1.1 304 Not Modified\r\n\r\n".to_owned(),
                _ => answer(&format!("connection {number}")),
            };
            say(stream, &reply);
        }
    });
    for (method, status) in [
        (Method::Head, 200),
        (Method::Delete, 204),
        (Method::Options, 304),
    ] {
        let answer = send(&client, method, &url).unwrap();
        assert_eq!(answer.status, status, "{method}");
        assert!(answer.body.is_empty(), "{method}");
        assert_eq!(text(send(&client, Method::Get, &url)), "connection 1");
    }
}

#[test]
fn headers_without_end_are_refused() {
    let url = serve(|_, stream| {
        request(stream, 0);
        let line = format!("X: {}\r\n", "x".repeat(4000));
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(line.as_bytes()).is_ok() && stream.get_mut().flush().is_ok() {}
    });
    let error = send(&visitor(), Method::Get, &url).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ResponseTooLarge, "{error}");
    assert!(error.message().contains("headers"), "{error}");
}

/// Sends one byte after the other for a minute.
fn drip(mut to: impl Write, bytes: impl Iterator<Item = u8>) {
    for byte in bytes.take(1200) {
        if to.write_all(&[byte]).is_err() || to.flush().is_err() {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// Servers that never stop speaking, and never come to an end.
fn dripping() -> [(&'static str, String); 3] {
    let handshake = listen(|_, socket| {
        // A handshake message of 16 kB.
        let record = [22, 3, 3, 64, 0, 2, 0, 63, 252];
        drip(socket, record.into_iter().chain(std::iter::repeat(3)));
    });
    let head = serve(|_, stream| {
        request(stream, 0);
        say(stream, "HTTP/1.1 200 OK\r\n");
        drip(stream, b"X: y\r\n".iter().copied().cycle());
    });
    let body = serve(|_, stream| {
        request(stream, 0);
        say(stream, "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n");
        drip(stream, std::iter::repeat(b'x'));
    });
    [
        ("handshake", handshake.replace("http:", "https:")),
        ("head", head),
        ("body", body),
    ]
}

#[test]
fn time_is_kept_with_a_server_that_drips() {
    let client = visitor();
    for (place, url) in dripping() {
        let started = Instant::now();
        let request = Request::new(Method::Get, url.parse().unwrap());
        let short = Call::within(Duration::from_millis(400));
        let error = client.transport().send(&request, &short).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Timeout, "{place}: {error}");
        let cancel = CancelToken::new();
        let call = Call::within(Duration::from_secs(50)).with_cancel(cancel.clone());
        thread::scope(|scope| {
            let sent = scope.spawn(|| client.transport().send(&request, &call));
            thread::sleep(Duration::from_millis(200));
            cancel.trigger();
            let error = sent.join().unwrap().unwrap_err();
            assert_eq!(error.code(), ErrorCode::Cancelled, "{place}: {error}");
        });
        assert!(started.elapsed() < Duration::from_secs(30), "{place}");
    }
}

#[test]
fn the_time_for_connections_bounds_the_handshake() {
    let settings = json!({
        "profile": "generic", "issuer": "https://as.example", "client_id": "c1",
        "token_endpoint": "https://as.example/token",
        "connect_timeout_ms": 300, "timeout_ms": 50_000,
    });
    let settings = segl::profiles::ClientSettings::from_json(&settings.to_string()).unwrap();
    let client = TokenClient::builder(settings).signer(signer(&p256_key()));
    let client = client.build(&Call::none()).unwrap();
    let [(_, url), ..] = dripping();
    let request = Request::new(Method::Get, url.parse().unwrap());
    let started = Instant::now();
    let error = client.transport().send(&request, &Call::none());
    assert_eq!(error.unwrap_err().code(), ErrorCode::Timeout);
    assert!(started.elapsed() < Duration::from_secs(30));
}

/// Numbers that look random, the same in each run (Marsaglia's xorshift).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
    fn bytes(&mut self, most: u64) -> Vec<u8> {
        let count = self.next() % most + 1;
        (0..count).map(|_| self.next().to_le_bytes()[0]).collect()
    }
}

/// Any outcome is good but a panic, which a call that can be cancelled turns into an
/// error.
fn survives(client: &TokenClient, url: &str, seed: usize) {
    let call = Call::within(Duration::from_secs(20)).with_cancel(CancelToken::new());
    let request = Request::new(Method::Get, url.parse().unwrap());
    if let Err(error) = client.transport().send(&request, &call) {
        let expected = [
            ErrorCode::Tls,
            ErrorCode::TlsVersion,
            ErrorCode::Network,
            ErrorCode::ResponseTooLarge,
            ErrorCode::ClientCertificateRefused,
            ErrorCode::ClientCertificateRequired,
        ];
        assert!(expected.contains(&error.code()), "{seed}: {error:?}");
    }
}

#[test]
fn noise_at_any_stage_is_an_error() {
    const TIMES: usize = 60;
    let noise = |number: usize| Noise(0x9E37_79B9_7F4A_7C15 ^ (number as u64) << 20);
    let in_place_of_tls = listen(move |number, mut socket| {
        let _ = socket.write_all(&noise(number).bytes(400));
    });
    let in_a_record = listen(move |number, mut socket| {
        let mut noise = noise(number);
        let kind = 20 + (noise.next() % 5) as u8;
        let mut bytes = noise.bytes(400);
        if number % 2 == 0 {
            // The beginning of a ServerHello.
            bytes.splice(
                ..0,
                [2, 0, (bytes.len() >> 8) as u8, bytes.len() as u8, 3, 3],
            );
        }
        let length = (bytes.len() as u16).to_be_bytes();
        let record = [&[kind, 3, 3][..], &length, &bytes].concat();
        let _ = socket.write_all(&record);
    });
    let under_tls = serve(move |number, stream| {
        request(stream, 0);
        let _ = stream.get_mut().socket.write_all(&noise(number).bytes(400));
    });
    let in_tls = serve(move |number, stream| {
        request(stream, 0);
        let mut noise = noise(number);
        let mut bytes = match number % 3 {
            0 => Vec::new(),
            1 => b"HTTP/1.1 ".to_vec(),
            _ => b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec(),
        };
        bytes.extend(noise.bytes(400));
        let _ = stream.write_all(&bytes);
        let _ = stream.get_mut().flush();
    });
    let client = visitor();
    for url in [in_place_of_tls, in_a_record, under_tls, in_tls] {
        let url = url.replace("http:", "https:");
        for number in 1..=TIMES {
            survives(&client, &url, number);
        }
    }
}

#[test]
fn a_good_servers_flight_with_one_byte_changed_is_an_error() {
    let server = crate::openssl_server::OpensslServer::insisting(&world().authority, &[]);
    let port = server.port;
    let changed = listen(move |number, from_client| {
        let mut noise = Noise(0xD1B5_4A32_D192_ED03 ^ (number as u64) << 24);
        let Ok(to_server) = std::net::TcpStream::connect(("127.0.0.1", port)) else {
            return;
        };
        let (mut up_from, mut up_to) = (
            from_client.try_clone().unwrap(),
            to_server.try_clone().unwrap(),
        );
        thread::spawn(move || {
            let _ = std::io::copy(&mut up_from, &mut up_to);
            let _ = up_to.shutdown(std::net::Shutdown::Write);
        });
        let (mut down_from, mut down_to) = (to_server, from_client);
        let place = noise.next() as usize % 900;
        let mut passed = 0;
        let mut buffer = [0; 2048];
        while let Ok(count @ 1..) = down_from.read(&mut buffer) {
            if (passed..passed + count).contains(&place) {
                buffer[place - passed] ^= 1 << (noise.next() % 8);
            }
            passed += count;
            if down_to.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        let _ = down_to.shutdown(std::net::Shutdown::Both);
        let _ = down_from.shutdown(std::net::Shutdown::Both);
    });
    let own = signer(&p256_key());
    let mut tls = world().tls(&*own, "changed");
    tls["resumption"] = json!(false);
    let client = client(&tls, Some(own)).unwrap();
    let url = changed.replace("http:", "https:");
    for number in 1..=60 {
        let request = Request::new(Method::Get, url.parse().unwrap());
        let call = Call::within(Duration::from_secs(3)).with_cancel(CancelToken::new());
        // A changed length may leave both sides waiting.
        let error = client.transport().send(&request, &call).unwrap_err();
        assert_ne!(error.code(), ErrorCode::Panic, "{number}: {error:?}");
    }
}
