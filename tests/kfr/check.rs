//! A file that is checked and not sent.

use std::process::Output;

use segl::apis::Operation;
use segl::apis::kfr::{BatchCheck, BatchOptions, FormStyle, check_batch};
use segl::{Call, ErrorCode, Result, TokenRequest};
use serde_json::{Value, json};

use crate::batch::{options, run};
use crate::scripted::{answer, script};
use crate::world::*;

fn check(world: &World, text: &str, options: &BatchOptions) -> Result<BatchCheck> {
    check_batch(&world.file("c.csv", text), options, &Call::none())
}

#[test]
fn what_is_told_is_what_is_sent() {
    let world = World::new();
    let text = format!("{PERSON}, {ORG}#2019-11-08\r\n\n{}", lines(248));
    for (form, max, parts) in [
        (FormStyle::Documented, 100, 3),
        (FormStyle::Standard, 125, 2),
    ] {
        let mut options = options(max);
        options.form = form;
        let told = check(&world, &text, &options).unwrap();
        assert_eq!((told.relations, told.parts), (250, parts));
        assert_eq!((told.wrong_lines, told.first_wrong_lines.len()), (0, 0));
        assert!(!told.should_be_announced);
        let (sent, kfr) = script((0..parts).map(|_| Ok(answer(201, "", &[]))));
        let mut batch = kfr
            .batch(&bank(), &world.path("c.csv"), &options, &Call::none())
            .unwrap();
        assert_eq!(run(&mut batch).unwrap(), parts);
        let sent = sent.sent.lock().unwrap();
        let bytes: usize = sent.iter().map(|request| request.body.len()).sum();
        assert_eq!(told.bytes, bytes as u64);
        std::fs::remove_file(journal_of(&world.path("c.csv"))).unwrap();
    }
}

#[test]
fn wrong_lines_are_told_without_what_stands_in_them() {
    let world = World::new();
    let many = "123\n".repeat(150);
    let text = format!("{ORG}\n{ORG},23079422569,x,{PERSON}\n{ORG}#2019-02-30\n{many}{PERSON}");
    let told = check(&world, &text, &options(2)).unwrap();
    assert_eq!((told.relations, told.parts), (4, 2));
    assert_eq!(
        (told.wrong_lines, told.first_wrong_lines.len()),
        (152, 100),
        "a line with two faults is one"
    );
    let numbers: Vec<_> = told.first_wrong_lines.iter().map(|one| one.line).collect();
    assert_eq!(numbers, (2..102).collect::<Vec<_>>());
    assert!(told.first_wrong_lines[1].problem.contains("no date"));
    let shown = format!("{told:?}{}", json!(told));
    for text in ["23079422569", PERSON, ORG, "2019-02-30", "123"] {
        assert!(!shown.contains(text), "{text}: {shown}");
    }
}

#[test]
fn what_cannot_be_read_is_an_error() {
    let world = World::new();
    let code = |text: &str, max: u32| check(&world, text, &options(max)).unwrap_err().code();
    assert_eq!(code("\r\n", 1), ErrorCode::BatchLine);
    assert_eq!(code(&lines(4001), 1), ErrorCode::InvalidArgument);
    assert_eq!(code(&lines(8001), 2), ErrorCode::InvalidArgument);
    let most = check(&world, &lines(8000), &options(2)).unwrap();
    assert_eq!(most.parts, 4000);
    let folder = check_batch(world.folder.path(), &options(1), &Call::none());
    assert_eq!(folder.unwrap_err().code(), ErrorCode::Io);
    let call = Call::within(std::time::Duration::ZERO);
    let over = check_batch(&world.path("c.csv"), &options(2), &call);
    assert_eq!(over.unwrap_err().code(), ErrorCode::Timeout);
}

#[test]
fn a_file_can_be_checked_while_it_is_sent() {
    let world = World::new();
    let file = world.file("c.csv", &lines(30));
    let mut batch = world
        .kfr()
        .batch(&bank(), &file, &options(10), &Call::none())
        .unwrap();
    batch.send_next(&Call::none()).unwrap();
    let journal = std::fs::read(journal_of(&file)).unwrap();
    let told = check_batch(&file, &options(10), &Call::none()).unwrap();
    assert_eq!((told.relations, told.parts), (30, 3));
    assert_eq!(std::fs::read(journal_of(&file)).unwrap(), journal);
    assert_eq!(run(&mut batch).unwrap(), 2);
}

#[test]
fn the_operation_tells_the_same() {
    let world = World::new();
    let client = world.client();
    let file = world.file("c.csv", &format!("{}{PERSON}9\n", lines(100_001)));
    let input = json!({ "file": file, "max_relations": 50_000, "form": "standard" });
    let operation = Operation::named("kfr.check_batch").unwrap();
    let answer = operation
        .call(
            &client,
            &TokenRequest::default(),
            &input.to_string(),
            &Call::none(),
        )
        .unwrap();
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["relations"], 100_001);
    assert_eq!(answer["parts"], 3);
    assert_eq!(answer["should_be_announced"], true);
    assert_eq!(answer["wrong_lines"], 1);
    assert_eq!(answer["first_wrong_lines"][0]["line"], 100_002);
    assert!(!answer.to_string().contains(PERSON));
    let requests = world.simulator.requests();
    assert_eq!((requests.kfr, requests.maskinporten_token), (0, 0));
}

/// In a folder without settings or key.
fn segl(world: &World, arguments: &[&str]) -> Output {
    for name in ["segl.toml", "key.pem"] {
        let _ = std::fs::remove_file(world.path(name));
    }
    let mut command = world.segl();
    command.args(["kfr", "check", "c.csv"]).args(arguments);
    command.output().unwrap()
}

#[test]
fn the_command_needs_neither_settings_nor_key() {
    let world = World::new();
    world.file("c.csv", &lines(250));
    let output = segl(&world, &["--max-relations", "100", "--standard-form"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.is_empty(), "{stderr}");
    let standard = String::from_utf8(output.stdout).unwrap();
    assert!(
        standard.starts_with("250 relations in 3 parts, "),
        "{standard}"
    );
    let output = segl(&world, &["--max-relations", "100"]);
    assert_ne!(output.stdout, standard.as_bytes(), "two semicolons a part");
    assert!(!journal_of(&world.path("c.csv")).exists());

    let wrong = format!("{PERSON}\n{PERSON}9\n{}", "x\n".repeat(100));
    world.file("c.csv", &wrong);
    let output = segl(&world, &[]);
    assert_eq!(output.status.code(), Some(1));
    let stdout = String::from_utf8(output.stdout).unwrap();
    for part in [
        "line 2: ",
        "\nline 101: ",
        "\nand 1 more line\n",
        "\n1 relation in 1 part, ",
    ] {
        assert!(stdout.contains(part), "{part}: {stdout}");
    }
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("101 lines of c.csv are wrong"), "{stderr}");
    assert!(stderr.contains("BATCH_LINE"), "{stderr}");
    assert!(!stdout.contains(PERSON) && !stderr.contains(PERSON));

    let output = segl(&world, &["--json"]);
    assert_eq!(output.status.code(), Some(1));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&told["relations"], &told["wrong_lines"]),
        (&json!(1), &json!(101))
    );
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["error"]["name"], "BATCH_LINE");
}
