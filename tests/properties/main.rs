//! What holds for any value of a form: it is taken, it is what was written, and a wrong one
//! is refused. What holds for any bytes is in `tests/fuzzed/`, key URIs are in `tests/uri/`.

#[path = "../support/mod.rs"]
mod support;

mod json;
mod numbers;
mod texts;
