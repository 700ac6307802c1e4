//! The register's answers byte by byte, to requests that segl itself does not send.

use std::sync::Arc;

use segl::apis::ApiRequest;
use segl::apis::kfr::{FormStyle, Relation};
use segl::http::Response;
use segl::{Call, TokenClient, TokenRequest};
use serde_json::Value;

use crate::world::*;

const ID: &str = "2b6fc544-e708-4887-8425-378733eea631";

struct Desk {
    world: World,
    client: Arc<TokenClient>,
}

impl Desk {
    fn new(kfr: &str) -> Self {
        let world = World::with(kfr);
        let client = world.client();
        Self { world, client }
    }

    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
        let url = format!("{}/customers/{path}", self.world.simulator.urls().kfr);
        let mut request = ApiRequest::new(method, &url)
            .unwrap()
            .body(body.to_vec())
            .unwrap();
        for (name, value) in headers {
            request = request.header(name, value).unwrap();
        }
        request
            .send(&self.client, TokenRequest::default(), &Call::none())
            .unwrap()
    }

    /// Status and code, from a body with the three documented members.
    fn refused(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> (u16, String) {
        let answer = self.send(method, path, headers, body);
        let error: Value = serde_json::from_slice(&answer.body).unwrap();
        let error = error.as_object().unwrap();
        assert_eq!(error.len(), 3, "{error:?}");
        assert!(error["errorMessage"].is_string());
        let time = error["timestamp"].as_str().unwrap();
        assert!(time.len() == 20 && time.ends_with('Z'), "{time}");
        (
            answer.status,
            error["errorCode"].as_str().unwrap().to_owned(),
        )
    }
}

fn institution(rest: &str) -> String {
    format!("financialInstitutions/{BANK}/{rest}")
}

fn form(customers: &str) -> Vec<u8> {
    format!(
        "--b1\r\nContent-Disposition: form-data; name=\"customer_type\"\r\n\r\nDSOPBANK\r\n--b1\r\n\
         Content-Disposition: form-data; name=\"customers\"; filename=\"customers.csv\"\r\n\
         Content-Type: text/plain\r\n\r\n{customers}\r\n--b1--\r\n"
    )
    .into_bytes()
}

#[test]
fn batches() {
    let desk = Desk::new("");
    let (path, right) = (institution("batch"), "multipart/form-data; boundary=b1");
    let post = |content_type: &str, id: &str, body: &[u8]| {
        let headers = [("Content-Type", content_type), ("CorrelationID", id)];
        desk.refused("POST", &path, &headers, body)
    };
    let is = |status: u16, code: &str| (status, code.to_owned());
    let body = form(ORG);
    for wrong in [
        "multipart/form-data; boundary=\"b1\"",
        "multipart/form-data; boundary=b2",
        "multipart/form-data",
    ] {
        assert_eq!(post(wrong, ID, &body), is(403, "KFR-002"), "{wrong}");
    }
    assert_eq!(post("text/csv; boundary=b1", ID, &body), is(400, "KFR-004"));
    assert_eq!(post(right, "no-uuid", &body), is(400, "KFR-004"));
    assert_eq!(post(right, ID, &form("12")), is(400, "KFR-005"));
    assert_eq!(
        post(right, ID, &form(&format!("{ORG}#2019-13-01"))),
        is(400, "KFR-010")
    );
    let kind = String::from_utf8(form(ORG))
        .unwrap()
        .replace("DSOPBANK", "OTHER");
    assert_eq!(post(right, ID, kind.as_bytes()), is(400, "KFR-009"));
    let large = form(&format!("{ORG},").repeat(1_000_000));
    assert!(large.len() > 10_000_000);
    assert_eq!(post(right, ID, &large), is(400, "KFR-004"));
    assert_eq!(desk.world.simulator.requests().kfr_batches, 0);

    let headers = [("Content-Type", right), ("CorrelationID", ID)];
    let answer = desk.send("POST", &path, &headers, &body);
    assert_eq!((answer.status, answer.body.len()), (201, 0));
    assert_eq!(answer.header("correlationid"), Some(ID));
}

#[test]
fn a_request_of_most_relations_is_taken() {
    let world = World::new();
    // More than other paths of the simulator take, and than its outages read.
    let relations: Vec<Relation> = numbers(50_000)
        .map(|number| number.parse().unwrap())
        .collect();
    world
        .kfr()
        .send_relations(&bank(), &relations, FormStyle::Documented, &Call::none())
        .unwrap();
    assert_eq!(world.loaded().0.len(), 50_000);
}

#[test]
fn single_calls() {
    let desk = Desk::new("");
    let refused = |method: &str, path: &str, customer: &str, id: &str| {
        let headers = [("CustomerID", customer), ("CorrelationID", id)];
        desk.refused(method, path, &headers, b"")
    };
    let is = |status: u16, code: &str| (status, code.to_owned());
    let path = institution("relationshipType/DSOPBANK");
    for method in ["POST", "DELETE"] {
        let other = institution("relationshipType/OTHER");
        assert_eq!(refused(method, &other, ORG, ID), is(400, "KFR-009"));
        assert_eq!(refused(method, &path, "917439388", ID), is(400, "KFR-005"));
        assert_eq!(refused(method, &path, ORG, "x"), is(400, "KFR-004"));
    }
    assert_eq!(refused("DELETE", &path, ORG, ID), is(404, "KFR-008"));
    assert_eq!(
        refused("GET", &institution(""), "1", ID),
        is(400, "ERR-002")
    );
    for period in [
        "fromDate=x",
        "toDate=2019-1-1",
        "fromDate=2020-01-02&toDate=2020-01-01",
    ] {
        let path = institution(&format!("?{period}"));
        assert_eq!(
            refused("GET", &path, ORG, ID),
            is(400, "ERR-003"),
            "{period}"
        );
    }
    let without_slash = format!("financialInstitutions/{BANK}");
    assert_eq!(
        desk.send("GET", &without_slash, &[("CustomerID", ORG)], b"")
            .status,
        404
    );
}

#[test]
fn version_two_wants_more() {
    let desk = Desk::new("version = 2");
    let all = [
        ("CustomerID", ORG),
        ("CorrelationID", ID),
        ("Legal-Mandate", "x"),
        ("AccountInfoRequestID", "y"),
    ];
    let path = "customerRelationships?fromDate=2019-01-01&toDate=2019-01-02";
    assert_eq!(desk.send("GET", path, &all, b"").status, 200);
    for left_out in 0..all.len() {
        let mut headers = all.to_vec();
        headers.remove(left_out);
        assert_eq!(
            desk.refused("GET", path, &headers, b"").0,
            400,
            "{left_out}"
        );
    }
    for path in [
        "customerRelationships",
        "customerRelationships?fromDate=2019-01-01",
    ] {
        assert_eq!(
            desk.refused("GET", path, &all, b""),
            (400, "ERR-003".to_owned())
        );
    }
}

#[test]
fn without_a_good_token() {
    let desk = Desk::new("");
    let base = &desk.world.simulator.urls().kfr;
    let get = |path: &str| -> (u16, Value) {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build();
        let mut answer = ureq::Agent::from(agent)
            .get(format!("{base}/customers/{path}"))
            .header("Authorization", "Bearer x")
            .header("CorrelationID", ID)
            .call()
            .unwrap();
        let body = answer.body_mut().read_to_string().unwrap();
        (
            answer.status().as_u16(),
            serde_json::from_str(&body).unwrap(),
        )
    };
    let (status, body) = get(&institution(""));
    assert_eq!((status, &body["errorCode"]), (401, &"ERR-001".into()));
    let (status, body) = get("customerRelationships");
    assert_eq!((status, &body["errorCode"]), (401, &"ERR-001".into()));
    let (status, body) = get("accountServicingProvider");
    let expected = serde_json::json!({
        "statusCode": 401, "message": "Unauthorized. Access token is missing or invalid",
    });
    assert_eq!((status, body), (401, expected));
}
