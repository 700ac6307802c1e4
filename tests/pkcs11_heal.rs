//! What other code of the process does to a token's sessions and login. It meets
//! every signer of that token, so this file has one test.

#[path = "support/other_code.rs"]
mod other_code;
#[path = "support/softhsm.rs"]
mod softhsm;

use std::path::Path;

use other_code::OtherCode;
use segl::keys::pkcs11::Pkcs11Signer;
use segl::{Algorithm, Call, Signer};
use softhsm::{SoftHsm, pin, uri};

#[test]
fn lost_sessions_and_logins_are_made_anew() {
    let hsm = SoftHsm::new("pkcs11-heal");
    hsm.init_token("main");
    hsm.generate("main", "EC:prime256v1", "01", "p256", &[]);
    hsm.generate("main", "rsa:2048", "02", "rsa", &[]);
    let open = |path| Pkcs11Signer::open(&uri(path), pin(), &Call::none()).unwrap();
    let p256 = open("token=main;object=p256");
    let rsa = open("token=main;object=rsa");
    let sign_with_both = || {
        p256.sign(Algorithm::ES256, b"m", &Call::none()).unwrap();
        rsa.sign(Algorithm::RS256, b"m", &Call::none()).unwrap();
    };
    let other = OtherCode::new(Path::new(softhsm::module()), "main");
    for _ in 0..3 {
        sign_with_both();
        other.log_out();
        sign_with_both();
        other.close_all_sessions();
        sign_with_both();
    }
}
