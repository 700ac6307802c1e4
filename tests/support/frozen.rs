//! Lists that are checked in, and change only in a commit that says so.

use std::{env, fs};

/// Compares `text` with the file `path` of the repository. `SEGL_BLESS=1` writes
/// it instead.
pub fn check(path: &str, text: &str) {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if env::var_os("SEGL_BLESS").is_some() {
        fs::write(&file, text).unwrap();
    }
    let frozen = fs::read_to_string(&file).unwrap_or_default();
    if frozen == text {
        return;
    }
    let gone = frozen
        .lines()
        .filter(|line| !text.lines().any(|new| new == *line));
    let new = text
        .lines()
        .filter(|line| !frozen.lines().any(|old| old == *line));
    let changes: Vec<String> = gone
        .map(|line| format!("- {line}"))
        .chain(new.map(|line| format!("+ {line}")))
        .collect();
    panic!(
        "{path} is not what it was; if that is meant, run the test with SEGL_BLESS=1 and commit the file\n{}",
        changes.join("\n")
    );
}
