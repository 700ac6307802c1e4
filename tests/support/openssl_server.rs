//! `openssl s_server`, which tells each client what was agreed with it, and ends with
//! the test.
#![allow(dead_code, reason = "each test uses its own part")]

use std::fs::{self, File};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use openssl::pkey::{PKey, Private};
use openssl::x509::X509;
use tempfile::TempDir;

use crate::authority::{Authority, VALID, ec_key};

/// A server on a free port of loopback that takes one connection after the other.
pub struct OpensslServer {
    dir: TempDir,
    pub port: u16,
    process: Child,
}

impl OpensslServer {
    /// One for `127.0.0.1` that insists on a certificate by `authority`, which issued
    /// its own too.
    pub fn insisting(authority: &Authority, more: &[&str]) -> Self {
        let strict = ["-Verify", "2", "-verify_return_error"];
        Self::start(authority, &[&strict, more].concat())
    }

    /// One for `127.0.0.1` with these arguments.
    pub fn start(authority: &Authority, arguments: &[&str]) -> Self {
        let key = ec_key();
        let certificate = authority.server(&key, &["127.0.0.1", "localhost"], VALID);
        Self::with(&key, &certificate, authority, arguments)
    }

    /// One with this key and certificate; `clients` issues those of its clients.
    pub fn with(
        key: &PKey<Private>,
        certificate: &X509,
        clients: &Authority,
        arguments: &[&str],
    ) -> Self {
        let dir = TempDir::new().unwrap();
        let write = |name: &str, pem: &[u8]| {
            let path = dir.path().join(name);
            fs::write(&path, pem).unwrap();
            path
        };
        let key = write("key.pem", &key.private_key_to_pem_pkcs8().unwrap());
        let certificate = write("server.pem", &certificate.to_pem().unwrap());
        let authority = write("clients.pem", &clients.pem());
        // Another program may take the port between the look and the use.
        for _ in 0..5 {
            let port = free_port();
            let log = dir.path().join("log");
            // `timeout` ends it should this program not live to.
            let mut process = Command::new("timeout")
                .args(["300", "openssl", "s_server", "-www"])
                .args(["-accept", &format!("127.0.0.1:{port}")])
                .arg("-key")
                .arg(&key)
                .arg("-cert")
                .arg(&certificate)
                .arg("-CAfile")
                .arg(&authority)
                .args(arguments)
                .stdin(Stdio::null())
                .stdout(File::create(&log).unwrap())
                .stderr(File::create(dir.path().join("errors")).unwrap())
                .spawn()
                .expect("openssl must be installed");
            let until = Instant::now() + Duration::from_secs(30);
            while process.try_wait().unwrap().is_none() {
                if fs::read_to_string(&log).unwrap().contains("ACCEPT") {
                    return Self { dir, port, process };
                }
                assert!(Instant::now() < until, "s_server does not listen");
                thread::sleep(Duration::from_millis(5));
            }
        }
        let errors = fs::read_to_string(dir.path().join("errors"));
        panic!("openssl s_server {arguments:?}: {errors:?}");
    }

    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}/", self.port)
    }

    /// What it wrote about failures.
    pub fn errors(&self) -> String {
        fs::read_to_string(self.dir.path().join("errors")).unwrap()
    }
}

impl Drop for OpensslServer {
    fn drop(&mut self) {
        end(&mut self.process);
    }
}

/// Ends a program that `timeout` runs, which passes the signal on.
pub fn end(process: &mut Child) {
    if process.try_wait().unwrap().is_none() {
        let status = Command::new("sh")
            .args(["-c", "kill -s TERM \"$1\"", "sh"])
            .arg(process.id().to_string())
            .status();
        assert!(status.unwrap().success());
    }
    process.wait().unwrap();
}

pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
