//! The keys that clients sign with, in a SoftHSM token.

use std::sync::{Arc, LazyLock};

use segl::keys::pkcs11::Pkcs11Signer;
use segl::{Algorithm, Call, Signer};

use crate::softhsm::{self, SoftHsm};

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
    LazyLock::force(&MADE);
    let uri = softhsm::uri(&format!("token={TOKEN};object={label};type=private"));
    Arc::new(Pkcs11Signer::open(&uri, softhsm::pin(), &Call::none()).unwrap())
}

static MADE: LazyLock<()> = LazyLock::new(|| {
    let hsm = SoftHsm::new("oidc-provider");
    hsm.init_token(TOKEN);
    for ((label, kind, _), id) in PAIRS.iter().zip(["01", "02", "03"]) {
        hsm.generate(TOKEN, kind, id, label, &[]);
    }
});
