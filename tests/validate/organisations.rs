//! Organisations as tokens name them.

use proptest::prelude::*;
use segl::ErrorCode;
use segl::keys::OrgNumber;
use segl::validate::{EsealAuthority, IssuedOrganisation};

const ISO6523: &str = "iso6523-actorid-upis";

#[test]
fn a_norwegian_organisation_has_its_number() {
    for (id, parts) in [
        ("0192:910753614", 0),
        ("0192:910753614:avdeling", 1),
        ("0192:910753614:avdeling:9", 2),
    ] {
        let found = IssuedOrganisation::parse(ISO6523, id).unwrap();
        assert_eq!(found.org_number().unwrap().as_str(), "910753614");
        assert_eq!((found.authority(), found.id().as_str()), (ISO6523, id));
        assert!(matches!(found, IssuedOrganisation::Norwegian { part, .. } if part.len() == parts));
    }
}

#[test]
fn other_registers_and_eseals_have_none() {
    for (authority, id) in [
        (ISO6523, "0088:910753614"),
        (ISO6523, "0007:2021005026:x"),
        ("etsi-en-319-412", "NTRNO-910753614"),
        ("etsi_en_119_612", "VATSE-556677889901"),
        ("a-new-authority", "0192:910753614"),
    ] {
        let found = IssuedOrganisation::parse(authority, id).unwrap();
        assert_eq!(found.org_number().map(OrgNumber::as_str), None);
        assert_eq!((found.authority(), found.id().as_str()), (authority, id));
    }
    let eseal = IssuedOrganisation::parse("etsi-en-319-412", "NTRNO-1").unwrap();
    assert!(matches!(
        eseal,
        IssuedOrganisation::Eseal {
            authority: EsealAuthority::En319412,
            ..
        }
    ));
}

#[test]
fn what_is_no_identifier_is_refused() {
    for (authority, id) in [
        ("", "0192:910753614"),
        (ISO6523, ""),
        (ISO6523, "0192"),
        (ISO6523, "0192:"),
        (ISO6523, ":910753614"),
        (ISO6523, "910753614"),
        (ISO6523, "192:910753614"),
        (ISO6523, "0192:910753615"),
        (ISO6523, "0192:91075361"),
        (ISO6523, "0192: 910753614"),
        (ISO6523, "0192:910753614:"),
        (ISO6523, "0192:910753614::9"),
        (ISO6523, "0192:910753614:a:b:c"),
        (ISO6523, "0192:910753614\n"),
        ("etsi-en-319-412", ""),
        ("etsi-en-319-412", "NTRNO 1"),
    ] {
        let error = IssuedOrganisation::parse(authority, id).unwrap_err();
        assert_eq!(error.code(), ErrorCode::AccessTokenMalformed, "{id}");
        assert!(!error.message().contains("91075361"), "{error}");
    }
}

proptest! {
    #[test]
    fn what_is_read_is_written_the_same(
        authority in prop_oneof![Just(ISO6523.to_owned()), Just("etsi-en-319-412".to_owned()), "[a-z0-9-]{1,20}"],
        id in prop_oneof!["[0-9]{4}:[0-9]{9}(:[a-z0-9]{1,4}){0,4}", "0192:9[0-9]{8}", "[ -~]{0,30}", any::<String>()],
    ) {
        if let Ok(found) = IssuedOrganisation::parse(&authority, &id) {
            prop_assert_eq!(found.authority(), authority.as_str());
            prop_assert_eq!(found.id(), id.clone());
            if let Some(number) = found.org_number() {
                prop_assert_eq!(authority.as_str(), ISO6523);
                prop_assert_eq!(id.split(':').nth(1), Some(number.as_str()));
                prop_assert!(id.starts_with("0192:"));
            }
            prop_assert_eq!(IssuedOrganisation::parse(found.authority(), &found.id()).unwrap(), found);
        }
    }
}
