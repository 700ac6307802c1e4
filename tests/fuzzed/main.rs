//! What the fuzzer asserts of each parser, asserted here of the checked-in seeds, of
//! seeds that were changed, and of any bytes.
#![cfg(all(feature = "simulator", feature = "awskms"))]

#[path = "../../fuzz/src/lib.rs"]
mod targets;

mod found;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use targets::{TARGETS, run};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz")
        .join(name)
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    let stem = |path: PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    entries.map(|entry| stem(entry.unwrap().path())).collect()
}

fn seeds(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let mut paths: Vec<_> = fs::read_dir(folder("seeds").join(target))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let read = |path: PathBuf| {
        let bytes = fs::read(&path).unwrap();
        (path, bytes)
    };
    paths.into_iter().map(read).collect()
}

#[test]
fn every_target_has_a_program_seeds_and_a_dictionary() {
    let targets: BTreeSet<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    for kind in ["fuzz_targets", "seeds", "dictionaries"] {
        assert_eq!(names(&folder(kind)), targets, "{kind}");
    }
    let manifest = fs::read_to_string(folder("Cargo.toml")).unwrap();
    for target in &targets {
        assert!(
            manifest.contains(&format!("name = \"{target}\"")),
            "{target}"
        );
        let program = folder("fuzz_targets").join(format!("{target}.rs"));
        let program = fs::read_to_string(program).unwrap();
        assert!(program.contains(&format!("run(\"{target}\"")), "{target}");
    }
}

#[test]
fn every_seed_holds_and_so_does_each_beginning_of_it() {
    for (target, check) in TARGETS {
        for (path, bytes) in seeds(target) {
            println!("{}", path.display());
            check(&bytes);
            for part in 1..16 {
                check(&bytes[..bytes.len() * part / 16]);
            }
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_hold(which in any::<Index>(), bytes in vec(any::<u8>(), 0..200)) {
        run(which.get(&TARGETS).0, &bytes);
    }

    #[test]
    fn any_text_holds(which in any::<Index>(), text in "\\PC{0,80}") {
        run(which.get(&TARGETS).0, text.as_bytes());
    }

    #[test]
    fn changed_seeds_hold(
        which in any::<Index>(),
        seed in any::<Index>(),
        other in any::<Index>(),
        at in any::<Index>(),
        until in any::<Index>(),
        insert in vec(any::<u8>(), 0..4),
        splice in any::<bool>(),
    ) {
        let target = which.get(&TARGETS).0;
        let seeds = seeds(target);
        let mut bytes = seed.get(&seeds).1.clone();
        let (at, until) = (at.index(bytes.len() + 1), until.index(bytes.len() + 1));
        let replacement = match splice {
            true => other.get(&seeds).1.clone(),
            false => insert,
        };
        bytes.splice(at.min(until)..at.max(until), replacement);
        run(target, &bytes);
    }
}
