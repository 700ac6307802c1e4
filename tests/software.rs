//! Key files of every form, made by the openssl program.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use openssl::nid::Nid;

use segl::keys::generate::{RsaBits, generate_in_file};
use segl::keys::software::SoftwareSigner;
use segl::{Algorithm, Call, ErrorCode, KeyUri, Secret, Signer};
use support::{OrgId, certificate, ec_key, pem, rsa_key};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs `openssl` in this folder.
    fn openssl(&self, arguments: &str) {
        let output = Command::new("openssl")
            .args(arguments.split(' '))
            .current_dir(self.0.path())
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {arguments}: {stderr}");
    }

    fn open(&self, name: &str) -> segl::Result<std::sync::Arc<dyn Signer>> {
        open(&self.path(name), None)
    }
}

fn open(path: &Path, passphrase: Option<&str>) -> segl::Result<std::sync::Arc<dyn Signer>> {
    let uri: KeyUri = format!("file:{}", path.display()).parse().unwrap();
    let secret = passphrase.map(|text| Secret::from(text.as_bytes()));
    segl::keys::open(&uri, secret, &Call::none())
}

fn signs(signer: &dyn Signer) {
    for alg in signer.algorithms() {
        let signature = signer.sign(*alg, b"message", &Call::none()).unwrap();
        assert!(
            signer.public_key().verify(*alg, b"message", &signature),
            "{alg}"
        );
        assert!(
            !signer.public_key().verify(*alg, b"massage", &signature),
            "{alg}"
        );
    }
}

#[test]
fn rsa_and_ec_keys_of_every_form_sign() {
    let folder = Folder::new();
    folder.openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.p8");
    folder.openssl("rsa -in rsa.p8 -traditional -out rsa.p1");
    folder.openssl("rsa -in rsa.p8 -outform DER -traditional -out rsa.p1.der");
    folder.openssl("pkcs8 -topk8 -nocrypt -in rsa.p8 -outform DER -out rsa.p8.der");
    folder.openssl("ecparam -name prime256v1 -genkey -out ec.sec1");
    folder.openssl("ec -in ec.sec1 -outform DER -out ec.sec1.der");
    folder.openssl("pkcs8 -topk8 -nocrypt -in ec.sec1 -out ec.p8");
    folder.openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out p384.p8");
    let rsa = ["rsa.p8", "rsa.p1", "rsa.p1.der", "rsa.p8.der"];
    let ec = ["ec.sec1", "ec.sec1.der", "ec.p8"];
    for (names, algorithms) in [(&rsa[..], 4), (&ec[..], 1), (&["p384.p8"][..], 1)] {
        let first = folder.open(names[0]).unwrap();
        for name in names {
            let signer = folder.open(name).unwrap();
            assert_eq!(signer.algorithms().len(), algorithms, "{name}");
            assert_eq!(signer.public_key(), first.public_key(), "{name}");
            assert_eq!(signer.origin().extractable, Some(true));
            signs(&*signer);
        }
    }
}

#[test]
fn encrypted_keys_need_the_right_passphrase() {
    let folder = Folder::new();
    std::fs::write(folder.path("plain.pem"), pem(&rsa_key())).unwrap();
    folder.openssl("pkcs8 -topk8 -in plain.pem -passout pass:right -out p8.pem");
    folder.openssl("pkcs8 -topk8 -in plain.pem -passout pass:right -outform DER -out p8.der");
    folder.openssl("rsa -in plain.pem -aes256 -passout pass:right -traditional -out p1.pem");
    folder.openssl("req -x509 -key plain.pem -subj /CN=x -out cert.pem");
    folder.openssl("pkcs12 -export -inkey plain.pem -in cert.pem -passout pass:right -out key.p12");
    for name in ["p8.pem", "p8.der", "p1.pem", "key.p12"] {
        signs(&*open(&folder.path(name), Some("right")).unwrap());
        for wrong in [None, Some("wrong"), Some("")] {
            let error = open(&folder.path(name), wrong).unwrap_err();
            assert_eq!(
                error.code(),
                ErrorCode::Passphrase,
                "{name} {wrong:?}: {error}"
            );
            assert!(error.message().contains(name), "{error}");
        }
    }
}

#[test]
fn a_passphrase_comes_from_the_uri_too() {
    let folder = Folder::new();
    std::fs::write(folder.path("plain.pem"), pem(&rsa_key())).unwrap();
    folder.openssl("pkcs8 -topk8 -in plain.pem -passout pass:right -out p8.pem");
    let pin = folder.path("passphrase");
    std::fs::write(&pin, "right\n").unwrap();
    restrict(&pin);
    let uri: KeyUri = format!(
        "file:{}?pin-source=file:{}",
        folder.path("p8.pem").display(),
        pin.display()
    )
    .parse()
    .unwrap();
    signs(&*segl::keys::open(&uri, None, &Call::none()).unwrap());
}

#[test]
fn certificates_in_the_same_file_are_found_and_must_match() {
    let folder = Folder::new();
    let ca_key = ec_key(Nid::X9_62_PRIME256V1);
    let ca = certificate(&ca_key, None, &OrgId::Nothing, 10);
    let leaf = certificate(
        &rsa_key(),
        Some((&ca_key, &ca)),
        &OrgId::SerialNumber("910753614"),
        10,
    );
    let other = certificate(&ec_key(Nid::X9_62_PRIME256V1), None, &OrgId::Nothing, 10);
    let write =
        |name: &str, parts: &[Vec<u8>]| std::fs::write(folder.path(name), parts.concat()).unwrap();
    write("key.pem", &[pem(&rsa_key())]);
    write("chain.pem", &[ca.to_pem().unwrap(), leaf.to_pem().unwrap()]);
    write(
        "all.pem",
        &[
            pem(&rsa_key()),
            ca.to_pem().unwrap(),
            leaf.to_pem().unwrap(),
        ],
    );
    write("wrong.pem", &[pem(&rsa_key()), other.to_pem().unwrap()]);
    folder.openssl("pkcs12 -export -inkey key.pem -in chain.pem -passout pass:x -out all.p12");
    for signer in [
        open(&folder.path("all.pem"), None).unwrap(),
        open(&folder.path("all.p12"), Some("x")).unwrap(),
    ] {
        let ders: Vec<_> = signer
            .certificates()
            .iter()
            .map(|c| c.der().to_vec())
            .collect();
        assert_eq!(ders, [leaf.to_der().unwrap(), ca.to_der().unwrap()]);
    }
    let error = folder.open("wrong.pem").unwrap_err();
    assert_eq!(error.code(), ErrorCode::CertificateMismatch, "{error}");
}

#[test]
fn what_is_no_usable_key_is_told_apart() {
    let folder = Folder::new();
    folder.openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out small.pem");
    folder.openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp521r1 -out p521.pem");
    folder.openssl("genpkey -algorithm ED25519 -out ed.pem");
    folder.openssl("pkey -in ed.pem -pubout -out public.pem");
    std::fs::write(folder.path("text"), "hello").unwrap();
    std::fs::write(folder.path("empty"), "").unwrap();
    std::fs::write(folder.path("big"), vec![b'x'; 1_100_000]).unwrap();
    for (name, code) in [
        ("small.pem", ErrorCode::KeyType),
        ("p521.pem", ErrorCode::KeyType),
        ("ed.pem", ErrorCode::KeyType),
        ("public.pem", ErrorCode::KeyFormat),
        ("text", ErrorCode::KeyFormat),
        ("empty", ErrorCode::KeyFormat),
        ("big", ErrorCode::Io),
        ("missing", ErrorCode::Io),
        (".", ErrorCode::Io),
    ] {
        let error = folder.open(name).unwrap_err();
        assert_eq!(error.code(), code, "{name}: {error}");
    }
}

#[test]
fn generated_files_are_private_and_never_overwritten() {
    let folder = Folder::new();
    let bits = RsaBits::new(2048).unwrap();
    for (alg, passphrase) in [
        (Algorithm::RS256, None),
        (Algorithm::ES256, Some("secret")),
        (Algorithm::ES384, None),
    ] {
        let path = folder.path(alg.name());
        let secret = passphrase.map(|text| Secret::from(text.as_bytes()));
        let key = generate_in_file(alg, bits, &path, secret.as_ref()).unwrap();
        let signer = open(&path, passphrase).unwrap();
        assert_eq!(*signer.public_key(), key);
        assert_eq!(signer.algorithms()[0], alg);
        assert_eq!(mode(&path), 0o600);
        let before = std::fs::read(&path).unwrap();
        let error = generate_in_file(alg, bits, &path, None).unwrap_err();
        assert_eq!(error.code(), ErrorCode::KeyExists, "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
    assert_eq!(RsaBits::new(1024).unwrap_err().code(), ErrorCode::KeyType);
}

#[test]
fn eight_threads_share_a_key() {
    let signer = SoftwareSigner::from_bytes(&pem(&support::p256_key()), None).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..100).for_each(|_| signs(&signer)));
        }
    });
}

#[test]
fn an_algorithm_of_another_key_type_is_refused() {
    let signer = SoftwareSigner::from_bytes(&pem(&support::p256_key()), None).unwrap();
    let error = signer
        .sign(Algorithm::RS256, b"m", &Call::none())
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::Algorithm);
    assert!(error.message().contains("ES256"), "{error}");
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[cfg(unix)]
fn restrict(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}
