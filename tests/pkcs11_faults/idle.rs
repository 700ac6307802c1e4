//! What segl does while nobody calls.

use segl::Signer;

use crate::fault::eventually;
use crate::{module, open, require_good};

#[test]
fn an_idle_token_makes_a_signature_now_and_then() {
    let module = module("idle");
    let signer = open(&module, "token=idle;object=ec?keep-alive=1").unwrap();
    module.reset_counters();
    eventually("two signatures to keep the connection alive", || {
        signer.health().token.unwrap().counters.keep_alives >= 2
    });
    assert!(module.calls("C_Sign") >= 2);
    let health = signer.health();
    assert!(health.signatures.unwrap() >= 2 && health.last_signature.is_some());
}

#[test]
fn what_is_lost_while_idle_is_made_anew() {
    let module = module("idle-lost");
    let signer = open(&module, "token=idle-lost;object=ec?keep-alive=1").unwrap();
    module.reset_counters();
    module.rules("close_all");
    eventually("a login that nobody asked for", || {
        module.calls("C_Login") == 1
    });
    eventually("it is counted", || {
        signer.health().token.unwrap().counters.healed == 1
    });
    module.reset_counters();
    require_good(&signer);
    assert_eq!(module.calls("C_Login"), 0);
}

#[test]
fn without_keep_alive_nothing_is_signed() {
    let module = module("idle-not");
    let kept = open(&module, "token=idle-not;object=ec?keep-alive=0").unwrap();
    let other = self::module("idle-clock");
    let clock = open(&other, "token=idle-clock;object=ec?keep-alive=1").unwrap();
    module.reset_counters();
    eventually("another token has kept itself alive twice", || {
        clock.health().token.unwrap().counters.keep_alives >= 2
    });
    assert_eq!(module.all_calls(), 0);
    require_good(&kept);
}
