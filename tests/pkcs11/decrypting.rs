//! Decryption. SoftHSM 2.6 does OAEP with SHA-1 only.

use openssl::md::Md;
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::Padding;
use segl::alg::KeyEncryption;
use segl::keys::{self, Decrypter, Pkcs11Decrypter};

use super::*;

/// Keys that segl makes: `cipher` and `signing-only`.
pub(crate) fn make_keys() {
    let make = |mut spec: TokenKeySpec, id: u8| {
        spec.id = Some(vec![id]);
        generate_on_token(&uri("token=main"), pin(), &spec, &Call::none()).unwrap();
    };
    make(TokenKeySpec::to_decrypt("cipher"), 0x60);
    make(TokenKeySpec::new(Algorithm::RS256, "signing-only"), 0x63);
}

fn open_decrypter(path: &str) -> Result<Pkcs11Decrypter, Error> {
    fixture();
    Pkcs11Decrypter::open(&uri(path), pin(), &Call::none())
}

fn encrypt(to: &PublicJwk, alg: KeyEncryption, plain: &[u8]) -> Vec<u8> {
    let md = match alg {
        KeyEncryption::RsaOaep256 => Md::sha256(),
        _ => Md::sha1(),
    };
    let key = PKey::public_key_from_der(&to.to_spki_der().unwrap()).unwrap();
    let mut context = PkeyCtx::new(&key).unwrap();
    context.encrypt_init().unwrap();
    context.set_rsa_padding(Padding::PKCS1_OAEP).unwrap();
    context.set_rsa_oaep_md(md).unwrap();
    context.set_rsa_mgf1_md(md).unwrap();
    let mut ciphertext = Vec::new();
    context.encrypt_to_vec(plain, &mut ciphertext).unwrap();
    ciphertext
}

#[test]
fn what_was_encrypted_comes_back() {
    let key = open_decrypter("token=main;object=cipher").unwrap();
    for len in [0, 1, 16, 32, 64, 214] {
        let plain = vec![0xa5; len];
        let ciphertext = encrypt(key.public_key(), KeyEncryption::RsaOaep, &plain);
        let decrypted = key.decrypt(KeyEncryption::RsaOaep, &ciphertext, &Call::none());
        assert_eq!(decrypted.unwrap().expose(), plain, "{len} bytes");
    }
}

#[test]
fn every_ciphertext_that_is_none_gives_the_same_error() {
    let key = open_decrypter("token=main;object=cipher").unwrap();
    let good = encrypt(
        key.public_key(),
        KeyEncryption::RsaOaep,
        b"0123456789abcdef",
    );
    let other = open_decrypter("token=main;object=rsa").unwrap();
    let mut flipped = good.clone();
    flipped[17] ^= 1;
    let mut said = Vec::new();
    for ciphertext in [
        flipped,
        encrypt(
            other.public_key(),
            KeyEncryption::RsaOaep,
            b"0123456789abcdef",
        ),
        encrypt(
            key.public_key(),
            KeyEncryption::RsaOaep256,
            b"0123456789abcdef",
        ),
        vec![0; 256],
        vec![0xff; 256],
        good[1..].to_vec(),
        Vec::new(),
        [&good[..], &[0]].concat(),
    ] {
        let error = key
            .decrypt(KeyEncryption::RsaOaep, &ciphertext, &Call::none())
            .unwrap_err();
        assert_eq!(error.code(), ErrorCode::JweInvalid, "{error}");
        assert_eq!(error.details().ck_rv, None, "{error}");
        said.push(error.to_string());
    }
    said.dedup();
    assert_eq!(said.len(), 1, "{said:?}");
    // And the key goes on.
    let decrypted = key.decrypt(KeyEncryption::RsaOaep, &good, &Call::none());
    assert_eq!(decrypted.unwrap().expose(), b"0123456789abcdef");
}

#[test]
fn wrong_ciphertexts_do_not_trouble_those_who_sign() {
    let key = open_decrypter("token=decrypting;object=cipher").unwrap();
    let signer = open("token=decrypting;object=rsa").unwrap();
    require_good_signatures(&signer);
    let counters = |signer: &Pkcs11Signer| {
        let counters = signer.health().token.unwrap().counters;
        (counters.failed, counters.logins, counters.reinitialisations)
    };
    let before = counters(&signer);
    for _ in 0..5 {
        let refused = key.decrypt(KeyEncryption::RsaOaep, &[1; 256], &Call::none());
        assert_eq!(refused.unwrap_err().code(), ErrorCode::JweInvalid);
    }
    assert_eq!(signer.health().state, segl::keys::HealthState::Ready);
    assert_eq!(counters(&signer), before);
    require_good_signatures(&signer);
}

#[test]
fn a_token_that_does_oaep_with_sha_1_only_says_what_to_do() {
    let key = open_decrypter("token=main;object=cipher").unwrap();
    let ciphertext = encrypt(
        key.public_key(),
        KeyEncryption::RsaOaep256,
        b"0123456789abcdef",
    );
    let error = key
        .decrypt(KeyEncryption::RsaOaep256, &ciphertext, &Call::none())
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::Mechanism, "{error}");
    assert!(
        error.message().contains("decryption.key_encryption"),
        "{error}"
    );
    assert_eq!(error.details().ck_function, Some("C_DecryptInit"));
}

#[test]
fn a_key_that_may_not_decrypt_is_refused() {
    let error = open_decrypter("token=main;object=signing-only").unwrap_err();
    assert_eq!(error.code(), ErrorCode::Mechanism, "{error}");
    assert!(error.message().contains("CKA_DECRYPT"), "{error}");
    let error = open("token=main;object=cipher").unwrap_err();
    assert_eq!(error.code(), ErrorCode::Mechanism, "{error}");
    assert!(error.message().contains("CKA_SIGN"), "{error}");
}

#[test]
fn of_keys_with_one_label_the_one_that_may_decrypt_is_it() {
    let key = open_decrypter("token=main;object=pair").unwrap();
    let cipher = open_decrypter("token=main;object=pair;id=%62").unwrap();
    assert_eq!(key.public_key(), cipher.public_key());
}

#[test]
fn an_ec_key_is_refused() {
    let error = open_decrypter("token=main;object=p256").unwrap_err();
    assert!(
        matches!(error.code(), ErrorCode::KeyType | ErrorCode::Mechanism),
        "{error}"
    );
}

#[test]
fn a_key_that_wants_a_login_for_each_use_gets_it() {
    let key = open_decrypter("token=main;object=always-cipher").unwrap();
    let ciphertext = encrypt(
        key.public_key(),
        KeyEncryption::RsaOaep,
        b"0123456789abcdef",
    );
    for _ in 0..2 {
        let decrypted = key.decrypt(KeyEncryption::RsaOaep, &ciphertext, &Call::none());
        assert_eq!(decrypted.unwrap().expose(), b"0123456789abcdef");
    }
}

#[test]
fn an_extractable_key_is_refused_unless_allowed() {
    let error = open_decrypter("token=loose;object=loose-cipher").unwrap_err();
    assert_eq!(error.code(), ErrorCode::KeyExtractable);
    open_decrypter("token=loose;object=loose-cipher?extractable=allow").unwrap();
}

#[test]
fn the_uri_decides_where_the_key_is() {
    let hsm = fixture();
    let uri = format!(
        "pkcs11:token=main;object=cipher?module-path={}&pin-source=env:SEGL_NONE",
        softhsm::module()
    );
    let key = keys::open_decrypter(&uri.parse().unwrap(), pin(), &Call::none()).unwrap();
    let file = hsm.path("cipher.pem");
    let pair = PKey::from_rsa(openssl::rsa::Rsa::generate(2048).unwrap()).unwrap();
    std::fs::write(&file, pair.private_key_to_pem_pkcs8().unwrap()).unwrap();
    let uri = format!("file:{}", file.display());
    let in_file = keys::open_decrypter(&uri.parse().unwrap(), None, &Call::none()).unwrap();
    for (key, alg) in [
        (key, KeyEncryption::RsaOaep),
        (in_file.clone(), KeyEncryption::RsaOaep256),
        (in_file, KeyEncryption::RsaOaep),
    ] {
        let ciphertext = encrypt(key.public_key(), alg, b"0123456789abcdef");
        let decrypted = key.decrypt(alg, &ciphertext, &Call::none()).unwrap();
        assert_eq!(decrypted.expose(), b"0123456789abcdef");
    }
}

#[test]
fn many_threads_decrypt() {
    let key = open_decrypter("token=decrypting;object=cipher?max-sessions=3").unwrap();
    let call = Call::within(Duration::from_secs(600));
    std::thread::scope(|scope| {
        for thread in 0..6_u8 {
            let (key, call) = (&key, &call);
            scope.spawn(move || {
                let ciphertext = encrypt(key.public_key(), KeyEncryption::RsaOaep, &[thread; 16]);
                for _ in 0..20 {
                    let decrypted = key.decrypt(KeyEncryption::RsaOaep, &ciphertext, call);
                    assert_eq!(decrypted.unwrap().expose(), [thread; 16]);
                }
            });
        }
    });
}
