//! A client whose first key is in a KMS that goes away, and its second in another.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use segl::keys::HealthState;
use segl::profiles::ClientSettings;
use segl::token::KeyOpener;
use segl::{Call, PublicJwk, Result, Secret, Signer, TokenClient, TokenRequest};
use serde_json::{Value, json};

use crate::fake_kms::{FakeKms, Fault, rsa};
use crate::{call, open};

/// Opens keys with the credentials that the fakes take.
#[derive(Debug)]
struct Opener;

impl KeyOpener for Opener {
    fn open(
        &self,
        uri: &str,
        _: Option<Secret>,
        _: Option<&PublicJwk>,
        _: &Call,
    ) -> Result<Arc<dyn Signer>> {
        Ok(Arc::new(open(uri)?))
    }
}

/// The `kid` of the key that signs now.
fn kid(client: &TokenClient) -> String {
    let jwt = client.assertion(&TokenRequest::default(), &call()).unwrap();
    let header = URL_SAFE_NO_PAD
        .decode(jwt.split('.').next().unwrap())
        .unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

#[test]
fn the_next_key_signs_at_once_while_the_first_is_away_and_the_first_again_after() {
    let (near, far) = (FakeKms::start(), FakeKms::start());
    near.add("bank", rsa());
    far.add("bank", rsa());
    let settings = json!({
        "profile": "maskinporten", "environment": "test", "client_id": "c", "scopes": ["a:b"],
        "keys": [
            { "key": near.uri("alias/bank"), "kid": "near" },
            { "key": far.uri("alias/bank"), "kid": "far" },
        ],
    });
    let settings = ClientSettings::from_json(&settings.to_string()).unwrap();
    let client = TokenClient::builder(settings)
        .key_opener(Arc::new(Opener))
        .build(&call())
        .unwrap();
    assert_eq!(kid(&client), "near");
    for _ in 0..5 {
        near.fail("Sign", Fault::Refuse(503, "", ""));
    }
    let before = near.count("Sign");
    assert_eq!(kid(&client), "far");
    assert_eq!(near.count("Sign"), before + 5);
    assert_eq!(client.health()[0].health.state, HealthState::Unavailable);
    assert_eq!(kid(&client), "far");
    assert_eq!(near.count("Sign"), before + 5, "not asked again so soon");
    let until = Instant::now() + Duration::from_secs(30);
    while kid(&client) != "near" {
        assert!(Instant::now() < until);
        std::thread::sleep(Duration::from_millis(50));
    }
}
