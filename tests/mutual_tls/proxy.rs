//! Through a proxy (CONNECT), as the environment names it.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use openssl::ssl::{SslAcceptor, SslMethod, SslStream, SslVerifyMode};
use serde_json::json;

use crate::authority::{Authority, VALID, ec_key};
use crate::openssl_server::OpensslServer;
use crate::scripted_server::{listen, request};
use crate::support::{p256_key, pem, signer};
use crate::{client, page, world};

const URL: &str = "SEGL_TEST_URL";
const TLS: &str = "SEGL_TEST_TLS";

/// A proxy that keeps the first line of each request.
fn proxy() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let lines = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&lines);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut first = String::new();
            reader.read_line(&mut first).unwrap();
            let mut line = String::new();
            while line != "\r\n" {
                line.clear();
                reader.read_line(&mut line).unwrap();
            }
            let target = first.split(' ').nth(1).unwrap().to_owned();
            seen.lock().unwrap().push(first);
            let server = TcpStream::connect(target).unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            let (from, to) = (server.try_clone().unwrap(), stream.try_clone().unwrap());
            let back = thread::spawn(move || pass_on(from, to));
            pass_on(stream, server);
            back.join().unwrap();
        }
    });
    (url, lines)
}

fn pass_on(mut from: TcpStream, mut to: TcpStream) {
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}

#[test]
fn the_handshake_goes_through_the_proxy() {
    let world = world();
    let server = OpensslServer::insisting(&world.authority, &[]);
    let (proxy, lines) = proxy();
    let mut tls = world.tls(&*signer(&p256_key()), "behind-proxy");
    tls["key"] = json!(world.file("behind-proxy.key", &pem(&p256_key())));
    // The environment is a whole process', so another one asks.
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "proxy::asks_through_the_proxy", "--ignored"])
        .env("HTTPS_PROXY", &proxy)
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .env(URL, server.url())
        .env(TLS, tls.to_string())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let lines = lines.lock().unwrap();
    let port = server.port;
    assert_eq!(*lines, [format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\n")]);
}

/// Whether a proxy was shown a certificate, and where it was to go.
type Shown = Arc<Mutex<Vec<(bool, String)>>>;

/// A proxy that speaks TLS itself, with a certificate by `authority`, and asks clients
/// for theirs. What it saw at each connection.
fn tls_proxy(authority: &Authority) -> (String, Shown) {
    let key = ec_key();
    let certificate = authority.server(&key, &["127.0.0.1"], VALID);
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
    acceptor.set_private_key(&key).unwrap();
    acceptor.set_certificate(&certificate).unwrap();
    acceptor.set_verify_callback(SslVerifyMode::PEER, |_, _| true);
    let acceptor = acceptor.build();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&seen);
    let url = listen(move |_, socket| {
        let Ok(mut client) = acceptor.accept(socket) else {
            return;
        };
        let Some(head) = request(&mut client, 0) else {
            return;
        };
        let target = head.split(' ').nth(1).unwrap().to_owned();
        let is_shown = client.ssl().peer_certificate().is_some();
        told.lock().unwrap().push((is_shown, target.clone()));
        let server = TcpStream::connect(target).unwrap();
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        relay(client, server);
    });
    (url.replace("http:", "https:"), seen)
}

/// Passes on in both directions, by turns, until one side ends.
fn relay(mut client: SslStream<TcpStream>, mut server: TcpStream) {
    let turn = Some(Duration::from_millis(5));
    client.get_ref().set_read_timeout(turn).unwrap();
    server.set_read_timeout(turn).unwrap();
    while pass_some(&mut client, &mut server) && pass_some(&mut server, &mut client) {}
}

/// False when `from` has come to its end.
fn pass_some(from: &mut impl Read, to: &mut impl Write) -> bool {
    let mut buffer = [0; 4096];
    match from.read(&mut buffer) {
        Ok(0) => false,
        Ok(count) => to.write_all(&buffer[..count]).is_ok(),
        Err(error) => error.kind() == ErrorKind::WouldBlock,
    }
}

/// The client certificate and `tls.ca_file` are between the client and its servers.
#[test]
fn a_proxy_with_tls_is_shown_nothing_and_checked_by_the_operating_system() {
    let world = world();
    let server = OpensslServer::insisting(&world.authority, &[]);
    let mut tls = world.tls(&*signer(&p256_key()), "behind-proxy");
    tls["key"] = json!(world.file("tls-proxy.key", &pem(&p256_key())));
    // The operating system trusts the stranger here, and the settings the authority.
    let ask = |proxy: &str| {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "proxy::asks_through_the_proxy", "--ignored"])
            .env("HTTPS_PROXY", proxy)
            .env("SSL_CERT_FILE", world.dir.join("stranger.pem"))
            .env_remove("SSL_CERT_DIR")
            .env_remove("NO_PROXY")
            .env_remove("no_proxy")
            .env(URL, server.url())
            .env(TLS, tls.to_string())
            .output()
            .unwrap()
    };
    let (proxy, seen) = tls_proxy(&world.stranger);
    let output = ask(&proxy);
    assert!(output.status.success(), "{output:?}");
    let target = format!("127.0.0.1:{}", server.port);
    assert_eq!(*seen.lock().unwrap(), [(false, target)]);
    let (proxy, seen) = tls_proxy(&world.authority);
    let output = ask(&proxy);
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(
        text.contains("the certificate of the proxy 127.0.0.1"),
        "{text}"
    );
    assert!(!text.contains("ca_file"), "{text}");
    assert!(seen.lock().unwrap().is_empty());
}

#[test]
#[ignore = "is run by the_handshake_goes_through_the_proxy"]
fn asks_through_the_proxy() {
    let (Ok(url), Ok(tls)) = (std::env::var(URL), std::env::var(TLS)) else {
        return;
    };
    let client = client(&serde_json::from_str(&tls).unwrap(), None).unwrap();
    assert!(page(&client, &url).contains("CN=behind-proxy\n"));
}
