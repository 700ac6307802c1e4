//! Keys in SoftHSM tokens, made by segl and by others.

mod decrypting;
mod generating;
mod modules;
mod pins;
mod public_keys;
mod selection;
mod signing;
#[path = "../support/softhsm.rs"]
mod softhsm;
#[path = "../support/verify.rs"]
mod verify;

use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use openssl::pkey::PKey;
use segl::keys::pkcs11::{Pkcs11Signer, TokenKeySpec, generate_on_token};
use segl::keys::uri::Pkcs11Uri;
use segl::{Algorithm, Call, CancelToken, Error, ErrorCode, PublicJwk, Secret, Signer};
use softhsm::{PIN, SoftHsm, pin, uri, uri_in};
use verify::openssl_verifies;

const MESSAGE: &[u8] = b"header.payload";

/// Tokens and keys for all tests. Each test takes it first.
fn fixture() -> &'static SoftHsm {
    static FIXTURE: OnceLock<SoftHsm> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let hsm = SoftHsm::new("pkcs11");
        softhsm::set_env("PKCS11SPY", Path::new(softhsm::module()));
        softhsm::set_env("PKCS11SPY_OUTPUT", &hsm.path("spy.log"));
        for token in [
            "main",
            "made",
            "pins",
            "pool",
            "watched",
            "guarded",
            "decrypting",
            "loose",
            "double",
            "double",
        ] {
            hsm.init_token(token);
        }
        hsm.generate("main", "rsa:2048", "01", "rsa", &[]);
        hsm.generate("main", "EC:prime256v1", "02", "p256", &[]);
        hsm.generate("main", "EC:secp384r1", "03", "p384", &[]);
        hsm.generate("main", "EC:prime256v1", "05", "always", &["--always-auth"]);
        hsm.generate(
            "main",
            "rsa:2048",
            "06",
            "hashed",
            &["--allowed-mechanisms", "SHA256-RSA-PKCS"],
        );
        hsm.generate("main", "EC:secp521r1", "07", "p521", &[]);
        hsm.generate("main", "EC:edwards25519", "08", "ed25519", &[]);
        let decrypts = ["--usage-decrypt"];
        hsm.generate("main", "EC:prime256v1", "61", "pair", &[]);
        hsm.generate("main", "rsa:2048", "62", "pair", &decrypts);
        let always = ["--usage-decrypt", "--always-auth"];
        hsm.generate("main", "rsa:2048", "64", "always-cipher", &always);
        let loose = ["--usage-decrypt", "--extractable"];
        hsm.generate("loose", "rsa:2048", "65", "loose-cipher", &loose);
        hsm.generate("decrypting", "rsa:2048", "01", "rsa", &[]);
        hsm.generate("decrypting", "rsa:2048", "02", "cipher", &decrypts);
        for id in ["21", "22"] {
            hsm.generate("main", "EC:prime256v1", id, "twin", &[]);
        }
        for (token, id) in [
            ("pins", "01"),
            ("pool", "01"),
            ("watched", "01"),
            ("guarded", "01"),
        ] {
            hsm.generate(token, "EC:prime256v1", id, "key", &[]);
        }
        fill_with_foreign_keys(&hsm);
        decrypting::make_keys();
        hsm
    })
}

/// Keys that come from files: without public key, with certificates, mixed up.
fn fill_with_foreign_keys(hsm: &SoftHsm) {
    let import = |pem: &str, id: &str, label: &str| {
        let pem = hsm.path(pem);
        let key = [
            "--import",
            pem.to_str().unwrap(),
            "--id",
            id,
            "--label",
            label,
        ];
        hsm.run(
            "softhsm2-util",
            &[&key[..], &["--token", "main", "--pin", PIN]].concat(),
        );
    };
    let write = |class: &str, der: &str, id: &str| {
        let der = hsm.path(der);
        hsm.tool(
            "main",
            &[
                "--write-object",
                der.to_str().unwrap(),
                "--type",
                class,
                "--id",
                id,
            ],
        );
    };
    let delete_public_key = |id: &str| {
        hsm.tool("main", &["--delete-object", "--type", "pubkey", "--id", id]);
    };
    let openssl = |args: &[&str]| hsm.run("openssl", args);
    let file = |name: &str| hsm.path(name).to_str().unwrap().to_owned();
    let new_key = |name: &str, kind: &[&str]| {
        openssl(&[&["genpkey", "-out", &file(name)], kind].concat());
    };
    let p256: &[&str] = &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
    let certificate = |name: &str, key: &str, subject: &str, issuer: &[&str]| {
        let (key, out) = (file(key), file(name));
        openssl(
            &[
                &[
                    "req", "-x509", "-new", "-key", &key, "-subj", subject, "-out", &out,
                    "-outform", "DER",
                ],
                issuer,
            ]
            .concat(),
        );
    };

    new_key("lonely.pem", p256);
    import("lonely.pem", "31", "lonely");
    delete_public_key("31");

    new_key(
        "rsa.pem",
        &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    );
    import("rsa.pem", "32", "lonely-rsa");
    delete_public_key("32");

    new_key("ca.pem", p256);
    certificate("ca.der", "ca.pem", "/CN=Segl Test CA", &[]);
    openssl(&[
        "x509",
        "-inform",
        "DER",
        "-in",
        &file("ca.der"),
        "-out",
        &file("ca.crt"),
    ]);
    new_key("leaf.pem", p256);
    let issued_by_ca = ["-CA", &file("ca.crt"), "-CAkey", &file("ca.pem")];
    certificate("leaf.der", "leaf.pem", "/CN=Segl Test Bank", &issued_by_ca);
    import("leaf.pem", "41", "certified");
    delete_public_key("41");
    write("cert", "leaf.der", "41");
    write("cert", "ca.der", "42");

    new_key("other.pem", p256);
    import("other.pem", "43", "wrong-certificate");
    write("cert", "leaf.der", "43");

    openssl(&[
        "pkey",
        "-in",
        &file("leaf.pem"),
        "-pubout",
        "-outform",
        "DER",
        "-out",
        &file("leaf.pub"),
    ]);
    import("other.pem", "44", "wrong-public-key");
    delete_public_key("44");
    write("pubkey", "leaf.pub", "44");
}

fn open(path: &str) -> Result<Pkcs11Signer, Error> {
    fixture();
    Pkcs11Signer::open(&uri(path), pin(), &Call::none())
}

fn refusal(path: &str) -> Error {
    open(path).unwrap_err()
}

/// Signs with every algorithm of `signer` and lets OpenSSL verify.
fn require_good_signatures(signer: &dyn Signer) {
    for alg in signer.algorithms() {
        let signature = signer.sign(*alg, MESSAGE, &Call::none()).unwrap();
        assert!(
            openssl_verifies(signer.public_key(), *alg, MESSAGE, &signature),
            "{alg}"
        );
    }
}
