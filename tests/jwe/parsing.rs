//! Texts of any kind.

use proptest::prelude::*;
use segl::ErrorCode;
use segl::jwe::Compact;

use super::{decrypt, usual};

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}|[A-Za-z0-9_.=-]{0,300}") {
        if let Err(error) = Compact::parse(&text) {
            prop_assert_eq!(error.code(), ErrorCode::JweInvalid);
        }
    }

    #[test]
    fn no_five_parts_make_it_panic(
        parts in proptest::collection::vec("[A-Za-z0-9_-]{0,60}", 4),
        header in "\\{\"alg\":\"[A-Z0-9_-]{0,12}\",\"enc\":\"[A-Z0-9-]{0,12}\"\\}",
    ) {
        use base64::Engine;
        let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(header);
        let jwe = format!("{header}.{}", parts.join("."));
        let error = decrypt(&jwe).unwrap_err();
        prop_assert!(matches!(error.code(), ErrorCode::JweInvalid | ErrorCode::JweAlgorithm));
    }

    #[test]
    fn no_changed_byte_is_let_through(at in 0..400_usize, byte in 0x20..0x7f_u8) {
        let good = usual(b"{\"a\":1}");
        let mut changed = good.clone().into_bytes();
        let at = at % changed.len();
        changed[at] = byte;
        let changed = String::from_utf8(changed).unwrap();
        prop_assert_eq!(decrypt(&changed).is_ok(), changed == good);
    }

    #[test]
    fn what_was_encrypted_comes_back(plain in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let decrypted = decrypt(&usual(&plain)).unwrap();
        prop_assert_eq!(decrypted.expose(), &plain[..]);
    }
}

#[test]
fn parts_and_lengths_are_bounded() {
    let good = usual(b"{}");
    let (header, rest) = good.split_once('.').unwrap();
    for text in [
        String::new(),
        "a.b.c".to_owned(),
        "....".to_owned(),
        format!("{good}."),
        format!("{good}.AAAA"),
        format!("{good}="),
        format!(" {good}"),
        good.replace('.', ".."),
        format!("{}.{rest}", "A".repeat(40_000)),
        format!("{header}.{}.AAAA.AAAA.AAAA", "A".repeat(800)),
    ] {
        let error = Compact::parse(&text).unwrap_err();
        assert_eq!(error.code(), ErrorCode::JweInvalid, "{error}");
    }
}
