//! Batches that something goes wrong with on the way.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use segl::apis::kfr::BatchOptions;
use segl::http::{Request, Response, Transport};
use segl::simulator::OutageKind;
use segl::{Call, ErrorCode, Result};
use serde_json::Value;

use crate::batch::{options, run};
use crate::resume::{is_whole, resuming};
use crate::scripted::{answer, over, script, token};
use crate::world::*;

#[test]
fn a_token_that_is_refused_on_the_way_is_replaced() {
    let world = World::new();
    let file = world.file("c.csv", &lines(30));
    let status = |status| Ok(answer(status, "", &[]));
    // Of the second token within 10 seconds it is the last word.
    let (sent, kfr) = script([201, 401, 201, 401].map(status));
    let call = Call::none();
    let mut batch = kfr.batch(&bank(), &file, &options(10), &call).unwrap();
    let error = batch.run(Call::none, |_, _| ()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ApiUnauthorized, "{error}");
    assert!(error.message().contains("part 3 of 3"), "{error}");
    assert!(!error.message().contains("not known whether"), "{error}");
    drop(batch);
    sent.answers.lock().unwrap().extend([status(201)]);
    let mut batch = kfr.batch(&bank(), &file, &resuming(), &call).unwrap();
    assert_eq!(run(&mut batch).unwrap(), 1);
    let sent = sent.sent.lock().unwrap();
    let customers = |index: usize| {
        let body = std::str::from_utf8(&sent[index].body).unwrap();
        body.lines().rev().nth(1).unwrap().to_owned()
    };
    let all: Vec<_> = lines(30).lines().map(str::to_owned).collect();
    for (index, part) in [0, 1, 1, 2, 2].into_iter().enumerate() {
        assert_eq!(customers(index), all[part * 10..][..10].join(","));
    }
    assert_eq!(sent.len(), 5);
}

#[test]
fn a_batch_whose_first_part_failed_begins_with_it() {
    let world = World::new();
    let file = world.file("c.csv", &lines(30));
    let (kfr, call) = (world.kfr(), Call::none());
    world.outage(OutageKind::Html, None);
    let mut batch = kfr.batch(&bank(), &file, &options(10), &call).unwrap();
    batch.send_next(&call).unwrap_err();
    world.simulator.set_outage(None);
    drop(batch);
    let mut batch = kfr.batch(&bank(), &file, &resuming(), &call).unwrap();
    assert_eq!(run(&mut batch).unwrap(), 3);
    is_whole(&world, 30);
}

#[test]
fn lines_that_are_added_on_the_way_are_not_left_out_unsaid() {
    let world = World::new();
    let file = world.file("c.csv", &lines(30));
    let (kfr, call) = (world.kfr(), Call::none());
    let mut batch = kfr.batch(&bank(), &file, &options(10), &call).unwrap();
    batch.send_next(&call).unwrap();
    let mut more = std::fs::OpenOptions::new()
        .append(true)
        .open(&file)
        .unwrap();
    more.write_all(b"917439389\n").unwrap();
    let error = batch.send_next(&call).unwrap_err();
    assert_eq!(error.code(), ErrorCode::BatchState, "{error}");
    assert!(error.message().contains("changed"), "{error}");
    more.set_len(lines(30).len() as u64).unwrap();
    assert_eq!(run(&mut batch).unwrap(), 2);
    is_whole(&world, 30);
}

/// Accepts each part, and adds a line to the file before it answers.
#[derive(Debug)]
struct Growing(PathBuf);

impl Transport for Growing {
    fn send(&self, request: &Request, _: &Call) -> Result<Response> {
        if request.url.as_str().ends_with("/token") {
            return Ok(token());
        }
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .open(&self.0)
            .unwrap();
        file.write_all(b"917439389\n").unwrap();
        Ok(answer(201, "", &[]))
    }
}

#[test]
fn lines_that_are_added_during_the_last_part_are_told() {
    let world = World::new();
    let file = world.file("c.csv", &lines(30));
    let (kfr, call) = (over(Arc::new(Growing(file.clone()))), Call::none());
    let mut batch = kfr.batch(&bank(), &file, &options(30), &call).unwrap();
    let error = batch.send_next(&call).unwrap_err();
    assert_eq!(error.code(), ErrorCode::BatchState, "{error}");
    let message = error.message();
    assert!(message.contains("part 1 of 1 was accepted"), "{message}");
    assert!(message.contains("what was added is not sent"), "{message}");
    assert!(batch.progress().is_done());
    assert!(batch.send_next(&call).unwrap().is_none());
}

#[test]
fn a_file_that_was_damaged_between_two_runs_is_another_file() {
    let world = World::new();
    let file = world.file("c.csv", &lines(30));
    let (kfr, call) = (world.kfr(), Call::none());
    let mut batch = kfr.batch(&bank(), &file, &options(10), &call).unwrap();
    batch.send_next(&call).unwrap();
    drop(batch);
    for text in ["", "x\n", &lines(50_000)] {
        world.file("c.csv", text);
        let error = kfr.batch(&bank(), &file, &resuming(), &call).unwrap_err();
        assert_eq!(error.code(), ErrorCode::BatchState, "{error}");
        // A part was.
        assert!(!error.message().contains("nothing was sent"), "{error}");
        let has_wrong_lines = text.len() < 10;
        assert_eq!(
            error.message().contains("segl kfr check"),
            has_wrong_lines,
            "{error}"
        );
    }
}

#[test]
fn a_journal_that_is_something_else_is_left_as_it_is() {
    let world = World::new();
    let large = lines(60_000);
    for text in [PERSON, "", &format!("{{\"{PERSON}\":{PERSON}}}"), &large] {
        let file = world.file("c.csv", &format!("{ORG}\n"));
        let other = world.file("other", text);
        for resume in [false, true] {
            let mut options = BatchOptions::default();
            options.resume = resume;
            options.journal = Some(other.clone());
            let error = world
                .kfr()
                .batch(&bank(), &file, &options, &Call::none())
                .unwrap_err();
            let is_expected = match text == large {
                true => error.code() == ErrorCode::Io,
                false => error.code() == ErrorCode::BatchState,
            };
            assert!(is_expected, "{error}");
            assert!(!format!("{error} {error:?}").contains(PERSON), "{error}");
            assert_eq!(std::fs::read_to_string(&other).unwrap(), text);
        }
    }
    assert_eq!(world.simulator.requests().kfr, 0);
}

/// With a limit on the size of files, for a disk that is full cannot be had without root.
#[cfg(target_os = "linux")]
#[test]
fn on_a_full_disk_the_journal_stays_whole_and_nothing_else_is_left() {
    let world = World::new();
    world.file("c.csv", &lines(100));
    let arguments = "kfr batch bank --institution 916960190 c.csv --rate 0";
    let with_limit = |kib: u32, more: &str| {
        let segl = env!("CARGO_BIN_EXE_segl");
        std::process::Command::new("bash")
            .arg("-c")
            .arg(format!("trap '' XFSZ; ulimit -f {kib}; exec \"$@\""))
            .args(["bash", segl])
            .args(arguments.split(' ').chain(more.split(' ')))
            .current_dir(world.folder.path())
            .output()
            .unwrap()
    };
    let files = || std::fs::read_dir(world.folder.path()).unwrap().count();
    let before = files();
    let output = with_limit(0, "--max-relations 1");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(files(), before);
    assert_eq!(world.simulator.requests().kfr_batches, 0, "not even begun");
    // The plan has room, and the parts that are accepted have not.
    let output = with_limit(14, "--max-relations 1");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("but not written down"), "{stderr}");
    assert_eq!(files(), before + 1, "the journal, and nothing else");
    let journal = std::fs::read(world.path("c.csv.kfr-state")).unwrap();
    let journal: Value = serde_json::from_slice(&journal).unwrap();
    let known = journal["correlation_ids"].as_array().unwrap().len() as u64;
    let sent = world.simulator.requests().kfr_batches;
    assert!(known > 0 && sent == known + 1, "{known} {sent}");
    let output = with_limit(1000, "--resume");
    assert!(output.status.success());
    assert_eq!(world.simulator.requests().kfr_batches, 101);
    assert_eq!(world.loaded(), (sorted_lines(100), 0));
}
