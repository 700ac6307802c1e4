//! Ratios of one thing to its floor, measured in one run.

use std::hint::black_box;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use criterion::Criterion;

/// Where `scripts/cdylib capi --release` leaves the shared library.
#[allow(dead_code, reason = "not every bench needs it")]
pub fn release_folder() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("target"),
        PathBuf::from,
    );
    let folder = target.join("release");
    assert!(
        folder.join("libsegl.so.1").exists(),
        "{} lacks libsegl.so.1; run make bench, which builds it",
        folder.display()
    );
    folder
}

/// Rounds of a comparison. Each runs both sides for the same number of times,
/// so that a drifting clock hits both alike.
const ROUNDS: usize = 61;

/// How long one side of one round runs.
const ROUND_TIME: Duration = Duration::from_millis(15);

/// Shows both sides to criterion, then prints the ratio of `ours` to `floor` as
/// the median of interleaved rounds.
pub fn compare<A, B>(
    criterion: &mut Criterion,
    name: &str,
    mut floor: impl FnMut() -> A,
    mut ours: impl FnMut() -> B,
) {
    let mut group = criterion.benchmark_group(name);
    group.bench_function("floor", |bencher| bencher.iter(&mut floor));
    group.bench_function("segl", |bencher| bencher.iter(&mut ours));
    group.finish();

    let repeats = repeats(&mut floor).max(1);
    let mut rounds = Vec::with_capacity(ROUNDS);
    for round in 0..ROUNDS {
        let (a, b) = match round % 2 {
            0 => {
                let a = time(&mut floor, repeats);
                (a, time(&mut ours, repeats))
            }
            _ => {
                let b = time(&mut ours, repeats);
                (time(&mut floor, repeats), b)
            }
        };
        rounds.push((a, b));
    }
    print_ratio(name, &rounds);
}

/// Prints the ratio of ours to the floor as the median of `rounds`, each with the
/// seconds of the floor and ours.
pub fn print_ratio(name: &str, rounds: &[(f64, f64)]) {
    let mut ratios: Vec<_> = rounds.iter().map(|(floor, ours)| ours / floor).collect();
    let mut floors: Vec<_> = rounds.iter().map(|(floor, _)| *floor).collect();
    let mut differences: Vec<_> = rounds.iter().map(|(floor, ours)| ours - floor).collect();
    println!(
        "ratio | {name} | {:.3} | {:.3} to {:.3} | {:.3} | {:+.3}",
        quantile(&mut ratios, 0.5),
        quantile(&mut ratios, 0.25),
        quantile(&mut ratios, 0.75),
        quantile(&mut floors, 0.5) * 1e6,
        quantile(&mut differences, 0.5) * 1e6,
    );
}

/// A token endpoint on loopback that answers every request with `json`; its port.
#[allow(dead_code, reason = "not every bench needs it")]
pub fn token_endpoint(json: String) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut request = Vec::new();
            let mut buffer = [0; 4096];
            while !is_whole(&request) {
                match connection.read(&mut buffer).unwrap() {
                    0 => break,
                    read => request.extend_from_slice(&buffer[..read]),
                }
            }
            let length = json.len();
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{json}"
            );
            connection.write_all(answer.as_bytes()).unwrap();
        }
    });
    port
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.split("content-length: ").nth(1).unwrap();
    body.len() >= length.lines().next().unwrap().parse().unwrap()
}

fn repeats<A>(work: &mut impl FnMut() -> A) -> u32 {
    let start = Instant::now();
    let mut count = 0;
    while start.elapsed() < ROUND_TIME {
        black_box(work());
        count += 1;
    }
    count
}

/// Seconds of one run of `work`, averaged over `repeats`.
fn time<A>(work: &mut impl FnMut() -> A, repeats: u32) -> f64 {
    let start = Instant::now();
    for _ in 0..repeats {
        black_box(work());
    }
    start.elapsed().as_secs_f64() / f64::from(repeats)
}

fn quantile(values: &mut [f64], at: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let index = (values.len() - 1) as f64 * at;
    values[index.round() as usize]
}
