//! The form of KFR's batch: what the register's side reads the bank's side writes, and no
//! refusal shows an identifier.

use segl::apis::kfr::{BatchForm, Boundary, FormStyle, Relation};
use segl::simulator::KfrBatch;

use super::private::digits;

/// The first line is the `Content-Type`, the rest the body.
pub(crate) fn check(data: &[u8]) {
    let mut parts = data.splitn(2, |byte| *byte == b'\n');
    let Ok(content_type) = std::str::from_utf8(parts.next().unwrap_or_default()) else {
        return;
    };
    let body = parts.next().unwrap_or_default();
    match KfrBatch::parse(content_type, body) {
        Ok(batch) => {
            let shown = format!("{batch:?}");
            assert_eq!(digits(&shown, 9).count(), 0, "{shown}");
            written_again(&batch);
        }
        Err(refusal) => {
            assert!(matches!(refusal.status(), 400 | 403), "{refusal:?}");
            let shown = format!("{refusal:?}");
            assert_eq!(digits(&shown, 9).count(), 0, "{shown}");
        }
    }
    if let Ok(boundary) = content_type.parse::<Boundary>() {
        assert_eq!(boundary.as_str(), content_type);
    }
}

fn written_again(batch: &KfrBatch) {
    let relations: Vec<Relation> = batch
        .relations()
        .map(|text| text.parse().unwrap())
        .collect();
    assert!(!relations.is_empty());
    for style in [FormStyle::Documented, FormStyle::Standard] {
        let mut form = BatchForm::new(Boundary::new(), style, relations.len());
        for relation in &relations {
            form.push(relation);
        }
        let (content_type, body) = form.finish();
        assert_eq!(&KfrBatch::parse(&content_type, &body).unwrap(), batch);
    }
}
