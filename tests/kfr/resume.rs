//! Batches that were interrupted.

use std::process::Stdio;
use std::time::Duration;

use segl::apis::kfr::BatchOptions;
use segl::simulator::{Outage, OutageKind};
use segl::{Call, ErrorCode};
use serde_json::Value;

use crate::batch::{options, run};
use crate::world::*;

pub fn resuming() -> BatchOptions {
    let mut options = BatchOptions::default();
    options.relations_per_second = Some(0);
    options.resume = true;
    options
}

/// Everything arrived, and each part was counted once.
pub fn is_whole(world: &World, relations: usize) {
    let requests = world.simulator.requests();
    assert_eq!(requests.kfr_relations, relations as u64);
    assert_eq!(world.loaded(), (sorted_lines(relations), 0));
}

#[test]
fn after_an_outage_it_goes_on_where_it_stopped() {
    for (kind, is_in_doubt) in [
        (OutageKind::Html, true),
        (OutageKind::ServiceUnavailable, true),
        (OutageKind::TooManyRequests, false),
        (OutageKind::Hang, true),
        (OutageKind::Cut, true),
    ] {
        let world = World::new();
        let file = world.file("c.csv", &lines(500));
        let kfr = world.kfr();
        let mut batch = kfr
            .batch(&bank(), &file, &options(100), &Call::none())
            .unwrap();
        for _ in 0..2 {
            batch.send_next(&Call::none()).unwrap().unwrap();
        }
        world.outage(kind, None);
        let call = Call::within(Duration::from_millis(900));
        let error = batch.send_next(&call).unwrap_err();
        let message = error.to_string();
        assert!(message.contains("part 3 of 5"), "{message}");
        assert_eq!(
            message.contains("not known whether"),
            is_in_doubt,
            "{kind:?}: {message}"
        );
        assert!(error.retryable() || kind == OutageKind::Html, "{message}");
        world.simulator.set_outage(None);
        drop(batch);
        let mut batch = kfr
            .batch(&bank(), &file, &resuming(), &Call::none())
            .unwrap();
        assert_eq!(batch.progress().relations_accepted, 200);
        assert_eq!(run(&mut batch).unwrap(), 3);
        if kind != OutageKind::Hang {
            is_whole(&world, 500);
        } else {
            // The simulator answered the request that nobody waited for any more.
            assert_eq!(world.loaded(), (sorted_lines(500), 0));
        }
    }
}

#[test]
fn what_passes_is_sent_again_within_the_call() {
    let world = World::new();
    let file = world.file("c.csv", &lines(30));
    let mut batch = world
        .kfr()
        .batch(&bank(), &file, &options(10), &Call::none())
        .unwrap();
    world.outage(OutageKind::TooManyRequests, Some(1));
    let begin = std::time::Instant::now();
    batch
        .send_next(&Call::within(Duration::from_secs(20)))
        .unwrap()
        .unwrap();
    assert!(begin.elapsed() >= Duration::from_secs(1), "Retry-After");
    world.outage(OutageKind::ServiceUnavailable, Some(2));
    batch
        .send_next(&Call::within(Duration::from_secs(20)))
        .unwrap()
        .unwrap();
    world.outage(OutageKind::Cut, Some(1));
    assert_eq!(run(&mut batch).unwrap(), 1);
    is_whole(&world, 30);
}

#[test]
fn a_wait_that_kfr_asks_for_may_be_longer_than_a_call() {
    let world = World::new();
    let file = world.file("c.csv", &lines(30));
    let mut batch = world
        .kfr()
        .batch(&bank(), &file, &options(10), &Call::none())
        .unwrap();
    let busy = |count| {
        let mut outage = Outage::new(OutageKind::TooManyRequests).times(count);
        outage.retry_after = 2;
        outage.path = Some(world.batch_path());
        world.simulator.set_outage(Some(outage));
    };
    let call = || Call::within(Duration::from_millis(1900));
    busy(2);
    let begin = std::time::Instant::now();
    assert!(batch.run(call, |_, _| ()).unwrap().is_done());
    assert!(begin.elapsed() >= Duration::from_secs(4));
    is_whole(&world, 30);
    // Not for ever.
    let file = world.file("d.csv", &lines(40));
    let mut batch = world
        .kfr()
        .batch(&bank(), &file, &options(10), &Call::none())
        .unwrap();
    busy(100);
    let error = batch.run(call, |_, _| ()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ApiRateLimited);
    assert!(error.retryable());
}

#[test]
fn after_a_kill_nothing_is_lost_and_nothing_counted_twice() {
    let world = World::new();
    world.file("c.csv", &lines(5000));
    let arguments = |resume: &'static [&'static str]| {
        [
            &[
                "kfr",
                "batch",
                "bank",
                "--institution",
                BANK,
                "c.csv",
                "--rate",
                "2000",
                "--json",
            ][..],
            resume,
        ]
        .concat()
    };
    let mut child = world
        .segl()
        .args(arguments(&["--max-relations", "100"]))
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    while world.simulator.requests().kfr_batches < 5 {
        assert!(std::time::Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(5));
    }
    // SIGKILL.
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success());
    let killed_at = world.simulator.requests().kfr_batches;
    assert!(killed_at < 50, "it was killed too late");
    let known: Value =
        serde_json::from_slice(&std::fs::read(world.path("c.csv.kfr-state")).unwrap()).unwrap();
    let known = known["correlation_ids"].as_array().unwrap().len() as u64;
    // The last part may have been accepted without being written down.
    assert!(
        known == killed_at || known + 1 == killed_at,
        "{known} {killed_at}"
    );
    let output = world
        .segl()
        .args(arguments(&["--resume"]))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["done"], true);
    assert_eq!(answer["relations_accepted"], 5000);
    assert_eq!(
        answer["correlation_ids"].as_array().unwrap().len() as u64,
        50 - known
    );
    assert_eq!(world.loaded(), (sorted_lines(5000), 0));
    // Another run sends nothing.
    let sent = world.simulator.requests().kfr_batches;
    let output = world
        .segl()
        .args(arguments(&["--resume"]))
        .output()
        .unwrap();
    assert!(output.status.success());
    let output = world.segl().args(arguments(&[])).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["error"]["name"], "BATCH_STATE");
    assert_eq!(world.simulator.requests().kfr_batches, sent);
}

#[test]
fn a_journal_belongs_to_one_file_institution_and_environment() {
    let world = World::new();
    let file = world.file("c.csv", &lines(300));
    let kfr = world.kfr();
    let call = Call::none();
    let mut batch = kfr.batch(&bank(), &file, &options(100), &call).unwrap();
    batch.send_next(&call).unwrap();
    // Nobody else sends it meanwhile.
    let refused = |kfr: &segl::apis::Kfr, institution: &str, options: &BatchOptions| {
        let institution = institution.parse().unwrap();
        let error = kfr.batch(&institution, &file, options, &call).unwrap_err();
        assert_eq!(error.code(), ErrorCode::BatchState, "{error}");
        error.to_string()
    };
    assert!(refused(&kfr, BANK, &resuming()).contains("another process"));
    drop(batch);
    assert!(refused(&kfr, BANK, &options(100)).contains("1 of 3 parts"));
    assert!(refused(&kfr, OTHER_BANK, &resuming()).contains("another institution"));
    let mut other_size = resuming();
    other_size.max_relations = Some(50.try_into().unwrap());
    assert!(refused(&kfr, BANK, &other_size).contains("100 relations"));
    let mut elsewhere = world.settings(&ALL_SCOPES);
    elsewhere["services"]["kfr"]["base_url"] = "https://api.bits.no/kar-ws/api/v1".into();
    let elsewhere =
        segl::apis::Kfr::new(world.client_with(&elsewhere), segl::TokenRequest::default()).unwrap();
    assert!(refused(&elsewhere, BANK, &resuming()).contains("another environment"));
    world.file("c.csv", &lines(301));
    assert!(refused(&kfr, BANK, &resuming()).contains("was changed since"));
    world.file("c.csv", &lines(300));
    let journal = journal_of(&file);
    let right = std::fs::read_to_string(&journal).unwrap();
    for wrong in [
        "",
        "{}",
        "[]",
        &right.replace("\"version\":1", "\"version\":2"),
        &right[..right.len() - 1],
    ] {
        std::fs::write(&journal, wrong).unwrap();
        assert!(
            refused(&kfr, BANK, &resuming()).contains("no journal"),
            "{wrong}"
        );
    }
    std::fs::write(&journal, right).unwrap();
    let mut batch = kfr.batch(&bank(), &file, &resuming(), &call).unwrap();
    assert_eq!(run(&mut batch).unwrap(), 2);
    is_whole(&world, 300);
}

#[test]
fn a_file_that_changes_between_the_passes_is_not_sent() {
    let world = World::new();
    let file = world.file("c.csv", &lines(300));
    let call = Call::none();
    let mut batch = world
        .kfr()
        .batch(&bank(), &file, &options(100), &call)
        .unwrap();
    batch.send_next(&call).unwrap();
    // As long as before, and every line right.
    let other: String = lines(600)
        .lines()
        .skip(300)
        .map(|line| format!("{line}\n"))
        .collect();
    std::fs::write(&file, other).unwrap();
    let error = batch.send_next(&call).unwrap_err();
    assert_eq!(error.code(), ErrorCode::BatchState, "{error}");
    assert_eq!(world.simulator.requests().kfr_relations, 100);
}

#[cfg(unix)]
#[test]
fn the_journal_is_this_users_and_names_no_customer() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let file = world.file("c.csv", &lines(200));
    let journal = world.path("elsewhere.json");
    let mut options = options(100);
    options.journal = Some(journal.clone());
    let mut batch = world
        .kfr()
        .batch(&bank(), &file, &options, &Call::none())
        .unwrap();
    assert_eq!(batch.journal(), journal);
    assert!(!journal.exists(), "nothing was sent yet");
    run(&mut batch).unwrap();
    assert_eq!(
        std::fs::metadata(&journal).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let text = std::fs::read_to_string(&journal).unwrap();
    assert!(numbers(200).all(|number| !text.contains(&number)));
    assert!(!journal_of(&file).exists());
}

#[test]
fn a_journal_is_not_taken_from_another_batch_that_begins_meanwhile() {
    let world = World::new();
    let (one, other) = (
        world.file("one.csv", &lines(20)),
        world.file("other.csv", &lines(30)),
    );
    let mut options = options(10);
    options.journal = Some(world.path("same"));
    let (kfr, call) = (world.kfr(), Call::none());
    let begin = |file| kfr.batch(&bank(), file, &options, &call).unwrap();
    let (mut first, mut second) = (begin(&one), begin(&other));
    first.send_next(&call).unwrap();
    let error = second.send_next(&call).unwrap_err();
    assert_eq!(error.code(), ErrorCode::BatchState, "{error}");
    assert!(error.message().contains("another journal"), "{error}");
    assert_eq!(run(&mut first).unwrap(), 1);
    is_whole(&world, 20);
}

#[test]
fn no_other_file_is_touched_whatever_its_name() {
    let world = World::new();
    let file = world.file("c.new", &lines(20));
    let mut options = options(10);
    options.journal = Some(world.path("c"));
    let kfr = world.kfr();
    let count = || std::fs::read_dir(world.folder.path()).unwrap().count();
    let before = count();
    let mut batch = kfr.batch(&bank(), &file, &options, &Call::none()).unwrap();
    run(&mut batch).unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), lines(20));
    assert_eq!(count(), before + 1, "the journal, and nothing else");
}

#[test]
fn a_part_that_cannot_be_written_down_is_told_and_the_batch_goes_on() {
    let world = World::new();
    let file = world.file("c.csv", &lines(30));
    let (kfr, call) = (world.kfr(), Call::none());
    let mut batch = kfr.batch(&bank(), &file, &options(10), &call).unwrap();
    batch.send_next(&call).unwrap();
    // As with a full disk: what stands in the journal's place cannot be replaced.
    let (journal, away) = (journal_of(&file), world.path("away"));
    std::fs::rename(&journal, &away).unwrap();
    std::fs::create_dir(&journal).unwrap();
    let error = batch.send_next(&call).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Io, "{error}");
    assert!(
        error.message().contains("part 2 of 3 was accepted"),
        "{error}"
    );
    std::fs::remove_dir(&journal).unwrap();
    std::fs::rename(&away, &journal).unwrap();
    drop(batch);
    let mut batch = kfr.batch(&bank(), &file, &resuming(), &call).unwrap();
    assert_eq!(batch.progress().parts_accepted, 1);
    assert_eq!(run(&mut batch).unwrap(), 2);
    assert_eq!(world.loaded(), (sorted_lines(30), 0));
}

#[test]
fn a_batch_that_is_done_says_so() {
    let world = World::new();
    let file = world.file("c.csv", &lines(20));
    let (kfr, call) = (world.kfr(), Call::none());
    run(&mut kfr.batch(&bank(), &file, &options(10), &call).unwrap()).unwrap();
    world.file("c.csv", &lines(30));
    let error = kfr.batch(&bank(), &file, &options(10), &call).unwrap_err();
    assert!(error.message().contains("is done"), "{error}");
    assert!(!error.message().contains("--resume"), "{error}");
}
