//! The TOML configuration.

use segl::ErrorCode;
use segl::simulator::{Simulator, SimulatorConfig};
use serde_json::json;

use crate::grants;
use crate::support::*;

#[test]
fn errors_name_the_path() {
    let cases = [
        ("maskinporten.clientz = []", "maskinporten.clientz"),
        (
            "[[maskinporten.clients]]\nclient_id = 'a'\norgno = '910753615'\nscopes = []",
            "maskinporten.clients[0].orgno",
        ),
        (
            "[[maskinporten.clients]]\nclient_id = 'a'\norgno = '910753614'\nscopes = []\n\
             [[maskinporten.clients.delegations]]\nconsumer = 1\nscopes = []",
            "maskinporten.clients[0].delegations[0].consumer",
        ),
        (
            "maskinporten.scopes.'a:b'.consumers = ['x']",
            "maskinporten.scopes.a:b.consumers",
        ),
        (
            "dnb.clients = [{ client_id = 'a', scopes = [], jwks = '{' }]",
            "dnb.clients[0].jwks",
        ),
        (
            "dnb.clients = [{ client_id = 'a', scopes = [], jwks = 'file:/nowhere' }]",
            "dnb.clients[0].jwks",
        ),
        (
            "maskinporten.trusted_certificates = ['file:/nowhere']",
            "maskinporten.trusted_certificates[0]",
        ),
        (
            "maskinporten.trusted_certificates = ['no PEM']",
            "maskinporten.trusted_certificates",
        ),
        ("outage.kind = 'fire'", "outage.kind"),
        (
            "[[outage]]\nkind = 'hang'\n[[outage]]\nkind = '503'\npercent = 0",
            "outage[1].percent",
        ),
        (
            "maskinporten.propagation_seconds = -1",
            "maskinporten.propagation_seconds",
        ),
        ("listen = '127.0.0.1:80'", "listen"),
    ];
    for (toml, path) in cases {
        let error = SimulatorConfig::from_toml(toml).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Config, "{toml}");
        assert_eq!(
            error.details().config_path.as_deref(),
            Some(path),
            "{toml}: {error}"
        );
        assert!(error.message().contains(path), "{error}");
        assert!(!error.message().contains('\n'), "{error}");
        println!("{error}");
    }
    let error = SimulatorConfig::from_toml("[dnb]\n\nnot toml").unwrap_err();
    assert_eq!(error.code(), ErrorCode::Config);
    assert!(
        error.message().starts_with("line 3 is not TOML: "),
        "{error}"
    );
}

#[test]
fn the_documented_example_is_right() {
    let fixture = Fixture::new(include_str!("../../src/simulator/example.toml"));
    assert_eq!(fixture.dnb_token("x", "y").status, 503);
    assert_eq!(fixture.dnb_token("x", "y").status, 503);
    assert_eq!(fixture.dnb_token("x", "y").status, 401);
}

#[test]
fn files_are_found_beside_the_configuration() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("sim.toml");
    let jwks = json!({ "keys": [rsa_jwk("key-1", &RSA_KEY)] });
    std::fs::write(directory.path().join("jwks.json"), jwks.to_string()).unwrap();
    let toml = format!(
        "[[maskinporten.clients]]\nclient_id = '{}'\norgno = '{ORGNO}'\nscopes = ['bank:saldo']\njwks = 'file:jwks.json'\n",
        grants::CLIENT
    );
    std::fs::write(&config, &toml).unwrap();

    SimulatorConfig::from_file(&config).unwrap();
    let text = toml.replace("file:", &format!("file:{}/", directory.path().display()));
    let fixture = Fixture::new(&text);
    let header = json!({ "alg": "RS256", "kid": "key-1" });
    let answer = fixture.grant(&jws(
        &header,
        &grants::claims(&fixture, grants::CLIENT),
        &RSA_KEY,
    ));
    assert_eq!(answer.status, 200, "{answer:?}");

    let error = SimulatorConfig::from_file(&directory.path().join("other.toml")).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Io);
    assert!(error.message().contains("other.toml"), "{error}");
}

#[test]
fn everything_can_be_known_from_the_start() {
    let fixture = Fixture::new(&format!(
        "outage = {{ kind = '503', count = 1 }}\n\
         [maskinporten.scopes.'bank:saldo']\n\
         at_max_age = 60\n\
         [[maskinporten.clients]]\n\
         client_id = '{}'\n\
         orgno = '{ORGNO}'\n\
         scopes = ['bank:saldo']\n\
         jwks = '{}'\n\
         [dnb]\n\
         audiences = []\n\
         [[dnb.clients]]\n\
         client_id = 'bank'\n\
         scopes = ['a']\n\
         jwks = '{}'\n",
        grants::CLIENT,
        json!([rsa_jwk("key-1", &RSA_KEY)]),
        json!([ec_jwk("key-1", &EC_KEY)]),
    ));
    let header = json!({ "alg": "RS256", "kid": "key-1" });
    let send = || {
        fixture.grant(&jws(
            &header,
            &grants::claims(&fixture, grants::CLIENT),
            &RSA_KEY,
        ))
    };
    assert_eq!(send().status, 503);
    assert_eq!(send().json["expires_in"], 60);

    let dnb = |aud: &str| {
        let claims = json!({
            "aud": aud, "exp": NOW + 60, "iss": "bank", "sub": "bank", "jti": fresh_jti(),
        });
        fixture
            .dnb_token(&jws(&json!({ "alg": "ES256" }), &claims, &EC_KEY), "a")
            .status
    };
    assert_eq!(dnb(&fixture.simulator.urls().dnb_token_endpoint), 200);
    assert_eq!(
        dnb("https://api.ciam.dnb.no/as/token.oauth2"),
        401,
        "audiences is empty"
    );
}

#[test]
fn several_outages_begin_with_the_simulator() {
    let fixture =
        Fixture::new("[[outage]]\nkind = '503'\ncount = 1\n[[outage]]\nkind = '429'\ncount = 1\n");
    let statuses: Vec<_> = (0..3).map(|_| fixture.grant("x").status).collect();
    assert_eq!(statuses, [503, 429, 400]);
}

#[test]
fn a_bank_names_keys_by_what_they_have() {
    let jwk = rsa_jwk("key-1", &RSA_KEY);
    let (n, e) = (&jwk["n"], &jwk["e"]);
    let config = SimulatorConfig::from_toml(&format!(
        "[bank]\nkey_name = 'x5t#S256'\n\
         [[bank.consumers]]\norgno = '{ORGNO}'\njwk = {{ kty = 'RSA', n = {n}, e = {e} }}\n"
    ));
    let error = Simulator::start(config.unwrap(), ([127, 0, 0, 1], 0).into()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Config, "{error}");
    let path = error.details().config_path.as_deref();
    assert_eq!(path, Some("bank.key_name"), "{error}");
    assert!(error.message().contains("bank.consumers[0]"), "{error}");
}
