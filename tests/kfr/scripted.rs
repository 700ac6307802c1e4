//! Requests as they are sent, and answers that the simulator does not give.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use segl::apis::Kfr;
use segl::apis::kfr::{Added, Case, FormStyle, Period, Relation, RelationshipsRequest};
use segl::http::{Request, Response, Transport};
use segl::{Call, Error, ErrorCode, Result, TokenRequest};

use crate::support::{builder, json_answer, now, rsa_key, signer};
use crate::world::{ORG, PERSON, bank};

/// Gives a token and then these answers, and keeps what was sent.
#[derive(Debug, Default)]
pub struct Script {
    pub answers: Mutex<VecDeque<Result<Response>>>,
    pub sent: Mutex<Vec<Request>>,
}

impl Transport for Script {
    fn send(&self, request: &Request, _: &Call) -> Result<Response> {
        if request.url.as_str().ends_with("/token") {
            return Ok(token());
        }
        self.sent.lock().unwrap().push(request.clone());
        let next = self.answers.lock().unwrap().pop_front();
        next.expect("more requests than the test expects")
    }
}

pub fn token() -> Response {
    let token = r#"{"access_token":"tok","token_type":"Bearer","expires_in":119}"#;
    json_answer(200, token)
}

pub fn script(answers: impl IntoIterator<Item = Result<Response>>) -> (Arc<Script>, Kfr) {
    let script = Arc::new(Script::default());
    script.answers.lock().unwrap().extend(answers);
    let kfr = over(script.clone());
    (script, kfr)
}

/// KFR as a client with this transport calls it.
pub fn over(transport: Arc<dyn Transport>) -> Kfr {
    let settings = r#"{"profile":"maskinporten","environment":"test","client_id":"bank","kid":"k",
        "scopes":["bits:kundeforhold.write"]}"#;
    let client = builder(settings, signer(&rsa_key()), now())
        .transport(transport)
        .build(&Call::none())
        .unwrap();
    Kfr::new(Arc::new(client), TokenRequest::default()).unwrap()
}

pub fn answer(status: u16, body: &str, headers: &[(&str, &str)]) -> Response {
    let headers = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Response::new(status, headers.collect(), body.as_bytes().to_vec())
}

/// The error of a removal that was answered so.
pub fn answered(status: u16, body: &str, headers: &[(&str, &str)]) -> Error {
    let answers = [answer(status, body, headers), answer(status, body, headers)];
    let (_, kfr) = script(answers.map(Ok));
    kfr.remove(&bank(), &ORG.parse().unwrap(), &Call::none())
        .unwrap_err()
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let mut found = request
        .headers
        .iter()
        .filter(|(own, _)| own.eq_ignore_ascii_case(name));
    let value = found.next().map(|(_, value)| value.as_str());
    assert!(found.next().is_none(), "{name} stands twice");
    value
}

#[test]
fn requests_are_as_documented() {
    const BASE: &str = "https://preprod.api.bits.no/kar-ws/api/v1/customers";
    let banks = r#"{"banks":[{"organizationId":"916960190","bankName":"B","activeAccount":true,"ownershipType":"new"}]}"#;
    let (script, kfr) = script([
        Ok(answer(201, "", &[])),
        Ok(answer(204, "", &[])),
        Ok(answer(200, banks, &[])),
        Ok(answer(200, banks, &[])),
        Ok(answer(200, r#"{"organizationID":"1","bankName":"B"}"#, &[])),
        Ok(answer(201, "", &[])),
    ]);
    let call = Call::none();
    let person = PERSON.parse().unwrap();
    assert_eq!(kfr.add(&bank(), &person, &call).unwrap(), Added::Added);
    kfr.remove(&bank(), &person, &call).unwrap();
    let period = Period::parse(Some("2018-01-01"), Some("2019-01-01")).unwrap();
    let found = kfr.banks(&bank(), &person, &period, &call).unwrap();
    assert!(found[0].active_account);
    assert_eq!(found[0].organization_id, "916960190");
    assert_eq!(
        serde_json::to_value(&found[0]).unwrap()["ownership_type"],
        "unknown"
    );
    let case = Case::new("§ 10-2", "ref/1").unwrap();
    let request = RelationshipsRequest::v2(person, period, case.clone(), Some(false)).unwrap();
    kfr.customer_relationships(&request, &call).unwrap();
    let account = "15030012345".parse().unwrap();
    kfr.account_servicing_provider(&account, Some(&case), &call)
        .unwrap();
    let relation: Relation = ORG.parse().unwrap();
    kfr.send_relations(&bank(), &[relation], FormStyle::Documented, &call)
        .unwrap();

    let sent = script.sent.lock().unwrap();
    let of_type = format!("{BASE}/financialInstitutions/916960190/relationshipType/DSOPBANK");
    let period = "fromDate=2018-01-01&toDate=2019-01-01";
    let expected = [
        ("POST", of_type.clone(), Some(PERSON)),
        ("DELETE", of_type, Some(PERSON)),
        (
            "GET",
            format!("{BASE}/financialInstitutions/916960190/?{period}"),
            Some(PERSON),
        ),
        (
            "GET",
            format!("{BASE}/customerRelationships?{period}&onlyPrimaryOwner=false"),
            Some(PERSON),
        ),
        ("GET", format!("{BASE}/accountServicingProvider"), None),
        (
            "POST",
            format!("{BASE}/financialInstitutions/916960190/batch"),
            None,
        ),
    ];
    assert_eq!(sent.len(), expected.len());
    let mut ids = Vec::new();
    for (request, (method, url, customer)) in sent.iter().zip(&expected) {
        assert_eq!(request.method.to_string(), *method);
        assert_eq!(request.url.as_str(), url);
        assert_eq!(header(request, "CustomerID"), *customer);
        assert_eq!(header(request, "Authorization"), Some("Bearer tok"));
        ids.push(header(request, "CorrelationID").unwrap());
        assert!(!format!("{request:?}").contains(PERSON));
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 6, "each request has an id of its own");
    for request in [&sent[3], &sent[4]] {
        assert_eq!(header(request, "Legal-Mandate"), Some("%C2%A7%2010-2"));
        assert_eq!(header(request, "AccountInfoRequestID"), Some("ref/1"));
    }
    assert_eq!(header(&sent[4], "AccountID"), Some("15030012345"));
    assert_eq!(header(&sent[2], "Legal-Mandate"), None);
    let media_type = header(&sent[5], "Content-Type").unwrap();
    let boundary = media_type
        .strip_prefix("multipart/form-data; boundary=")
        .unwrap();
    assert!(!boundary.contains('"'));
    let body = String::from_utf8(sent[5].body.to_vec()).unwrap();
    assert!(body.starts_with(&format!("--{boundary}\r\n")), "{body}");
    assert!(
        body.ends_with(&format!("\r\n917439389\r\n--{boundary}--\r\n")),
        "{body}"
    );
}

#[test]
fn statuses_that_are_not_documented_are_no_success() {
    let call = Call::none();
    let customer = ORG.parse().unwrap();
    let relation: Relation = ORG.parse().unwrap();
    let html = [("content-type", "text/html; charset=utf-8")];
    let bad = |error: Error| assert_eq!(error.code(), ErrorCode::ApiBadResponse, "{error}");
    let (_, kfr) = script([
        Ok(answer(204, "", &[])),
        Ok(answer(200, "<html>", &html)),
        Ok(answer(200, "", &[])),
        Ok(answer(200, "", &[])),
        Ok(answer(200, "[]", &[])),
        Ok(answer(200, r#"{"banks":[{"bankName":"B"}]}"#, &[])),
    ]);
    bad(kfr.add(&bank(), &customer, &call).unwrap_err());
    bad(kfr.add(&bank(), &customer, &call).unwrap_err());
    bad(kfr.remove(&bank(), &customer, &call).unwrap_err());
    let batch = kfr.send_relations(&bank(), &[relation], FormStyle::Documented, &call);
    let error = batch.unwrap_err();
    assert!(error.message().contains("not known whether"), "{error}");
    bad(error);
    for _ in 0..2 {
        bad(kfr
            .banks(&bank(), &customer, &Period::default(), &call)
            .unwrap_err());
    }
}

#[test]
fn a_removal_is_sent_once_and_an_addition_again() {
    let cut = || Err(Error::new(ErrorCode::Network, "cut").with_retryable(true));
    let customer = ORG.parse().unwrap();
    let (sent, kfr) = script([cut(), cut()]);
    let error = kfr.remove(&bank(), &customer, &Call::none()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Network);
    assert_eq!(error.details().trace_id.as_ref().unwrap().len(), 36);
    assert_eq!(sent.sent.lock().unwrap().len(), 1);
    let (sent, kfr) = script([cut(), Ok(answer(200, "", &[]))]);
    let added = kfr.add(&bank(), &customer, &Call::none()).unwrap();
    assert_eq!(added, Added::AlreadyThere);
    assert_eq!(sent.sent.lock().unwrap().len(), 2);
}
