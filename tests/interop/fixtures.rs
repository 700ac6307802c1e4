//! The keys, certificates and token that the matrix signs with, made by the
//! `openssl` and SoftHSM programs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use openssl::pkey::{PKey, Private};
use segl::Algorithm;

pub const PASSPHRASE: &str = "correct-horse";
pub const PIN: &str = "739154";

/// A key's name, what `openssl genpkey` needs for it, and what it can make.
pub const KEYS: [(&str, &str, &[Algorithm]); 3] = [
    (
        "rsa",
        "-algorithm RSA -pkeyopt rsa_keygen_bits:2048",
        &[
            Algorithm::RS256,
            Algorithm::RS384,
            Algorithm::RS512,
            Algorithm::PS256,
        ],
    ),
    (
        "p256",
        "-algorithm EC -pkeyopt ec_paramgen_curve:P-256",
        &[Algorithm::ES256],
    ),
    (
        "p384",
        "-algorithm EC -pkeyopt ec_paramgen_curve:P-384",
        &[Algorithm::ES384],
    ),
];

/// Writes every form of every key into `folder`, with a chain of two certificates.
pub fn make_keys(folder: &Path) {
    let openssl = |arguments: &str| {
        run(Command::new("openssl")
            .args(arguments.split_whitespace())
            .current_dir(folder))
    };
    openssl("req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=Test-CA");
    for (key, genpkey, _) in KEYS {
        openssl(&format!("genpkey {genpkey} -out {key}.pkcs8.pem"));
        openssl(&format!(
            "pkey -in {key}.pkcs8.pem -traditional -out {key}.traditional.pem"
        ));
        openssl(&format!(
            "pkcs8 -topk8 -v2 aes-256-cbc -passout pass:{PASSPHRASE} \
             -in {key}.pkcs8.pem -out {key}.encrypted.pem"
        ));
        openssl(&format!(
            "req -x509 -days 30 -CA ca.pem -CAkey ca.key -key {key}.pkcs8.pem -out {key}.leaf.pem \
             -subj /C=NO/O=Test-AS/organizationIdentifier=NTRNO-999999999/CN={key}"
        ));
        openssl(&format!(
            "pkcs12 -export -passout pass:{PASSPHRASE} -certfile ca.pem \
             -inkey {key}.pkcs8.pem -in {key}.leaf.pem -out {key}.p12"
        ));
        let leaf = fs::read_to_string(folder.join(format!("{key}.leaf.pem"))).unwrap();
        let ca = fs::read_to_string(folder.join("ca.pem")).unwrap();
        fs::write(folder.join(format!("{key}.chain.pem")), leaf + &ca).unwrap();
    }
}

/// Puts the keys into a new SoftHSM token `interop`. Returns SoftHSM's
/// configuration file.
pub fn make_token(folder: &Path) -> PathBuf {
    let (conf, tokens) = (folder.join("softhsm2.conf"), folder.join("tokens"));
    fs::create_dir(&tokens).unwrap();
    fs::write(
        &conf,
        format!("directories.tokendir = {}\n", tokens.display()),
    )
    .unwrap();
    let util = |arguments: &str| {
        run(Command::new("softhsm2-util")
            .args(arguments.split_whitespace())
            .current_dir(folder)
            .env("SOFTHSM2_CONF", &conf))
    };
    util(&format!(
        "--init-token --free --label interop --pin {PIN} --so-pin 82640173"
    ));
    for ((key, ..), id) in KEYS.iter().zip(["01", "02", "03"]) {
        util(&format!(
            "--import {key}.pkcs8.pem --token interop --label {key} --id {id} --pin {PIN}"
        ));
    }
    conf
}

/// SoftHSM's library.
pub fn softhsm_module() -> PathBuf {
    [
        "/usr/lib/softhsm",
        "/usr/lib64/softhsm",
        "/usr/lib64/pkcs11",
        "/usr/local/lib/softhsm",
        "/opt/homebrew/lib/softhsm",
    ]
    .iter()
    .map(|folder| Path::new(folder).join("libsofthsm2.so"))
    .find(|module| module.exists())
    .expect("libsofthsm2.so; install SoftHSM")
}

/// The private key as libcrypto holds it.
pub fn private_key(folder: &Path, key: &str) -> PKey<Private> {
    let pem = fs::read(folder.join(format!("{key}.pkcs8.pem"))).unwrap();
    PKey::private_key_from_pem(&pem).unwrap()
}

/// Runs a program that must succeed.
pub fn run(command: &mut Command) -> Output {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}
