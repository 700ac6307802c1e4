//! A file on its way: checked, cut, paced, journalled.

use std::time::{Duration, Instant};

use segl::apis::kfr::{Batch, BatchOptions, FormStyle, MaxRelations, Relation};
use segl::{Call, ErrorCode, Result};

use crate::world::*;

pub fn options(max_relations: u32) -> BatchOptions {
    let mut options = BatchOptions::default();
    options.max_relations = Some(max_relations.try_into().unwrap());
    options.relations_per_second = Some(0);
    options
}

pub fn run(batch: &mut Batch) -> Result<usize> {
    let mut parts = 0;
    batch.run(Call::none, |_, _| parts += 1)?;
    Ok(parts)
}

#[test]
fn a_file_goes_in_parts_and_nothing_is_lost() {
    for (form, max) in [(FormStyle::Documented, 100), (FormStyle::Standard, 333)] {
        let world = World::new();
        let file = world.file("customers.csv", &lines(1000));
        let mut options = options(max);
        options.form = form;
        let mut batch = world
            .kfr()
            .batch(&bank(), &file, &options, &Call::none())
            .unwrap();
        let before = batch.progress();
        assert_eq!((before.parts_accepted, before.relations), (0, 1000));
        assert!(!before.is_done() && !batch.should_be_announced());
        let mut seen = Vec::new();
        let after = batch
            .run(Call::none, |part, progress| {
                seen.push((
                    part.correlation_id,
                    part.relations,
                    progress.relations_accepted,
                ));
            })
            .unwrap();
        let expected = 1000_usize.div_ceil(max as usize);
        assert_eq!(
            (seen.len(), after.parts, after.is_done()),
            (expected, expected, true)
        );
        assert_eq!(seen.iter().map(|part| part.1).sum::<u64>(), 1000);
        assert_eq!(seen.last().unwrap().2, 1000);
        let requests = world.simulator.requests();
        assert_eq!(
            (requests.kfr_batches, requests.kfr_relations),
            (expected as u64, 1000)
        );
        assert_eq!(world.loaded(), (sorted_lines(1000), 0));
        assert!(batch.send_next(&Call::none()).unwrap().is_none());
    }
}

#[test]
fn every_way_to_write_a_file_is_read_alike() {
    let (a, b, c) = (
        "922203687#2019-11-08",
        "23079422568#2020-02-29",
        "917439389#2001-01-01",
    );
    for text in [
        format!("{a}\n{b}\n{c}\n"),
        format!("{a}\r\n{b}\r\n\r\n{c}"),
        format!("{a},{b},{c}\n"),
        format!("\u{feff}{a}, {b},\n\n {c} \n\n"),
    ] {
        let world = World::new();
        let file = world.file("c.csv", &text);
        let mut batch = world
            .kfr()
            .batch(&bank(), &file, &options(2), &Call::none())
            .unwrap();
        assert_eq!(run(&mut batch).unwrap(), 2, "{text:?}");
        let mut expected = vec![a.to_owned(), b.to_owned(), c.to_owned()];
        expected.sort();
        assert_eq!(world.loaded().0, expected);
    }
}

#[test]
fn wrong_lines_are_named_and_nothing_is_sent() {
    let world = World::new();
    let kfr = world.kfr();
    let refused = |text: &str| {
        let file = world.file("c.csv", text);
        let error = kfr
            .batch(&bank(), &file, &options(10), &Call::none())
            .unwrap_err();
        assert_eq!(error.code(), ErrorCode::BatchLine, "{error}");
        assert!(!journal_of(&file).exists());
        error.to_string()
    };
    let error = refused("917439389\n23079422569\n\n917439389#2019-02-30\n917439388,12,917439389\n");
    for line in ["3 lines", "line 2:", "line 4:", "line 5:"] {
        assert!(error.contains(line), "{error}");
    }
    for id in [
        "23079422569",
        "917439388",
        "917439389",
        "2019-02-30",
        "line 1:",
        "line 3:",
    ] {
        assert!(!error.contains(id), "{error}");
    }
    let many = refused(&"x\n".repeat(25));
    assert!(many.contains("25 lines") && many.contains("line 10:") && many.contains("15 more"));
    assert!(!many.contains("line 11:"), "{many}");
    assert!(refused("").contains("no relation"));
    assert!(refused("\r\n\n").contains("no relation"));
    let requests = world.simulator.requests();
    assert_eq!((requests.kfr, requests.maskinporten_token), (0, 0));
}

#[test]
fn a_form_is_never_over_ten_megabytes() {
    assert!(MaxRelations::try_from(0).is_err() && MaxRelations::try_from(400_001).is_err());
    let relation: Relation = "23079422568#2019-11-08".parse().unwrap();
    let most = MaxRelations::largest().get();
    let mut form = segl::apis::kfr::BatchForm::new(
        segl::apis::kfr::Boundary::new(),
        FormStyle::Documented,
        most,
    );
    (0..most).for_each(|_| form.push(&relation));
    assert!(form.finish().1.len() <= 10_000_000);
    let world = World::new();
    let relations = vec![relation; most + 1];
    let error = world
        .kfr()
        .send_relations(&bank(), &relations, FormStyle::Documented, &Call::none())
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
}

#[test]
fn parts_keep_the_pace() {
    let world = World::new();
    let file = world.file("c.csv", &lines(30));
    let mut options = options(10);
    options.relations_per_second = Some(20);
    let mut batch = world
        .kfr()
        .batch(&bank(), &file, &options, &Call::none())
        .unwrap();
    let begin = Instant::now();
    assert_eq!(run(&mut batch).unwrap(), 3);
    // Half a second behind each part but the last.
    assert!(
        begin.elapsed() > Duration::from_millis(980),
        "{:?}",
        begin.elapsed()
    );
    // A call that ends before the turn comes says so, and sends nothing.
    let file = world.file("d.csv", &lines(20));
    options.relations_per_second = Some(1);
    let mut batch = world
        .kfr()
        .batch(&bank(), &file, &options, &Call::none())
        .unwrap();
    let call = || Call::within(Duration::from_secs(2));
    assert!(batch.send_next(&call()).unwrap().is_some());
    assert!(batch.wait() > Duration::from_secs(8));
    let error = batch.send_next(&call()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Timeout);
    assert_eq!(world.simulator.requests().kfr_batches, 4);
    // The next process keeps it too.
    drop(batch);
    options.resume = true;
    let batch = world
        .kfr()
        .batch(&bank(), &file, &options, &Call::none())
        .unwrap();
    assert!(batch.wait() > Duration::from_secs(5), "{:?}", batch.wait());
}

#[test]
fn more_than_bits_expects_is_to_be_announced() {
    let world = World::new();
    let file = world.file("c.csv", &lines(100_001));
    let batch = world
        .kfr()
        .batch(&bank(), &file, &BatchOptions::default(), &Call::none())
        .unwrap();
    assert!(batch.should_be_announced());
    assert_eq!(batch.progress().parts, 11);
}

#[test]
fn a_batch_is_loaded_later_so_that_removing_waits() {
    let world = World::with("load_seconds = 3600");
    let kfr = world.kfr();
    let call = Call::none();
    let relation: Relation = "917439389#2019-11-08".parse().unwrap();
    let sent = kfr
        .send_relations(
            &bank(),
            std::slice::from_ref(&relation),
            FormStyle::Documented,
            &call,
        )
        .unwrap();
    assert_eq!(sent.relations, 1);
    assert_eq!(world.loaded(), (Vec::new(), 1));
    let error = kfr.remove(&bank(), &relation.customer, &call).unwrap_err();
    assert_eq!(error.details().provider_code.as_deref(), Some("KFR-008"));
    assert!(error.message().contains("may not be loaded yet"), "{error}");
}

#[test]
fn only_files_are_sent() {
    let world = World::new();
    for path in [world.path("nothing"), world.folder.path().to_owned()] {
        let error = world
            .kfr()
            .batch(&bank(), &path, &options(1), &Call::none())
            .unwrap_err();
        assert_eq!(error.code(), ErrorCode::Io, "{error}");
    }
    let file = world.file("c.csv", &lines(4001));
    let error = world
        .kfr()
        .batch(&bank(), &file, &options(1), &Call::none())
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument, "{error}");
}
