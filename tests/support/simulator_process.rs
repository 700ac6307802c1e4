//! `segl simulate` as a process, ended when it is dropped.
#![allow(dead_code, reason = "each test uses its own part")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// A running simulator.
pub struct SimulatorProcess {
    pub child: Child,
    /// What it printed first.
    pub urls: Value,
}

impl SimulatorProcess {
    /// Starts the program `segl`, which `command` is, with these arguments of `simulate`.
    pub fn start(mut command: Command, args: &[&str]) -> Self {
        command.arg("simulate").args(args);
        Self::start_command(command)
    }

    /// The same by a whole command.
    pub fn start_command(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let urls = serde_json::from_str(&line).unwrap();
        Self { child, urls }
    }
}

impl Drop for SimulatorProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
