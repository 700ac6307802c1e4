//! What holds for any text: no panic, no secret printed, and a canonical form
//! that says the same.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use segl::keys::uri::{PinPolicy, PinSource};
use segl::{Error, KeyUri};

use crate::ALLOW_ALL;

/// Stands in every secret of these tests and nowhere else.
const MARK: &str = "hemmelig";

proptest! {
    #[test]
    fn any_values_survive_encoding_and_canonical_form(
        texts in vec(option::of(any::<String>()), 8),
        id in option::of(vec(any::<u8>(), 0..40)),
        version in option::of(any::<(u8, u8)>()),
        slot_id in option::of(any::<u64>()),
        module in option::of("/[^\0]*"),
        pin in option::of(PIN_SOURCES),
        upper in any::<bool>(),
    ) {
        const NAMES: [&str; 8] = [
            "token", "manufacturer", "serial", "model", "library-manufacturer",
            "library-description", "slot-manufacturer", "slot-description",
        ];
        let mut path: Vec<String> = NAMES
            .iter()
            .zip(&texts)
            .filter_map(|(name, text)| {
                Some(format!("{}={}", case(name, upper), encode(text.as_ref()?.as_bytes())))
            })
            .collect();
        path.extend(id.as_ref().map(|id| format!("{}={}", case("id", upper), encode(id))));
        path.extend(version.map(|(major, minor)| format!("library-version={major}.{minor}")));
        path.extend(slot_id.map(|id| format!("slot-id={id}")));
        let mut query: Vec<String> = Vec::new();
        query.extend(module.as_ref().map(|m| format!("module-path={}", encode(m.as_bytes()))));
        query.extend(pin.as_ref().map(|p| format!("pin-source={}", encode(p.as_bytes()))));
        let text = format!("{}:{}?{}", case("pkcs11", upper), path.join(";"), query.join("&"));

        let KeyUri::Pkcs11(uri) = text.parse::<KeyUri>().unwrap() else { panic!() };
        let read = [
            uri.token(), uri.manufacturer(), uri.serial(), uri.model(), uri.library_manufacturer(),
            uri.library_description(), uri.slot_manufacturer(), uri.slot_description(),
        ];
        let expected: Vec<_> = texts.iter().map(Option::as_deref).collect();
        prop_assert_eq!(&read[..], &expected[..]);
        prop_assert_eq!(uri.id(), id.as_deref());
        prop_assert_eq!(uri.library_version(), version);
        prop_assert_eq!(uri.slot_id(), slot_id);
        prop_assert_eq!(uri.module_path(), module.as_deref().map(std::path::Path::new));
        prop_assert_eq!(uri.pin_source().is_some(), pin.is_some());
        same_again(&KeyUri::Pkcs11(uri))?;
    }

    #[test]
    fn any_file_survives_encoding_and_canonical_form(
        path in "[^\0]+",
        pin in option::of(PIN_SOURCES),
    ) {
        let query = pin.map(|pin| format!("?pin-source={}", encode(pin.as_bytes())));
        let text = format!("file:{}{}", encode(path.as_bytes()), query.unwrap_or_default());
        let KeyUri::File(uri) = text.parse::<KeyUri>().unwrap() else { panic!() };
        prop_assert_eq!(uri.path(), std::path::Path::new(&path));
        same_again(&KeyUri::File(uri))?;
    }

    #[test]
    fn any_key_in_kms_survives_encoding_and_canonical_form(
        name in "alias/[a-zA-Z0-9:/_-]{1,40}|mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        region in option::of("[a-z]{2}-[a-z]{3,9}-[1-9]"),
        profile in option::of(r"[^\[\]\r\n\x00]+"),
        port in option::of(any::<u16>()),
        upper in any::<bool>(),
    ) {
        prop_assume!(!name.starts_with("alias/aws/"));
        let endpoint = port.map(|port| format!("http://127.0.0.1:{port}/"));
        let mut query: Vec<String> = Vec::new();
        query.extend(profile.as_ref().map(|p| format!("profile={}", encode(p.as_bytes()))));
        query.extend(endpoint.as_ref().map(|e| format!("endpoint={e}")));
        query.extend(region.as_ref().map(|r| format!("{}={r}", case("region", upper))));
        let text = format!("{}:{name}?{}", case("awskms", upper), query.join("&"));
        let KeyUri::AwsKms(uri) = text.parse::<KeyUri>().unwrap() else { panic!() };
        prop_assert_eq!(uri.name().to_string(), name);
        prop_assert_eq!(uri.region(), region.as_deref());
        prop_assert_eq!(uri.profile(), profile.as_deref());
        prop_assert_eq!(uri.endpoint().is_some(), endpoint.is_some());
        same_again(&KeyUri::AwsKms(uri))?;
    }

    #[test]
    fn any_pin_is_bytes(pin in vec(any::<u8>(), 1..64)) {
        let text = format!("pkcs11:token=t?pin-value={}", encode(&pin));
        let KeyUri::Pkcs11(uri) = KeyUri::parse(&text, ALLOW_ALL).unwrap() else { panic!() };
        let read = uri.pin_source().unwrap().read().unwrap();
        prop_assert_eq!(read.expose(), &pin[..]);
    }

    #[test]
    fn no_text_panics(text in any::<String>(), scheme in select(vec!["", "pkcs11:", "file:", "awskms:", "awskms:alias/a?"])) {
        for policy in [PinPolicy::default(), ALLOW_ALL] {
            let _ = KeyUri::parse(&format!("{scheme}{text}"), policy);
            let _ = PinSource::parse(&format!("{scheme}{text}"), policy);
        }
    }

    #[test]
    fn no_soup_of_delimiters_panics_and_what_parses_has_a_canonical_form(
        soup in vec(select(&PIECES[..]), 0..12),
        scheme in select(vec!["pkcs11:", "file:", "awskms:alias/"]),
    ) {
        if let Ok(uri) = format!("{scheme}{}", soup.concat()).parse::<KeyUri>() {
            same_again(&uri)?;
        }
    }

    #[test]
    fn no_secret_is_printed(
        before in select(&BEFORE[..]),
        attribute in select(vec!["pin-value=", "PIN-VALUE=", "pin-source=|", "pin-source=%7C"]),
        secret in secret(),
        after in select(vec!["", "&", "&x=%", "&x=1", "&pin-value=2", "&module-path=rel", "&token=1", ";", "#", "?"]),
        policy in select(vec![PinPolicy::default(), ALLOW_ALL]),
    ) {
        let text = format!("{before}{attribute}{secret}{after}");
        match KeyUri::parse(&text, policy) {
            Ok(uri) => {
                let printed = format!("{uri} {uri:?} {uri:#?}");
                prop_assert!(!printed.contains(MARK), "{text} printed {printed}");
            }
            Err(error) => prop_assert!(!everything(&error).contains(MARK), "{text}: {error:?}"),
        }
    }

    #[test]
    fn no_secret_is_printed_by_a_source_alone(
        prefix in select(vec!["|", "", "file:", "file://", "vault:", " /"]),
        secret in secret(),
        policy in select(vec![PinPolicy::default(), ALLOW_ALL]),
    ) {
        match PinSource::parse(&format!("{prefix}{secret}"), policy) {
            // Not taken for a secret.
            Ok(PinSource::File(_) | PinSource::Env(_)) => {}
            Ok(source) => {
                let printed = format!("{source} {source:?}");
                prop_assert!(!printed.contains(MARK), "printed {printed}");
            }
            Err(error) => prop_assert!(!everything(&error).contains(MARK)),
        }
    }
}

/// Sources that are shown, with and without scheme; two slashes after `file:`
/// would announce a host.
const PIN_SOURCES: &str = "file:/([^/\0][^\0]*)?|//?[^\0]*|env:[^=\0]+";

/// What goes before a PIN attribute, with delimiters right and wrong.
const BEFORE: [&str; 16] = [
    "awskms:alias/a?",
    "awskms:alias/a?region=eu-north-1&",
    "pkcs11:",
    "pkcs11:?",
    "pkcs11:token=a?",
    "pkcs11:token=a&",
    "pkcs11:token=a;",
    "pkcs11:token=a??",
    "pkcs11:token=a?module-path=/m.so&",
    "pkcs11:token=a?module-path=/m.so?",
    "pkcs11:token=a?module-path=/m.so;",
    "pkcs11:token=a?vendor=1&",
    "file:k?",
    "file:k&",
    "unknown:k?",
    "/etc/k?",
];

const PIECES: [&str; 30] = [
    "token",
    "id",
    "type",
    "serial",
    "slot-id",
    "library-version",
    "pin-source",
    "module-path",
    "vendor-x",
    "=",
    "=",
    "=",
    "=",
    ";",
    "?",
    "&",
    "/",
    "//",
    "%",
    "%2",
    "%41",
    "%ff",
    "%C3%A6",
    "private",
    "/abs",
    "env:",
    "1",
    "\u{e6}",
    " ",
    "#",
];

/// A secret written down carelessly, not percent-encoded.
fn secret() -> impl Strategy<Value = String> {
    let careless = select(vec![
        "",
        "1",
        "a",
        "&",
        "=",
        ";",
        "?",
        "/",
        ":",
        "|",
        "#",
        "%",
        "%41",
        "%zz",
        " ",
        "\u{e6}",
        "\n",
        "\"",
        "?pin-value=",
        "&y=",
        "=%zz",
        "&y",
    ]);
    (vec(careless.clone(), 0..5), vec(careless, 0..5))
        .prop_map(|(before, after)| format!("{}{MARK}{}", before.concat(), after.concat()))
}

/// The message of an error, its details and those of all its causes.
fn everything(error: &Error) -> String {
    let mut text = format!("{error} {error:?} {error:#?}");
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text += &format!("{error} {error:?}");
        cause = error.source();
    }
    text
}

/// The canonical form parses to the same URI and is its own canonical form.
/// `Debug` shows every field.
fn same_again(uri: &KeyUri) -> Result<(), TestCaseError> {
    let canonical = uri.to_string();
    let again: KeyUri = canonical.parse().unwrap();
    prop_assert_eq!(format!("{again:?}"), format!("{uri:?}"));
    prop_assert_eq!(again.to_string(), canonical);
    Ok(())
}

fn encode(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("%{byte:02x}")).collect()
}

fn case(name: &str, upper: bool) -> String {
    if upper {
        name.to_ascii_uppercase()
    } else {
        name.to_owned()
    }
}
