//! `segl kfr`, as a person runs it.

use std::io::Write;
use std::process::{Output, Stdio};

use serde_json::Value;

use crate::server::Server;
use crate::world::*;

fn segl(world: &World, arguments: &[&str], stdin: &str) -> Output {
    let mut child = world
        .segl()
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that refuses its arguments does not read.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    child.wait_with_output().unwrap()
}

fn prints(world: &World, arguments: &[&str], stdin: &str) -> String {
    let output = segl(world, arguments, stdin);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {stderr}");
    assert!(!stderr.contains(PERSON));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn single_calls() {
    let world = World::new();
    let one = |verb: &'static str| ["kfr", verb, "bank", "--institution", BANK];
    let stdin = format!("{PERSON}\n");
    assert_eq!(prints(&world, &one("add"), &stdin), "added\n");
    assert!(prints(&world, &one("add"), &stdin).contains("already"));
    world.file("person", PERSON);
    let by_file = [&one("banks")[..], &["@person"]].concat();
    assert_eq!(
        prints(&world, &by_file, ""),
        format!("{BANK}  TESTBANKEN ÆRLIG ASA\n")
    );
    let relationships = [
        "kfr",
        "relationships",
        "bank",
        "-",
        "--from",
        "2019-01-01",
        "--json",
    ];
    let answer: Value = serde_json::from_str(&prints(&world, &relationships, &stdin)).unwrap();
    assert_eq!(answer["banks"][0]["organization_id"], BANK);
    assert_eq!(prints(&world, &one("remove"), &stdin), "removed\n");
    let by_argument = [&one("banks")[..], &[ORG]].concat();
    assert_eq!(prints(&world, &by_argument, ""), "no bank\n");
    let provider = [
        "kfr",
        "provider",
        "bank",
        "--legal-mandate",
        "§ 1",
        "--case",
        "17",
    ];
    assert_eq!(
        prints(&world, &provider, "15030012345"),
        format!("{BANK}  TESTBANKEN ÆRLIG ASA\n")
    );
}

#[test]
fn a_person_is_not_taken_from_the_command_line() {
    let world = World::new();
    for arguments in [
        &["kfr", "add", "bank", "--institution", BANK, PERSON][..],
        &["kfr", "relationships", "bank", PERSON],
        &["kfr", "provider", "bank", "15030012345"],
        &["kfr", "batch", "bank", "--institution", BANK, PERSON],
        &["kfr", "check", PERSON],
        &["kfr", "check", &format!("@{PERSON}")],
        &["kfr", "relationships", "bank", &format!("@{PERSON}")],
    ] {
        let output = segl(&world, arguments, "");
        assert_eq!(output.status.code(), Some(1));
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(stderr.contains("can see arguments"), "{stderr}");
        assert!(
            !stderr.contains(PERSON) && !stderr.contains("15030012345"),
            "{stderr}"
        );
    }
    assert_eq!(world.simulator.requests().kfr, 0);
}

#[test]
fn a_batch_shows_its_progress_and_what_is_wrong() {
    let world = World::new();
    world.file("c.csv", &lines(250));
    let arguments = [
        "kfr",
        "batch",
        "bank",
        "--institution",
        BANK,
        "c.csv",
        "--rate",
        "0",
        "--max-relations",
        "100",
    ];
    let output = segl(&world, &arguments, "");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert!(
        stderr.contains("part 3 of 3: accepted, correlation id "),
        "{stderr}"
    );
    assert!(stderr.contains("250 of 250 relations"), "{stderr}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("250 relations in 3 parts (3 now)"));
    assert_eq!(world.loaded(), (sorted_lines(250), 0));

    world.file("wrong.csv", &format!("{ORG}\n{PERSON}9\n"));
    let output = segl(
        &world,
        &["kfr", "batch", "bank", "--institution", BANK, "wrong.csv"],
        "",
    );
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.contains("line 2") && stderr.contains("BATCH_LINE"),
        "{stderr}"
    );
    assert!(!stderr.contains(PERSON), "{stderr}");
}

#[test]
fn a_batch_is_on_the_wire_as_the_options_say() {
    for (option, end) in [(None, ";"), (Some("--standard-form"), "")] {
        let world = World::new();
        let server = Server::start();
        let settings = std::fs::read_to_string(world.path("segl.toml")).unwrap();
        let settings = settings.replace(&world.simulator.urls().kfr, &server.base);
        world.file("segl.toml", &settings);
        world.file("c.csv", &format!("{ORG}#2019-11-08\n{PERSON}\n"));
        let batch = ["kfr", "batch", "bank", "--institution", BANK, "c.csv"];
        let arguments: Vec<_> = batch.into_iter().chain(option).collect();
        prints(&world, &arguments, "");
        let request = server.received();
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines();
        let line =
            format!("POST /kar-ws/api/v1/customers/financialInstitutions/{BANK}/batch HTTP/1.1");
        assert_eq!(lines.next(), Some(&*line));
        let headers: Vec<_> = lines.map(|line| line.split_once(": ").unwrap()).collect();
        let header = |name: &str| {
            let mut found = headers
                .iter()
                .filter(|(own, _)| own.eq_ignore_ascii_case(name));
            let value = found.next().map(|(_, value)| *value);
            assert!(found.next().is_none(), "{name} stands twice");
            value
        };
        assert_eq!(header("Transfer-Encoding"), None);
        assert_eq!(header("CorrelationID").unwrap().len(), 36);
        assert!(header("Authorization").unwrap().starts_with("Bearer "));
        let boundary = header("Content-Type")
            .unwrap()
            .strip_prefix("multipart/form-data; boundary=")
            .unwrap();
        let expected = format!(
            "--{boundary}\r\n\
             Content-Disposition: form-data; name=\"customer_type\"{end}\r\n\r\n\
             DSOPBANK\r\n\
             --{boundary}\r\n\
             Content-Disposition: form-data; name=\"customers\"; filename=\"customers.csv\"{end}\r\n\
             Content-Type: text/plain\r\n\r\n\
             {ORG}#2019-11-08,{PERSON}\r\n\
             --{boundary}--\r\n"
        );
        assert_eq!(body, expected);
    }
}
