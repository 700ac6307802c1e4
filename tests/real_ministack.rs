//! Keys in AWS KMS with MiniStack, a KMS that others wrote: new keys, every
//! algorithm, aliases, ARNs and replicas, decryption, and DNB end to end.
//!
//! `scripts/test kms` installs MiniStack and runs this. A plain `cargo test` shows it
//! as ignored.
#![cfg(all(feature = "awskms", feature = "cli", feature = "simulator"))]

#[path = "support/simulator_process.rs"]
mod simulator_process;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use segl::alg::{ContentEncryption, KeyEncryption};
use segl::jwe::{self, Accepted};
use segl::keys::awskms::Credentials;
use segl::keys::uri::PinPolicy;
use segl::keys::{AwsKmsDecrypter, Decrypter, KeyUri};
use segl::{Call, ErrorCode, Secret};
use serde_json::{Value, json};
use simulator_process::SimulatorProcess;

/// MiniStack, in a folder of its own, that ends with it.
struct Ministack {
    home: tempfile::TempDir,
    port: u16,
    process: Child,
}

impl Ministack {
    fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let log = fs::File::create(home.path().join("log")).unwrap();
        // `timeout` ends it should this program not live to.
        let process = Command::new("timeout")
            .args(["--signal=KILL", "600"])
            .arg(installed("ministack"))
            .current_dir(home.path())
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.to_string())
            .env("SERVICES", "kms,sts")
            // Its MQTT listener would be open to other machines.
            .env("IOT_MTLS_ENABLED", "0")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let own = Self {
            home,
            port,
            process,
        };
        let until = Instant::now() + Duration::from_secs(120);
        while ureq::get(own.url("/_ministack/health")).call().is_err() {
            let log = fs::read_to_string(own.home.path().join("log"));
            assert!(Instant::now() < until, "MiniStack: {log:?}");
            thread::sleep(Duration::from_millis(50));
        }
        own
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command
            .current_dir(self.home.path())
            .env("HOME", self.home.path())
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_ENDPOINT_URL", self.url(""))
            .stdin(Stdio::null());
        command
    }

    fn segl(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(env!("CARGO_BIN_EXE_segl"));
        command.args(arguments).output().unwrap()
    }

    fn ok(&self, arguments: &[&str]) -> String {
        let output = self.segl(arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "segl {arguments:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.ok(&[&["--json"], arguments].concat())).unwrap()
    }

    /// What `operation` of KMS answers.
    fn ask(&self, operation: &str, asked: &Value) -> Value {
        let answer = ureq::post(self.url("/"))
            .header("Content-Type", "application/x-amz-json-1.1")
            .header("X-Amz-Target", format!("TrentService.{operation}"))
            // MiniStack takes the region from here, and does not verify it.
            .header(
                "Authorization",
                "AWS4-HMAC-SHA256 Credential=test/20260101/eu-north-1/kms/aws4_request, \
                 SignedHeaders=host, Signature=0",
            )
            .send(asked.to_string());
        let text = answer.unwrap().body_mut().read_to_string().unwrap();
        serde_json::from_str(&text).unwrap_or_default()
    }

    fn try_decrypter(&self, name: &str) -> segl::Result<AwsKmsDecrypter> {
        let endpoint = self.url("");
        let uri = format!("awskms:{name}?region=eu-north-1&endpoint={endpoint}");
        let KeyUri::AwsKms(uri) = KeyUri::parse(&uri, PinPolicy::default())? else {
            panic!("{uri}");
        };
        let credentials = Credentials::new("test", Secret::from(&b"test"[..]))?;
        AwsKmsDecrypter::open(&uri, Some(Arc::new(credentials)), &Call::none())
    }

    fn open_decrypter(&self, name: &str) -> AwsKmsDecrypter {
        self.try_decrypter(name).unwrap()
    }

    fn generate(&self, uri: &str, alg: &str, more: &[&str]) -> Value {
        let arguments = ["key", "generate", "--alg", alg, "--token", uri];
        self.json(&[&arguments, more].concat())
    }
}

impl Drop for Ministack {
    fn drop(&mut self) {
        // SIGTERM to `timeout` goes on to MiniStack; SIGKILL would not.
        let _ = Command::new("kill")
            .arg(self.process.id().to_string())
            .status();
        let _ = self.process.wait();
    }
}

fn installed(program: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("build/ministack/bin").join(program);
    assert!(
        path.exists(),
        "{} is missing; run scripts/setup",
        path.display()
    );
    path
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test kms"]
fn keys_of_every_kind_are_made_and_openssl_takes_their_signatures() {
    let kms = Ministack::start();
    for (name, alg, bits, algs) in [
        ("rsa2048", "RS256", "2048", &["RS256", "PS256"][..]),
        ("rsa3072", "RS512", "3072", &["RS384", "RS512", "PS256"]),
        ("p256", "ES256", "2048", &["ES256"]),
        ("p384", "ES384", "2048", &["ES384"]),
    ] {
        let uri = format!("awskms:alias/test/{name}?region=eu-north-1");
        let made = kms.generate(&uri, alg, &["--bits", bits, "--tag", "purpose=test"]);
        assert_eq!(made["key"], uri.as_str());
        let arn = made["arn"].as_str().unwrap();
        // By alias, ARN and id it is one key.
        let id = arn.rsplit_once('/').unwrap().1;
        for name in [
            uri.clone(),
            format!("awskms:{arn}"),
            format!("awskms:{id}?region=eu-north-1"),
        ] {
            assert_eq!(kms.json(&["key", "show", &name])["kid"], made["kid"]);
        }
        for alg in algs {
            let config = format!(
                "[clients.c]\nprofile = \"generic\"\nissuer = \"https://issuer.example/\"\n\
                 token_endpoint = \"https://issuer.example/token\"\nclient_id = \"c\"\nalg = \"{alg}\"\n\
                 key = \"{uri}\"\nkid = \"k\"\n"
            );
            fs::write(kms.path("segl.toml"), config).unwrap();
            let jwt = kms.ok(&["assert", "c", "--config", "segl.toml"]);
            openssl_verifies(&kms, jwt.trim_end(), alg, &made["jwk"]);
        }
    }
    let error = kms.segl(&[
        "key",
        "generate",
        "--alg",
        "ES256",
        "--token",
        "awskms:alias/test/p256?region=eu-north-1",
    ]);
    assert!(String::from_utf8_lossy(&error.stderr).contains("KEY_EXISTS"));
    let missing = kms.segl(&["key", "show", "awskms:alias/none?region=eu-north-1"]);
    assert!(String::from_utf8_lossy(&missing.stderr).contains("KMS_NOT_FOUND"));
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test kms"]
fn replicas_are_the_same_key() {
    let kms = Ministack::start();
    let uri = "awskms:alias/many?region=eu-north-1";
    let made = kms.generate(
        uri,
        "ES256",
        &["--replica", "eu-west-1", "--replica", "eu-central-1"],
    );
    assert!(made["arn"].as_str().unwrap().contains("key/mrk-"));
    for region in ["eu-north-1", "eu-west-1", "eu-central-1"] {
        let uri = format!("awskms:alias/many?region={region}");
        let shown = kms.json(&["key", "show", &uri]);
        assert_eq!(shown["kid"], made["kid"], "{region}");
        assert!(shown["token"].as_str().unwrap().contains(region), "{shown}");
        kms.ok(&["key", "health", &uri]);
    }
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test kms"]
fn dnb_gives_a_token_for_a_key_in_kms() {
    let kms = Ministack::start();
    let uri = "awskms:alias/dnb?region=eu-north-1";
    kms.generate(uri, "ES256", &[]);
    fs::write(kms.path("sim.toml"), "").unwrap();
    let program = kms.command(env!("CARGO_BIN_EXE_segl"));
    let arguments = ["--listen", "127.0.0.1:0", "--config", "sim.toml"];
    let simulator = SimulatorProcess::start(program, &arguments);
    let urls = &simulator.urls;
    let config = |client_id: &str| {
        let text = format!(
            "[clients.dnb]\nprofile = \"dnb\"\n{client_id}\ntoken_endpoint = {}\nkey = \"{uri}\"\n",
            urls["dnb_token_endpoint"]
        );
        fs::write(kms.path("segl.toml"), text).unwrap();
    };
    config("");
    let registration = kms.ok(&["register", "dnb", "dnb", "--config", "segl.toml"]);
    let url = format!("{}/dnb/register", urls["admin"].as_str().unwrap());
    let answer = ureq::post(&url).send(registration.trim_end()).unwrap();
    let registered: Value = serde_json::from_reader(answer.into_body().into_reader()).unwrap();
    config(&format!("client_id = {}", registered["client_id"]));
    let token = kms.json(&["token", "dnb", "--config", "segl.toml"]);
    assert_eq!(token["response"]["token_type"], "Bearer");
}

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test kms"]
fn a_key_in_kms_decrypts_what_cryptography_and_segl_encrypt() {
    let kms = Ministack::start();
    let made = kms.ask(
        "CreateKey",
        &json!({ "KeySpec": "RSA_3072", "KeyUsage": "ENCRYPT_DECRYPT" }),
    );
    let id = &made["KeyMetadata"]["KeyId"];
    let alias = json!({ "AliasName": "alias/jwe", "TargetKeyId": id });
    kms.ask("CreateAlias", &alias);
    let key = kms.open_decrypter("alias/jwe");
    assert_eq!(made["KeyMetadata"]["Arn"], key.arn());

    const PLAIN: &[u8] = b"0123456789abcdef0123456789abcdef";
    fs::write(kms.path("plain"), PLAIN).unwrap();
    fs::write(kms.path("public"), key.public_key().to_spki_der().unwrap()).unwrap();
    let call = Call::within(Duration::from_secs(30));
    for (alg, hash) in [
        (KeyEncryption::RsaOaep256, "SHA256"),
        (KeyEncryption::RsaOaep, "SHA1"),
    ] {
        let mut python = kms.command(installed("python"));
        let encrypted = python.args(["-c", ENCRYPT, hash]).output().unwrap();
        assert!(encrypted.status.success(), "{encrypted:?}");
        let ciphertext = encrypted.stdout;
        let plain = key.decrypt(alg, &ciphertext, &call).unwrap();
        assert_eq!(plain.expose(), PLAIN, "{alg}");

        let accepted = Accepted {
            key_encryption: vec![alg],
            ..Accepted::default()
        };
        let enc = ContentEncryption::A128CbcHs256;
        let text = jwe::encrypt(b"content", key.public_key(), alg, enc, Default::default());
        let content = jwe::decrypt(&text.unwrap(), &key, &accepted, &call).unwrap();
        assert_eq!(content.expose(), b"content", "{alg}");
    }
    let wrong = vec![1; 384];
    let error = key.decrypt(KeyEncryption::RsaOaep256, &wrong, &call);
    assert_eq!(error.unwrap_err().code(), ErrorCode::JweInvalid);

    // A key for the other purpose, either way.
    kms.generate("awskms:alias/signs?region=eu-north-1", "RS256", &[]);
    let error = kms.try_decrypter("alias/signs").unwrap_err();
    assert_eq!(error.code(), ErrorCode::KmsKeyUsage, "{error}");
    let shown = kms.segl(&["key", "show", "awskms:alias/jwe?region=eu-north-1"]);
    assert!(String::from_utf8_lossy(&shown.stderr).contains("KMS_KEY_USAGE"));
}

/// `openssl dgst` verifies the JWT with the JWK, both turned into files by Python's
/// cryptography.
fn openssl_verifies(kms: &Ministack, jwt: &str, alg: &str, jwk: &Value) {
    let (input, signature) = jwt.rsplit_once('.').unwrap();
    let header = URL_SAFE_NO_PAD
        .decode(input.split('.').next().unwrap())
        .unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    assert_eq!(header["alg"], alg);
    fs::write(kms.path("input"), input).unwrap();
    fs::write(
        kms.path("case"),
        json!({ "jwk": jwk, "signature": signature }).to_string(),
    )
    .unwrap();
    let made = kms
        .command(installed("python"))
        .args(["-c", TO_FILES])
        .status()
        .unwrap();
    assert!(made.success());
    let mut openssl = kms.command("openssl");
    let hash = format!("-sha{}", &alg[2..]);
    openssl.args([
        "dgst",
        &hash,
        "-verify",
        "key.pem",
        "-signature",
        "signature",
    ]);
    if alg.starts_with("PS") {
        openssl.args([
            "-sigopt",
            "rsa_padding_mode:pss",
            "-sigopt",
            "rsa_pss_saltlen:32",
        ]);
    }
    let output = openssl.arg("input").output().unwrap();
    assert!(output.status.success(), "{alg}: {output:?}");
}

const TO_FILES: &str = r#"
import base64, json
from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
raw = lambda text: base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
number = lambda data: int.from_bytes(data, "big")
case = json.load(open("case"))
jwk, signature = case["jwk"], raw(case["signature"])
if jwk["kty"] == "RSA":
    key = rsa.RSAPublicNumbers(number(raw(jwk["e"])), number(raw(jwk["n"]))).public_key()
else:
    curve = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1()}[jwk["crv"]]
    key = ec.EllipticCurvePublicNumbers(number(raw(jwk["x"])), number(raw(jwk["y"])), curve).public_key()
    half = len(signature) // 2
    assert half == len(raw(jwk["x"]))
    signature = utils.encode_dss_signature(number(signature[:half]), number(signature[half:]))
open("key.pem", "wb").write(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
open("signature", "wb").write(signature)
"#;

const ENCRYPT: &str = r#"
import sys
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import load_der_public_key
key = load_der_public_key(open("public", "rb").read())
hash = getattr(hashes, sys.argv[1])()
oaep = padding.OAEP(mgf=padding.MGF1(hash), algorithm=hash, label=None)
sys.stdout.buffer.write(key.encrypt(open("plain", "rb").read(), oaep))
"#;
