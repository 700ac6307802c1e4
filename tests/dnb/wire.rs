//! A server on loopback that keeps what it was sent, to the byte.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Seen {
    /// All values of a header, by its lower-case name.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(own, _)| own == name);
        named.map(|(_, value)| value.as_str()).collect()
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// An answer: status, headers, body.
pub type Answer = (u16, Vec<(&'static str, String)>, Vec<u8>);

pub fn json(status: u16, body: &str) -> Answer {
    let json = ("Content-Type", "application/json".to_owned());
    (status, vec![json], body.as_bytes().to_vec())
}

pub const TOKEN: &str = r#"{"access_token":"the-token","token_type":"Bearer","expires_in":3600}"#;

pub struct Wire {
    pub base: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Wire {
    pub fn new(answer: impl Fn(&Seen) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let keep = Arc::clone(&seen);
        let answer = Arc::new(answer);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (keep, answer) = (Arc::clone(&keep), Arc::clone(&answer));
                std::thread::spawn(move || serve(stream.unwrap(), &keep, &*answer));
            }
        });
        Self { base, seen }
    }

    /// What came so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, keep: &Mutex<Vec<Seen>>, answer: &dyn Fn(&Seen) -> Answer) {
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let Some(seen) = read(&mut stream) else {
        return;
    };
    keep.lock().unwrap().push(seen.clone());
    let (status, headers, body) = answer(&seen);
    let mut head = format!("HTTP/1.1 {status} X\r\nConnection: close\r\n");
    head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let _ = stream.write_all(format!("{head}\r\n").as_bytes());
    if seen.method != "HEAD" {
        let _ = stream.write_all(&body);
    }
}

fn read(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap().split(' ').map(str::to_owned);
    let headers: Vec<_> = lines
        .map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_ascii_lowercase(), value.trim().to_owned())
        })
        .collect();
    let mut seen = Seen {
        method: first.next().unwrap(),
        target: first.next().unwrap(),
        headers,
        body: bytes[end + 4..].to_vec(),
    };
    let len = seen
        .all("content-length")
        .first()
        .map_or(0, |len| len.parse().unwrap());
    while seen.body.len() < len {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return None,
            Ok(count) => seen.body.extend_from_slice(&buffer[..count]),
        }
    }
    Some(seen)
}
