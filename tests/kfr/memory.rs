//! A file of any size is sent in the same memory.
#![cfg(target_os = "linux")]

use std::process::Stdio;
use std::time::Duration;

use crate::world::*;

/// The most memory that the program had while it sent so many relations, in KiB.
fn peak(relations: usize) -> u64 {
    let world = World::new();
    world.file("c.csv", &lines(relations));
    let mut child = world
        .segl()
        .args([
            "kfr",
            "batch",
            "bank",
            "--institution",
            BANK,
            "c.csv",
            "--rate",
            "0",
            "--json",
        ])
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
    assert_eq!(world.simulator.requests().kfr_relations, relations as u64);
    peak
}

#[test]
fn a_million_lines_take_no_more_memory_than_ten_thousand() {
    let (small, large) = (peak(10_000), peak(1_000_000));
    println!("10,000 lines: {small} KiB; 1,000,000 lines: {large} KiB");
    assert!(
        small > 0 && large < small + 8 * 1024,
        "{small} KiB, {large} KiB"
    );
}
