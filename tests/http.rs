//! The built-in transport against a server on loopback that does as it is told.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use segl::http::{Method, Request, Response, Transport, TransportSettings, UreqTransport};
use segl::{Call, CancelToken, Endpoint, ErrorCode, Result};

/// Answers each connection's first request with `answer`, on a thread of its own.
fn server(answer: impl Fn(&mut TcpStream) + Send + 'static) -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/token", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            read_request(&mut stream);
            answer(&mut stream);
        }
    });
    url.parse().unwrap()
}

fn read_request(stream: &mut TcpStream) {
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    while !seen.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(count) => seen.extend_from_slice(&buffer[..count]),
        }
    }
}

fn send(url: &Endpoint, call: &Call) -> Result<Response> {
    UreqTransport::new(TransportSettings::default())
        .send(&Request::post_form(url.clone(), "a=b".into()), call)
}

/// A server that holds the connection open and says nothing, until it is dropped.
struct SilentServer {
    url: Endpoint,
    ended: Arc<AtomicBool>,
}

impl SilentServer {
    fn start() -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let waits = Arc::clone(&ended);
        let url = server(move |stream| {
            stream
                .set_read_timeout(Some(Duration::from_millis(20)))
                .unwrap();
            while !waits.load(Ordering::SeqCst) {
                // A client that has gone away ends the wait.
                if matches!(stream.read(&mut [0; 1]), Ok(0)) {
                    return;
                }
            }
        });
        Self { url, ended }
    }
}

impl Drop for SilentServer {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
    }
}

#[test]
fn every_status_is_an_answer_and_redirects_are_not_followed() {
    for status in ["200 OK", "302 Found", "404 Not Found", "503 Busy"] {
        let url = server(move |stream| {
            let answer = format!(
                "HTTP/1.1 {status}\r\nLocation: http://127.0.0.1:1/\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\nok"
            );
            stream.write_all(answer.as_bytes()).unwrap();
        });
        let response = send(&url, &Call::none()).unwrap();
        assert_eq!(response.status.to_string(), status[..3]);
        assert_eq!(response.header("retry-after"), Some("7"));
        assert_eq!(&*response.body, b"ok");
    }
}

#[test]
fn an_answer_of_ten_megabytes_is_refused() {
    let url = server(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10485760\r\n\r\n");
        for _ in 0..10_240 {
            if stream.write_all(&[b'x'; 1024]).is_err() {
                return;
            }
        }
    });
    let error = send(&url, &Call::none()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ResponseTooLarge, "{error}");
}

#[test]
fn a_cut_connection_and_a_closed_port_are_retryable() {
    let cut = server(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    });
    let closed: Endpoint = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}/", listener.local_addr().unwrap())
            .parse()
            .unwrap()
    };
    for url in [cut, closed] {
        let error = send(&url, &Call::none()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Network, "{error}");
        assert!(error.retryable());
        assert!(error.message().contains(url.as_str()), "{error}");
    }
}

#[test]
fn a_server_without_tls_behind_https_is_a_tls_error() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/token", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let url: Endpoint = url.parse().unwrap();
    let error = send(&url, &Call::none()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Tls, "{error}");
}

#[test]
fn the_deadline_ends_a_silent_exchange() {
    let server = SilentServer::start();
    let error = send(&server.url, &Call::within(Duration::from_millis(200))).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Timeout, "{error}");
    assert!(error.retryable());
}

#[test]
fn a_cancelled_exchange_returns_while_the_server_is_silent() {
    let server = SilentServer::start();
    let cancel = CancelToken::new();
    let call = Call::within(Duration::from_secs(600)).with_cancel(cancel.clone());
    std::thread::scope(|scope| {
        let exchange = scope.spawn(|| send(&server.url, &call));
        cancel.trigger();
        let error = exchange.join().unwrap().unwrap_err();
        assert_eq!(error.code(), ErrorCode::Cancelled, "{error}");
    });
}

#[test]
fn secrets_go_to_https_or_loopback_only() {
    for good in [
        "https://maskinporten.no/token",
        "http://127.0.0.1:8080/token",
        "http://[::1]/token",
        "http://localhost:1/x",
    ] {
        assert!(good.parse::<Endpoint>().is_ok(), "{good}");
    }
    for bad in [
        "http://maskinporten.no/token",
        "http://127.0.0.1.example.com/",
        "http://localhost.example.com/",
        "https://user:geheim@host/",
        "https://host/#part",
        "ftp://host/",
        "file:///etc/passwd",
        "maskinporten.no/token",
        "",
    ] {
        let error = bad.parse::<Endpoint>().unwrap_err();
        assert_eq!(error.code(), ErrorCode::Url, "{bad}");
        assert!(!error.to_string().contains("geheim"), "{error}");
    }
}

#[test]
fn header_values_are_sent_and_not_shown() {
    let url = "https://api.example/".parse().unwrap();
    let request = Request::new(Method::Get, url).header("Authorization", "Bearer own-token");
    let (name, value) = request.headers.last().unwrap();
    assert_eq!(
        (name.as_ref(), value.as_str()),
        ("Authorization", "Bearer own-token")
    );
    let cookie = ("set-cookie".to_owned(), "id=own-token".to_owned());
    let answer = Response::new(200, vec![cookie], Vec::new());
    assert_eq!(answer.header("set-cookie"), Some("id=own-token"));
    let shown = format!(
        "{request:?} {:?} {answer:?} {:?}",
        request.headers, answer.headers
    );
    assert!(shown.contains("[redacted]"), "{shown}");
    assert!(!shown.contains("own-token"), "{shown}");
}
