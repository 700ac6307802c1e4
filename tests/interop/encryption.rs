//! JWE of every allowed combination, made by jwcrypto and read by segl, and the other way.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::bn::BigNumRef;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use segl::Call;
use segl::alg::{ContentEncryption, KeyEncryption};
use segl::jwe::{self, Accepted};
use segl::keys::{Decrypter, SoftwareDecrypter};
use serde_json::{Map, Value, json};

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test interop"]
fn jwcrypto_and_segl_read_each_others_encryption() {
    let pair = Rsa::generate(2048).unwrap();
    let pem = PKey::from_rsa(pair.clone())
        .unwrap()
        .private_key_to_pem_pkcs8()
        .unwrap();
    let key = SoftwareDecrypter::from_bytes(&pem, None).unwrap();
    let number = |number: &BigNumRef| Value::from(URL_SAFE_NO_PAD.encode(number.to_vec()));
    let mut private = Value::Object(key.public_key().members());
    for (name, value) in [
        ("d", Some(pair.d())),
        ("p", pair.p()),
        ("q", pair.q()),
        ("dp", pair.dmp1()),
        ("dq", pair.dmq1()),
        ("qi", pair.iqmp()),
    ] {
        private[name] = number(value.unwrap());
    }

    let mut asked = Vec::new();
    let mut combinations = Vec::new();
    for alg in KeyEncryption::ALL {
        for enc in ContentEncryption::ALL {
            // jwcrypto takes an empty text for a failure.
            for plain in ["x", "{\"kontonavn\":\"Lønnskonto §\"}"] {
                asked.push(json!({
                    "do": "encrypt",
                    "jwk": key.public_key().members(),
                    "alg": alg.name(),
                    "enc": enc.name(),
                    "plain": plain,
                }));
                let to = key.public_key();
                let own = jwe::encrypt(plain.as_bytes(), to, alg, enc, Map::new()).unwrap();
                asked.push(json!({ "do": "decrypt", "jwk": private, "jwe": own }));
                combinations.push((alg, enc, plain));
            }
        }
    }
    let answers = ask(&asked);
    assert_eq!(answers.len(), 2 * combinations.len());
    let everything = Accepted {
        key_encryption: KeyEncryption::ALL.to_vec(),
        content_encryption: ContentEncryption::ALL.to_vec(),
    };
    for ((alg, enc, plain), answers) in combinations.iter().zip(answers.chunks(2)) {
        let theirs = answers[0]["jwe"].as_str().unwrap();
        let decrypted = jwe::decrypt(theirs, &key, &everything, &Call::none()).unwrap();
        assert_eq!(decrypted.expose(), plain.as_bytes(), "{alg} {enc}");
        assert_eq!(answers[1]["plain"], *plain, "{alg} {enc}");
    }
    println!("{} combinations, both ways", combinations.len());
}

fn ask(cases: &[Value]) -> Vec<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut python = Command::new(root.join("build/venv/bin/python"))
        .arg(root.join("tests/interop/encrypt.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("python: {error}; run scripts/setup test"));
    let lines: String = cases.iter().map(|case| format!("{case}\n")).collect();
    let mut input = python.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = python.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    let output = String::from_utf8(output.stdout).unwrap();
    output
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
