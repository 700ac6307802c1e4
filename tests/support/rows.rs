//! Tables of cases.

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Checks each row, and fails with all rows that `check` panics at.
#[track_caller]
pub fn check_rows<T: Debug>(rows: impl IntoIterator<Item = T>, check: impl Fn(&T)) {
    let mut failures = Vec::new();
    let mut count = 0;
    for row in rows {
        count += 1;
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| check(&row))) {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            let row: String = format!("{row:?}").chars().take(200).collect();
            failures.push(format!("{row}: {}", text.unwrap_or("no message")));
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {count} rows fail:\n{}",
        failures.len(),
        failures.join("\n")
    );
}
