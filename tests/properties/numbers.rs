//! Numbers of persons and organisations.

use proptest::prelude::*;
use proptest::sample::Index;
use segl::PersonId;
use segl::keys::OrgNumber;

/// 11 digits whose control digits are right, with `40` added to the day for a D-number.
fn person(day: u32, of_d: bool, rest: u32) -> Option<String> {
    let day = if of_d { day + 40 } else { day };
    let mut digits: Vec<u32> = format!("{day:02}{rest:07}")
        .chars()
        .filter_map(|c| c.to_digit(10))
        .collect();
    for weights in [
        &[3, 7, 6, 1, 8, 9, 4, 5, 2][..],
        &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2],
    ] {
        let sum: u32 = digits
            .iter()
            .zip(weights)
            .map(|(digit, by)| digit * by)
            .sum();
        digits.push((11 - sum % 11) % 11);
    }
    let is_given = digits.iter().all(|digit| *digit < 10);
    is_given.then(|| digits.iter().map(u32::to_string).collect())
}

fn organisation(eight: u32) -> Option<String> {
    let text = format!("{eight:08}");
    let sum: u32 = text
        .chars()
        .zip([3, 2, 7, 6, 5, 4, 3, 2])
        .map(|(digit, by)| digit.to_digit(10).unwrap() * by)
        .sum();
    let check = (11 - sum % 11) % 11;
    (check < 10).then(|| format!("{text}{check}"))
}

/// The same digits but for one.
fn with_another_digit(text: &str, at: Index, by: u8) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let digit = &mut bytes[at.index(text.len())];
    *digit = b'0' + (*digit - b'0' + by) % 10;
    String::from_utf8(bytes).unwrap()
}

proptest! {
    #[test]
    fn persons_are_read_and_never_shown(
        day in 1_u32..=31, of_d in any::<bool>(), rest in 0_u32..10_000_000,
    ) {
        let Some(text) = person(day, of_d, rest) else { return Ok(()) };
        let person: PersonId = text.parse().unwrap();
        prop_assert_eq!(person.expose(), &text);
        let shown = format!("{person:?}");
        prop_assert!(!shown.contains(&text));
        let quoted = format!("\"{text}\"");
        prop_assert_eq!(serde_json::from_str::<PersonId>(&quoted).unwrap(), person);
    }

    #[test]
    fn another_digit_is_another_person_or_none_and_is_not_shown(
        day in 1_u32..=31, rest in 0_u32..10_000_000, at in any::<Index>(), by in 1_u8..10,
    ) {
        let Some(text) = person(day, false, rest) else { return Ok(()) };
        let wrong = with_another_digit(&text, at, by);
        // The second control digit finds every single wrong digit.
        let error = wrong.parse::<PersonId>().unwrap_err();
        let shown = format!("{error} {error:?}");
        prop_assert!(!shown.contains(&wrong));
    }

    #[test]
    fn organisations_are_read_and_printed(eight in 0_u32..100_000_000) {
        let Some(text) = organisation(eight) else { return Ok(()) };
        let number: OrgNumber = text.parse().unwrap();
        prop_assert_eq!(number.to_string(), text);
    }

    #[test]
    fn another_digit_is_no_organisation(
        eight in 0_u32..100_000_000, at in any::<Index>(), by in 1_u8..10,
    ) {
        let Some(text) = organisation(eight) else { return Ok(()) };
        let wrong = with_another_digit(&text, at, by);
        let error = wrong.parse::<OrgNumber>().unwrap_err();
        prop_assert!(!error.to_string().contains(&wrong));
    }
}
