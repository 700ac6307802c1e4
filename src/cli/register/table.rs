//! Columns for people.

/// `rows` under `header`, each column as wide as its longest text.
pub(super) fn table<const N: usize>(header: [&str; N], rows: &[[String; N]]) -> String {
    let width = |column: usize| {
        let texts = rows.iter().map(|row| row[column].as_str());
        let longest = texts
            .chain([header[column]])
            .map(|text| text.chars().count());
        longest.max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..N).map(width).collect();
    let line = |texts: &[&str]| {
        let padded = texts.iter().zip(&widths);
        let padded: Vec<_> = padded
            .map(|(text, width)| format!("{text:width$}"))
            .collect();
        padded.join("  ").trim_end().to_owned()
    };
    let lines = rows
        .iter()
        .map(|row| line(&row.each_ref().map(String::as_str)));
    let lines: Vec<_> = std::iter::once(line(&header)).chain(lines).collect();
    lines.join("\n")
}
