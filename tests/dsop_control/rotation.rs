//! The certificate that banks encrypt to is renewed: some still use the old one.

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use segl::alg::KeyEncryption;
use segl::apis::dsop_control::Period;
use segl::clock::{Clock, FixedClock, SystemClock};
use segl::token::KeyOpener;
use segl::{Error, ErrorCode, PublicJwk, Secret, Signer};
use serde_json::json;
use support::OrgId;

use super::*;

/// An old key and a new one, and a bank that uses them in turn.
struct Renewal {
    world: World,
    keys: [PKey<Private>; 2],
}

impl Renewal {
    /// With these lines in `[bank]`, and those beside the `n`th key.
    fn new(bank: &str, beside: impl Fn(usize) -> String) -> Self {
        let keys = [support::rsa_key(), another_key()];
        let certificates = [0, 1].map(|n| {
            let certificate = support::certificate(&keys[n], None, &OrgId::Nothing, 30);
            String::from_utf8(certificate.to_pem().unwrap()).unwrap()
        });
        let consumer = |n: usize| {
            let pem = &certificates[n];
            format!("certificate = '''\n{pem}'''\n{}", beside(n))
        };
        // Seven transactions come on four pages.
        let bank = format!("page_size = 2\n{bank}");
        let world = World::encrypting_in_turn(&bank, &[0, 1].map(consumer));
        for n in [0, 1] {
            let path = |end| world.folder.path().join(format!("{n}.{end}"));
            fs::write(path("pem"), support::pem(&keys[n])).unwrap();
            fs::write(path("crt"), &certificates[n]).unwrap();
        }
        Self { world, keys }
    }

    /// A URI of a file of the test's folder.
    fn file(&self, name: &str) -> String {
        format!("file:{}", self.world.folder.path().join(name).display())
    }

    /// The bank, for a client whose decrypters count.
    fn watched(&self) -> (DsopControl, [Arc<Counting>; 2]) {
        let counting = self.counting();
        let decrypters = counting.clone().map(|own| own as Arc<dyn Decrypter>);
        let settings = self.world.settings(&json!({ "decryption": null }));
        let client = TokenClient::builder(settings).decrypters(decrypters.to_vec());
        (self.bank(client.build(&Call::none()).unwrap()), counting)
    }

    /// The bank, for a client with these settings whose keys are `home:0` and `home:1`.
    fn opening(&self, decryption: &Value, clock: &Arc<FixedClock>) -> (DsopControl, Arc<Home>) {
        let home = Arc::new(Home {
            keys: self.counting(),
            away: [0, 1].map(|_| Mutex::default()),
            opened: [0, 1].map(|_| AtomicUsize::new(0)),
            signer: support::signer(&self.keys[0]),
        });
        let mut settings = json!({ "decryption": decryption });
        settings["key"] = "home:0".into();
        let client = TokenClient::builder(self.world.settings(&settings))
            .key_opener(home.clone())
            .clock(clock.clone());
        (self.bank(client.build(&Call::none()).unwrap()), home)
    }

    fn counting(&self) -> [Arc<Counting>; 2] {
        [0, 1].map(|n| {
            let inner = SoftwareDecrypter::from_bytes(&support::pem(&self.keys[n]), None);
            Arc::new(Counting {
                inner: inner.unwrap(),
                asked: AtomicUsize::new(0),
            })
        })
    }

    fn bank(&self, client: TokenClient) -> DsopControl {
        let bank = Some(self.world.bank_url());
        DsopControl::new(Arc::new(client), TokenRequest::default(), bank).unwrap()
    }

    fn thumbprint(&self, n: usize) -> String {
        self.counting()[n].public_key().thumbprint().to_owned()
    }
}

/// A key that counts how often it is asked.
struct Counting {
    inner: SoftwareDecrypter,
    asked: AtomicUsize,
}

impl Counting {
    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Decrypter for Counting {
    fn public_key(&self) -> &PublicJwk {
        self.inner.public_key()
    }

    fn decrypt(&self, alg: KeyEncryption, ciphertext: &[u8], call: &Call) -> Result<Secret> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.inner.decrypt(alg, ciphertext, call)
    }
}

impl fmt::Debug for Counting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Counting")
    }
}

/// Where the keys are.
#[derive(Debug)]
struct Home {
    keys: [Arc<Counting>; 2],
    away: [Mutex<bool>; 2],
    opened: [AtomicUsize; 2],
    signer: Arc<dyn Signer>,
}

impl Home {
    fn set_away(&self, n: usize, is_away: bool) {
        *self.away[n].lock().unwrap() = is_away;
    }

    fn opened(&self, n: usize) -> usize {
        self.opened[n].load(Ordering::SeqCst)
    }
}

impl KeyOpener for Home {
    fn open(
        &self,
        _: &str,
        _: Option<Secret>,
        _: Option<&PublicJwk>,
        _: &Call,
    ) -> Result<Arc<dyn Signer>> {
        Ok(Arc::clone(&self.signer))
    }

    fn open_decrypter(&self, uri: &str, _: &Call) -> Result<Arc<dyn Decrypter>> {
        let n = usize::from(uri == "home:1");
        self.opened[n].fetch_add(1, Ordering::SeqCst);
        match *self.away[n].lock().unwrap() {
            true => Err(Error::new(ErrorCode::TokenUnavailable, "away").with_retryable(true)),
            false => Ok(self.keys[n].clone()),
        }
    }
}

fn clock() -> Arc<FixedClock> {
    Arc::new(FixedClock::new(SystemClock.now()))
}

/// Four pages, the first and third encrypted to the old key.
fn transactions(bank: &DsopControl) -> Result<Vec<Page>> {
    let period = Period::new(Some("2025-01-01"), None).unwrap();
    bank.transactions(&case(), ACCOUNT, period, &Call::none())
}

fn in_homes() -> Value {
    json!({ "keys": [{ "key": "home:0" }, { "key": "home:1" }] })
}

#[test]
fn answers_to_either_key_are_decrypted() {
    for name in ["kid", "x5t#S256", "none"] {
        let renewal = Renewal::new(&format!("key_name = '{name}'"), |_| String::new());
        let keys = ["0.pem", "1.pem"].map(|file| json!({ "key": renewal.file(file) }));
        let bank = renewal
            .world
            .bank_with(&json!({ "decryption": { "keys": keys } }));
        assert_eq!(transactions(&bank).unwrap().len(), 4, "{name}");
    }
}

#[test]
fn the_key_that_an_answer_names_decrypts_it() {
    let renewal = Renewal::new("", |_| String::new());
    let (bank, keys) = renewal.watched();
    transactions(&bank).unwrap();
    assert_eq!(keys.map(|key| key.asked()), [2, 2]);

    let renewal = Renewal::new("", |n| format!("kid = 'dsop-{n}'"));
    let named = [0, 1].map(|n| json!({ "key": format!("home:{n}"), "kid": format!("dsop-{n}") }));
    let (bank, home) = renewal.opening(&json!({ "keys": named }), &clock());
    transactions(&bank).unwrap();
    assert_eq!([0, 1].map(|n| home.keys[n].asked()), [2, 2]);
}

#[test]
fn a_certificate_in_the_settings_is_known_by_its_thumbprint() {
    let renewal = Renewal::new("key_name = 'x5t#S256'", |_| String::new());
    let named = [0, 1].map(
        |n| json!({ "key": format!("home:{n}"), "certificate": renewal.file(&format!("{n}.crt")) }),
    );
    let (bank, home) = renewal.opening(&json!({ "keys": named }), &clock());
    transactions(&bank).unwrap();
    assert_eq!([0, 1].map(|n| home.keys[n].asked()), [2, 2]);
}

#[test]
fn when_none_is_named_they_are_tried_in_order() {
    let renewal = Renewal::new("key_name = 'none'", |_| String::new());
    let (bank, keys) = renewal.watched();
    transactions(&bank).unwrap();
    assert_eq!(keys.map(|key| key.asked()), [4, 2]);
}

#[test]
fn a_key_that_is_away_does_not_stop_the_other() {
    let renewal = Renewal::new("key_name = 'none'", |_| String::new());
    let clock = clock();
    let (bank, home) = renewal.opening(&in_homes(), &clock);
    home.set_away(0, true);
    home.set_away(1, true);
    let error = accounts(&bank).unwrap_err();
    assert_eq!(error.code(), ErrorCode::TokenUnavailable, "{error}");
    for name in ["decryption.keys[0]", "decryption.keys[1]"] {
        assert!(error.message().contains(name), "{error}");
    }
    assert_eq!(renewal.world.simulator.requests().maskinporten_token, 0);

    home.set_away(1, false);
    // To the old key, and then to the new one.
    let error = accounts(&bank).unwrap_err();
    assert_eq!(error.code(), ErrorCode::TokenUnavailable, "{error}");
    assert!(error.retryable());
    let new = format!(
        "decryption.keys[1]\" (thumbprint {})",
        renewal.thumbprint(1)
    );
    assert!(error.message().contains(&new), "{error}");
    assert!(error.message().contains("keys[0]\": away"), "{error}");
    accounts(&bank).unwrap();
    let opened = home.opened(0);

    home.set_away(0, false);
    clock.advance(Duration::from_secs(4));
    accounts(&bank).expect_err("it is left alone for five seconds");
    assert_eq!(home.opened(0), opened);
    accounts(&bank).unwrap();
    clock.advance(Duration::from_secs(1));
    accounts(&bank).unwrap();
    assert_eq!(home.opened(0), opened + 1);
}

#[test]
fn what_none_of_them_decrypts_has_one_error_that_names_them() {
    let renewal = Renewal::new("key_name = 'none'", |_| String::new());
    let keys = ["0.pem", "1.pem"].map(|file| json!({ "key": renewal.file(file) }));
    let bank = renewal
        .world
        .bank_with(&json!({ "decryption": { "keys": keys } }));
    // Not the keys that the bank uses.
    for file in ["0.pem", "1.pem"] {
        let path = renewal.world.folder.path().join(file);
        fs::write(path, support::pem(&another_key())).unwrap();
    }
    let error = accounts(&bank).unwrap_err();
    assert_eq!(error.code(), ErrorCode::JweInvalid, "{error}");
    assert!(!error.retryable());
    for name in [
        "decryption.keys[0]",
        "decryption.keys[1]",
        "any key of the client",
    ] {
        assert!(error.message().contains(name), "{error}");
    }
}

/// The key that an answer names is the only one that can have it.
#[test]
fn a_kid_that_leads_to_the_wrong_key_is_told() {
    let renewal = Renewal::new("", |n| format!("kid = 'dsop-{n}'"));
    let swapped =
        [0, 1].map(|n| json!({ "key": format!("home:{n}"), "kid": format!("dsop-{}", 1 - n) }));
    let (bank, home) = renewal.opening(&json!({ "keys": swapped }), &clock());
    let error = accounts(&bank).unwrap_err();
    assert_eq!(error.code(), ErrorCode::JweInvalid, "{error}");
    let named = "what its header names, setting \"decryption.keys[1]\"";
    assert!(error.message().contains(named), "{error}");
    assert!(error.message().contains("dsop-0"), "{error}");
    assert_eq!(home.keys[0].asked(), 0);
}

#[test]
fn one_of_several_that_was_replaced_is_opened_again() {
    let renewal = Renewal::new("key_name = 'none'", |_| String::new());
    let path = renewal.world.folder.path().join("1.pem");
    fs::write(&path, support::pem(&another_key())).unwrap();
    let keys = ["0.pem", "1.pem"].map(|file| json!({ "key": renewal.file(file) }));
    let client = renewal
        .world
        .client(&json!({ "decryption": { "keys": keys } }));
    client.decryption().unwrap().open(&Call::none()).unwrap();
    fs::write(&path, support::pem(&renewal.keys[1])).unwrap();
    let bank = Some(renewal.world.bank_url());
    let bank = DsopControl::new(client, TokenRequest::default(), bank).unwrap();
    assert_eq!(transactions(&bank).unwrap().len(), 4);
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let renewal = Renewal::new("", |_| String::new());
    let keys = json!([{ "key": "file:/k.pem" }]);
    for (decryption, are_given, path) in [
        (json!({}), false, "decryption.key"),
        (json!({ "keys": [] }), false, "decryption.key"),
        (
            json!({ "key": "file:/k.pem", "keys": keys }),
            false,
            "decryption.key",
        ),
        (json!({ "key": "file:/k.pem" }), true, "decryption.key"),
        (json!({ "keys": keys }), true, "decryption.keys"),
        (
            json!({ "keys": [{ "key": "file:/k.pem", "certificate": "pkcs11:object=k" }] }),
            false,
            "decryption.keys[0].certificate",
        ),
        (
            json!({ "keys": [{ "key": "file:/k.pem", "kid": "" }] }),
            false,
            "decryption.keys[0].kid",
        ),
        (
            json!({ "keys": [{ "key": "file:/k.pem", "kid": "k" }, { "key": "file:/l.pem", "kid": "k" }] }),
            false,
            "decryption.keys[1].kid",
        ),
    ] {
        let settings = renewal.world.settings(&json!({ "decryption": decryption }));
        let mut client = TokenClient::builder(settings);
        if are_given {
            client = client.decrypters(vec![renewal.counting()[0].clone()]);
        }
        let error = client.build(&Call::none()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Config, "{error}");
        assert_eq!(
            error.details().config_path.as_deref(),
            Some(path),
            "{error}"
        );
    }
}

#[test]
fn a_certificate_of_another_key_is_told() {
    let renewal = Renewal::new("", |_| String::new());
    let keys = json!([{ "key": renewal.file("0.pem"), "certificate": renewal.file("1.crt") }]);
    let bank = renewal
        .world
        .bank_with(&json!({ "decryption": { "keys": keys } }));
    let error = accounts(&bank).unwrap_err();
    assert_eq!(error.code(), ErrorCode::CertificateMismatch, "{error}");
    assert!(error.message().contains("decryption.keys[0]"), "{error}");
}
