//! The environment's variables, as AWS's own tools read them.

/// The variable's value; `None` when it is not set, empty or not Unicode.
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// True when the variable says so.
pub(super) fn is_true(name: &str) -> bool {
    variable(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
}
