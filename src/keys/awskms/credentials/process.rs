//! `credential_process`: a command that prints credentials as JSON.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::{Credentials, unusable};
use crate::call::{Call, timed_out};
use crate::error::{Error, ErrorCode, Result};

/// The most that a command may print, in bytes.
const MAX_LEN: usize = 64 * 1024;
/// How long a command may take when the call has no deadline.
const DEFAULT_TIME: Duration = Duration::from_secs(60);
/// How often the call is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(20);

/// Runs `command` in `sh -c` and reads what it prints. It and what it started are
/// ended when the call is over.
pub(super) fn credentials(command: &str, is_allowed: bool, call: &Call) -> Result<Credentials> {
    let fail = |problem: String| unusable(format!("credential_process {problem}"));
    if !is_allowed {
        return Err(Error::new(
            ErrorCode::PinSource,
            "credential_process runs a command, which is not allowed here; allow commands in the configuration \
             (as for pin-source=|COMMAND), or use credentials of another kind",
        ));
    }
    let cannot = |source: std::io::Error| fail(format!("cannot be run with sh ({source})"));
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(command)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut shell, 0);
    let mut running = Running(shell.spawn().map_err(cannot)?);
    let (sender, receiver) = mpsc::channel();
    if let Some(stdout) = running.0.stdout.take() {
        // Left to itself when the command is ended: what it started may hold the pipe.
        std::thread::Builder::new()
            .name("segl-credentials".into())
            .spawn(move || {
                let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_LEN + 1));
                let read = stdout.take(MAX_LEN as u64 + 1).read_to_end(&mut bytes);
                let _ = sender.send(read.map(|_| bytes));
            })
            .map_err(cannot)?;
    }
    let what = "running credential_process";
    let until = Instant::now() + DEFAULT_TIME;
    let look = || -> Result<Duration> {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(timed_out(what));
        }
        Ok(call.remaining(left, what)?.min(LOOK))
    };
    let printed = loop {
        match receiver.recv_timeout(look()?) {
            Ok(printed) => break printed.map_err(cannot)?,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(fail("printed nothing".into())),
        }
    };
    if printed.len() > MAX_LEN {
        return Err(fail(format!("printed more than {MAX_LEN} bytes")));
    }
    let status = loop {
        match running.0.try_wait().map_err(cannot)? {
            Some(status) => break status,
            None => std::thread::sleep(look()?),
        }
    };
    if !status.success() {
        return Err(fail(format!(
            "failed ({status}); run it by hand to see why, its messages are not shown here"
        )));
    }
    Credentials::from_json(&printed).map_err(|error| error.in_context("credential_process"))
}

/// A command that does not outlive its call.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(Some(_))) {
            return;
        }
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let _ = rustix::process::kill_process_group(
            rustix::process::Pid::from_child(&self.0),
            rustix::process::Signal::KILL,
        );
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
