//! The keys that clients sign with, in a SoftHSM token.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use segl::keys::pkcs11::Pkcs11Signer;
use segl::{Algorithm, Call, Signer};

use crate::softhsm::{self, PIN, SoftHsm};

const TOKEN: &str = "oidc-provider";

/// Key pairs of the token: label, kind, and the algorithms that are tried.
pub const PAIRS: [(&str, &str, &[Algorithm]); 3] = [
    ("p256", "EC:prime256v1", &[Algorithm::ES256]),
    ("p384", "EC:secp384r1", &[Algorithm::ES384]),
    (
        "rsa",
        "rsa:2048",
        &[
            Algorithm::RS256,
            Algorithm::RS384,
            Algorithm::RS512,
            Algorithm::PS256,
        ],
    ),
];

/// The key with this label.
pub fn key(label: &str) -> Arc<dyn Signer> {
    LazyLock::force(&PIN_FILE);
    let uri = softhsm::uri(&path(label));
    Arc::new(Pkcs11Signer::open(&uri, softhsm::pin(), &Call::none()).unwrap())
}

/// The URI of that key, with its PIN source.
pub fn uri(label: &str) -> String {
    let pin_file = PIN_FILE.display();
    let module = softhsm::module();
    format!(
        "pkcs11:{}?module-path={module}&pin-source=file:{pin_file}",
        path(label)
    )
}

fn path(label: &str) -> String {
    format!("token={TOKEN};object={label};type=private")
}

/// Makes the token.
static PIN_FILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let hsm = SoftHsm::new("oidc-provider");
    hsm.init_token(TOKEN);
    for ((label, kind, _), id) in PAIRS.iter().zip(["01", "02", "03"]) {
        hsm.generate(TOKEN, kind, id, label, &[]);
    }
    let pin_file = hsm.path("pin");
    fs::write(&pin_file, PIN).unwrap();
    fs::set_permissions(&pin_file, fs::Permissions::from_mode(0o400)).unwrap();
    pin_file
});
