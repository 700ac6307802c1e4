//! Signatures that are wrong are never released.

use segl::keys::HealthState;
use segl::{ErrorCode, Signer};

use crate::{module, open, require_good, sign};

/// A wrong signature may be of a handle that means another key by now, so segl
/// finds the key again and signs once more; a second wrong one is an error.
#[test]
fn a_wrong_signature_is_withheld_and_made_anew_once() {
    let module = module("faulty");
    for key in ["rsa", "ec"] {
        let path = format!("token=faulty;object={key}");
        let _other = open(&module, &path).unwrap();
        let sessions = module.sessions();
        for fault in ["C_Sign flip", "swap_keys", "C_Sign der flip"] {
            let signer = open(&module, &path).unwrap();
            module.reset_counters();
            module.rules(&format!("{fault} count=1"));
            require_good(&signer);
            assert_eq!(module.calls("C_Sign"), 2, "{fault}");
            module.rules("clear");

            module.reset_counters();
            module.rules(fault);
            let error = sign(&signer).unwrap_err();
            assert_eq!(error.code(), ErrorCode::SignatureFault, "{fault}: {error}");
            assert!(error.message().contains("not released"), "{error}");
            assert_eq!(
                module.calls("C_Sign"),
                2,
                "{fault} is not tried a third time"
            );
            module.rules("clear");

            // Twice in a row is the token's fault; somebody must look at it.
            module.reset_counters();
            let error = sign(&signer).unwrap_err();
            assert_eq!(error.code(), ErrorCode::SignatureFault, "{error}");
            assert_eq!(module.all_calls(), 0);
            let health = signer.health();
            assert_eq!(health.state, HealthState::KeyRefused);
            assert!(health.token.unwrap().counters.signature_faults > 2);
            require_good(&open(&module, &path).unwrap());
        }
        assert_eq!(module.sessions(), sessions, "no session is left behind");
    }
}

#[test]
fn a_key_whose_first_signature_is_wrong_is_not_opened() {
    let module = module("untrusted");
    for fault in ["C_Sign flip", "swap_keys"] {
        for key in ["rsa", "ec"] {
            module.rules(fault);
            let error = open(&module, &format!("token=untrusted;object={key}")).unwrap_err();
            assert_eq!(error.code(), ErrorCode::SignatureFault, "{fault}: {error}");
            module.rules("clear");
        }
    }
}
