//! Requests: what is sent, and what is not.

use std::sync::Mutex;

use segl::apis::dsop_control::{AdditionalReference, AdditionalReferenceType, Period};
use segl::http::{Request, Response, Transport, TransportSettings, UreqTransport};
use segl::{Call, ErrorCode};
use serde_json::json;
use zeroize::Zeroizing;

use super::*;

/// Sends what it is given, and keeps what goes to the bank.
#[derive(Debug)]
struct Watching {
    inner: UreqTransport,
    sent: Mutex<Vec<Request>>,
}

impl Transport for Watching {
    fn send(&self, request: &Request, call: &Call) -> Result<Response> {
        if request.url.as_str().contains("/bank") {
            self.sent.lock().unwrap().push(request.clone());
        }
        self.inner.send(request, call)
    }
}

fn watched(world: &World) -> (DsopControl, Arc<Watching>) {
    let watching = Arc::new(Watching {
        inner: UreqTransport::new(TransportSettings::default()),
        sent: Mutex::default(),
    });
    let transport: Arc<dyn Transport> = watching.clone();
    let client = TokenClient::builder(world.settings(&json!({})))
        .transport(transport)
        .build(&Call::none())
        .unwrap();
    let bank = Some(world.bank_url());
    let bank = DsopControl::new(Arc::new(client), TokenRequest::default(), bank).unwrap();
    (bank, watching)
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let mut found = request.headers.iter().filter(|(own, _)| own == name);
    let value = found.next().map(|(_, value)| value.as_str());
    assert!(found.next().is_none(), "{name} twice");
    value
}

#[test]
fn headers_and_query_are_as_documented() {
    let world = World::new("");
    let (bank, watching) = watched(&world);
    let mut case = case();
    case.additional_reference = Some(AdditionalReference {
        kind: AdditionalReferenceType::Srf,
        id: Zeroizing::new("ref-1".to_owned()),
    });
    case.requester_id = Some(Zeroizing::new("user-7".to_owned()));
    let period = Period::new(Some("2025-01-01"), Some("2025-12-31")).unwrap();
    bank.accounts(&case, &party(OWNER), false, period, &Call::none())
        .unwrap();
    bank.transactions(&case, ACCOUNT, Period::default(), &Call::none())
        .unwrap();
    let sent = watching.sent.lock().unwrap();
    let base = world.bank_url();
    assert_eq!(
        sent[0].url.as_str(),
        format!("{base}/v2/accounts?OnlyPrimaryOwner=false&fromDate=2025-01-01&toDate=2025-12-31")
    );
    assert_eq!(
        sent[1].url.as_str(),
        format!("{base}/v2/accounts/{ACCOUNT}/transactions")
    );
    for request in sent.iter() {
        for (name, value) in [
            ("Accept", "application/jose"),
            (
                "AccountInfoRequestID",
                "d4a820ca-ddde-11ed-b5ea-0242ac120002",
            ),
            (
                "Legal-Mandate",
                "Skatteforvaltningsloven%20%C2%A7%2010-2%20f%C3%B8rste%20ledd",
            ),
            ("AdditionalReferenceID", "ref-1"),
            ("AdditionalReferenceIDType", "srf"),
            ("RequesterID", "user-7"),
        ] {
            assert_eq!(header(request, name), Some(value), "{name}");
        }
    }
    assert_eq!(header(&sent[0], "PartyID"), Some(OWNER));
    // Who it is about is in no other request than the one that needs it.
    assert_eq!(header(&sent[1], "PartyID"), None);
    let ids: Vec<_> = sent
        .iter()
        .map(|sent| header(sent, "CorrelationID").unwrap())
        .collect();
    assert_ne!(ids[0], ids[1]);
    assert!(ids.iter().all(|id| uuid::Uuid::parse_str(id).is_ok()));
}

#[test]
fn every_path_answers() {
    let world = World::new("");
    let bank = world.bank();
    let (case, period, call) = (case(), Period::default(), Call::none());
    let details = bank.account(&case, ACCOUNT, period, &call).unwrap();
    // To the digit, as the bank wrote it.
    assert!(
        details[0].as_str().contains("\"amount\":1250.5"),
        "{}",
        details[0].as_str()
    );
    let cards = value(&bank.cards(&case, ACCOUNT, period, &call).unwrap()[0]);
    assert_eq!(cards["paymentCards"].as_array().unwrap().len(), 1);
    let roles = value(&bank.roles(&case, ACCOUNT, period, &call).unwrap()[0]);
    assert_eq!(roles["roles"][0]["identifier"]["value"], HOLDER);
    let owned = bank
        .accounts(&case, &party(HOLDER), true, period, &call)
        .unwrap();
    assert_eq!(value(&owned[0])["accounts"].as_array().unwrap().len(), 1);
    let all = bank
        .accounts(&case, &party(HOLDER), false, period, &call)
        .unwrap();
    assert_eq!(value(&all[0])["accounts"].as_array().unwrap().len(), 2);
    let none = bank
        .accounts(&case, &party(ORGANISATION), true, period, &call)
        .unwrap();
    assert_eq!(value(&none[0])["accounts"], json!([]));
}

#[test]
fn the_base_url_may_have_the_version_or_come_from_the_settings() {
    let world = World::new("");
    let base = world.bank_url().to_owned();
    let services = json!({ "dsop_control": { "base_url": base } });
    let client = world.client(&json!({ "services": services }));
    let bank = DsopControl::new(client, TokenRequest::default(), None).unwrap();
    accounts(&bank).unwrap();
    let mut request = TokenRequest::default();
    request.resource = Some(vec![base.clone()]);
    for bank in [
        format!("{base}/v2"),
        format!("{base}/v2/"),
        format!("{base}/"),
    ] {
        let client = world.client(&json!({}));
        let bank = DsopControl::new(client, request.clone(), Some(&bank)).unwrap();
        accounts(&bank).unwrap();
    }
    let client = world.client(&json!({}));
    let error = DsopControl::new(client, TokenRequest::default(), None).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument, "{error}");
}

#[test]
fn banks_are_those_of_the_setting_apis() {
    let world = World::new("");
    let client = world.client(&json!({ "apis": ["https://bank.example/dsop"] }));
    let bank = Some(world.bank_url());
    let error = DsopControl::new(Arc::clone(&client), TokenRequest::default(), bank).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ApiNotAllowed, "{error}");
    let known = Some("https://bank.example/dsop");
    assert!(DsopControl::new(client, TokenRequest::default(), known).is_ok());
    assert_eq!(world.simulator.requests().maskinporten_token, 0);
}

#[test]
fn wrong_input_is_refused_before_anything_is_sent() {
    let world = World::new("");
    let good = || {
        json!({
            "bank": world.bank_url(),
            "case": {
                "account_info_request_id": "d4a820ca-ddde-11ed-b5ea-0242ac120002",
                "legal_mandate": "Skatteforvaltningsloven § 10-2",
            },
            "party": OWNER,
            "only_primary_owner": true,
        })
    };
    let output = world.call("dsop_control.accounts", &good()).unwrap();
    assert_eq!(
        output["pages"][0]["accounts"][0]["accountReference"],
        ACCOUNT
    );
    let before = world.simulator.requests().maskinporten_token;
    let with = |pointer: &str, value: Value| {
        let mut input = good();
        *input.pointer_mut(pointer).unwrap() = value;
        input
    };
    let mut period = good();
    period["from_date"] = "2025-02-30".into();
    let mut unknown = good();
    unknown["persons"] = json!([OWNER]);
    let mut requester = good();
    requester["case"]["requester_id"] = "a\r\nX: b".into();
    let mut reference = good();
    reference["case"]["additional_reference"] = json!({ "type": "pol2", "id": "x" });
    for input in [
        with("/party", "23079422569".into()),
        with("/party", "974761077".into()),
        with("/party", "".into()),
        with("/party", 23_079_422_568_u64.into()),
        with("/case/account_info_request_id", "1".into()),
        with("/case/legal_mandate", " ".into()),
        with("/case/legal_mandate", "Lov%20%C2%A7".into()),
        with("/only_primary_owner", "yes".into()),
        with("/bank", "http://bank.example".into()),
        with("/bank", "https://bank.example?x=1".into()),
        period,
        unknown,
        requester,
        reference,
    ] {
        let error = world.call("dsop_control.accounts", &input).unwrap_err();
        let is_expected = matches!(error.code(), ErrorCode::InvalidArgument | ErrorCode::Url);
        assert!(is_expected, "{input}: {error}");
        assert!(!error.to_string().contains("2307942"), "{error}");
    }
    let account =
        json!({ "bank": world.bank_url(), "case": good()["case"], "account_reference": ".." });
    let error = world.call("dsop_control.account", &account).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument, "{error}");
    assert_eq!(world.simulator.requests().maskinporten_token, before);
}

/// Refuses a token, is away for a moment, and then is not there.
#[derive(Debug)]
struct Failing {
    inner: UreqTransport,
    /// What requests look like in a program's own messages.
    asked: Mutex<Vec<String>>,
}

impl Transport for Failing {
    fn send(&self, request: &Request, call: &Call) -> Result<Response> {
        if request.url.as_str().ends_with("/token") {
            let token =
                json!({ "access_token": "a.b.c", "token_type": "Bearer", "expires_in": 100 });
            return Ok(support::json_answer(200, &token.to_string()));
        }
        let mut asked = self.asked.lock().unwrap();
        asked.push(format!("{request:?}"));
        let wait = vec![("retry-after".to_owned(), "0".to_owned())];
        match asked.len() {
            1 => Ok(Response::new(401, Vec::new(), Vec::new())),
            2 => Ok(Response::new(503, wait, Vec::new())),
            _ => self.inner.send(request, call),
        }
    }
}

#[derive(Clone, Default)]
struct Records(Arc<Mutex<String>>);

impl segl::log::Sink for Records {
    fn log(&self, _: segl::log::Level, _: &'static str, message: &str) {
        *self.0.lock().unwrap() += &format!("{message}\n");
    }
}

/// It may be no number that is easily told.
#[test]
fn an_account_reference_is_in_no_message() {
    const REFERENCE: &str = "kontoOfKari";
    let world = World::new("");
    let failing = Arc::new(Failing {
        inner: UreqTransport::new(TransportSettings::default()),
        asked: Mutex::default(),
    });
    let transport: Arc<dyn Transport> = failing.clone();
    let client = TokenClient::builder(world.settings(&json!({})))
        .transport(transport)
        .build(&Call::none())
        .unwrap();
    let nowhere = Some("https://127.0.0.1:1/dsop");
    let bank = DsopControl::new(Arc::new(client), TokenRequest::default(), nowhere).unwrap();
    let records = Records::default();
    segl::log::set_sink(Some(Box::new(records.clone())), segl::log::Level::Debug);
    let error = bank.transactions(&case(), REFERENCE, Period::default(), &Call::none());
    segl::log::set_sink(None, segl::log::Level::Warn);
    let error = error.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Network, "{error}");
    let asked = failing.asked.lock().unwrap().join("\n");
    let records = records.0.lock().unwrap();
    assert!(records.contains("answered 401"), "{records}");
    assert!(records.contains("is sent again"), "{records}");
    for said in [&error.to_string(), &*records, &asked] {
        assert!(said.contains("/v2/accounts/…/transactions"), "{said}");
        assert!(!said.contains(REFERENCE), "{said}");
    }
}

#[test]
fn every_operation_answers() {
    let world = World::new("page_size = 3");
    for (operation, count) in [
        ("dsop_control.account", 1),
        ("dsop_control.transactions", 3),
        ("dsop_control.cards", 1),
        ("dsop_control.roles", 1),
    ] {
        let input = json!({
            "bank": world.bank_url(),
            "case": {
                "account_info_request_id": "d4a820ca-ddde-11ed-b5ea-0242ac120002",
                "legal_mandate": "Skatteforvaltningsloven § 10-2",
            },
            "account_reference": ACCOUNT,
            "from_date": "2025-01-01",
        });
        let output = world.call(operation, &input).unwrap();
        assert_eq!(
            output["pages"].as_array().unwrap().len(),
            count,
            "{operation}"
        );
    }
}
