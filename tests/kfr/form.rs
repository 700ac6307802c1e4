//! The multipart form: Bits' sample, and writer and parser against each other.

use proptest::prelude::*;
use segl::apis::kfr::{BatchForm, Boundary, FormStyle, Relation};
use segl::simulator::KfrBatch;

use crate::world::{PERSON, numbers};

/// From Bits' FAQ, as it stands on the page.
const CONTENT_TYPE: &str = "multipart/form-data; boundary=873380600719114776488944";
const BODY: &str = "--873380600719114776488944
Content-Disposition: form-data; name=\"customer_type\";

DSOPBANK

--873380600719114776488944
Content-Disposition: form-data; name=\"customers\"; filename=\"customers.csv\";
Content-Type: text/plain

922203687#2019-11-08,958069367#2011-11-05,921785194#2019-10-15,917439389,989181335#2019-01-03,996128768 
--873380600719114776488944--
";

/// The sample without what was added when it was put on the page: an empty line and a
/// blank at the end of a line.
fn sample() -> String {
    BODY.replace("DSOPBANK\n\n", "DSOPBANK\n")
        .replace("996128768 \n", "996128768\n")
        .replace('\n', "\r\n")
}

fn write(boundary: &str, style: FormStyle, relations: &[Relation]) -> (String, String) {
    let boundary: Boundary = boundary.parse().unwrap();
    let mut form = BatchForm::new(boundary, style, relations.len());
    relations.iter().for_each(|relation| form.push(relation));
    let (content_type, body) = form.finish();
    (content_type, String::from_utf8(body.to_vec()).unwrap())
}

#[test]
fn the_sample_of_bits_is_read_and_written_again_byte_for_byte() {
    let read = KfrBatch::parse(CONTENT_TYPE, sample().as_bytes()).unwrap();
    let relations: Vec<Relation> = read.relations().map(|text| text.parse().unwrap()).collect();
    assert_eq!(relations.len(), 6);
    let (content_type, body) = write(
        "873380600719114776488944",
        FormStyle::Documented,
        &relations,
    );
    assert_eq!(content_type, CONTENT_TYPE);
    assert_eq!(body, sample());
    let (_, standard) = write("873380600719114776488944", FormStyle::Standard, &relations);
    assert_eq!(standard, sample().replace(";\r\n", "\r\n"));
    assert_eq!(KfrBatch::parse(CONTENT_TYPE, standard.as_bytes()), Ok(read));
}

#[test]
fn what_is_wrong_in_the_sample_is_refused_with_a_reason() {
    let as_printed = BODY.replace('\n', "\r\n");
    let without_names = sample()
        .replace("name=\"customer_type\";", "\";")
        .replace("name=\"customers\"; filename=\"customers.csv\";", "\"; \";");
    let with = |from: &str, to: &str| {
        assert!(sample().contains(from), "{from}");
        sample().replace(from, to)
    };
    for (body, code, reason) in [
        (as_printed, "KFR-009", "not DSOPBANK alone"),
        (
            with("996128768\r\n", "996128768 \r\n"),
            "KFR-005",
            "10 characters",
        ),
        (without_names, "KFR-004", "name and filename"),
        (sample().replace("\r\n", "\n"), "KFR-002", "CRLF"),
        (
            with(
                "--873380600719114776488944--",
                "--873380600719114776488945--",
            ),
            "KFR-002",
            "does not end",
        ),
        (
            with("DSOPBANK\r\n--8733", "DSOPBANK\r\n--9733"),
            "KFR-002",
            "between two parts",
        ),
        (with("DSOPBANK", "NICSBANK"), "KFR-009", "not DSOPBANK"),
        (with("text/plain", "text/csv"), "KFR-004", "text/plain"),
        (
            with(" filename=\"customers.csv\";", ""),
            "KFR-004",
            "no file",
        ),
        (with("#2019-11-08", "#2019-11-8"), "KFR-010", "no date"),
        (
            with("922203687", "922203688"),
            "KFR-005",
            "no organisation's",
        ),
        (with("917439389,", ","), "KFR-005", "0 characters"),
    ] {
        let refusal = KfrBatch::parse(CONTENT_TYPE, body.as_bytes()).unwrap_err();
        assert_eq!(refusal.code(), code, "{reason}");
        assert!(refusal.reason().contains(reason), "{}", refusal.reason());
        assert_eq!(refusal.status(), if code == "KFR-002" { 403 } else { 400 });
    }
    for content_type in [
        "multipart/form-data; boundary=\"873380600719114776488944\"",
        "multipart/form-data; boundary=873380600719114776488945",
        "multipart/form-data; boundary=",
        "multipart/form-data",
    ] {
        let refusal = KfrBatch::parse(content_type, sample().as_bytes()).unwrap_err();
        assert_eq!(
            (refusal.status(), refusal.code()),
            (403, "KFR-002"),
            "{content_type}"
        );
    }
}

#[test]
fn boundaries_need_no_quotes() {
    let new = Boundary::new();
    assert_ne!(new, Boundary::new());
    assert_eq!(new.as_str().parse::<Boundary>().unwrap(), new);
    for wrong in ["", "a b", "a\"b", "a:b", "a/b", &"a".repeat(71), "å"] {
        assert!(wrong.parse::<Boundary>().is_err(), "{wrong}");
    }
}

fn relation() -> impl Strategy<Value = Relation> {
    let customer = prop_oneof![
        (0_usize..200).prop_map(|index| numbers(index + 1).last().unwrap()),
        Just(PERSON.to_owned()),
    ];
    let start = proptest::option::of("(19|20)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])");
    (customer, start).prop_map(|(customer, start)| Relation {
        customer: customer.parse().unwrap(),
        start_date: start.map(|day| day.parse().unwrap()),
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        relations in proptest::collection::vec(relation(), 1..50),
        boundary in "[A-Za-z0-9._-]{1,70}",
        is_standard in any::<bool>(),
    ) {
        let style = if is_standard { FormStyle::Standard } else { FormStyle::Documented };
        let (content_type, body) = write(&boundary, style, &relations);
        let read = KfrBatch::parse(&content_type, body.as_bytes()).unwrap();
        let read: Vec<Relation> = read.relations().map(|text| text.parse().unwrap()).collect();
        prop_assert_eq!(read, relations);
    }

    #[test]
    fn a_damaged_form_never_panics_and_a_cut_one_is_refused(
        relations in proptest::collection::vec(relation(), 1..5),
        at in any::<proptest::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let (content_type, body) = write("segl1", FormStyle::Documented, &relations);
        let mut bytes = body.into_bytes();
        let at = at.index(bytes.len() - 2);
        let before = std::mem::replace(&mut bytes[at], byte);
        let _ = KfrBatch::parse(&content_type, &bytes);
        bytes[at] = before;
        bytes.truncate(at);
        prop_assert!(KfrBatch::parse(&content_type, &bytes).is_err());
    }

    #[test]
    fn a_relation_is_read_or_refused_without_being_shown(text in "\\PC{0,30}|[0-9]{9,11}(#[0-9-]{0,12})?") {
        if let Err(error) = text.parse::<Relation>() {
            let shown = error.to_string();
            let digits = text.split('#').next().unwrap_or_default();
            prop_assert!(digits.len() < 9 || !shown.contains(digits));
        }
    }
}
