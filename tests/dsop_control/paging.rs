//! Answers in several pages.

use std::sync::atomic::{AtomicUsize, Ordering};

use segl::ErrorCode;
use segl::alg::{ContentEncryption, KeyEncryption};
use segl::http::{Request, Response, Transport};
use segl::jwe;
use serde_json::{Map, json};

use super::*;

#[test]
fn all_pages_come() {
    for (page_size, count) in [(1, 7), (3, 3), (7, 1), (1000, 1)] {
        let world = World::new(&format!("page_size = {page_size}"));
        let bank = world.bank();
        let period = Period::new(Some("2025-01-01"), None).unwrap();
        let pages = bank
            .transactions(&case(), ACCOUNT, period, &Call::none())
            .unwrap();
        assert_eq!(pages.len(), count, "pages of {page_size}");
        let transactions: Vec<_> = pages
            .iter()
            .flat_map(|page| value(page)["transactions"].as_array().unwrap().clone())
            .map(|transaction| {
                transaction["transactionIdentifier"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        assert_eq!(transactions, ["T1", "T2", "T3", "T4", "T5", "T6", "T7"]);
    }
}

/// A bank whose pages lead where it is told.
#[derive(Debug)]
struct Leading {
    href: fn(usize) -> String,
    asked: AtomicUsize,
}

impl Transport for Leading {
    fn send(&self, request: &Request, _: &Call) -> Result<Response> {
        if request.url.as_str().ends_with("/token") {
            let token =
                json!({ "access_token": "a.b.c", "token_type": "Bearer", "expires_in": 100 });
            return Ok(support::json_answer(200, &token.to_string()));
        }
        let page = self.asked.fetch_add(1, Ordering::SeqCst);
        let href = (self.href)(page);
        let content = json!({
            "responseDetails": { "status": "partial" },
            "accounts": [],
            "links": [{ "rel": "self", "href": "?x" }, { "rel": "next", "href": href }],
        });
        let key = SoftwareDecrypter::from_bytes(&support::pem(&support::rsa_key()), None).unwrap();
        let jwe = jwe::encrypt(
            content.to_string().as_bytes(),
            key.public_key(),
            KeyEncryption::RsaOaep256,
            ContentEncryption::A256Gcm,
            Map::new(),
        )
        .unwrap();
        let header = (
            "content-type".to_owned(),
            "Application/Jose; charset=utf-8".to_owned(),
        );
        Ok(Response::new(200, vec![header], jwe.into_bytes()))
    }
}

fn lead(href: fn(usize) -> String) -> (Result<Vec<Page>>, usize) {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key.pem");
    fs::write(&key, support::pem(&support::rsa_key())).unwrap();
    let key = format!("file:{}", key.display());
    let settings = serde_json::from_value(json!({
        "profile": "maskinporten",
        "environment": "test",
        "client_id": "c1",
        "key": key,
        "kid": "k1",
        "scopes": [SCOPE],
        "decryption": { "key": key },
    }));
    let leading = Arc::new(Leading {
        href,
        asked: AtomicUsize::new(0),
    });
    let transport: Arc<dyn Transport> = leading.clone();
    let client = TokenClient::builder(settings.unwrap())
        .transport(transport)
        .build(&Call::none())
        .unwrap();
    let bank = Some("https://bank.example/dsop");
    let bank = DsopControl::new(Arc::new(client), TokenRequest::default(), bank).unwrap();
    (accounts(&bank), leading.asked.load(Ordering::SeqCst))
}

#[test]
fn a_page_elsewhere_is_not_asked_for() {
    for href in [
        (|_| "https://evil.example/dsop/v2/accounts".to_owned()) as fn(usize) -> String,
        |_| "//evil.example/dsop/v2/accounts".to_owned(),
        |_| "https://bank.example/other".to_owned(),
        |_| "../../other".to_owned(),
        |_| "http://bank.example/dsop/v2/accounts".to_owned(),
    ] {
        let (outcome, asked) = lead(href);
        let error = outcome.unwrap_err();
        assert_eq!(error.code(), ErrorCode::ApiBadResponse, "{error}");
        assert!(error.message().contains("base URL"), "{error}");
        assert_eq!(asked, 1);
    }
}

#[test]
fn pages_without_end_are_left() {
    let (outcome, asked) = lead(|page| format!("?page={}", page % 3));
    let error = outcome.unwrap_err();
    assert_eq!(error.code(), ErrorCode::ApiBadResponse, "{error}");
    assert!(error.message().contains("no end"), "{error}");
    assert_eq!(asked, 4);
}

/// A test bank that answers in the clear, `count` pages of `size` bytes and some.
#[derive(Debug)]
struct Long {
    size: usize,
    count: usize,
    asked: AtomicUsize,
}

impl Transport for Long {
    fn send(&self, request: &Request, _: &Call) -> Result<Response> {
        if request.url.as_str().ends_with("/token") {
            let token =
                json!({ "access_token": "a.b.c", "token_type": "Bearer", "expires_in": 100 });
            return Ok(support::json_answer(200, &token.to_string()));
        }
        let page = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let next = match page < self.count {
            true => format!(r#"{{"rel":"next","href":"?page={page}"}}"#),
            false => String::new(),
        };
        let padding = "x".repeat(self.size);
        let body = format!(r#"{{"padding":"{padding}","links":[{next}]}}"#);
        Ok(support::json_answer(200, &body))
    }
}

/// What comes of `count` pages of `size` bytes, and how many were asked for.
fn long(size: usize, count: usize) -> (Result<Vec<Page>>, usize) {
    let settings = serde_json::from_value(json!({
        "profile": "maskinporten",
        "environment": "test",
        "client_id": "c1",
        "kid": "k1",
        "scopes": [SCOPE],
        "max_response_bytes": 64 * MIB,
        "services": { "dsop_control": { "headers": { "Accept": "application/json" } } },
    }));
    let long = Arc::new(Long {
        size,
        count,
        asked: AtomicUsize::new(0),
    });
    let transport: Arc<dyn Transport> = long.clone();
    let client = TokenClient::builder(settings.unwrap())
        .signer(support::signer(&support::rsa_key()))
        .transport(transport)
        .build(&Call::none())
        .unwrap();
    let bank = Some("https://bank.example/dsop");
    let bank = DsopControl::new(Arc::new(client), TokenRequest::default(), bank).unwrap();
    (accounts(&bank), long.asked.load(Ordering::SeqCst))
}

const MIB: usize = 1024 * 1024;

#[test]
fn an_answer_has_at_most_128_mib_in_all() {
    let (outcome, asked) = long(32 * MIB, 1_000);
    let error = outcome.unwrap_err();
    assert_eq!(error.code(), ErrorCode::ResponseTooLarge, "{error}");
    assert!(error.message().contains("134217728 bytes"), "{error}");
    assert!(error.message().contains("shorter period"), "{error}");
    assert!(!error.retryable());
    assert_eq!(asked, 4);
}

#[test]
fn an_answer_has_at_most_10_000_pages() {
    let (pages, asked) = long(0, 10_000);
    assert_eq!((pages.unwrap().len(), asked), (10_000, 10_000));
    let (outcome, asked) = long(0, 20_000);
    let error = outcome.unwrap_err();
    assert_eq!(error.code(), ErrorCode::ResponseTooLarge, "{error}");
    assert!(error.message().contains("10000 pages"), "{error}");
    assert_eq!(asked, 10_000);
}
