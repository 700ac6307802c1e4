//! SoftHSM behind p11-kit's server: an HSM at the other end of a connection, that
//! can be killed, stopped and started again.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::softhsm::{self, SoftHsm, set_env};

/// Sets this process's p11-kit client up for servers of `hsm`. Called once, by the
/// fixture, right after `SoftHsm::new`.
pub fn set_up(hsm: &SoftHsm) {
    let address = format!("unix:path={}", socket(hsm).display());
    set_env("P11_KIT_SERVER_ADDRESS", Path::new(&address));
}

fn socket(hsm: &SoftHsm) -> PathBuf {
    let path = hsm.path("socket");
    assert!(
        path.as_os_str().len() < 108,
        "no socket can be at {}; set CARGO_TARGET_DIR to a shorter path",
        path.display()
    );
    path
}

/// A server for the tokens of a SoftHSM directory, running or not. It ends when
/// this is dropped.
pub struct Server {
    socket: PathBuf,
    log: PathBuf,
    tokens: Vec<String>,
    process: Option<Child>,
}

impl Server {
    /// A server that is not started yet.
    pub fn new(hsm: &SoftHsm, tokens: &[&str]) -> Self {
        Self {
            socket: socket(hsm),
            log: hsm.path("p11-kit.log"),
            tokens: tokens
                .iter()
                .map(|token| format!("pkcs11:token={token}"))
                .collect(),
            process: None,
        }
    }

    /// Starts the server and returns when it listens.
    pub fn start(&mut self) {
        assert!(self.process.is_none(), "it runs");
        // `timeout` makes a process group, to which the servers of the single
        // connections belong too, and ends it should this program not live to.
        let process = Command::new("timeout")
            .args(["--signal=KILL", "600", "p11-kit", "server", "--foreground"])
            .arg("--name")
            .arg(&self.socket)
            .args(["--provider", softhsm::module()])
            .args(&self.tokens)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&self.log).unwrap())
            .spawn()
            .unwrap_or_else(|error| panic!("timeout must be installed: {error}"));
        let process = self.process.insert(process);
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert!(
            line.starts_with("P11_KIT_SERVER_ADDRESS="),
            "p11-kit must be installed; see {}",
            self.log.display()
        );
    }

    /// Kills the server and its connections with `SIGKILL`.
    pub fn kill(&mut self) {
        self.signal("KILL");
        self.process.take().unwrap().wait().unwrap();
    }

    /// Stops the server and its connections with `SIGSTOP`: whoever asks gets no
    /// answer.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    /// Lets a paused server go on.
    pub fn resume(&self) {
        self.signal("CONT");
    }

    /// Kills what serves the connections there are, and leaves the server alone.
    pub fn cut_connections(&self) {
        let processes = fs::read_dir("/proc").unwrap();
        let connections: Vec<_> = processes
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|pid| self.serves_a_connection(pid))
            .collect();
        assert!(!connections.is_empty(), "nobody is connected");
        for connection in connections {
            send("KILL", &connection);
        }
    }

    /// The fields of `/proc/PID/stat` are the process id, the name in parentheses,
    /// the state, the parent and the group.
    fn serves_a_connection(&self, pid: &str) -> bool {
        let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
            return false;
        };
        let Some((_, rest)) = stat.split_once(" (p11-kit-remote) ") else {
            return false;
        };
        rest.split(' ').nth(2) == Some(&self.group().to_string())
    }

    fn signal(&self, name: &str) {
        send(name, &format!("-{}", self.group()));
    }

    fn group(&self) -> u32 {
        self.process.as_ref().expect("it does not run").id()
    }
}

/// Sends a signal to a process, or to a group of them.
fn send(signal: &str, to: &str) {
    let command = format!("kill -{signal} {to}");
    let status = Command::new("sh").args(["-c", &command]).status().unwrap();
    assert!(status.success(), "{command}");
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.process.is_some() {
            self.kill();
        }
    }
}

/// p11-kit's client module.
pub fn module() -> &'static str {
    const PLACES: [&str; 3] = [
        "/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so",
        "/usr/lib/aarch64-linux-gnu/pkcs11/p11-kit-client.so",
        "/usr/lib64/pkcs11/p11-kit-client.so",
    ];
    PLACES
        .into_iter()
        .find(|place| Path::new(place).exists())
        .expect("p11-kit's modules must be installed (apt-get install p11-kit-modules)")
}
