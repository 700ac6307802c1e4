//! Bytes in hexadecimal.

/// Two lower case digits a byte.
pub(crate) fn encode(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of a text of two digits each, in either case; `None` for any other text.
#[cfg(any(test, feature = "cli"))]
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| match *pair {
            [high, low] => u8::try_from(digit(high)? << 4 | digit(low)?).ok(),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(bytes: Vec<u8>) {
            let text = encode(&bytes);
            prop_assert_eq!(decode(&text.to_uppercase()), Some(bytes.clone()));
            prop_assert_eq!(decode(&text), Some(bytes));
        }

        #[test]
        fn other_texts_are_refused(text in "\\PC{0,9}") {
            let is_hex = text.len() % 2 == 0 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            prop_assert_eq!(decode(&text).is_some(), is_hex);
        }
    }
}
