//! A TLS server (OpenSSL's) that does as it is told, in this process.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use openssl::ssl::{SslAcceptor, SslMethod, SslStream};

use crate::authority::{VALID, ec_key};
use crate::world;

/// A connection whose data leaves when it is flushed, so that several records of TLS
/// arrive at once.
pub struct Corked {
    pub socket: TcpStream,
    waiting: Vec<u8>,
}

impl Read for Corked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.read(buffer)
    }
}

impl Write for Corked {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.waiting.extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        self.socket.write_all(&waiting)
    }
}

pub type Connection = SslStream<Corked>;

/// The URL of a server that runs `script` with the number of each connection, from 1,
/// after its handshake.
pub fn serve(script: impl Fn(usize, &mut Connection) + Send + Sync + 'static) -> String {
    let key = ec_key();
    let certificate = world().authority.server(&key, &["127.0.0.1"], VALID);
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
    acceptor.set_private_key(&key).unwrap();
    acceptor.set_certificate(&certificate).unwrap();
    let acceptor = acceptor.build();
    let script = Arc::new(script);
    let url = listen(move |number, socket| {
        let corked = Corked {
            socket,
            waiting: Vec::new(),
        };
        if let Ok(mut connection) = acceptor.accept(corked) {
            script(number, &mut connection);
        }
    });
    url.replace("http:", "https:")
}

/// The URL of a server without TLS that runs `script` on a thread of its own for each
/// connection.
pub fn listen(script: impl Fn(usize, TcpStream) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let script = Arc::new(script);
    thread::spawn(move || {
        for (index, socket) in listener.incoming().enumerate() {
            let Ok(socket) = socket else { return };
            let limit = Some(Duration::from_secs(60));
            socket.set_read_timeout(limit).unwrap();
            let script = Arc::clone(&script);
            thread::spawn(move || script(index + 1, socket));
        }
    });
    url
}

/// The next request's head, and body of `body` bytes; `None` when the client is gone.
pub fn request(from: &mut impl Read, body: usize) -> Option<String> {
    let mut seen = Vec::new();
    while !seen.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        from.read_exact(&mut byte).ok()?;
        seen.push(byte[0]);
    }
    let head = seen.len();
    seen.resize(head + body, 0);
    from.read_exact(&mut seen[head..]).ok()?;
    Some(String::from_utf8_lossy(&seen).into_owned())
}

/// Sends `text` as one record or more.
pub fn say(to: &mut Connection, text: &str) {
    let _ = to.write_all(text.as_bytes());
    let _ = to.get_mut().flush();
}

/// An answer whose length is told.
pub fn answer(body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}")
}
