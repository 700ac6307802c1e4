//! Signatures of every key source with every algorithm and header form, checked
//! by verifiers that share no code with segl: PyJWT, jwcrypto and jose. Encryption, with
//! jwcrypto. Access tokens and DPoP proofs of PyJWT and jwcrypto, checked by segl.
//!
//! `scripts/test interop` installs the verifiers, builds `tests/c/interop.c` and
//! runs this. A plain `cargo test` shows it as ignored.

mod callback;
#[cfg(feature = "simulator")]
mod encryption;
mod fixtures;
mod received;

use std::env;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use segl::keys::{self, Certificate};
use segl::{Algorithm, Call, KeyUri, PublicJwk, Secret, Signer, jws};
use serde_json::{Value, json};

use fixtures::{KEYS, run};

const TEST: &str = "foreign_verifiers_accept_every_signature";
/// Set for the process that signs: the folder with the keys.
const FOLDER: &str = "SEGL_INTEROP_FOLDER";
/// The program made of `tests/c/interop.c`. Without it its cases are left out.
const C_PROGRAM: &str = "SEGL_INTEROP_C";

/// PKCS#8, PKCS#1 or SEC1, encrypted PKCS#8, PKCS#12, SoftHSM, callback.
const SOURCES: usize = 6;
/// Four of RSA, one of each curve.
const ALGORITHMS: usize = 6;
/// kid, x5c, neither.
const HEADER_FORMS: usize = 3;
/// R, and S, that begins with a zero byte, on both curves.
const SHORT_NUMBERS: usize = 4;

#[test]
#[ignore = "needs what scripts/setup installs; run scripts/test interop"]
fn foreign_verifiers_accept_every_signature() {
    if let Some(folder) = env::var_os(FOLDER) {
        return write_cases(Path::new(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    fixtures::make_keys(folder.path());
    let softhsm_conf = fixtures::make_token(folder.path());

    // SoftHSM reads its environment, which only a new process can be given safely.
    run(Command::new(env::current_exe().unwrap())
        .args(["--exact", TEST, "--ignored", "--nocapture"])
        .env(FOLDER, folder.path())
        .env("SOFTHSM2_CONF", softhsm_conf));

    let with_c = usize::from(env::var_os(C_PROGRAM).is_some());
    let expected = (SOURCES + with_c) * ALGORITHMS * HEADER_FORMS + SHORT_NUMBERS;
    let cases = folder.path().join("cases");
    assert_eq!(
        fs::read_to_string(&cases).unwrap().lines().count(),
        expected
    );
    if with_c == 0 {
        println!("signer callback from C: not run ({C_PROGRAM} is not set)");
    }

    let changed = folder.path().join("changed");
    fs::write(&changed, with_changed_signatures(&cases)).unwrap();
    for mut verifier in verifiers() {
        let output = feed(&mut verifier, &cases);
        let report = String::from_utf8(output.stdout).unwrap();
        println!("{report}");
        let closing = format!("{expected} passed, 0 failed");
        assert_eq!(report.lines().last(), Some(closing.as_str()));
        assert!(output.status.success());

        let output = feed(&mut verifier, &changed);
        let report = String::from_utf8(output.stdout).unwrap();
        let closing = format!("0 passed, {expected} failed");
        assert_eq!(report.lines().last(), Some(closing.as_str()));
        assert!(!output.status.success());
    }
}

fn write_cases(folder: &Path) {
    let mut cases = Vec::new();
    for (key, _, algorithms) in KEYS {
        for (source, signer) in sources(folder, key) {
            assert_eq!(signer.algorithms(), algorithms, "{source} {key}");
            for alg in algorithms {
                for header in header_forms(folder, key, signer.public_key(), *alg) {
                    let name = format!("{source} {key} {alg} {}", header.name);
                    let jwt = header.sign(&*signer, &claims(0));
                    cases.push(case(&name, &jwt, signer.public_key(), &header, 0));
                    if source == "callback" {
                        cases.extend(from_c(folder, key, signer.public_key(), &header));
                    }
                }
            }
            if source == "PKCS#8" {
                cases.extend(short_numbers(folder, key, &*signer));
            }
        }
    }
    fs::write(folder.join("cases"), cases.concat()).unwrap();
}

/// The same key from everywhere a key can come from.
fn sources(folder: &Path, key: &str) -> Vec<(&'static str, Arc<dyn Signer>)> {
    let open = |uri: String, secret: Option<&str>| {
        let uri: KeyUri = uri.parse().unwrap();
        let secret = secret.map(|text| Secret::from(text.as_bytes()));
        keys::open(&uri, secret, &Call::none()).unwrap()
    };
    let file = |form: &str| format!("file:{}/{key}.{form}", folder.display());
    let passphrase = Some(fixtures::PASSPHRASE);
    let token = format!(
        "pkcs11:token=interop;object={key};type=private?module-path={}",
        fixtures::softhsm_module().display()
    );
    let traditional = if key == "rsa" { "PKCS#1" } else { "SEC1" };
    vec![
        ("PKCS#8", open(file("pkcs8.pem"), None)),
        (traditional, open(file("traditional.pem"), None)),
        ("encrypted PKCS#8", open(file("encrypted.pem"), passphrase)),
        ("PKCS#12", open(file("p12"), passphrase)),
        ("SoftHSM", open(token, Some(fixtures::PIN))),
        (
            "callback",
            Arc::new(callback::signer(fixtures::private_key(folder, key))),
        ),
    ]
}

/// A header as segl is asked for it, and as verifiers must see it.
struct HeaderForm {
    name: &'static str,
    header: jws::Header,
    expected: Value,
}

impl HeaderForm {
    fn sign(&self, signer: &dyn Signer, claims: &Value) -> String {
        let header = jws::PreparedHeader::new(&self.header).unwrap();
        let payload = claims.to_string();
        jws::sign_compact(signer, &header, payload.as_bytes(), &Call::none()).unwrap()
    }
}

fn header_forms(
    folder: &Path,
    key: &str,
    public_key: &PublicJwk,
    alg: Algorithm,
) -> [HeaderForm; HEADER_FORMS] {
    let chain = fs::read(folder.join(format!("{key}.chain.pem"))).unwrap();
    let chain = Certificate::read_chain(&chain).unwrap();
    let x5c: Vec<_> = chain.iter().map(Certificate::to_x5c).collect();
    let kid = public_key.thumbprint();
    let header = |kid: Option<&str>, x5c, typ: Option<&str>| jws::Header {
        jwk: None,
        alg,
        kid: kid.map(str::to_owned),
        x5c,
        x5t_s256: None,
        typ: typ.map(str::to_owned),
    };
    [
        HeaderForm {
            name: "kid",
            header: header(Some(kid), Vec::new(), Some("JWT")),
            expected: json!({ "alg": alg.name(), "kid": kid, "typ": "JWT" }),
        },
        HeaderForm {
            name: "x5c",
            header: header(None, x5c.clone(), Some("JWT")),
            expected: json!({ "alg": alg.name(), "typ": "JWT", "x5c": x5c }),
        },
        HeaderForm {
            name: "neither",
            header: header(None, Vec::new(), None),
            expected: json!({ "alg": alg.name() }),
        },
    ]
}

fn claims(number: usize) -> Value {
    json!({
        "aud": "https://test.maskinporten.no/",
        "iss": "Sparebanken Sør & Ærlig",
        "iat": 1_700_000_000,
        "jti": number.to_string(),
    })
}

/// One line for the verifiers.
fn case(
    name: &str,
    jwt: &str,
    public_key: &PublicJwk,
    header: &HeaderForm,
    number: usize,
) -> String {
    let leaf = header.expected["x5c"][0].as_str();
    let case = json!({
        "name": name,
        "jwt": jwt,
        "jwk": public_key.members(),
        "alg": header.expected["alg"],
        "header": header.expected,
        "claims": claims(number),
        "certificate": leaf.map(|der| {
            format!("-----BEGIN CERTIFICATE-----\n{der}\n-----END CERTIFICATE-----\n")
        }),
    });
    format!("{case}\n")
}

/// Signatures in which R, then S, begins with a zero byte, as one in 256 does:
/// where the number is not padded to its full length, only such a signature
/// shows it.
fn short_numbers(folder: &Path, key: &str, signer: &dyn Signer) -> Vec<String> {
    let Some(curve) = signer.public_key().curve() else {
        return Vec::new();
    };
    let [.., header] = header_forms(folder, key, signer.public_key(), curve.algorithm());
    let find = |what: &str, begin: fn(usize) -> usize| {
        (1..20_000)
            .find_map(|number| {
                let jwt = header.sign(signer, &claims(number));
                let signature = URL_SAFE_NO_PAD.decode(jwt.rsplit('.').next()?).ok()?;
                let name = format!("{key} short {what}");
                (signature[begin(signature.len())] == 0)
                    .then(|| case(&name, &jwt, signer.public_key(), &header, number))
            })
            .unwrap()
    };
    vec![find("R", |_| 0), find("S", |len| len / 2)]
}

/// The same through the C ABI, with a signer whose callback is C code.
fn from_c(folder: &Path, key: &str, public_key: &PublicJwk, header: &HeaderForm) -> Option<String> {
    let alg = header.expected["alg"].as_str()?;
    let output = run(Command::new(env::var_os(C_PROGRAM)?)
        .arg(folder.join(format!("{key}.pkcs8.pem")))
        .arg(Value::Object(public_key.members()).to_string())
        .arg(alg)
        .arg(header.expected.to_string())
        .arg(claims(0).to_string()));
    let jwt = String::from_utf8(output.stdout).unwrap();
    let name = format!("callback from C {key} {alg} {}", header.name);
    Some(case(&name, jwt.trim_end(), public_key, header, 0))
}

fn verifiers() -> [Command; 2] {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut python = Command::new(root.join("build/venv/bin/python"));
    python.arg(root.join("tests/interop/verify.py"));
    let mut node = Command::new("node");
    node.arg(root.join("tests/interop/verify.mjs"));
    [python, node]
}

fn feed(verifier: &mut Command, cases: &Path) -> Output {
    verifier
        .stdin(File::open(cases).unwrap())
        .stderr(Stdio::inherit())
        .output()
        .unwrap_or_else(|error| panic!("{verifier:?}: {error}; run scripts/setup test"))
}

/// The cases with the first character of each signature replaced.
fn with_changed_signatures(cases: &Path) -> String {
    let changed = |line: &str| {
        let mut case: Value = serde_json::from_str(line).unwrap();
        let jwt = case["jwt"].as_str().unwrap();
        let (input, signature) = jwt.rsplit_once('.').unwrap();
        let first = if signature.starts_with('A') { "B" } else { "A" };
        case["jwt"] = json!(format!("{input}.{first}{}", &signature[1..]));
        format!("{case}\n")
    };
    fs::read_to_string(cases)
        .unwrap()
        .lines()
        .map(changed)
        .collect()
}
