//! What a signature costs when nothing is wrong.

use segl::{Algorithm, Call, Signer};

use crate::{MESSAGE, module, open};

#[test]
fn a_signature_is_two_calls() {
    const SIGNATURES: u64 = 1000;
    let module = module("steady");
    for (key, alg) in [("rsa", Algorithm::RS256), ("ec", Algorithm::ES256)] {
        let signer = open(&module, &format!("token=steady;object={key}")).unwrap();
        module.reset_counters();
        for _ in 0..SIGNATURES {
            signer.sign(alg, MESSAGE, &Call::none()).unwrap();
        }
        assert_eq!(module.calls("C_SignInit"), SIGNATURES, "{alg}");
        assert_eq!(module.calls("C_Sign"), SIGNATURES, "{alg}");
        assert_eq!(module.all_calls(), 2 * SIGNATURES, "{alg}");
    }
}
