//! Answers as the register documents them, and others that it might give.

use segl::apis::krr::{KrrVersion, Language, Reservation, Status};
use segl::{Call, ErrorCode};

use crate::world::{KARI, NOBODY, Register, digits, ids};

/// The pilot's request and response, which are about different persons.
#[test]
fn the_documented_example_is_sent_and_read() {
    let register = Register::answering([(
        200,
        r#"
{
  "personer":
    [
      {
         "personidentifikator": "23079421936",
         "reservasjon": "NEI",
         "status": "AKTIV",
         "kontaktinformasjon":
         {
            "epostadresse": "23079421936-test@minid.norge.no",
            "epostadresse_oppdatert": "2010-12-16T13:32:05.000+01:00"
         }
      }
   ]
}"#,
    )]);
    let krr = register.krr().with_version(KrrVersion::V1);
    let batch = krr
        .lookup_all(ids(&["23079422568"]), &Call::none())
        .unwrap();

    let asked = register.asked.lock().unwrap();
    let (url, body) = &asked[0];
    assert_eq!(url, "https://test.kontaktregisteret.no/rest/v1/personer");
    assert_eq!(body, r#"{"personidentifikatorer":["23079422568"]}"#);
    // Nobody is taken for somebody else.
    assert!(batch.persons.is_empty());
    assert_eq!(digits(&batch.missing), ["23079422568"]);
    let [person] = &batch.unasked[..] else {
        panic!("one person");
    };
    assert_eq!(person.id.expose(), "23079421936");
    assert_eq!(person.reservation, Some(Reservation::NotReserved));
    assert_eq!(person.status, Some(Status::Active));
    let contact = person.contact.as_ref().unwrap();
    let email = contact.email.as_ref().unwrap().as_str();
    assert_eq!(email, "23079421936-test@minid.norge.no");
    let updated = contact.email_updated.unwrap();
    assert_eq!(updated.to_string(), "2010-12-16T13:32:05+01:00");
    assert_eq!(updated.unix_time().seconds(), 1_292_502_725);
}

#[test]
fn version_2_says_whether_the_unregistered_are_wanted() {
    let register = Register::answering([(200, r#"{"personer":[]}"#), (200, r#"{"personer":[]}"#)]);
    let krr = register.krr();
    let batch = krr.lookup_all(ids(&[KARI, NOBODY]), &Call::none()).unwrap();
    assert_eq!(digits(&batch.missing), [KARI, NOBODY]);
    let krr = krr.with_version(KrrVersion::V2 {
        include_unregistered: true,
    });
    krr.lookup_all(ids(&[KARI]), &Call::none()).unwrap();
    let asked = register.asked.lock().unwrap();
    let url = "https://test.kontaktregisteret.no/rest/v2/personer";
    assert_eq!(
        *asked,
        [
            (
                url.to_owned(),
                format!(
                    r#"{{"personidentifikatorer":["{KARI}","{NOBODY}"],"inkluderIkkeRegistrerte":false}}"#
                )
            ),
            (
                url.to_owned(),
                format!(r#"{{"personidentifikatorer":["{KARI}"],"inkluderIkkeRegistrerte":true}}"#)
            ),
        ]
    );
}

#[test]
fn what_segl_does_not_know_is_kept() {
    let register = Register::answering([(
        200,
        r#"{"personer":[{"personidentifikator":"23079421936","status":"FLYTTET","spraak":"se",
            "kontaktinformasjon":{"epostadresse_duplisert":"JA","x":1},"nytt":[1]}]}"#,
    )]);
    let mut batch = register
        .krr()
        .lookup_all(ids(&[KARI]), &Call::none())
        .unwrap();
    let person = batch.persons.pop().unwrap();
    assert_eq!(person.status, Some(Status::Other("FLYTTET".to_owned())));
    assert_eq!(person.language, Some(Language::NorthernSami));
    assert_eq!(person.other["nytt"][0], 1);
    let contact = person.contact.as_ref().unwrap();
    assert_eq!(contact.other["epostadresse_duplisert"], "JA");
    // It is given on as it came.
    let json = serde_json::to_value(&person).unwrap();
    assert_eq!(json["status"], "FLYTTET");
    assert_eq!(json["kontaktinformasjon"]["x"], 1);
    assert_eq!(json["personidentifikator"], KARI);
    assert!(!format!("{person:?} {contact:?}").contains(['2', '@']));
}

#[test]
fn a_person_who_is_there_twice_is_taken_once() {
    let register = Register::answering([(
        200,
        r#"{"personer":[{"personidentifikator":"23079421936","reservasjon":"JA"},
            {"personidentifikator":"23079421936","reservasjon":"NEI"}]}"#,
    )]);
    let batch = register
        .krr()
        .lookup_all(ids(&[KARI]), &Call::none())
        .unwrap();
    assert_eq!(batch.persons[0].reservation, Some(Reservation::Reserved));
    assert_eq!(batch.unasked.len(), 1);
}

#[test]
fn refusals_say_what_to_do_and_name_nobody() {
    for (status, body, code) in [
        (
            400,
            r#"{"message":"no: 23079421936"}"#,
            ErrorCode::ApiInvalidRequest,
        ),
        (403, "", ErrorCode::ApiForbidden),
        (404, "", ErrorCode::ApiNotFound),
        (500, "<html>", ErrorCode::ApiServer),
        (200, "<html>", ErrorCode::ApiBadResponse),
        (200, "{}", ErrorCode::ApiBadResponse),
        (
            200,
            r#"{"personer":[{"personidentifikator":"23079421937"}]}"#,
            ErrorCode::ApiBadResponse,
        ),
        (
            200,
            r#"{"personer":[{"personidentifikator":"23079421936","spraak_oppdatert":"23079421936"}]}"#,
            ErrorCode::ApiBadResponse,
        ),
    ] {
        let register = Register::answering([(status, body)]);
        let asked = register.krr().lookup_all(ids(&[KARI]), &Call::none());
        let error = asked.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(!format!("{error:?}").contains("2307942"), "{error:?}");
        if status == 403 {
            assert!(
                error
                    .message()
                    .contains("krr:global/kontaktinformasjon.read")
            );
        }
    }
}

#[test]
fn nobody_is_asked_for_when_the_list_is_empty() {
    let register = Register::answering([]);
    let batch = register.krr().lookup_all([], &Call::none()).unwrap();
    assert!(batch.persons.is_empty() && batch.missing.is_empty());
}
