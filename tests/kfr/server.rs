//! A server that takes requests byte by byte.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;

/// Answers one request with 201.
pub struct Server {
    pub base: String,
    thread: JoinHandle<String>,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}/kar-ws/api/v1", listener.local_addr().unwrap());
        let thread = std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(&stream);
            let mut text = String::new();
            while !text.ends_with("\r\n\r\n") {
                assert!(reader.read_line(&mut text).unwrap() > 0);
            }
            let lower = text.to_ascii_lowercase();
            let (_, length) = lower.split_once("content-length: ").expect("no length");
            let length = length.split_once("\r\n").unwrap().0.parse().unwrap();
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let answer = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            (&stream).write_all(answer.as_bytes()).unwrap();
            text + &String::from_utf8(body).unwrap()
        });
        Self { base, thread }
    }

    /// The request.
    pub fn received(self) -> String {
        self.thread.join().unwrap()
    }
}
