//! Decryption.

use openssl::md::Md;
use openssl::pkey::PKey;
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::Padding;
use segl::alg::KeyEncryption;
use segl::keys::{AwsKmsDecrypter, Decrypter, open_decrypter};
use segl::{ErrorCode, PublicJwk};

use super::*;
use crate::fake_kms::{Fault, ec, rsa};

const PLAIN: &[u8] = b"0123456789abcdef0123456789abcdef";

/// A KMS with a key for ENCRYPT_DECRYPT at alias/jwe.
fn kms() -> FakeKms {
    let fake = FakeKms::start();
    let id = fake.add("jwe", rsa());
    fake.state().keys.get_mut(&id).unwrap().usage = "ENCRYPT_DECRYPT";
    fake
}

fn open_with_keys(uri: &str) -> Result<AwsKmsDecrypter> {
    let KeyUri::AwsKms(uri) = uri.parse()? else {
        panic!("{uri}");
    };
    AwsKmsDecrypter::open(&uri, Some(Arc::new(given())), &call())
}

fn encrypt(to: &PublicJwk, alg: KeyEncryption) -> Vec<u8> {
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
    context.encrypt_to_vec(PLAIN, &mut ciphertext).unwrap();
    ciphertext
}

#[test]
fn both_algorithms_decrypt() {
    let fake = kms();
    let key = open_with_keys(&fake.uri("alias/jwe")).unwrap();
    for alg in KeyEncryption::ALL {
        let plain = key.decrypt(alg, &encrypt(key.public_key(), alg), &call());
        assert_eq!(plain.unwrap().expose(), PLAIN, "{alg}");
    }
    assert_eq!(fake.count("GetPublicKey"), 1);
    assert_eq!(fake.count("Decrypt"), 2);
    assert!(fake.state().complaints.is_empty());
}

#[test]
fn credentials_may_stand_beside_the_uri() {
    let fake = kms();
    let credentials =
        format!(r#"{{"Version":1,"AccessKeyId":"{ACCESS_KEY}","SecretAccessKey":"{SECRET_KEY}"}}"#);
    let secret = Some(Secret::from(credentials.as_bytes()));
    let key = open_decrypter(&fake.uri("alias/jwe").parse().unwrap(), secret, &call()).unwrap();
    let ciphertext = encrypt(key.public_key(), KeyEncryption::RsaOaep256);
    let plain = key.decrypt(KeyEncryption::RsaOaep256, &ciphertext, &call());
    assert_eq!(plain.unwrap().expose(), PLAIN);
}

#[test]
fn a_wrong_ciphertext_is_no_outage() {
    let fake = kms();
    let key = open_with_keys(&fake.uri("alias/jwe")).unwrap();
    let alg = KeyEncryption::RsaOaep256;
    let mut said = Vec::new();
    for ciphertext in [vec![1; 256], vec![0; 256], vec![1; 255], Vec::new()] {
        let error = key.decrypt(alg, &ciphertext, &call()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::JweInvalid, "{error}");
        assert!(error.details().provider_code.is_none());
        said.push(error.to_string());
    }
    said.dedup();
    assert_eq!(said.len(), 1, "{said:?}");
    // Those of another length are not sent.
    assert_eq!(fake.count("Decrypt"), 2);
    let plain = key.decrypt(alg, &encrypt(key.public_key(), alg), &call());
    assert_eq!(plain.unwrap().expose(), PLAIN);
}

#[test]
fn what_passes_is_tried_again() {
    let fake = kms();
    let key = open_with_keys(&fake.uri("alias/jwe")).unwrap();
    let alg = KeyEncryption::RsaOaep256;
    let ciphertext = encrypt(key.public_key(), alg);
    for fault in [
        Fault::Refuse(500, "KMSInternalException", "again"),
        Fault::Refuse(400, "ThrottlingException", "slowly"),
        Fault::Cut,
    ] {
        fake.fail("Decrypt", fault);
        assert_eq!(
            key.decrypt(alg, &ciphertext, &call()).unwrap().expose(),
            PLAIN
        );
    }
}

#[test]
fn refusals_have_their_numbers() {
    let fake = kms();
    let key = open_with_keys(&fake.uri("alias/jwe")).unwrap();
    let alg = KeyEncryption::RsaOaep256;
    let ciphertext = encrypt(key.public_key(), alg);
    for (kind, code) in [
        ("DisabledException", ErrorCode::KmsDisabled),
        ("AccessDeniedException", ErrorCode::KmsAccessDenied),
        ("InvalidKeyUsageException", ErrorCode::KmsKeyUsage),
    ] {
        fake.fail("Decrypt", Fault::Refuse(400, kind, "no"));
        let error = key.decrypt(alg, &ciphertext, &call()).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
    }
    // The answer of another key, and one that is none.
    for body in [
        r#"{"KeyId":"arn:aws:kms:eu-north-1:111122223333:key/other","Plaintext":"AAAA"}"#,
        r#"{"KeyId":"x"}"#,
        r#"{"KeyId":"x","Plaintext":"*"}"#,
    ] {
        fake.fail("Decrypt", Fault::Body(body.to_owned()));
        let error = key.decrypt(alg, &ciphertext, &call()).unwrap_err();
        let is_expected = matches!(
            error.code(),
            ErrorCode::KmsKeyChanged | ErrorCode::KmsBadResponse
        );
        assert!(is_expected, "{error}");
    }
}

#[test]
fn keys_for_something_else_are_refused() {
    let fake = kms();
    fake.add("signing", rsa());
    let error = open_with_keys(&fake.uri("alias/signing")).unwrap_err();
    assert_eq!(error.code(), ErrorCode::KmsKeyUsage, "{error}");
    assert!(error.message().contains("ENCRYPT_DECRYPT"), "{error}");
    let error = open(&fake.uri("alias/jwe")).unwrap_err();
    assert_eq!(error.code(), ErrorCode::KmsKeyUsage, "{error}");
    let id = fake.add("agreement", ec(openssl::nid::Nid::X9_62_PRIME256V1));
    fake.state().keys.get_mut(&id).unwrap().usage = "ENCRYPT_DECRYPT";
    let error = open_with_keys(&fake.uri("alias/agreement")).unwrap_err();
    assert_eq!(error.code(), ErrorCode::KeyType, "{error}");
}

/// The command is run by the shell, with one in the place of `aws` that tells what it got.
#[test]
fn the_command_that_makes_such_a_key_is_told() {
    let home = tempfile::tempdir().unwrap();
    let generate = |uri: &str| {
        let arguments = ["--alg", "RSA-OAEP-256", "--bits", "3072", "--token", uri];
        let said = failed(segl(
            home.path(),
            &[],
            &[&["key", "generate"], &arguments[..]].concat(),
        ));
        let (_, command) = said.split_once("command line: ").unwrap();
        command.lines().next().unwrap().to_owned()
    };
    let command = generate("awskms:alias/bank/jwe?region=eu-north-1");
    let aws = "aws() { echo \"$@\" >&2; case $2 in create-key) echo the-id;; esac; }";
    let ran = Command::new("sh")
        .args(["-c", &format!("{aws}\n{command}")])
        .output()
        .unwrap();
    let ran = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(
        ran,
        "kms create-key --region eu-north-1 --key-spec RSA_3072 --key-usage ENCRYPT_DECRYPT \
         --query KeyMetadata.KeyId --output text\n\
         kms create-alias --region eu-north-1 --alias-name alias/bank/jwe --target-key-id the-id\n"
    );
}
