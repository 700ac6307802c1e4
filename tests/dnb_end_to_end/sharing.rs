//! Tokens that are shared by instances, and bound to certificates.

use segl::token::shared::SharedStore;

use super::*;
use crate::memory_store::Memory;

#[test]
fn a_token_is_not_shared_with_another_certificate() {
    let bank = Bank::new("");
    let store = Memory::new();
    let certificates =
        ["tls-rsa", "tls-ec"].map(|object| bank.certify(&key(object), object, VALID));
    let mut settings = bank.registered(bank.settings(&key("assertion"), &bank.no_certificate()));
    settings["shared_cache"] =
        json!({"key": format!("file:{}", bank.write("seal", "A".repeat(43).as_bytes()).display())});
    let mut with = |object: &str| {
        settings["tls"] = bank.tls(&key(object), object);
        let store: Arc<dyn SharedStore> = store.clone();
        let client = builder(&settings).shared_store(store).build(&Call::none());
        Arc::new(client.unwrap())
    };
    let issued = || bank.simulator.requests().dnb_issued;
    bank.lets_in(&with("tls-rsa"), &certificates[0]);
    assert_eq!(issued(), 1);
    bank.lets_in(&with("tls-rsa"), &certificates[0]);
    assert_eq!(issued(), 1, "the same certificate has the same token");
    bank.lets_in(&with("tls-ec"), &certificates[1]);
    assert_eq!(issued(), 2);
    assert_eq!(store.names().len(), 2);
}
