//! Both keys in AWS KMS.

use openssl::nid::Nid;
use segl::keys::AwsKmsSigner;
use segl::keys::awskms::Credentials;
use segl::{KeyUri, Secret};

use super::*;
use crate::fake_kms::{ACCESS_KEY, FakeKms, SECRET_KEY};

fn open(uri: &str) -> Arc<dyn Signer> {
    let KeyUri::AwsKms(uri) = uri.parse().unwrap() else {
        panic!("{uri}");
    };
    let given = Credentials::new(ACCESS_KEY, Secret::from(SECRET_KEY.as_bytes())).unwrap();
    Arc::new(AwsKmsSigner::open_with(&uri, Arc::new(given), &Call::none()).unwrap())
}

#[test]
fn a_key_in_kms_signs_assertions_and_handshakes() {
    let kms = FakeKms::start();
    kms.add("assertion", fake_kms::ec(Nid::X9_62_PRIME256V1));
    kms.add("rsa", fake_kms::rsa());
    kms.add("p256", fake_kms::ec(Nid::X9_62_PRIME256V1));
    kms.add("p384", fake_kms::ec(Nid::SECP384R1));
    let assertion = open(&kms.uri("alias/assertion"));
    for versions in ["['1.2']", "['1.3']"] {
        let bank = Bank::new(&format!("versions = {versions}"));
        for name in ["rsa", "p256", "p384"] {
            let tls_key = open(&kms.uri(&format!("alias/{name}")));
            let x509 = bank.certify_signer(&*tls_key, name, VALID);
            let mut tls = bank.tls("", name);
            tls.as_object_mut().unwrap().remove("key");
            let mut settings = bank.settings("", &tls);
            settings.as_object_mut().unwrap().remove("key");
            let client = |settings: &Value| {
                let builder = builder(settings).signer(assertion.clone());
                let client = builder.tls_signer(tls_key.clone()).build(&Call::none());
                Arc::new(client.unwrap())
            };
            settings["client_id"] = json!(bank.register(&client(&settings)));
            let before = kms.count("Sign");
            bank.lets_in(&client(&settings), &x509);
            assert!(kms.count("Sign") >= before + 2, "assertion and handshake");
        }
    }
    assert_eq!(kms.state().complaints, [""; 0]);
}

#[test]
fn the_command_takes_both_from_their_uris() {
    let kms = FakeKms::start();
    kms.add("assertion", fake_kms::ec(Nid::X9_62_PRIME256V1));
    kms.add("tls", fake_kms::rsa());
    let bank = Bank::new("client_certificates = 'require'");
    let x509 = bank.certify_signer(&*open(&kms.uri("alias/tls")), "tls", VALID);
    let registering = {
        let mut settings = bank.settings("", &bank.no_certificate());
        settings.as_object_mut().unwrap().remove("key");
        let builder = builder(&settings).signer(open(&kms.uri("alias/assertion")));
        builder.build(&Call::none()).unwrap()
    };
    let client_id = bank.register(&registering);
    let toml = format!(
        "[clients.bank]\nprofile = 'dnb'\nissuer = '{}'\ndiscovery = true\nclient_id = '{client_id}'\n\
         key = '{}'\nscopes = ['{SCOPE}']\n[clients.bank.tls]\nkey = '{}'\ncertificate = 'file:tls.pem'\n\
         ca_file = 'ca.pem'\n",
        bank.urls().dnb_issuer,
        kms.uri("alias/assertion"),
        kms.uri("alias/tls"),
    );
    bank.write("segl.toml", toml.as_bytes());
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_segl"))
        .args(["call", "bank", "GET", &bank.urls().dnb_api])
        .current_dir(bank.folder.path())
        .env("NO_PROXY", "127.0.0.1")
        .env("HOME", bank.folder.path())
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        .env_remove("AWS_SESSION_TOKEN")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["x5t#S256"], json!(thumbprint(&x509)));
    assert_eq!(answer["client_id"], json!(client_id));
}
