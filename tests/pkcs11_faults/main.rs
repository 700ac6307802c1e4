//! What segl does when a token, its module or other code of the process
//! misbehaves, with a module in front of SoftHSM that fails on request.
//!
//! Each test has a token of its own and a copy of the module of its own, for
//! SoftHSM's sessions and logins are one process's, and it crashes when sessions
//! are closed that others use. SoftHSM is initialised by the fixture, so every
//! copy is adopted.

mod answers;
mod decrypting;
mod hangs;
mod healing;
mod idle;
mod mechanisms;
mod moves;
mod pins;
mod policy;
mod ready;
mod sessions;
mod signatures;
mod steady;

#[path = "../support/fault.rs"]
mod fault;
#[path = "../support/other_code.rs"]
mod other_code;
#[allow(dead_code, reason = "some of it is for plain SoftHSM")]
#[path = "../support/softhsm.rs"]
mod softhsm;

use std::path::PathBuf;
use std::sync::OnceLock;

use fault::FaultModule;
use segl::keys::pkcs11::Pkcs11Signer;
use segl::{Algorithm, Call, Error, Signer};
use softhsm::{PIN, SoftHsm, pin};

const MESSAGE: &[u8] = b"header.payload";

/// Tokens that have two RSA keys, `rsa` and `rsa2`, beside their EC keys.
const WITH_RSA: &[&str] = &[
    "steady",
    "faulty",
    "untrusted",
    "hashing",
    "refusing",
    "useless",
    "one-key",
];
/// Tokens that have one RSA key, `rsa`, which may decrypt.
const DECRYPTING: &[&str] = &[
    "decrypt-steady",
    "decrypt-heals",
    "decrypt-closed",
    "decrypt-wrong",
    "decrypt-dirty",
    "decrypt-broken",
    "decrypt-hangs",
    "decrypt-hang-one",
    "decrypt-late",
];
/// Tokens that have two EC keys on P-256, `ec` and `ec2`.
const WITH_EC: &[&str] = &[
    "steady",
    "faulty",
    "untrusted",
    "hashing",
    "refusing",
    "useless",
    "wrong-pin",
    "in-use",
    "locked",
    "relogin",
    "der",
    "point",
    "certified",
    "given",
    "short-find",
    "codes",
    "opening",
    "others",
    "crowd",
    "stubborn",
    "device",
    "scarce-1",
    "scarce-3",
    "only-session",
    "short-lived",
    "leaks",
    "hanging",
    "tries",
    "absent",
    "resting",
    "one-key",
    "hang-sign",
    "hang-one",
    "hang-cancel",
    "hang-open",
    "hang-heal",
    "hang-none",
    "hang-late",
    "hang-hasty",
    "hang-for-good",
    "moving",
    "renamed",
    "named",
    "leaving",
    "silent",
    "pinned",
    "idle",
    "idle-lost",
    "idle-not",
    "idle-clock",
    "rotated",
    "guarded",
    "unclear",
    "lost-login",
    "no-pin",
    "hidden-login",
    "ready",
    "ready-again",
    "ready-login",
    "ready-never",
    "ready-steady",
];

/// A copy of the module called `name`, in front of the tokens of all tests.
fn module(name: &str) -> FaultModule {
    static FIXTURE: OnceLock<PathBuf> = OnceLock::new();
    let built = FIXTURE.get_or_init(|| {
        let hsm = SoftHsm::new("pkcs11-faults");
        let built = fault::set_up();
        for token in WITH_EC {
            hsm.init_token(token);
            hsm.generate(token, "EC:prime256v1", "01", "ec", &[]);
            hsm.generate(token, "EC:prime256v1", "02", "ec2", &[]);
        }
        for token in WITH_RSA {
            hsm.generate(token, "rsa:2048", "11", "rsa", &[]);
            hsm.generate(token, "rsa:2048", "12", "rsa2", &[]);
        }
        for token in DECRYPTING {
            hsm.init_token(token);
            hsm.generate(token, "rsa:2048", "01", "rsa", &["--usage-decrypt"]);
        }
        import_with_certificate(&hsm, "certified", "31", "from-file");
        let extractable = ["--extractable"];
        let always = ["--always-auth"];
        hsm.generate("hidden-login", "EC:prime256v1", "42", "always", &always);
        hsm.generate("ready-login", "EC:prime256v1", "42", "always", &always);
        hsm.generate("leaving", "EC:prime256v1", "41", "leaving", &extractable);
        initialise_softhsm();
        built
    });
    FaultModule::load(built, name)
}

/// A P-256 key from a file, and a certificate for it with the same id.
fn import_with_certificate(hsm: &SoftHsm, token: &str, id: &str, label: &str) {
    let key = hsm.path("key.pem").to_str().unwrap().to_owned();
    let certificate = hsm.path("certificate.der").to_str().unwrap().to_owned();
    let curve = "ec_paramgen_curve:P-256";
    hsm.run(
        "openssl",
        &[
            "genpkey",
            "-algorithm",
            "EC",
            "-pkeyopt",
            curve,
            "-out",
            &key,
        ],
    );
    hsm.run(
        "openssl",
        &[
            "req",
            "-x509",
            "-new",
            "-key",
            &key,
            "-subj",
            "/CN=Segl Test Bank",
            "-outform",
            "DER",
            "-out",
            &certificate,
        ],
    );
    hsm.run(
        "softhsm2-util",
        &[
            "--import", &key, "--id", id, "--label", label, "--token", token, "--pin", PIN,
        ],
    );
    hsm.tool(
        token,
        &["--write-object", &certificate, "--type", "cert", "--id", id],
    );
}

/// SoftHSM must not be initialised by two threads at once.
#[allow(unsafe_code)]
fn initialise_softhsm() {
    use cryptoki_sys::{CK_C_INITIALIZE_ARGS, CKF_OS_LOCKING_OK, CKR_OK, Pkcs11};
    let mut arguments = CK_C_INITIALIZE_ARGS {
        CreateMutex: None,
        DestroyMutex: None,
        LockMutex: None,
        UnlockMutex: None,
        flags: CKF_OS_LOCKING_OK,
        pReserved: std::ptr::null_mut(),
    };
    // SAFETY: SoftHSM is a PKCS#11 module, and `arguments` outlives the call.
    unsafe {
        let softhsm = Pkcs11::new(softhsm::module()).unwrap();
        assert_eq!(softhsm.C_Initialize((&raw mut arguments).cast()), CKR_OK);
        std::mem::forget(softhsm);
    }
}

/// The key at `pkcs11:PATH`, opened with the right PIN.
fn open(module: &FaultModule, path: &str) -> Result<Pkcs11Signer, Error> {
    Pkcs11Signer::open(&module.uri(path), pin(), &Call::none())
}

/// As [`open`], with no more than `max_sessions` beside the one for the login.
fn open_with_max(module: &FaultModule, path: &str, max_sessions: usize) -> Pkcs11Signer {
    open(module, &format!("{path}?max-sessions={max_sessions}")).unwrap()
}

/// One signature with the key's usual algorithm.
fn sign(signer: &Pkcs11Signer) -> Result<Vec<u8>, Error> {
    signer.sign(usual(signer), MESSAGE, &Call::none())
}

/// Signs, and requires that the signature is good.
fn require_good(signer: &Pkcs11Signer) {
    let signature = sign(signer).unwrap();
    assert!(
        signer
            .public_key()
            .verify(usual(signer), MESSAGE, &signature)
    );
}

fn usual(signer: &Pkcs11Signer) -> Algorithm {
    signer.algorithms()[0]
}
