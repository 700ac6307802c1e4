//! Every command of the page, in order, in a copy of `examples/services`.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use segl::apis::Operation;
use tempfile::TempDir;

use crate::page::{Block, blocks, folder};
use crate::simulator_process::SimulatorProcess;

/// As the page and the files have it.
const PLAIN: &str = "127.0.0.1:7700";
const HTTPS: &str = "127.0.0.1:7743";

#[test]
fn every_command_works_and_prints_what_is_shown() {
    let mut try_out = TryOut::new();
    let mut printed = String::new();
    for block in blocks() {
        match block.language {
            "sh" if block.text.starts_with("segl simulate") => try_out.simulate(&block),
            "sh" => printed = try_out.run(&block.text),
            "text" => assert_shown(&try_out.here(&block.text), &printed),
            _ => {}
        }
    }
    assert!(try_out.simulator.is_some());
}

#[test]
fn no_service_is_left_out() {
    let scripts: Vec<_> = blocks()
        .into_iter()
        .filter(|block| block.language == "sh")
        .collect();
    let services: BTreeSet<_> = Operation::ALL
        .iter()
        .map(|operation| operation.name.split_once('.').unwrap().0)
        .collect();
    assert!(services.len() > 6, "{services:?}");
    for service in services {
        let is_run = |block: &Block| {
            block.text.contains(&format!("segl {service} "))
                || block.text.contains(&format!(" {service}."))
        };
        assert!(scripts.iter().any(is_run), "no command is about {service}");
    }
    assert!(
        scripts
            .iter()
            .any(|block| block.text.contains("segl verify"))
    );
}

#[test]
fn a_key_that_is_not_there_is_no_pin() {
    let try_out = TryOut::new();
    let script = "segl key generate --alg RS256 --out bank.pem >made.txt
        segl api call bank lanekassen.balance @person.json";
    for (place, problem) in [
        ("env:LANEKASSEN_KEY", "LANEKASSEN_KEY"),
        (
            "file:lanekassen.key",
            "must be file:/ABSOLUTE/PATH or env:NAME",
        ),
    ] {
        try_out.replace(
            "segl.toml",
            "\"env:LANEKASSEN_KEY\"",
            &format!("\"{place}\""),
        );
        let _ = fs::remove_file(try_out.folder.path().join("bank.pem"));
        let mut command = try_out.shell(script);
        let output = command.env_remove("LANEKASSEN_KEY").output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains("services.lanekassen.api_key"), "{told}");
        assert!(told.contains(problem), "{told}");
        assert!(
            !told.contains("PIN,") && !told.contains("the PIN"),
            "{told}"
        );
        assert!(!told.contains(" it must"), "{told}");
    }
}

/// A copy of the folder, where the commands are run.
struct TryOut {
    folder: TempDir,
    path: OsString,
    simulator: Option<SimulatorProcess>,
    /// Where the simulator is, instead of `PLAIN` and `HTTPS`.
    addresses: [String; 2],
}

impl TryOut {
    fn new() -> Self {
        let folder_of_copies = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(folder()).unwrap() {
            let entry = entry.unwrap();
            let copy = folder_of_copies.path().join(entry.file_name());
            fs::copy(entry.path(), copy).unwrap();
        }
        let program = Path::new(env!("CARGO_BIN_EXE_segl"));
        let paths = std::env::var_os("PATH").unwrap();
        let paths =
            std::iter::once(program.parent().unwrap().into()).chain(std::env::split_paths(&paths));
        Self {
            folder: folder_of_copies,
            path: std::env::join_paths(paths).unwrap(),
            simulator: None,
            addresses: [PLAIN.to_owned(), HTTPS.to_owned()],
        }
    }

    fn run(&self, script: &str) -> String {
        let output = self.shell(&self.here(script)).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{script}{stderr}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn shell(&self, script: &str) -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-eu", "-c", script])
            .current_dir(self.folder.path())
            .env("PATH", &self.path)
            .env("NO_PROXY", "127.0.0.1")
            .stdin(Stdio::null());
        command
    }

    /// On free ports, which the files say then.
    fn simulate(&mut self, block: &Block) {
        self.replace("simulator.toml", "port = 7743", "port = 0");
        let script = block.text.replace(PLAIN, "127.0.0.1:0");
        let mut command = self.shell(&format!("exec {script}"));
        command.stderr(Stdio::null());
        let simulator = SimulatorProcess::start_command(command);
        let address = |base: &serde_json::Value| {
            let (_, address) = base.as_str().unwrap().split_once("://").unwrap();
            address.to_owned()
        };
        self.addresses = [
            address(&simulator.urls["base"]),
            address(&simulator.urls["https"]["base"]),
        ];
        self.simulator = Some(simulator);
        for entry in fs::read_dir(folder()).unwrap() {
            let file = self.folder.path().join(entry.unwrap().file_name());
            let text = fs::read_to_string(&file).unwrap();
            fs::write(&file, self.here(&text)).unwrap();
        }
    }

    fn replace(&self, file: &str, old: &str, new: &str) {
        let file = self.folder.path().join(file);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(old), "{old}");
        fs::write(&file, text.replace(old, new)).unwrap();
    }

    fn here(&self, text: &str) -> String {
        let [plain, https] = &self.addresses;
        text.replace(PLAIN, plain).replace(HTTPS, https)
    }
}

/// Each line that is shown was printed, in the order shown. `…` stands for anything.
fn assert_shown(shown: &str, printed: &str) {
    let mut lines = printed.lines();
    for line in shown.lines() {
        assert!(lines.any(|found| is_like(found, line)), "{line}: {printed}");
    }
}

fn is_like(found: &str, shown: &str) -> bool {
    let mut parts = shown.split('…');
    let Some(mut rest) = found.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let mut last = None;
    for part in parts {
        last = Some(part);
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    last.map_or(rest.is_empty(), |last| found.ends_with(last))
}
