//! Through a proxy (CONNECT), as the environment names it.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::json;

use crate::openssl_server::OpensslServer;
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

#[test]
#[ignore = "is run by the_handshake_goes_through_the_proxy"]
fn asks_through_the_proxy() {
    let (Ok(url), Ok(tls)) = (std::env::var(URL), std::env::var(TLS)) else {
        return;
    };
    let client = client(&serde_json::from_str(&tls).unwrap(), None).unwrap();
    assert!(page(&client, &url).contains("CN=behind-proxy\n"));
}
