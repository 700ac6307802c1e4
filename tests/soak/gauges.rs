//! What the process holds, measured each second.

use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::fault::FaultModule;

const INTERVAL: Duration = Duration::from_secs(1);

pub struct Gauges {
    begin: Instant,
    is_over: AtomicBool,
    samples: Mutex<Vec<Sample>>,
}

#[derive(Clone, Copy)]
pub struct Sample {
    at: Duration,
    /// KiB in memory.
    pub rss: u64,
    pub files: u64,
    pub threads: u64,
    pub sessions: u64,
}

pub struct Range {
    pub least: u64,
    pub most: u64,
}

impl Gauges {
    pub fn new(begin: Instant) -> Self {
        Self {
            begin,
            is_over: AtomicBool::new(false),
            samples: Mutex::default(),
        }
    }

    pub fn measure_until_stopped(&self, module: &FaultModule) {
        while !self.is_over.load(Ordering::SeqCst) {
            let sample = Sample {
                at: self.begin.elapsed(),
                rss: resident(),
                files: entries("/proc/self/fd"),
                threads: entries("/proc/self/task"),
                sessions: module.sessions(),
            };
            self.samples.lock().unwrap().push(sample);
            thread::sleep(INTERVAL);
        }
    }

    pub fn stop(&self) {
        self.is_over.store(true, Ordering::SeqCst);
    }

    /// The least and the most of `gauge` in each third of the time.
    pub fn thirds(&self, gauge: impl Fn(&Sample) -> u64) -> [Range; 3] {
        let samples = self.samples.lock().unwrap();
        let end = samples.last().map_or(Duration::ZERO, |sample| sample.at);
        let mut thirds = [(); 3].map(|()| Range {
            least: u64::MAX,
            most: 0,
        });
        for sample in samples.iter() {
            let third = sample.at.as_millis() * 3 / end.as_millis().max(1);
            let third = &mut thirds[usize::try_from(third.min(2)).unwrap()];
            third.least = gauge(sample).min(third.least);
            third.most = gauge(sample).max(third.most);
        }
        thirds
    }
}

fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.expect("Linux tells VmRSS").parse().unwrap()
}

fn entries(folder: &str) -> u64 {
    fs::read_dir(folder).unwrap().count() as u64
}
