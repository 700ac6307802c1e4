//! A transport of the program's own is held to the client's settings, for everything
//! that a client sends.

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use openssl::nid::Nid;
use segl::apis::ApiRequest;
use segl::http::{Request, Response, Transport};
use segl::log::{self, Level};
use segl::{Call, CancelToken, Error, ErrorCode, Result, TokenClient, TokenRequest};
use support::{builder, ec_key, json_answer, now, signer};

const METADATA: &str =
    r#"{"issuer":"https://as.example","token_endpoint":"https://as.example/token"}"#;
const TOKEN: &str = r#"{"access_token":"t","token_type":"Bearer","expires_in":3600}"#;
const API: &str = "https://api.example/things";

/// What was asked of it: the URL, the time that it had, whether it can be cancelled.
type Seen = (String, Duration, bool);

#[derive(Debug, Default)]
struct Host {
    seen: Mutex<Vec<Seen>>,
    /// What it answers to a URL that ends so, instead of what is right.
    odd: Mutex<Option<(&'static str, Answer)>>,
}

type Answer = fn() -> Result<Response>;

impl Host {
    fn answers(&self, end: &'static str, answer: Answer) {
        *self.odd.lock().unwrap() = Some((end, answer));
    }

    fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

impl Transport for Host {
    fn send(&self, request: &Request, call: &Call) -> Result<Response> {
        let url = request.url.as_str().to_owned();
        let time = call.remaining(Duration::MAX, "sending")?;
        let can_be_cancelled = call.cancel().is_some();
        let mut seen = self.seen.lock().unwrap();
        seen.push((url.clone(), time, can_be_cancelled));
        match *self.odd.lock().unwrap() {
            Some((end, answer)) if url.ends_with(end) => answer(),
            _ if url.ends_with("/token") => Ok(json_answer(200, TOKEN)),
            _ if url == API => Ok(json_answer(200, "{}")),
            _ => Ok(json_answer(200, METADATA)),
        }
    }
}

/// A client that reads metadata, fetches tokens and calls APIs over the host.
fn client(settings: &str) -> (Arc<TokenClient>, Arc<Host>) {
    let host = Arc::new(Host::default());
    let settings = format!(
        r#"{{"profile":"generic","client_id":"c1","issuer":"https://as.example","discovery":true,
            "apis":["https://api.example/"]{settings}}}"#
    );
    let built =
        builder(&settings, signer(&ec_key(Nid::X9_62_PRIME256V1)), now()).transport(host.clone());
    (Arc::new(built.build(&Call::none()).unwrap()), host)
}

fn get(client: &Arc<TokenClient>, call: &Call) -> Result<Response> {
    ApiRequest::new("GET", API)?.send(client, TokenRequest::default(), call)
}

#[test]
fn each_exchange_has_the_time_that_the_settings_give() {
    for (settings, at_least, at_most) in
        [("", 9_000, 10_000), (r#","timeout_ms":1500"#, 1_000, 1_500)]
    {
        let (client, host) = client(settings);
        get(&client, &Call::none()).unwrap();
        let seen = host.take();
        assert_eq!(seen.len(), 3, "metadata, token, API: {seen:?}");
        for (url, time, _) in seen {
            let times = Duration::from_millis(at_least)..=Duration::from_millis(at_most);
            assert!(times.contains(&time), "{url} {time:?}");
        }
    }
}

#[test]
fn an_api_has_the_time_of_the_call_that_sets_one() {
    let (client, host) = client(r#","timeout_ms":1500"#);
    get(&client, &Call::none()).unwrap();
    for (given, at_least) in [(300, 100), (60_000, 50_000)] {
        host.take();
        let cancel = CancelToken::new();
        let call = Call::within(Duration::from_millis(given)).with_cancel(cancel.clone());
        get(&client, &call).unwrap();
        let seen = host.take();
        let [(_, time, true)] = seen[..] else {
            panic!("{seen:?}");
        };
        let times = Duration::from_millis(at_least)..=Duration::from_millis(given);
        assert!(times.contains(&time), "{time:?}");
        cancel.trigger();
        assert_eq!(
            get(&client, &call).unwrap_err().code(),
            ErrorCode::Cancelled
        );
        assert_eq!(host.take(), []);
    }
}

#[test]
fn no_answer_may_be_longer_than_the_settings_allow() {
    for (settings, end, fits, is_longer) in [
        (
            r#","max_response_bytes":200"#,
            "things",
            true,
            (|| Ok(answer(200))) as Answer,
        ),
        (r#","max_response_bytes":200"#, "things", false, || {
            Ok(answer(201))
        }),
        (r#","max_response_bytes":200"#, "token", false, || {
            Ok(answer(201))
        }),
        (r#","max_response_bytes":200"#, "server", false, || {
            Ok(answer(201))
        }),
        ("", "things", true, || Ok(answer(1 << 20))),
        ("", "things", false, || Ok(answer((1 << 20) + 1))),
    ] {
        let (client, host) = client(settings);
        host.answers(end, is_longer);
        let sent = get(&client, &Call::within(Duration::from_secs(20)));
        match fits {
            true => assert_eq!(sent.unwrap().status, 200),
            false => assert_eq!(
                sent.unwrap_err().code(),
                ErrorCode::ResponseTooLarge,
                "{end}"
            ),
        }
    }
}

fn answer(len: usize) -> Response {
    Response::new(200, Vec::new(), vec![b' '; len])
}

#[test]
fn what_is_no_token_response_is_an_error_that_says_so() {
    for (answer, code, says) in [
        (
            (|| Ok(html(200))) as Answer,
            ErrorCode::TokenBadResponse,
            "content of type text/html  Set-Cookie: a=b",
        ),
        (|| Ok(html(302)), ErrorCode::TokenBadResponse, "302"),
        (|| Ok(html(101)), ErrorCode::TokenBadResponse, "101"),
        (
            || Ok(Response::new(204, Vec::new(), Vec::new())),
            ErrorCode::TokenBadResponse,
            "204",
        ),
        (|| Ok(html(999)), ErrorCode::TokenServer, "999"),
    ] {
        let (client, host) = client("");
        host.answers("token", answer);
        let call = Call::within(Duration::from_millis(300));
        let error = client.token(&TokenRequest::default(), &call).unwrap_err();
        assert!(error.message().contains(says), "{says}: {error}");
        assert!(!error.message().contains(char::is_control), "{error}");
        let urls: Vec<_> = host.take().into_iter().map(|(url, ..)| url).collect();
        assert!(
            urls.iter()
                .all(|url| url.starts_with("https://as.example/")),
            "{urls:?}"
        );
        if code == ErrorCode::TokenServer {
            continue;
        }
        assert_eq!(error.code(), code, "{error}");
        assert_eq!(urls.len(), 2, "not asked again: {urls:?}");
    }
}

fn html(status: u16) -> Response {
    let headers = [
        ("content-type", "text/html\r\nSet-Cookie: a=b"),
        ("location", "https://elsewhere.example/token"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Response::new(status, headers.into(), b"<html>".to_vec())
}

#[test]
fn a_callback_that_fails_again_and_again_is_asked_once_a_fetch_and_warned_of_once() {
    struct Sink(Arc<Mutex<Vec<(Level, String)>>>);
    impl log::Sink for Sink {
        fn log(&self, level: Level, _target: &'static str, message: &str) {
            if message.contains("the proxy") {
                self.0.lock().unwrap().push((level, message.to_owned()));
            }
        }
    }
    let records = Arc::new(Mutex::new(Vec::new()));
    log::set_sink(Some(Box::new(Sink(records.clone()))), Level::Debug);
    let (client, host) = client("");
    let fails: Answer = || Err(Error::new(ErrorCode::CallbackFailed, "the proxy\nsaid no"));
    host.answers("token", fails);
    let fetch = || {
        client.fetch(
            &TokenRequest::default(),
            &Call::within(Duration::from_secs(5)),
        )
    };
    for _ in 0..5 {
        assert_eq!(fetch().unwrap_err().code(), ErrorCode::CallbackFailed);
    }
    let asked = host
        .take()
        .iter()
        .filter(|(url, ..)| url.ends_with("/token"))
        .count();
    assert_eq!(asked, 5, "not worth another try");
    host.answers("nowhere", fails);
    fetch().unwrap();
    host.answers("token", fails);
    fetch().unwrap_err();
    host.answers("token", || {
        Err(Error::new(
            ErrorCode::Tls,
            "the proxy has another certificate",
        ))
    });
    fetch().unwrap_err();
    log::set_sink(None, Level::Debug);
    let records = records.lock().unwrap();
    assert!(
        records.iter().all(|(_, text)| !text.contains('\n')),
        "{records:?}"
    );
    let levels: Vec<_> = records.iter().map(|(level, _)| *level).collect();
    use Level::{Debug, Warn};
    assert_eq!(
        levels,
        [Warn, Debug, Debug, Debug, Debug, Warn, Warn],
        "{records:?}"
    );
}

#[test]
fn each_who_is_given_a_failure_is_given_what_caused_it() {
    let (client, host) = client("");
    let fails: Answer = || {
        let cause = std::io::Error::other("the cable");
        Err(Error::new(ErrorCode::CallbackFailed, "no way out").with_source(cause))
    };
    host.answers("token", fails);
    for _ in 0..3 {
        let error = client.token(&TokenRequest::default(), &Call::none());
        let error = error.unwrap_err();
        let cause = std::error::Error::source(&error).expect("a cause");
        assert!(cause.is::<std::io::Error>(), "{cause:?}");
        assert_eq!(cause.to_string(), "the cable");
    }
    let asked = host.take();
    assert_eq!(asked.len(), 2, "metadata and one token: {asked:?}");
}

#[test]
fn settings_of_tls_and_a_transport_exclude_each_other() {
    let settings = r#"{"profile":"generic","client_id":"c1","issuer":"https://as.example",
        "token_endpoint":"https://as.example/token","tls":{"min_version":"1.3"}}"#;
    let host = || Arc::new(Host::default());
    let both = builder(settings, signer(&ec_key(Nid::X9_62_PRIME256V1)), now()).transport(host());
    let error = both.build(&Call::none()).unwrap_err();
    assert_eq!(
        error.details().config_path.as_deref(),
        Some("tls"),
        "{error}"
    );
    let settings = settings.replace(r#","tls":{"min_version":"1.3"}"#, "");
    let both = builder(&settings, signer(&ec_key(Nid::X9_62_PRIME256V1)), now()).transport(host());
    let both = both.tls_signer(signer(&ec_key(Nid::X9_62_PRIME256V1)));
    let error = both.build(&Call::none()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Config, "{error}");
    assert!(
        error.message().contains("a transport was given too"),
        "{error}"
    );
}
