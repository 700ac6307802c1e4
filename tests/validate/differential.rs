//! The same tokens to segl and to the crate jsonwebtoken: they must agree.

use jsonwebtoken::crypto::aws_lc;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};

use crate::support::rsa_key;
use crate::world::{ISSUER, Issuer, OTHER_RSA, World, claims, jwk, token_with};

/// Of the system's clock, which is the one that jsonwebtoken reads.
fn now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(now.unwrap().as_secs()).unwrap()
}

struct Oracle {
    key: DecodingKey,
    validation: Validation,
}

impl Oracle {
    fn new() -> Self {
        // Its provider is one for the whole process.
        let _ = aws_lc::DEFAULT_PROVIDER.install_default();
        let mut validation = Validation::new(Algorithm::RS256);
        validation.algorithms = vec![Algorithm::RS256, Algorithm::RS384, Algorithm::RS512];
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&["https://api.example"]);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.leeway = 10;
        validation.validate_nbf = true;
        let jwk = jwk(&rsa_key(), "k");
        let part = |name: &str| jwk[name].as_str().unwrap();
        Self {
            key: DecodingKey::from_rsa_components(part("n"), part("e")).unwrap(),
            validation,
        }
    }

    fn accepts(&self, token: &str) -> bool {
        jsonwebtoken::decode::<Value>(token, &self.key, &self.validation).is_ok()
    }
}

/// The same without a `FixedClock`.
fn world() -> World {
    let world = World::of(
        r#"{"environment":"test","audience":"https://api.example"}"#,
        Issuer::new(&[jwk(&rsa_key(), "k")]),
    );
    world.clock.set(segl::clock::UnixTime::from_seconds(now()));
    world
}

fn fresh(change: impl FnOnce(&mut Value)) -> Value {
    claims(|claims| {
        claims["iat"] = now().into();
        claims["exp"] = (now() + 1000).into();
        claims["aud"] = "https://api.example".into();
        change(claims);
    })
}

#[test]
fn claims_are_judged_alike() {
    let (world, oracle) = (world(), Oracle::new());
    let cases = [
        (json!({}), true),
        (json!({"exp": now() - 1000}), false),
        (json!({"exp": now() - 5}), true),
        (json!({"exp": now() + 5}), true),
        (json!({"exp": null}), false),
        (json!({"nbf": now() + 1000}), false),
        (json!({"nbf": now() - 1000}), true),
        (json!({"nbf": now() + 5}), true),
        (json!({"iss": "https://test.maskinporten.no"}), false),
        (json!({"iss": null}), false),
        (json!({"aud": "https://other.example"}), false),
        (
            json!({"aud": ["https://other.example", "https://api.example"]}),
            true,
        ),
        (json!({"aud": []}), false),
        (json!({"aud": null}), false),
        (json!({"exp": now() as f64 + 100.5}), true),
    ];
    for (changes, is_good) in cases {
        for alg in ["RS256", "RS384", "RS512", "PS256"] {
            let token = token_with(
                &rsa_key(),
                &json!({"alg": alg, "kid": "k"}),
                &fresh(|claims| {
                    for (name, value) in changes.as_object().unwrap() {
                        claims[name] = value.clone();
                    }
                }),
            );
            let expected = is_good && alg != "PS256";
            let own = world.check(&token, "{}");
            assert_eq!(own.is_ok(), expected, "{changes} {alg}: {own:?}");
            assert_eq!(oracle.accepts(&token), expected, "{changes} {alg}");
        }
    }
    let foreign = token_with(
        &OTHER_RSA,
        &json!({"alg": "RS256", "kid": "k"}),
        &fresh(|_| {}),
    );
    assert!(world.check(&foreign, "{}").is_err() && !oracle.accepts(&foreign));
}

#[test]
fn thousands_of_mutations_are_judged_alike() {
    let (world, oracle) = (world(), Oracle::new());
    let good = token_with(
        &rsa_key(),
        &json!({"alg": "RS256", "kid": "k"}),
        &fresh(|_| {}),
    );
    let other = token_with(
        &rsa_key(),
        &json!({"alg": "RS384", "kid": "k"}),
        &fresh(|_| {}),
    );
    assert!(world.check(&good, "{}").is_ok() && oracle.accepts(&good));
    let alphabet = b"ABCXYZabcxyz0189-_.=+/ \n\0";
    let mut random = fastrand::Rng::with_seed(7);
    let (mut accepted, mut seen) = (0, 0);
    for _ in 0..6000 {
        let mut text = good.clone().into_bytes();
        match random.u8(0..6) {
            0 => {
                let at = random.usize(0..text.len());
                text[at] = alphabet[random.usize(0..alphabet.len())];
            }
            1 => {
                text.remove(random.usize(0..text.len()));
            }
            2 => text.insert(
                random.usize(0..=text.len()),
                alphabet[random.usize(0..alphabet.len())],
            ),
            3 => text.truncate(random.usize(0..=text.len())),
            4 => {
                let (from, to) = (random.usize(0..text.len()), random.usize(0..text.len()));
                text.swap(from, to);
            }
            // Parts of two tokens.
            _ => {
                let own: Vec<&str> = good.split('.').collect();
                let others: Vec<&str> = other.split('.').collect();
                let part = |index: usize, random: &mut fastrand::Rng| match random.bool() {
                    true => own[index],
                    false => others[index],
                };
                let mixed = [
                    part(0, &mut random),
                    part(1, &mut random),
                    part(2, &mut random),
                ];
                text = mixed.join(".").into_bytes();
            }
        }
        let text = String::from_utf8(text).unwrap();
        let (own, theirs) = (world.check(&text, "{}").is_ok(), oracle.accepts(&text));
        assert_eq!(own, theirs, "{text:?}");
        assert!(!own || text == good || text == other, "{text:?}");
        seen += 1;
        accepted += usize::from(own);
    }
    assert!(
        seen == 6000 && accepted > 10 && accepted < 1000,
        "{accepted}"
    );
}
