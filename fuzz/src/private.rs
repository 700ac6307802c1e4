//! What must not be shown.

use segl::Error;

/// Stands in every secret of the targets.
pub(crate) const MARK: &str = "hemmelig";

/// All that an error can show: its message, its details, and those of all its causes.
pub(crate) fn everything(error: &Error) -> String {
    let mut text = format!("{error} {error:?} {error:#?}");
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text += &format!(" {error} {error:?}");
        cause = error.source();
    }
    text
}

/// Panics when the error shows the secret.
pub(crate) fn assert_hidden(error: &Error, what: &str) {
    let shown = everything(error);
    assert!(!shown.contains(MARK), "{what}: {shown}");
}

/// The runs of at least `least` digits in a text.
pub(crate) fn digits(text: &str, least: usize) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_digit())
        .filter(move |run| run.len() >= least)
}
