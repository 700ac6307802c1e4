//! A file of any size is sent in the same memory.
#![cfg(target_os = "linux")]

use std::process::Stdio;
use std::time::Duration;

use crate::world::*;

const BATCH: &[&str] = &["batch", "bank", "--institution", BANK, "--rate", "0"];

/// The most memory that a command had on so many relations, in KiB, and how many arrived.
fn peak(command: &[&str], relations: usize) -> (u64, u64) {
    let world = World::new();
    world.file("c.csv", &lines(relations));
    let mut child = world
        .segl()
        .arg("kfr")
        .args(command)
        .args(["c.csv", "--json"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let path = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let status = loop {
        // A process that has ended has no VmHWM any more.
        let status = std::fs::read_to_string(&path).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        if let Some(line) = line {
            peak = line.trim().trim_end_matches(" kB").parse().unwrap();
        }
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    assert!(status.success());
    (peak, world.simulator.requests().kfr_relations)
}

#[test]
fn a_million_lines_take_no_more_memory_than_ten_thousand() {
    for (command, sent) in [(BATCH, (10_000, 1_000_000)), (&["check"], (0, 0))] {
        let (small, few) = peak(command, 10_000);
        let (large, many) = peak(command, 1_000_000);
        println!("{command:?}: 10,000 lines: {small} KiB; 1,000,000 lines: {large} KiB");
        assert_eq!((few, many), sent);
        assert!(
            small > 0 && large < small + 8 * 1024,
            "{small} KiB, {large} KiB"
        );
    }
}
