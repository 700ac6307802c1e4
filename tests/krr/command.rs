//! `segl krr lookup`, as a person runs it.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::people::person_ids;
use crate::support::{now, pem, rsa_key};
use crate::world::{CONTACT, KARI, NOBODY, World};

struct Desk {
    world: World,
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        // The program goes by the machine's clock.
        let world = World::at(now(), "");
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("key.pem"), pem(&rsa_key())).unwrap();
        let mut settings = world.settings(&[CONTACT]);
        settings["key"] = "file:key.pem".into();
        let config = serde_json::json!({ "clients": { "bank": settings } });
        std::fs::write(folder.path().join("segl.json"), config.to_string()).unwrap();
        Self { world, folder }
    }

    fn run(&self, arguments: &[&str], input: &str) -> Output {
        self.look_up(&[&["bank"], arguments].concat(), input)
    }

    fn look_up(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = Command::new(env!("CARGO_BIN_EXE_segl"))
            .current_dir(self.folder.path())
            .args(["krr", "lookup", "--config", "segl.json"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // One that does not read it ends first.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn a_line_for_each_person_and_progress_beside_it() {
    let desk = Desk::new();
    let mut list = person_ids(1500);
    list[3] = KARI.to_owned();
    std::fs::write(desk.folder.path().join("list.txt"), list.join("\n")).unwrap();
    let output = desk.run(&["list.txt"], "");
    let stderr = text(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let lines: Vec<Value> = text(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 1500);
    let kari = lines
        .iter()
        .find(|line| line["personidentifikator"] == KARI);
    assert_eq!(kari.unwrap()["email_is_current"], true);
    let missing = lines.iter().filter(|line| line["missing"] == true);
    assert_eq!(missing.count(), 1499);
    assert!(
        stderr.contains("1 found and 999 missing of 1500 identifiers"),
        "{stderr}"
    );
    assert!(
        stderr.contains("1 found and 1499 missing of 1500 identifiers"),
        "{stderr}"
    );
    assert!(!stderr.contains(KARI));
}

#[test]
fn standard_input_and_one_document() {
    let desk = Desk::new();
    let output = desk.run(&["--json"], &format!("{NOBODY}\n{KARI}\n"));
    assert!(output.status.success());
    assert!(output.stderr.is_empty());
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["persons"][0]["personidentifikator"], KARI);
    assert_eq!(document["missing"][0], NOBODY);
    let output = desk.run(&["--api-version", "2", "--include-unregistered"], NOBODY);
    let line: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(line["status"], "IKKE_REGISTRERT");
}

#[test]
fn a_wrong_line_is_named_and_nothing_is_sent() {
    let desk = Desk::new();
    let output = desk.run(&[], &format!("{KARI}\n23079421937\n"));
    assert_eq!(output.status.code(), Some(1));
    let stderr = text(&output.stderr);
    assert!(stderr.contains("line 2 of standard input"), "{stderr}");
    assert!(stderr.contains("BATCH_LINE"), "{stderr}");
    assert!(!stderr.contains("2307942"), "{stderr}");
    assert!(output.stdout.is_empty());
    assert_eq!(desk.world.simulator.requests().maskinporten_token, 0);
    let output = desk.run(&["--api-version", "1", "--include-unregistered"], KARI);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_person_is_not_taken_from_the_command_line() {
    let desk = Desk::new();
    let output = desk.run(&[KARI], "");
    assert_eq!(output.status.code(), Some(1));
    let stderr = text(&output.stderr);
    assert!(stderr.contains("can see arguments"), "{stderr}");
    assert!(!stderr.contains(KARI), "{stderr}");
    // Where the client was forgotten.
    let output = desk.look_up(&[KARI], NOBODY);
    assert_eq!(output.status.code(), Some(2));
    let stderr = text(&output.stderr);
    assert!(stderr.contains("CLIENT is the client's name"), "{stderr}");
    assert!(!stderr.contains(KARI), "{stderr}");
}

#[test]
fn an_empty_list_is_told() {
    let desk = Desk::new();
    let output = desk.run(&[], "\n");
    assert!(output.status.success() && output.stdout.is_empty());
    let stderr = text(&output.stderr);
    assert!(stderr.contains("no identifiers"), "{stderr}");
    assert_eq!(desk.world.simulator.requests().maskinporten_token, 0);
}
