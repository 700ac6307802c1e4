//! A key that decrypts is replaced in its place, or does not come.

use std::fmt;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use segl::alg::{ContentEncryption, KeyEncryption};
use segl::token::KeyOpener;
use segl::{Error, ErrorCode, PublicJwk, Secret, Signer, jwe};
use support::OrgId;

use super::*;

type Opened = Result<Arc<dyn Decrypter>>;
/// The key that a URI leads to, given how many were opened before.
type Opening = dyn Fn(&str, usize) -> Opened + Send + Sync;

/// Where the keys are.
struct Home {
    opened: AtomicUsize,
    open: Box<Opening>,
}

impl Home {
    fn new(open: impl Fn(&str, usize) -> Opened + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            opened: AtomicUsize::new(0),
            open: Box::new(open),
        })
    }

    fn opened(&self) -> usize {
        self.opened.load(Ordering::SeqCst)
    }

    /// A client whose keys are here.
    fn client(self: &Arc<Self>, decryption: &Value) -> Arc<TokenClient> {
        let settings = World::new("").settings(&json!({ "decryption": decryption }));
        let client = TokenClient::builder(settings).key_opener(self.clone());
        Arc::new(client.build(&Call::none()).unwrap())
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
        Ok(support::signer(&support::rsa_key()))
    }

    fn open_decrypter(&self, uri: &str, _: &Call) -> Opened {
        (self.open)(uri, self.opened.fetch_add(1, Ordering::SeqCst))
    }
}

impl fmt::Debug for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Home")
    }
}

/// A key whose first decryption waits twice.
struct Waiting {
    inner: SoftwareDecrypter,
    asked: AtomicUsize,
    barrier: Arc<Barrier>,
}

impl Decrypter for Waiting {
    fn public_key(&self) -> &PublicJwk {
        self.inner.public_key()
    }

    fn decrypt(&self, alg: KeyEncryption, ciphertext: &[u8], call: &Call) -> Result<Secret> {
        if self.asked.fetch_add(1, Ordering::SeqCst) == 0 {
            self.barrier.wait();
            self.barrier.wait();
        }
        self.inner.decrypt(alg, ciphertext, call)
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Waiting")
    }
}

fn decrypter(key: &PKey<Private>) -> SoftwareDecrypter {
    SoftwareDecrypter::from_bytes(&support::pem(key), None).unwrap()
}

/// A JWE to `key`, which it does not name.
fn jwe_to(key: &PKey<Private>) -> String {
    jwe::encrypt(
        b"{}",
        decrypter(key).public_key(),
        KeyEncryption::RsaOaep256,
        ContentEncryption::A256Gcm,
        serde_json::Map::new(),
    )
    .unwrap()
}

fn decrypt(client: &TokenClient, jwe: &str) -> Result<Secret> {
    client.decryption().unwrap().decrypt(jwe, &Call::none())
}

#[test]
fn a_replacement_has_to_fit_the_certificate() {
    let world = World::new("");
    let [old, new] = [support::rsa_key(), another_key()];
    let certificate = support::certificate(&old, None, &OrgId::Nothing, 30);
    let file = |name: &str| world.folder.path().join(name);
    fs::write(file("old.crt"), certificate.to_pem().unwrap()).unwrap();
    fs::write(file("decrypts.pem"), support::pem(&old)).unwrap();
    let uri = |name: &str| format!("file:{}", file(name).display());
    let key = json!({ "key": uri("decrypts.pem"), "certificate": uri("old.crt") });
    let client = world.client(&json!({ "decryption": { "keys": [key] } }));
    decrypt(&client, &jwe_to(&old)).unwrap();

    fs::write(file("decrypts.pem"), support::pem(&new)).unwrap();
    let error = decrypt(&client, &jwe_to(&new)).unwrap_err();
    assert_eq!(error.code(), ErrorCode::JweInvalid, "{error}");
    decrypt(&client, &jwe_to(&old)).unwrap();
}

#[test]
fn what_one_answer_found_the_other_uses() {
    let [old, new] = [support::rsa_key(), another_key()];
    let barrier = Arc::new(Barrier::new(2));
    let keys: [Arc<dyn Decrypter>; 2] = [
        Arc::new(Waiting {
            inner: decrypter(&old),
            asked: AtomicUsize::new(0),
            barrier: barrier.clone(),
        }),
        Arc::new(decrypter(&new)),
    ];
    let home = Home::new(move |_, before| Ok(keys[before.min(1)].clone()));
    let client = home.client(&json!({ "key": "home:0" }));
    let answer = jwe_to(&new);
    thread::scope(|scope| {
        let slow = scope.spawn(|| decrypt(&client, &answer));
        // The slow one has the old key in its hands.
        barrier.wait();
        let quick = decrypt(&client, &answer);
        barrier.wait();
        quick.unwrap();
        slow.join().unwrap().unwrap();
    });
    assert_eq!(home.opened(), 2);
}

#[test]
fn answers_that_come_together_look_once() {
    let key = support::rsa_key();
    let home = Home::new(move |_, before| {
        if before > 0 {
            thread::sleep(Duration::from_millis(300));
        }
        Ok(Arc::new(decrypter(&key)))
    });
    let client = home.client(&json!({ "key": "home:0" }));
    client.decryption().unwrap().open(&Call::none()).unwrap();
    let answer = jwe_to(&another_key());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| decrypt(&client, &answer).unwrap_err());
        }
    });
    assert_eq!(home.opened(), 2);
}

/// `home:1` takes more time than it was given, and `home:2` has none left.
#[test]
fn one_that_is_open_is_enough_when_the_time_is_over() {
    let keys = ["home:0", "home:1", "home:2"].map(|key| json!({ "key": key }));
    for is_there in [true, false] {
        let home = Home::new(move |uri, _| match uri {
            "home:0" if is_there => Ok(Arc::new(decrypter(&support::rsa_key()))),
            "home:0" => Err(Error::new(ErrorCode::KeyNotFound, "gone")),
            _ => {
                thread::sleep(Duration::from_millis(600));
                Err(Error::new(ErrorCode::TokenUnavailable, "away"))
            }
        });
        let client = home.client(&json!({ "keys": keys }));
        let call = Call::within(Duration::from_millis(500));
        let opened = client.decryption().unwrap().open(&call);
        assert_eq!(home.opened(), 2);
        if is_there {
            opened.unwrap();
            continue;
        }
        let error = opened.unwrap_err();
        assert_eq!(error.code(), ErrorCode::KeyNotFound, "{error}");
        for told in ["keys[0]\": gone", "keys[1]\": away", "time"] {
            assert!(error.message().contains(told), "{error}");
        }
    }
}
