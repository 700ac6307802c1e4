//! What came of it: printed, and checked.

use std::time::Duration;

use crate::crew::{Crew, Recovery};
use crate::fault::FaultModule;
use crate::faults::{Deck, Played};
use crate::gauges::{Gauges, Sample};
use crate::{MAX_SESSIONS, MOST_LATE};

pub struct Report<'a> {
    pub module: &'a FaultModule,
    pub crew: &'a Crew<'a>,
    pub deck: &'a Deck,
    pub gauges: &'a Gauges,
}

/// What is measured each second.
struct Gauge {
    name: &'static str,
    read: fn(&Sample) -> u64,
    /// What the least may grow by from the second third to the last. A leak lifts
    /// the least as well as the most.
    may_grow: u64,
    /// What the most may grow by.
    may_vary: u64,
    /// There may always be so many.
    bound: u64,
}

const GAUGES: [Gauge; 4] = [
    Gauge {
        name: "resident set, KiB,",
        read: |sample| sample.rss,
        may_grow: 2048,
        may_vary: 2048,
        bound: 0,
    },
    // Each call inside SoftHSM may have a file open.
    Gauge {
        name: "open files",
        read: |sample| sample.files,
        may_grow: 0,
        may_vary: MAX_SESSIONS,
        bound: 0,
    },
    // The test's own are 11: eight that sign, one that measures, one that injects, and
    // the harness's. Those of segl: one for each session, one more for each that hangs,
    // the one that looks after tokens, and two for its try. A fault that hangs is not
    // in each third, and a thread without work stays for a minute.
    Gauge {
        name: "threads",
        read: |sample| sample.threads,
        may_grow: 2 * MAX_SESSIONS + 3,
        may_vary: 0,
        bound: 11 + 2 * MAX_SESSIONS + 3,
    },
    // One for each signature, one more for each that hangs, and one for the login.
    Gauge {
        name: "sessions",
        read: |sample| sample.sessions,
        may_grow: MAX_SESSIONS,
        may_vary: 0,
        bound: 2 * MAX_SESSIONS + 1,
    },
];

impl Report<'_> {
    pub fn print(&self) {
        let counts = self.crew.counts.lock().unwrap();
        println!(
            "\n| faults | times | recovery p50, ms | max, ms | most logins |\n|---|---|---|---|---|"
        );
        for kind in Deck::kinds() {
            let played: Vec<_> = self
                .deck
                .played
                .iter()
                .filter(|one| one.kind == kind)
                .collect();
            let mut times: Vec<_> = played
                .iter()
                .filter_map(|one| one.recovery)
                .map(|one| one.all)
                .collect();
            let logins = played.iter().map(|one| one.logins).max();
            println!(
                "| {kind} | {} | {} | {} | {} |",
                played.len(),
                milliseconds(quantile(&mut times, 0.5)),
                milliseconds(quantile(&mut times, 1.0)),
                logins.unwrap_or(0)
            );
        }
        println!("\n| | |\n|---|---|");
        println!("| signatures, all verified | {} |", counts.signatures);
        println!("| wrong signatures | {} |", counts.wrong);
        for (name, count) in &counts.errors {
            println!("| calls that failed, {name} | {count} |");
        }
        println!(
            "| calls that failed while all was well | {} |",
            counts.errors_in_calm
        );
        println!(
            "| most that a call was late, ms | {} |",
            counts.most_late.as_millis()
        );
        println!("| faults | {} |", self.deck.played.len());
        let recoveries: Vec<_> = self
            .deck
            .played
            .iter()
            .filter_map(|one| one.recovery)
            .collect();
        self.print_recovery("first signature", &recoveries, |one| one.first);
        self.print_recovery("all threads signed", &recoveries, |one| one.all);
        println!(
            "| C_Login, and the most that is explained | {}, {} |",
            self.module.calls("C_Login"),
            self.logins_explained(counts.openings)
        );
        println!(
            "| C_Initialize, C_OpenSession | {}, {} |",
            self.module.calls("C_Initialize"),
            self.module.calls("C_OpenSession")
        );
        println!("| keys opened | {} |", counts.openings);
        for gauge in &GAUGES {
            let thirds = self.gauges.thirds(gauge.read);
            let [first, second, last] =
                thirds.map(|range| format!("{} to {}", range.least, range.most));
            println!(
                "| {} in each third | {first}, {second}, {last} |",
                gauge.name
            );
        }
        println!();
    }

    fn print_recovery(&self, until: &str, all: &[Recovery], part: fn(&Recovery) -> Duration) {
        let mut times: Vec<_> = all.iter().map(part).collect();
        let [p50, p95, max] = [0.5, 0.95, 1.0].map(|at| milliseconds(quantile(&mut times, at)));
        println!("| from a fault's end until {until}: p50, p95, max, ms | {p50}, {p95}, {max} |");
    }

    /// Fails when something was not as it must be.
    pub fn check(&self) {
        let counts = self.crew.counts.lock().unwrap();
        assert_eq!(counts.wrong, 0, "wrong signatures");
        assert_eq!(counts.problems, Vec::<String>::new());
        assert!(counts.signatures > 0);
        assert!(counts.most_late < MOST_LATE, "{:?} late", counts.most_late);
        for one in &self.deck.played {
            let Played { kind, logins, .. } = one;
            assert!(*logins <= one.logins_explained, "{kind}: {logins} logins");
        }
        let logins = self.module.calls("C_Login");
        let explained = self.logins_explained(counts.openings);
        assert!(logins <= explained, "{logins} logins");
        for gauge in &GAUGES {
            let [_, second, last] = self.gauges.thirds(gauge.read);
            let name = gauge.name;
            let most = gauge.bound.max(second.most + gauge.may_vary);
            assert!(
                last.most <= most,
                "{name}: {} at most, then {}",
                second.most,
                last.most
            );
            let least = second.least + gauge.may_grow;
            assert!(
                last.least <= least,
                "{name}: {} at least, then {}",
                second.least,
                last.least
            );
        }
    }

    fn logins_explained(&self, openings: u64) -> u64 {
        let faults = self.deck.played.iter().map(|one| one.logins_explained);
        openings + faults.sum::<u64>()
    }
}

fn quantile(times: &mut [Duration], at: f64) -> Option<Duration> {
    times.sort();
    let last = times.len().checked_sub(1)?;
    times.get((last as f64 * at).round() as usize).copied()
}

fn milliseconds(time: Option<Duration>) -> String {
    time.map_or("-".to_owned(), |time| time.as_millis().to_string())
}
