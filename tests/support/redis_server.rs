//! A Redis of the test's own, in a folder of its own, that ends with it.
#![allow(dead_code, reason = "each test uses its own part")]

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use segl::token::shared::{SharedCache, SharedCacheSettings};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A server that listens on a free port of loopback and on a socket.
pub struct Server {
    pub dir: TempDir,
    pub port: u16,
    arguments: Vec<String>,
    process: Option<Child>,
}

impl Server {
    /// A server that runs.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// A server that runs with more settings.
    pub fn with(arguments: &[&str]) -> Self {
        let dir = TempDir::new().unwrap();
        let port = free_port();
        let mut server = Self {
            dir,
            port,
            arguments: arguments.iter().map(ToString::to_string).collect(),
            process: None,
        };
        server.restart();
        server
    }

    /// Starts it again after [`Server::kill`], on the same port.
    pub fn restart(&mut self) {
        assert!(self.process.is_none(), "it runs");
        // `timeout` ends it should this program not live to.
        let child = Command::new("timeout")
            .args([
                "--signal=KILL",
                "600",
                "redis-server",
                "--bind",
                "127.0.0.1",
            ])
            .args(["--port", &self.port.to_string()])
            .arg("--unixsocket")
            .arg(self.socket())
            .arg("--pidfile")
            .arg(self.dir.path().join("pid"))
            .arg("--dir")
            .arg(self.dir.path())
            .args(["--save", "", "--appendonly", "no"])
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(fs::File::create(self.dir.path().join("log")).unwrap())
            .spawn()
            .expect("redis-server is missing; run scripts/setup");
        self.process = Some(child);
        let until = Instant::now() + Duration::from_secs(30);
        while !self.answers() {
            let log = fs::read_to_string(self.dir.path().join("log"));
            assert!(Instant::now() < until, "redis-server: {log:?}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Ends it at once (SIGKILL).
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            // `timeout` lives as long as the server does, so the id is the server's.
            if process.try_wait().unwrap().is_none() {
                self.signal("KILL");
            }
            process.wait().unwrap();
        }
    }

    /// Sends a signal to it, by its id.
    pub fn signal(&self, name: &str) {
        let pid = fs::read_to_string(self.dir.path().join("pid")).unwrap();
        send_signal(pid.trim(), name);
    }

    pub fn socket(&self) -> PathBuf {
        self.dir.path().join("socket")
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// One instance of a service, with its own connections.
    pub fn instance(&self) -> SharedCache {
        self.instance_with(json!({}))
    }

    /// One with these settings too.
    pub fn instance_with(&self, more: Value) -> SharedCache {
        SharedCache::from_settings(&self.settings(more)).unwrap()
    }

    /// The settings of an instance, with `more` of them.
    pub fn settings(&self, more: Value) -> SharedCacheSettings {
        serde_json::from_value(self.settings_json(more)).unwrap()
    }

    /// Settings for a machine that is busy: where nothing hangs, a short time would
    /// only make an outage of every pause.
    pub fn settings_json(&self, more: Value) -> Value {
        use std::os::unix::fs::PermissionsExt;
        let key = self.dir.path().join("key");
        if !key.exists() {
            fs::write(&key, "K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=\n").unwrap();
            fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        }
        let mut settings = json!({ "url": self.url(), "key": key, "timeout_ms": 2000 });
        for (name, value) in more.as_object().unwrap() {
            settings[name] = value.clone();
        }
        settings
    }

    /// A connection that segl knows nothing of.
    pub fn connection(&self) -> redis::Connection {
        let client = redis::Client::open(format!("unix://{}", self.socket().display())).unwrap();
        client
            .get_connection_with_timeout(Duration::from_secs(10))
            .unwrap()
    }

    /// What a command answers.
    pub fn ask<T: redis::FromRedisValue>(&self, command: &[&str]) -> T {
        let mut words = redis::cmd(command[0]);
        for word in &command[1..] {
            words.arg(word);
        }
        words.query(&mut self.connection()).unwrap()
    }

    /// The names of what is in it, in order.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.ask(&["KEYS", "*"]);
        names.sort();
        names
    }

    fn answers(&self) -> bool {
        let url = format!("unix://{}", self.socket().display());
        let client = redis::Client::open(url).unwrap();
        let mut connection = match client.get_connection_with_timeout(Duration::from_secs(1)) {
            Ok(connection) => connection,
            // It asks for a password, so it is there.
            Err(error) => return error.code() == Some("NOAUTH"),
        };
        match redis::cmd("PING").query::<String>(&mut connection) {
            Ok(_) => true,
            Err(error) => error.code() == Some("NOAUTH"),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

pub fn send_signal(pid: &str, name: &str) {
    let status = Command::new("sh")
        .args(["-c", "kill -s \"$1\" \"$2\"", "sh", name, pid])
        .status();
    assert!(status.unwrap().success(), "kill -s {name} {pid}");
}

pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
