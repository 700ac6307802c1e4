//! A client with several keys: which one signs, what an error of one means for
//! the others, and how they share the time.

mod support;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use segl::clock::{FixedClock, UnixTime};
use segl::keys::{Health, HealthState, Origin};
use segl::log::{self, Level};
use segl::profiles::ClientSettings;
use segl::token::KeyOpener;
use segl::{
    Algorithm, Call, CancelToken, Error, ErrorCode, PublicJwk, Result, Secret, Signer, TokenClient,
    TokenRequest,
};
use serde_json::{Value, json};
use support::{ec_key, header, rsa_key, signer};

const NOW: i64 = 1_700_000_000;

type Work = Box<dyn Fn(&Call) -> Result<()> + Send>;

/// A key whose home does what the test says.
struct Key {
    signer: Arc<dyn Signer>,
    /// Runs before each signature.
    signing: Mutex<Work>,
    /// Runs before the key is opened.
    opening: Mutex<Work>,
    state: Mutex<HealthState>,
    /// The time of each call that asked for a signature.
    asked: Mutex<Vec<Duration>>,
    opened: AtomicU32,
}

impl Key {
    fn new(signer: Arc<dyn Signer>) -> Arc<Self> {
        Arc::new(Self {
            signer,
            signing: Mutex::new(Box::new(|_| Ok(()))),
            opening: Mutex::new(Box::new(|_| Ok(()))),
            state: Mutex::new(HealthState::Ready),
            asked: Mutex::default(),
            opened: AtomicU32::new(0),
        })
    }

    fn signs(&self, work: impl Fn(&Call) -> Result<()> + Send + 'static) {
        *self.signing.lock().unwrap() = Box::new(work);
    }

    fn opens(&self, work: impl Fn(&Call) -> Result<()> + Send + 'static) {
        *self.opening.lock().unwrap() = Box::new(work);
    }

    fn is(&self, state: HealthState) {
        *self.state.lock().unwrap() = state;
    }

    fn times_asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    fn times_opened(&self) -> u32 {
        self.opened.load(Ordering::SeqCst)
    }
}

fn fails(code: ErrorCode) -> impl Fn(&Call) -> Result<()> + Send + 'static {
    move |_| Err(Error::new(code, format!("scripted {code}")))
}

#[derive(Clone)]
struct ScriptedSigner(Arc<Key>);

impl std::fmt::Debug for ScriptedSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ScriptedSigner")
    }
}

impl Signer for ScriptedSigner {
    fn public_key(&self) -> &PublicJwk {
        self.0.signer.public_key()
    }

    fn algorithms(&self) -> &[Algorithm] {
        self.0.signer.algorithms()
    }

    fn sign(&self, alg: Algorithm, message: &[u8], call: &Call) -> Result<Vec<u8>> {
        let time = call.remaining(Duration::MAX, "a test").unwrap_or_default();
        self.0.asked.lock().unwrap().push(time);
        (self.0.signing.lock().unwrap())(call)?;
        self.0.signer.sign(alg, message, call)
    }

    fn health(&self) -> Health {
        let mut health = Health::ready();
        health.state = *self.0.state.lock().unwrap();
        health
    }

    fn origin(&self) -> Origin {
        Origin::new("foreign")
    }
}

#[derive(Debug, Default)]
struct Opener(HashMap<String, ScriptedSigner>);

impl KeyOpener for Opener {
    fn open(
        &self,
        uri: &str,
        _secret: Option<Secret>,
        _public_key: Option<&PublicJwk>,
        call: &Call,
    ) -> Result<Arc<dyn Signer>> {
        let signer = &self.0[uri];
        signer.0.opened.fetch_add(1, Ordering::SeqCst);
        (signer.0.opening.lock().unwrap())(call)?;
        Ok(Arc::new(signer.clone()))
    }
}

/// Homes for the keys `k0`, `k1`…, and a clock that stands still.
struct Setup {
    keys: Vec<Arc<Key>>,
    clock: Arc<FixedClock>,
}

impl Setup {
    /// So many homes, all with the same key pair.
    fn new(count: usize) -> Self {
        Self::with((0..count).map(|_| signer(&rsa_key())))
    }

    fn with(signers: impl IntoIterator<Item = Arc<dyn Signer>>) -> Self {
        Self {
            keys: signers.into_iter().map(Key::new).collect(),
            clock: Arc::new(FixedClock::new(UnixTime::from_seconds(NOW))),
        }
    }

    fn build(&self, settings: &Value, call: &Call) -> Result<TokenClient> {
        let keys = self.keys.iter().enumerate();
        let signers = keys.map(|(at, key)| (format!("home:{at}"), ScriptedSigner(key.clone())));
        TokenClient::builder(ClientSettings::from_json(&settings.to_string())?)
            .key_opener(Arc::new(Opener(signers.collect())))
            .clock(self.clock.clone())
            .build(call)
    }

    fn client(&self) -> TokenClient {
        self.build(&self.settings(), &Call::none()).unwrap()
    }

    fn settings(&self) -> Value {
        let keys: Vec<_> = (0..self.keys.len()).map(entry).collect();
        maskinporten(json!({ "keys": keys }))
    }

    fn later(&self, seconds: i64) {
        self.clock.set(UnixTime::from_seconds(NOW + seconds));
    }
}

fn entry(index: usize) -> Value {
    json!({"key": format!("home:{index}"), "kid": format!("k{index}")})
}

fn maskinporten(more: Value) -> Value {
    let mut settings = json!({"profile": "maskinporten", "environment": "test",
                              "client_id": "c1", "scopes": ["a:b"]});
    let members = more.as_object().unwrap().clone();
    settings.as_object_mut().unwrap().extend(members);
    settings
}

fn sign(client: &TokenClient, call: &Call) -> Result<String> {
    client.assertion(&TokenRequest::default(), call)
}

/// The key that signs now.
fn kid(client: &TokenClient) -> String {
    let jwt = sign(client, &Call::none()).unwrap();
    header(&jwt)["kid"].as_str().unwrap().to_owned()
}

#[test]
fn the_next_key_signs_under_its_own_kid_until_the_first_is_well_again() {
    let setup = Setup::new(3);
    let client = setup.client();
    assert_eq!(kid(&client), "k0");
    setup.keys[0].signs(fails(ErrorCode::Device));
    assert_eq!(kid(&client), "k1");
    setup.keys[1].signs(fails(ErrorCode::TokenUnavailable));
    assert_eq!(kid(&client), "k2");
    setup.keys[0].signs(|_| Ok(()));
    assert_eq!(kid(&client), "k0");
    assert_eq!(setup.keys[2].times_asked(), 1);
}

#[test]
fn an_error_of_a_key_moves_on_and_one_of_the_request_does_not() {
    use ErrorCode::*;
    let setup = Setup::new(2);
    let client = setup.client();
    let moves_on = [
        Timeout,
        CallbackFailed,
        Io,
        KeyNotFound,
        KeyExtractable,
        SignatureFault,
        ModuleLoad,
        ModuleInit,
        TokenNotFound,
        PinRequired,
        PinIncorrect,
        PinLocked,
        PinExpired,
        PinGuard,
        SessionLost,
        PoolTimeout,
        Device,
        Mechanism,
        TokenUnavailable,
        RestartRequired,
        Forked,
        Network,
    ];
    for code in moves_on {
        setup.keys[0].signs(fails(code));
        assert_eq!(kid(&client), "k1", "{code}");
    }
    let asked = setup.keys[1].times_asked();
    for code in [Cancelled, InvalidArgument, Config, Panic] {
        setup.keys[0].signs(fails(code));
        let error = sign(&client, &Call::none()).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
    }
    let request = TokenRequest::from_json(r#"{"scopes":[]}"#).unwrap();
    let error = client.assertion(&request, &Call::none()).unwrap_err();
    assert_eq!(error.code(), InvalidArgument, "{error}");
    assert!(!error.message().contains("keys["), "{error}");
    assert_eq!(setup.keys[1].times_asked(), asked);
}

#[test]
fn when_no_key_signs_the_error_has_what_each_said() {
    let setup = Setup::new(2);
    let client = setup.client();
    setup.keys[0].signs(fails(ErrorCode::KeyNotFound));
    setup.keys[1].signs(|_| Err(Error::new(ErrorCode::Device, "away").with_retryable(true)));
    let error = sign(&client, &Call::none()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::KeyNotFound, "the first key's");
    assert!(error.retryable(), "the second may sign later");
    for said in ["keys[0]: scripted KEY_NOT_FOUND", "keys[1]: away"] {
        assert!(error.message().contains(said), "{error}");
    }
}

#[test]
fn keys_that_are_not_ready_come_last_in_their_order() {
    let setup = Setup::new(3);
    let client = setup.client();
    setup.keys[0].is(HealthState::Unavailable);
    setup.keys[1].is(HealthState::Recovering);
    assert_eq!(kid(&client), "k2");
    assert_eq!(setup.keys[0].times_asked(), 0);
    setup.keys[2].signs(fails(ErrorCode::Device));
    assert_eq!(kid(&client), "k0");
    setup.keys[0].signs(fails(ErrorCode::TokenUnavailable));
    assert_eq!(kid(&client), "k1");
    setup.keys[1].is(HealthState::Ready);
    assert_eq!(kid(&client), "k1");
    assert_eq!(setup.keys[0].times_asked(), 2, "not asked again");
}

#[test]
fn a_key_that_hangs_leaves_the_next_one_its_share_of_the_time() {
    let setup = Setup::new(2);
    let client = setup.client();
    setup.keys[0].signs(|call| {
        while call.check("the hanging key").is_ok() {
            std::thread::sleep(Duration::from_millis(1));
        }
        call.check("the hanging key")
    });
    let time = Duration::from_secs(4);
    let call = Call::within(time);
    let jwt = sign(&client, &call).unwrap();
    assert_eq!(header(&jwt)["kid"], "k1");
    call.check("the test").unwrap();
    assert!(setup.keys[0].asked.lock().unwrap()[0] <= time / 2);
}

#[test]
fn what_a_key_does_not_use_is_shared_by_the_rest() {
    let setup = Setup::new(3);
    let client = setup.client();
    for key in &setup.keys[..2] {
        key.signs(fails(ErrorCode::Device));
    }
    let asked = |index: usize| *setup.keys[index].asked.lock().unwrap().last().unwrap();
    let minute = Duration::from_secs(60);
    sign(&client, &Call::within(6 * minute)).unwrap();
    assert!(asked(0) <= 2 * minute && asked(0) > minute);
    assert!(asked(1) <= 3 * minute && asked(1) > 2 * minute);
    assert!(asked(2) <= 6 * minute && asked(2) > 3 * minute);
    sign(&client, &Call::none()).unwrap();
    let default = Duration::from_secs(10);
    assert!(asked(0) <= default && asked(1) <= default);
    assert_eq!(asked(2), Duration::MAX, "the last has no bound of its own");
}

#[test]
fn a_call_that_is_over_or_cancelled_asks_no_other_key() {
    let setup = Setup::new(2);
    let client = setup.client();
    let time = Duration::from_millis(50);
    setup.keys[0].signs(move |call| {
        std::thread::sleep(time);
        call.check("the late key")
    });
    let error = sign(&client, &Call::within(time)).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Timeout, "{error}");
    assert!(error.message().starts_with("keys[0]: "), "{error}");

    let cancel = CancelToken::new();
    let trigger = cancel.clone();
    setup.keys[0].signs(move |call| {
        trigger.trigger();
        let code = call.check("the cancelled key").unwrap_err().code();
        assert_eq!(code, ErrorCode::Cancelled, "the key is told");
        fails(ErrorCode::Device)(&Call::none())
    });
    let error = sign(&client, &Call::none().with_cancel(cancel)).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Cancelled, "{error}");
    assert_eq!(setup.keys[1].times_asked(), 0);
}

#[test]
fn a_key_that_is_away_at_the_start_is_opened_later_and_not_too_often() {
    let setup = Setup::new(2);
    setup.keys[0].opens(fails(ErrorCode::TokenNotFound));
    let client = setup.client();
    let opened = || setup.keys[0].times_opened();
    assert_eq!((kid(&client).as_str(), opened()), ("k1", 1));
    let health = client.health();
    assert!(!health[0].opened && health[1].opened);
    assert_eq!(health[0].health.state, HealthState::Unavailable);
    let problem = health[0].health.problem.as_deref().unwrap();
    assert!(problem.contains("scripted TOKEN_NOT_FOUND"), "{problem}");
    assert!(client.signers()[0].is_none() && client.signers()[1].is_some());

    setup.later(4);
    assert_eq!((kid(&client).as_str(), opened()), ("k1", 1), "too early");
    setup.later(5);
    assert_eq!((kid(&client).as_str(), opened()), ("k1", 2), "still away");
    setup.keys[0].opens(|_| Ok(()));
    setup.later(9);
    assert_eq!((kid(&client).as_str(), opened()), ("k1", 2), "too early");
    setup.keys[1].signs(fails(ErrorCode::Device));
    let error = sign(&client, &Call::none()).unwrap_err();
    assert!(error.message().contains("keys[0]: scripted"), "{error}");
    setup.keys[1].signs(|_| Ok(()));
    setup.later(10);
    assert_eq!((kid(&client).as_str(), opened()), ("k0", 3));
    setup.later(100);
    assert_eq!(
        (kid(&client).as_str(), opened()),
        ("k0", 3),
        "it stays open"
    );
    assert!(client.health().iter().all(|key| key.opened));
}

#[test]
fn a_clock_that_was_set_back_does_not_keep_a_key_closed() {
    let setup = Setup::new(2);
    setup.keys[0].opens(fails(ErrorCode::ModuleInit));
    let client = setup.client();
    setup.keys[0].opens(|_| Ok(()));
    setup.later(-3600);
    assert_eq!(kid(&client), "k0");
}

#[test]
fn a_key_that_turns_out_wrong_when_it_is_opened_later_leaves_the_others_working() {
    let setup = Setup::new(2);
    setup.keys[0].opens(fails(ErrorCode::TokenNotFound));
    let client = setup.client();
    setup.keys[0].opens(fails(ErrorCode::PinIncorrect));
    setup.later(5);
    assert_eq!(kid(&client), "k1");
    let health = client.health().remove(0).health;
    assert!(health.problem.unwrap().contains("PIN_INCORRECT"));
}

#[test]
fn others_sign_while_one_thread_opens_a_key() {
    let setup = Setup::new(2);
    setup.keys[0].opens(fails(ErrorCode::Device));
    let client = setup.client();
    let (at_work, is_at_work) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel();
    setup.keys[0].opens(move |_| {
        at_work.send(()).unwrap();
        may_go_on.recv().unwrap();
        Ok(())
    });
    setup.later(5);
    std::thread::scope(|scope| {
        let opener = scope.spawn(|| kid(&client));
        is_at_work.recv().unwrap();
        assert_eq!(kid(&client), "k1");
        assert_eq!(setup.keys[0].times_opened(), 2, "the others do not open it");
        go_on.send(()).unwrap();
        assert_eq!(opener.join().unwrap(), "k0");
    });
}

#[test]
fn without_any_key_there_is_no_client_and_each_reason_is_told() {
    let setup = Setup::new(2);
    setup.keys[0].opens(fails(ErrorCode::TokenNotFound));
    setup.keys[1].opens(fails(ErrorCode::Timeout));
    let error = setup.build(&setup.settings(), &Call::none()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::TokenNotFound);
    for said in [
        "keys[0]: scripted TOKEN_NOT_FOUND",
        "keys[1]: scripted TIMEOUT",
    ] {
        assert!(error.message().contains(said), "{error}");
    }
}

#[test]
fn opening_shares_the_time_too() {
    let setup = Setup::new(2);
    let (times, seen) = mpsc::channel();
    for key in &setup.keys {
        let times = times.clone();
        key.opens(move |call| {
            let time = call.remaining(Duration::MAX, "opening")?;
            times.send(time).unwrap();
            Ok(())
        });
    }
    let hour = Duration::from_secs(3600);
    setup.build(&setup.settings(), &Call::within(hour)).unwrap();
    let seen: Vec<_> = seen.try_iter().collect();
    assert!(seen[0] <= hour / 2 && seen[1] > hour / 2, "{seen:?}");
}

#[test]
fn what_a_person_must_put_right_ends_the_making_and_names_the_entry() {
    use ErrorCode::*;
    let setup = Setup::new(2);
    for code in [
        KeyUri,
        KeyNotFound,
        KeyAmbiguous,
        PinIncorrect,
        PinRequired,
        PinSource,
        Passphrase,
        KeyExtractable,
        ModuleLoad,
        TokenAmbiguous,
        Io,
        Cancelled,
    ] {
        setup.keys[1].opens(fails(code));
        let error = setup.build(&setup.settings(), &Call::none()).unwrap_err();
        assert_eq!(error.code(), code);
        assert!(error.message().starts_with("keys[1]: "), "{error}");
    }
}

#[test]
fn wrong_settings_are_refused_with_their_path() {
    let setup = Setup::with([
        signer(&rsa_key()),
        signer(&openssl::pkey::PKey::from_rsa(openssl::rsa::Rsa::generate(2048).unwrap()).unwrap()),
    ]);
    let keys = || json!([entry(0), entry(1)]);
    let second = |more: Value| {
        let mut keys = keys();
        let members = more.as_object().unwrap().clone();
        keys[1].as_object_mut().unwrap().extend(members);
        json!({ "keys": keys })
    };
    let cases = [
        (json!({"keys": keys(), "key": "home:0"}), "key"),
        (json!({"keys": keys(), "kid": "k"}), "kid"),
        (
            json!({"keys": keys(), "certificate": "file:c.pem"}),
            "certificate",
        ),
        (json!({"keys": keys(), "x5c": "leaf"}), "x5c"),
        (json!({"keys": keys(), "alg": "RS256"}), "alg"),
        (json!({"keys": []}), "key"),
        (json!({"keys": [{"kid": "k"}]}), "keys[0]"),
        (second(json!({"colour": 1})), "keys[1].colour"),
        (second(json!({"kid": ""})), "keys[1].kid"),
        (second(json!({"kid": null})), "keys[1].kid"),
        (second(json!({"kid": "k0"})), "keys[1].kid"),
        (second(json!({"alg": "PS256"})), "keys[1].alg"),
        (second(json!({"x5c": "leaf"})), "keys[1].kid"),
        (second(json!({"x5c": "leaf", "kid": null})), "keys[1].x5c"),
        (
            second(json!({"certificate": "pkcs11:token=a", "kid": null})),
            "keys[1].certificate",
        ),
        (json!({"keys": keys(), "environment": null}), "environment"),
    ];
    for (settings, path) in cases {
        let error = setup
            .build(&maskinporten(settings.clone()), &Call::none())
            .unwrap_err();
        assert_eq!(error.code(), ErrorCode::Config, "{settings}: {error}");
        assert_eq!(
            error.details().config_path.as_deref(),
            Some(path),
            "{settings}: {error}"
        );
    }
    let settings = ClientSettings::from_json(&setup.settings().to_string()).unwrap();
    let builder = || TokenClient::builder(settings.clone());
    let with_signer = builder().signer(signer(&rsa_key()));
    let with_pin = builder().secret(Secret::from(&b"1234"[..]));
    for builder in [with_signer, with_pin] {
        let error = builder.build(&Call::none()).unwrap_err();
        assert_eq!(
            error.details().config_path.as_deref(),
            Some("keys"),
            "{error}"
        );
    }
}

#[test]
fn the_same_key_pair_may_have_one_kid_in_two_homes() {
    let setup = Setup::new(2);
    let mut settings = setup.settings();
    settings["keys"][1]["kid"] = "k0".into();
    let client = setup.build(&settings, &Call::none()).unwrap();
    setup.keys[0].signs(fails(ErrorCode::Device));
    assert_eq!(kid(&client), "k0");
    assert_eq!(setup.keys[1].times_asked(), 1);
}

#[test]
fn each_key_has_its_own_registration() {
    let curve = openssl::nid::Nid::X9_62_PRIME256V1;
    let setup = Setup::with([signer(&ec_key(curve)), signer(&ec_key(curve))]);
    let settings = json!({"profile": "dnb", "keys": [{"key": "home:0"}, {"key": "home:1"}]});
    let client = setup.build(&settings, &Call::none()).unwrap();
    let kid_of = |jwt: &str| support::claims(jwt)["cnf"]["jwk"]["kid"].clone();
    let thumbprint = |index: usize| setup.keys[index].signer.public_key().thumbprint();
    let first = client.registration(&Call::none()).unwrap();
    let second = client.registration_of(1, &Call::none()).unwrap();
    assert_eq!(kid_of(&first), thumbprint(0));
    assert_eq!(kid_of(&second), thumbprint(1));
    let error = client.registration_of(2, &Call::none()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    assert!(error.message().contains("keys[1]"), "{error}");
    setup.keys[0].signs(fails(ErrorCode::Device));
    let error = client.registration(&Call::none()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Device, "no other key can do it");
}

#[test]
fn moving_on_is_logged_and_health_tells_each_key() {
    struct Records(Arc<Mutex<Vec<String>>>);
    impl log::Sink for Records {
        fn log(&self, _level: Level, _target: &'static str, message: &str) {
            self.0.lock().unwrap().push(message.to_owned());
        }
    }
    let records = Arc::new(Mutex::new(Vec::new()));
    log::set_sink(Some(Box::new(Records(records.clone()))), Level::Warn);
    let setup = Setup::new(2);
    let client = setup.client();
    setup.keys[0].signs(|_| Err(Error::new(ErrorCode::Device, "the fan of hsm-7 stopped")));
    setup.keys[0].is(HealthState::Recovering);
    setup.keys[1].signs(|_| Err(Error::new(ErrorCode::Device, "the lid of hsm-8 is open")));
    for _ in 0..3 {
        // It is news once.
        sign(&client, &Call::none()).unwrap_err();
    }
    let records = records.lock().unwrap();
    let about = |text: &str| {
        records
            .iter()
            .filter(|record| record.contains(text))
            .count()
    };
    assert_eq!(about("keys[1]: the lid of hsm-8 is open"), 1, "{records:?}");
    assert_eq!(
        about("hsm-7"),
        0,
        "the last one is in the error: {records:?}"
    );

    let json = json!(client.health());
    assert_eq!(json[0]["name"], "keys[0]");
    assert_eq!(json[0]["state"], "recovering");
    assert_eq!(json[1]["state"], "ready");
    assert_eq!(json[1]["opened"], true);
}
