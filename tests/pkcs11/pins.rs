//! PINs.

use super::*;

#[test]
fn a_wrong_pin_is_tried_once() {
    fixture();
    let uri = uri("token=pins;object=key");
    let open = |pin: Option<&[u8]>| Pkcs11Signer::open(&uri, pin.map(Secret::from), &Call::none());

    let missing = open(None).unwrap_err();
    assert_eq!(missing.code(), ErrorCode::PinRequired);
    assert!(missing.message().contains("pin-source"), "{missing}");

    let first = open(Some(b"0000")).unwrap_err();
    assert_eq!(first.code(), ErrorCode::PinIncorrect);
    assert_eq!(first.details().ck_function, Some("C_Login"));
    assert_eq!(first.details().ck_rv, Some(0xa0));
    assert!(!first.retryable());

    let second = open(Some(b"0000")).unwrap_err();
    assert_eq!(second.code(), ErrorCode::PinIncorrect);
    assert_eq!(second.details().ck_function, None, "no call was made");
    assert!(second.message().contains("not tried again"), "{second}");

    let empty = open(Some(b"")).unwrap_err();
    assert_eq!(
        empty.code(),
        ErrorCode::PinIncorrect,
        "an empty PIN is a PIN"
    );

    let signer = open(Some(PIN.as_bytes())).unwrap();
    require_good_signatures(&signer);

    let other = open(Some(b"1111")).unwrap_err();
    assert_eq!(other.code(), ErrorCode::PinIncorrect);
    assert!(other.message().contains("was not tried"), "{other}");
    assert_eq!(open(None).unwrap_err().code(), ErrorCode::PinRequired);
    require_good_signatures(&open(Some(PIN.as_bytes())).unwrap());
}

#[test]
fn the_pin_may_come_from_the_uri() {
    use std::os::unix::fs::PermissionsExt;
    let file = fixture().path("pin");
    std::fs::write(&file, format!("{PIN}\n")).unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    let module = format!("{}&pin-source=file:{}", softhsm::module(), file.display());
    let uri = uri_in(&module, "token=main;object=p256");
    require_good_signatures(&Pkcs11Signer::open(&uri, None, &Call::none()).unwrap());
}

#[test]
fn nothing_prints_the_pin() {
    let signer = open("token=main;object=p256").unwrap();
    let texts = [
        format!("{signer:?}"),
        format!("{:?}", signer.origin()),
        format!("{:?}", refusal("token=main;object=nothing")),
    ];
    for text in texts {
        assert!(!text.contains(PIN), "{text}");
    }
}
