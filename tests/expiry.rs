//! Certificates and registrations that end: who is told when, and how often.

mod support;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use segl::clock::{FixedClock, UnixTime};
use segl::log::{self, Level};
use segl::profiles::{ClientSettings, EndTime};
use segl::token::{Expiring, Expiry};
use segl::{Call, Config, ErrorCode, Signer, TokenClient, TokenRequest};
use serde_json::{Value, json};
use support::{OrgId, ScriptedTransport, certificate, json_answer, p256_key, pem, rsa_key, signer};

const NOW: i64 = 1_790_000_000;
const DAY: i64 = 86_400;

/// What was logged by the only test that runs meanwhile.
struct Log {
    records: Arc<Mutex<Vec<(Level, String)>>>,
    _turn: MutexGuard<'static, ()>,
}

impl Log {
    fn new() -> Self {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let records = Arc::new(Mutex::new(Vec::new()));
        log::set_sink(Some(Box::new(Sink(Arc::clone(&records)))), Level::Warn);
        Self {
            records,
            _turn: turn,
        }
    }

    /// What was logged since the last time.
    fn take(&self) -> Vec<(Level, String)> {
        std::mem::take(&mut self.records.lock().unwrap())
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        log::set_sink(None, Level::Warn);
    }
}

struct Sink(Arc<Mutex<Vec<(Level, String)>>>);

impl log::Sink for Sink {
    fn log(&self, level: Level, target: &'static str, message: &str) {
        if target == "token" {
            self.0.lock().unwrap().push((level, message.to_owned()));
        }
    }
}

fn settings(more: &Value) -> ClientSettings {
    let mut settings = json!({"profile": "maskinporten", "environment": "test",
                              "client_id": "c1", "scopes": ["a:b"]});
    let members = more.as_object().unwrap().clone();
    settings.as_object_mut().unwrap().extend(members);
    ClientSettings::from_json(&settings.to_string()).unwrap()
}

fn clock(now: i64) -> Arc<FixedClock> {
    Arc::new(FixedClock::new(UnixTime::from_seconds(now)))
}

fn client(more: &Value, signer: Arc<dyn Signer>, clock: &Arc<FixedClock>) -> TokenClient {
    TokenClient::builder(settings(more))
        .signer(signer)
        .clock(clock.clone())
        .build(&Call::none())
        .unwrap()
}

fn assertion(client: &TokenClient) {
    client
        .assertion(&TokenRequest::default(), &Call::none())
        .unwrap();
}

/// So many seconds after `NOW`, as a setting.
fn after(seconds: i64) -> String {
    UnixTime::from_seconds(NOW + seconds).to_string()
}

#[test]
fn a_registration_that_ends_is_told_of_once_a_day_while_assertions_are_made() {
    let log = Log::new();
    let clock = clock(NOW);
    let end = 31 * DAY;
    let registered = json!({"kid": "k", "registered_until": after(end)});
    let client = client(&registered, signer(&rsa_key()), &clock);
    assertion(&client);
    assert_eq!(log.take(), [], "31 days are left");
    assert_eq!(client.health()[0].warnings, Vec::<String>::new());

    let later = |seconds| clock.set(UnixTime::from_seconds(NOW + seconds));
    later(DAY - 1);
    assertion(&client);
    assert_eq!(log.take(), [], "not a day since the last look");
    later(DAY);
    assertion(&client);
    assertion(&client);
    let text = |state: &str| {
        format!(
            "client c1: signer: the key's registration {state}; register the same key again, \
             or a new one beside it, and set \"registered_until\" to the new end"
        )
    };
    let ends = format!("ends at {}", after(end));
    let warning = text(&format!("{ends}, in 30 days"));
    assert_eq!(log.take(), [(Level::Warn, warning.clone())]);
    let health = client.health();
    assert_eq!(log.take(), [], "asking for the health is no use of the key");
    assert_eq!(health[0].warnings, [&warning["client c1: ".len()..]]);
    assert_eq!(health[0].registered_until, Some(NOW + end));
    assert_eq!(health[0].certificate_not_after, None);

    later(2 * DAY - 1);
    assertion(&client);
    assert_eq!(log.take(), []);
    for (seconds, level, state) in [
        (23 * DAY, Level::Warn, format!("{ends}, in 8 days")),
        (
            24 * DAY,
            Level::Error,
            format!("{ends}, in 7 days, and then the service refuses it"),
        ),
        (
            30 * DAY,
            Level::Error,
            format!("{ends}, in 1 day, and then the service refuses it"),
        ),
        (
            31 * DAY,
            Level::Error,
            format!("{ends}, within a day, and then the service refuses it"),
        ),
        (
            40 * DAY,
            Level::Error,
            format!("ended at {}, and the service refuses it", after(end)),
        ),
    ] {
        later(seconds);
        assertion(&client);
        assert_eq!(log.take(), [(level, text(&state))], "{seconds}");
    }

    // A clock that was set back.
    later(39 * DAY);
    assertion(&client);
    assert_eq!(log.take().len(), 1);
}

#[test]
fn the_watch_begins_when_the_client_is_made_and_a_cached_token_does_not_wake_it() {
    let log = Log::new();
    let clock = clock(NOW);
    let answer = || {
        json_answer(
            200,
            r#"{"access_token":"t","token_type":"Bearer","expires_in":300000}"#,
        )
    };
    let transport = ScriptedTransport::answering([answer(), answer()]);
    let client = TokenClient::builder(settings(
        &json!({"kid": "k", "registered_until": after(10 * DAY)}),
    ))
    .signer(signer(&rsa_key()))
    .transport(transport)
    .clock(clock.clone())
    .build(&Call::none())
    .unwrap();
    assert_eq!(log.take().len(), 1, "when the client is made");
    let token = || {
        client
            .token(&TokenRequest::default(), &Call::none())
            .unwrap()
    };
    token();
    assert_eq!(log.take(), [], "the same day");
    clock.set(UnixTime::from_seconds(NOW + DAY + 1));
    token();
    assert_eq!(log.take(), [], "from the cache");
    client.forget(None);
    token();
    assert_eq!(log.take().len(), 1);
}

#[test]
fn the_certificate_in_the_header_is_watched_and_one_beside_the_header_is_not() {
    let log = Log::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("certificate.pem");
    let x509 = certificate(&rsa_key(), None, &OrgId::SerialNumber("910753614"), 22);
    std::fs::write(&path, x509.to_pem().unwrap()).unwrap();
    let end = segl::keys::Certificate::read_chain(&x509.to_pem().unwrap()).unwrap()[0]
        .not_after()
        .unwrap();
    let certified = json!({"certificate": format!("file:{}", path.display())});
    let clock = clock(end.seconds() - 20 * DAY);
    let client = client(&certified, signer(&rsa_key()), &clock);
    assert_eq!(
        client.expiries(),
        [Expiry::new(Expiring::Certificate, "signer", end)]
    );
    let health = json!(client.health());
    assert_eq!(health[0]["certificate_not_after"], end.seconds());
    assert_eq!(health[0]["registered_until"], Value::Null);
    let warning = health[0]["warnings"][0].as_str().unwrap();
    assert_eq!(
        warning,
        format!(
            "signer: the certificate ends at {end}, in 20 days; \
             renew it, put the new one in its place, and make the client anew"
        )
    );
    assert_eq!(log.take(), [(Level::Warn, format!("client c1: {warning}"))]);
    clock.set(end.plus(-3 * DAY));
    assertion(&client);
    let (level, urgent) = log.take().remove(0);
    assert_eq!(level, Level::Error);
    assert!(
        urgent.contains("in 3 days, and then the key signs no more"),
        "{urgent}"
    );

    clock.set(end.plus(1));
    let error = client
        .assertion(&TokenRequest::default(), &Call::none())
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::Certificate, "it is still refused");

    let both = [pem(&rsa_key()), x509.to_pem().unwrap()].concat();
    let beside = segl::keys::software::SoftwareSigner::from_bytes(&both, None).unwrap();
    assert_eq!(beside.certificates().len(), 1);
    let client = self::client(&json!({"kid": "k"}), Arc::new(beside), &clock);
    assert_eq!(client.expiries(), []);
}

#[test]
fn how_early_is_a_setting() {
    let log = Log::new();
    let clock = clock(NOW);
    for (warn_days, warnings) in [(0, 0), (9, 0), (10, 1), (365, 1)] {
        let more = json!({"kid": "k", "registered_until": after(10 * DAY), "warn_days": warn_days});
        let client = client(&more, signer(&rsa_key()), &clock);
        assertion(&client);
        assert_eq!(log.take().len(), warnings, "{warn_days}");
        assert_eq!(client.health()[0].warnings.len(), warnings, "{warn_days}");
        assert_eq!(client.expiries().len(), 1, "{warn_days}");
    }
    let ended = Expiry::new(Expiring::RegisteredKey, "key", UnixTime::from_seconds(NOW));
    assert_eq!(ended.warning(UnixTime::from_seconds(NOW + 1), 0), None);
    assert_eq!(ended.days_left(UnixTime::from_seconds(NOW + 1)), -1);
}

#[test]
fn each_of_several_keys_has_its_own_end() {
    let log = Log::new();
    let folder = tempfile::tempdir().unwrap();
    let key = |name: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, pem(&rsa_key())).unwrap();
        format!("file:{}", path.display())
    };
    let more = json!({"keys": [
        {"key": key("a.pem"), "kid": "a", "registered_until": after(90 * DAY)},
        {"key": key("b.pem"), "kid": "b", "registered_until": after(5 * DAY)},
    ]});
    let client = TokenClient::builder(settings(&more))
        .clock(clock(NOW))
        .build(&Call::none())
        .unwrap();
    let ends: Vec<_> = client
        .expiries()
        .into_iter()
        .map(|expiry| (expiry.key, expiry.not_after.seconds() - NOW))
        .collect();
    assert_eq!(
        ends,
        [
            ("keys[0]".to_owned(), 90 * DAY),
            ("keys[1]".to_owned(), 5 * DAY)
        ]
    );
    let records = log.take();
    assert_eq!(records.len(), 1, "{records:?}");
    assert!(
        records[0].1.starts_with("client c1: keys[1]: "),
        "{records:?}"
    );
}

#[test]
fn a_date_is_its_first_second_and_may_be_toml_s_own() {
    let seconds = |text: &str| text.parse::<EndTime>().unwrap().time().seconds();
    assert_eq!(seconds("2027-11-20"), 1_826_668_800);
    assert_eq!(seconds("2027-11-20T00:00:00Z"), 1_826_668_800);
    assert_eq!(seconds("2027-11-20T01:30:00+01:30"), 1_826_668_800);
    for written in ["\"2027-11-20\"", "2027-11-20", "2027-11-20T00:00:00Z"] {
        let toml = format!(
            "[clients.a]\nprofile = \"dnb\"\n[[clients.a.keys]]\nkey = \"file:k\"\nregistered_until = {written}"
        );
        let config = Config::from_toml(&toml).unwrap();
        let end = config.client("a").unwrap().keys[0].registered_until;
        assert_eq!(end.unwrap().time().seconds(), 1_826_668_800, "{written}");
    }
}

#[test]
fn what_is_no_date_is_refused_by_the_setting_s_name() {
    for written in [
        "\"20.11.2027\"",
        "\"2027-13-01\"",
        "\"2027-11-20T09:30:00\"",
        "2027-11-20T09:30:00",
        "\"\"",
        "1826668800",
    ] {
        let toml =
            format!("[clients.a]\nprofile = \"dnb\"\nregistered_until = {written}\nkid = \"k\"");
        let error = Config::from_toml(&toml).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Config, "{error}");
        let path = error.details().config_path.as_deref();
        assert_eq!(path, Some("clients.a.registered_until"), "{error}");
        assert!(error.message().contains("2027-11-20"), "{error}");
    }
}

#[test]
fn it_goes_with_a_kid_and_stands_in_the_entry_of_its_key() {
    let open = |more: &Value| {
        TokenClient::builder(settings(more))
            .build(&Call::none())
            .unwrap_err()
    };
    let error = open(&json!({"registered_until": "2027-11-20", "keys": [{"key": "file:k"}]}));
    assert_eq!(
        error.details().config_path.as_deref(),
        Some("registered_until")
    );
    assert!(
        error.message().contains("keys[0].registered_until"),
        "{error}"
    );

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.pem");
    let x509 = certificate(&rsa_key(), None, &OrgId::SerialNumber("910753614"), 22);
    std::fs::write(&path, [pem(&rsa_key()), x509.to_pem().unwrap()].concat()).unwrap();
    let key = format!("file:{}", path.display());
    let error = open(&json!({"keys": [{"key": key, "registered_until": "2027-11-20"}]}));
    assert_eq!(error.code(), ErrorCode::Config);
    let path = error.details().config_path.as_deref();
    assert_eq!(path, Some("keys[0].registered_until"), "{error}");

    // DNB registers keys without a kid in the header too.
    let dnb = r#"{"profile": "dnb", "client_id": "x", "omit_kid": true, "registered_until": "2027-11-20"}"#;
    let client = TokenClient::builder(ClientSettings::from_json(dnb).unwrap())
        .signer(signer(&p256_key()))
        .build(&Call::none())
        .unwrap();
    assert_eq!(client.expiries().len(), 1);
}
