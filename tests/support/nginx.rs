//! nginx with a configuration of the test's own, that ends with the test.
#![allow(dead_code, reason = "each test uses its own part")]

use std::fs::{self, File};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::authority::{Authority, VALID, ec_key};
use crate::openssl_server::{end, free_port};

/// nginx on a free port of loopback, for `127.0.0.1`.
pub struct Nginx {
    dir: TempDir,
    pub port: u16,
    process: Child,
}

impl Nginx {
    /// One whose server has a certificate by `authority`, knows it as
    /// `clients.pem` in its folder, and has `settings`.
    pub fn start(authority: &Authority, settings: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let key = ec_key();
        let certificate = authority.server(&key, &["127.0.0.1"], VALID);
        let write = |name: &str, text: &[u8]| fs::write(dir.path().join(name), text).unwrap();
        write("key.pem", &key.private_key_to_pem_pkcs8().unwrap());
        write("server.pem", &certificate.to_pem().unwrap());
        write("clients.pem", &authority.pem());
        let here = dir.path().display();
        for _ in 0..5 {
            let port = free_port();
            let configuration = format!(
                "pid {here}/pid;\ndaemon off;\nmaster_process off;\nworker_processes 1;\n\
                 error_log stderr notice;\nevents {{}}\n\
                 http {{\naccess_log off;\nclient_body_temp_path {here}/body;\nproxy_temp_path {here}/proxy;\n\
                 fastcgi_temp_path {here}/fastcgi;\nuwsgi_temp_path {here}/uwsgi;\nscgi_temp_path {here}/scgi;\n\
                 server {{\nlisten 127.0.0.1:{port} ssl;\nssl_certificate {here}/server.pem;\n\
                 ssl_certificate_key {here}/key.pem;\nssl_client_certificate {here}/clients.pem;\n{settings}\n}}\n}}\n"
            );
            write("nginx.conf", configuration.as_bytes());
            // `timeout` ends it should this program not live to.
            let mut process = Command::new("timeout")
                .args(["300", program(), "-p"])
                .arg(dir.path())
                .arg("-c")
                .arg(dir.path().join("nginx.conf"))
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(File::create(dir.path().join("errors")).unwrap())
                .spawn()
                .unwrap();
            let until = Instant::now() + Duration::from_secs(30);
            while process.try_wait().unwrap().is_none() {
                if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                    return Self { dir, port, process };
                }
                assert!(Instant::now() < until, "nginx does not listen");
                thread::sleep(Duration::from_millis(5));
            }
        }
        let errors = fs::read_to_string(dir.path().join("errors"));
        panic!("nginx: {errors:?}");
    }

    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}/", self.port)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        end(&mut self.process);
    }
}

fn program() -> &'static str {
    let debian = "/usr/sbin/nginx";
    match Path::new(debian).exists() {
        true => debian,
        false => "nginx",
    }
}
