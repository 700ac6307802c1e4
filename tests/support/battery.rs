//! What every PKCS#11 module must do for segl, whoever made it.
//!
//! Tests of one program take turns: the login and `C_Initialize` are the whole
//! process's.
#![allow(dead_code, reason = "each test uses its own part")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use openssl::md::Md;
use openssl::pkey::PKey;
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::Padding;
use segl::alg::KeyEncryption;
use segl::keys::pkcs11::{Pkcs11Signer, TokenKeySpec, generate_on_token, shutdown};
use segl::keys::uri::{PinPolicy, Pkcs11Uri};
use segl::keys::{Decrypter, HealthState, Pkcs11Decrypter};
use segl::{Algorithm, Call, Error, ErrorCode, KeyUri, Secret, Signer};

use crate::other_code::OtherCode;
use crate::verify::openssl_verifies;

/// What an RSA key offers.
pub const RSA: &[Algorithm] = &[
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
];
/// What a key on P-256 offers.
pub const P256: &[Algorithm] = &[Algorithm::ES256];
/// What a key on P-384 offers.
pub const P384: &[Algorithm] = &[Algorithm::ES384];

const MESSAGE: &[u8] = b"header.payload";

/// A token of the module under test.
#[derive(Clone)]
pub struct Token {
    /// The module's library.
    pub module: PathBuf,
    /// The token's label.
    pub label: &'static str,
    /// Query attributes of each of its URIs, each with its `&`.
    pub settings: String,
    /// The user PIN.
    pub pin: &'static str,
    /// Keys that segl may use. The second is on P-256.
    pub keys: Vec<Key>,
}

/// A key of a [`Token`].
#[derive(Clone)]
pub struct Key {
    pub label: &'static str,
    /// `CKA_ID`, percent-encoded.
    pub id: String,
    pub algorithms: &'static [Algorithm],
}

impl Key {
    pub fn new(label: &'static str, id: &str, algorithms: &'static [Algorithm]) -> Self {
        Self {
            label,
            id: id.to_owned(),
            algorithms,
        }
    }
}

impl Token {
    /// The URI of what `path` names in this token.
    pub fn uri(&self, path: &str) -> Pkcs11Uri {
        let text = format!(
            "pkcs11:token={};{path}?module-path={}{}",
            self.label.replace(' ', "%20"),
            self.module.display(),
            self.settings
        );
        match KeyUri::parse(&text, PinPolicy::default()) {
            Ok(KeyUri::Pkcs11(uri)) => uri,
            other => panic!("{other:?}"),
        }
    }

    /// Opens the key that `path` names.
    pub fn open(&self, path: &str) -> Result<Pkcs11Signer, Error> {
        self.open_with_pin(path, self.pin)
    }

    fn open_with_pin(&self, path: &str, pin: &str) -> Result<Pkcs11Signer, Error> {
        let pin = Some(Secret::from(pin.as_bytes()));
        Pkcs11Signer::open(&self.uri(path), pin, &Call::none())
    }

    /// The same token with more settings.
    pub fn with(&self, settings: &str) -> Self {
        let mut token = self.clone();
        token.settings.push_str(settings);
        token
    }

    /// The path of the key on P-256.
    pub fn p256(&self) -> String {
        format!("object={}", self.keys[1].label)
    }

    fn other_code(&self) -> OtherCode {
        OtherCode::new(&self.module, self.label)
    }
}

/// Each key is found by label, by id and by both, and signs with every algorithm
/// that it should have.
pub fn every_algorithm_signs(token: &Token) {
    for key in &token.keys {
        let signer = token
            .open(&format!("object={};id={}", key.label, key.id))
            .unwrap();
        assert_eq!(signer.algorithms(), key.algorithms, "{}", key.label);
        require_good_signatures(&signer);
        signer.probe(&Call::none()).unwrap();
        for path in [format!("object={}", key.label), format!("id={}", key.id)] {
            let same = token.open(&path).unwrap();
            assert_eq!(same.public_key(), signer.public_key(), "{path}");
        }
    }
}

/// A wrong PIN costs one login, however often it is given, and the right one works
/// after it. The token should be one that no other test logs in to, unless it
/// cannot be locked.
pub fn a_wrong_pin_is_tried_once(token: &Token) {
    let path = token.p256();
    // Nobody is logged in after it.
    shutdown(&Call::none()).unwrap();
    let first = token.open_with_pin(&path, "not-the-pin").unwrap_err();
    assert_eq!(first.code(), ErrorCode::PinIncorrect, "{first}");
    assert_eq!(first.details().ck_function, Some("C_Login"));
    assert_eq!(first.details().ck_rv, Some(0xa0));
    assert!(!first.retryable(), "{first}");
    let second = token.open_with_pin(&path, "not-the-pin").unwrap_err();
    assert_eq!(second.code(), ErrorCode::PinIncorrect, "{second}");
    assert_eq!(second.details().ck_function, None, "no call was made");
    require_good_signatures(&token.open(&path).unwrap());
}

/// The error for a key that is not there lists those that are.
pub fn a_missing_key_is_answered_with_those_present(token: &Token) {
    let error = token.open("object=nothing").unwrap_err();
    assert_eq!(error.code(), ErrorCode::KeyNotFound, "{error}");
    for key in &token.keys {
        assert!(error.message().contains(key.label), "{error}");
        assert!(
            error.message().contains(&format!("id={}", key.id)),
            "{error}"
        );
    }
}

/// Eight threads sign with four sessions.
pub fn many_threads_share_four_sessions(token: &Token, signatures: usize) {
    let signer = token.with("&max-sessions=4").open(&token.p256()).unwrap();
    let call = Call::within(Duration::from_secs(600));
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (signer, call) = (&signer, &call);
            scope.spawn(move || {
                for n in 0..signatures {
                    let message = format!("{thread}.{n}");
                    // A queue of four waiters may take long on a busy machine.
                    let signature = loop {
                        match signer.sign(Algorithm::ES256, message.as_bytes(), call) {
                            Err(error) if error.code() == ErrorCode::PoolTimeout => {}
                            signature => break signature.unwrap(),
                        }
                    };
                    require_good(signer, Algorithm::ES256, message.as_bytes(), &signature);
                }
            });
        }
    });
}

/// Sessions and logins that other code of the process takes away are made anew.
pub fn what_other_code_takes_away_is_made_anew(token: &Token) {
    let signers: Vec<_> = token
        .keys
        .iter()
        .map(|key| token.open(&format!("object={}", key.label)).unwrap())
        .collect();
    let other = token.other_code();
    for _ in 0..3 {
        for take_away in [OtherCode::log_out, OtherCode::close_all_sessions] {
            take_away(&other);
            for signer in &signers {
                require_good_signature(signer);
            }
        }
    }
}

/// A shutdown ends a key for good; it is opened anew.
pub fn keys_open_again_after_a_shutdown(token: &Token) {
    for _ in 0..3 {
        let signer = token.open(&token.p256()).unwrap();
        require_good_signatures(&signer);
        shutdown(&Call::none()).unwrap();
        let error = signer
            .sign(Algorithm::ES256, MESSAGE, &Call::none())
            .unwrap_err();
        assert_eq!(error.code(), ErrorCode::ModuleInit, "{error}");
    }
    require_good_signatures(&token.open(&token.p256()).unwrap());
}

/// A key that can leave the token is refused, unless the URI allows it.
pub fn an_extractable_key_is_refused_unless_allowed(token: &Token, path: &str) {
    let error = token.open(path).unwrap_err();
    assert_eq!(error.code(), ErrorCode::KeyExtractable, "{error}");
    assert!(error.message().contains("extractable=allow"), "{error}");
    let signer = token.with("&extractable=allow").open(path).unwrap();
    assert_eq!(signer.origin().extractable, Some(true));
    require_good_signatures(&signer);
}

/// A key made by segl cannot leave the token, and signs.
pub fn a_generated_key_cannot_leave_the_token(token: &Token) {
    for (alg, label) in [
        (Algorithm::RS256, "made-rsa"),
        (Algorithm::ES256, "made-p256"),
    ] {
        let pin = Some(Secret::from(token.pin.as_bytes()));
        let spec = TokenKeySpec::new(alg, label);
        let public_key =
            generate_on_token(&token.uri("type=private"), pin, &spec, &Call::none()).unwrap();
        let signer = token.open(&format!("object={label}")).unwrap();
        assert_eq!(*signer.public_key(), public_key);
        assert_eq!(signer.origin().extractable, Some(false));
        require_good_signatures(&signer);
    }
}

/// A private key whose public key object is gone has its public half in
/// `CKA_PUBLIC_KEY_INFO` (PKCS#11 v3.2 section 4.9).
pub fn the_public_key_may_be_in_the_private_one(token: &Token, label: &str) {
    let signer = token.open(&format!("object={label}")).unwrap();
    require_good_signatures(&signer);
    assert_eq!(
        signer.public_key().to_spki_der().unwrap(),
        token.other_code().public_key_info(label)
    );
}

/// Signs until that works. While a token comes back it may be left alone for a
/// moment.
pub fn sign_when_ready(signer: &Pkcs11Signer) {
    let begin = Instant::now();
    let alg = signer.algorithms()[0];
    let signature = loop {
        match signer.sign(alg, MESSAGE, &Call::within(Duration::from_secs(2))) {
            Err(error) => {
                assert!(error.retryable(), "{error}");
                assert!(begin.elapsed() < Duration::from_secs(60), "{error}");
                std::thread::sleep(Duration::from_millis(10));
            }
            Ok(signature) => break signature,
        }
    };
    require_good(signer, alg, MESSAGE, &signature);
}

/// Signs with every algorithm of `signer` and lets OpenSSL verify.
pub fn require_good_signatures(signer: &Pkcs11Signer) {
    for alg in signer.algorithms() {
        let signature = signer.sign(*alg, MESSAGE, &Call::none()).unwrap();
        require_good(signer, *alg, MESSAGE, &signature);
    }
}

fn require_good_signature(signer: &Pkcs11Signer) {
    let alg = signer.algorithms()[0];
    let signature = signer.sign(alg, MESSAGE, &Call::none()).unwrap();
    require_good(signer, alg, MESSAGE, &signature);
}

/// OpenSSL takes the signature.
pub fn require_good(signer: &Pkcs11Signer, alg: Algorithm, message: &[u8], signature: &[u8]) {
    assert!(
        openssl_verifies(signer.public_key(), alg, message, signature),
        "{alg}"
    );
}

/// The RSA key that `path` names decrypts what was encrypted to it by both algorithms, and
/// says of anything else that it is none. The token goes on meanwhile.
pub fn both_algorithms_decrypt(token: &Token, path: &str) {
    let pin = Some(Secret::from(token.pin.as_bytes()));
    let key = Pkcs11Decrypter::open(&token.uri(path), pin, &Call::none()).unwrap();
    let signer = token.open(&token.p256()).unwrap();
    for alg in KeyEncryption::ALL {
        let plain = b"0123456789abcdef0123456789abcdef";
        let good = encrypt(&key, alg, plain);
        let mut wrong = good.clone();
        wrong[100] ^= 1;
        for _ in 0..3 {
            let decrypted = key.decrypt(alg, &good, &Call::none()).unwrap();
            assert_eq!(decrypted.expose(), plain, "{alg}");
            for wrong in [&wrong[..], &[1; 256]] {
                let error = key.decrypt(alg, wrong, &Call::none()).unwrap_err();
                assert_eq!(error.code(), ErrorCode::JweInvalid, "{alg}: {error}");
            }
            require_good_signatures(&signer);
        }
        let empty = encrypt(&key, alg, b"");
        let decrypted = key.decrypt(alg, &empty, &Call::none()).unwrap();
        assert_eq!(decrypted.expose(), b"", "{alg}");
    }
    assert_eq!(signer.health().state, HealthState::Ready);
}

fn encrypt(key: &Pkcs11Decrypter, alg: KeyEncryption, plain: &[u8]) -> Vec<u8> {
    let md = match alg {
        KeyEncryption::RsaOaep256 => Md::sha256(),
        _ => Md::sha1(),
    };
    let public = key.public_key().to_spki_der().unwrap();
    let mut context = PkeyCtx::new(&PKey::public_key_from_der(&public).unwrap()).unwrap();
    context.encrypt_init().unwrap();
    context.set_rsa_padding(Padding::PKCS1_OAEP).unwrap();
    context.set_rsa_oaep_md(md).unwrap();
    context.set_rsa_mgf1_md(md).unwrap();
    let mut ciphertext = Vec::new();
    context.encrypt_to_vec(plain, &mut ciphertext).unwrap();
    ciphertext
}
