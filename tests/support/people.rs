//! Synthetic personal identifiers.

/// So many different identifiers with right control digits: of people born in the year
/// that the test environments' synthetic persons have, months 81 to 92.
pub fn person_ids(count: usize) -> Vec<String> {
    let births = (1..=28).flat_map(|day| (81..=92).map(move |month| (day, month)));
    let stems = births.flat_map(|(day, month)| {
        (0..1000).map(move |number| format!("{day:02}{month:02}70{number:03}"))
    });
    stems
        .filter_map(|stem| {
            let first = control(&stem, &[3, 7, 6, 1, 8, 9, 4, 5, 2])?;
            let stem = format!("{stem}{first}");
            let second = control(&stem, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2])?;
            Some(format!("{stem}{second}"))
        })
        .take(count)
        .collect()
}

/// The digit that makes the weighted sum a multiple of 11, if one does.
fn control(digits: &str, weights: &[u32]) -> Option<u32> {
    let products = digits.chars().zip(weights);
    let sum: u32 = products
        .map(|(digit, by)| digit.to_digit(10).unwrap() * by)
        .sum();
    match (11 - sum % 11) % 11 {
        10 => None,
        digit => Some(digit),
    }
}
