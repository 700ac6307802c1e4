//! What the simulator's Maskinporten issues, segl accepts: one way through both, over HTTP.

use segl::simulator::{Simulator, SimulatorConfig};
use segl::validate::ValidatorSettings;
use segl::{
    Algorithm, Call, Config, ErrorCode, Requirements, TokenClient, TokenRequest, Validator,
};
use serde_json::json;

use crate::support::{pem, rsa_key, signer};
use crate::world::{ORGNO, SUPPLIER};

#[test]
fn a_token_that_was_fetched_is_accepted() {
    let own = signer(&rsa_key())
        .public_key()
        .to_registration("k", Algorithm::RS256);
    let simulator = Simulator::start(
        SimulatorConfig::from_toml(&format!(
            "[[maskinporten.clients]]\nclient_id = \"c\"\norgno = \"{SUPPLIER}\"\nscopes = [\"bank:konto\"]\n\
             jwks = '''{}'''\n[[maskinporten.clients.delegations]]\nconsumer = \"{ORGNO}\"\nscopes = [\"bank:konto\"]\n",
            json!({"keys": [own]})
        ))
        .unwrap(),
        ([127, 0, 0, 1], 0).into(),
    )
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key.pem");
    std::fs::write(&key, pem(&rsa_key())).unwrap();
    let urls = simulator.urls();
    let config = Config::from_toml(&format!(
        "[clients.c]\nprofile = 'maskinporten'\nissuer = '{issuer}'\nclient_id = 'c'\nkey = 'file:{key}'\n\
         kid = 'k'\nscopes = ['bank:konto']\n\
         [validators.api]\nissuer = '{issuer}'\nmetadata = '{metadata}'\nscopes = ['bank:konto']\n",
        issuer = urls.maskinporten_issuer,
        metadata = urls.maskinporten_metadata,
        key = key.display(),
    ))
    .unwrap();
    let client = TokenClient::from_config(&config, "c", &Call::none()).unwrap();
    let validator = Validator::from_config(&config, "api").unwrap();
    let check = |request: &str, requirements: &str| {
        let request = TokenRequest::from_json(request).unwrap();
        let token = client.token(&request, &Call::none()).unwrap();
        let text = token.access_token();
        let requirements = Requirements::from_json(requirements).unwrap();
        validator.check(text, &requirements, &Call::none())
    };
    let own = check("{}", r#"{"supplier":null}"#).unwrap();
    assert_eq!(own.consumer().unwrap().id(), format!("0192:{SUPPLIER}"));
    let delegated = format!(r#"{{"consumer_org":"{ORGNO}"}}"#);
    let required = json!({"consumer": ORGNO, "supplier": SUPPLIER}).to_string();
    check(&delegated, &required).unwrap();
    let error = check(&delegated, r#"{"supplier":null}"#).unwrap_err();
    assert_eq!(error.code(), ErrorCode::AccessTokenSupplier);

    let by_jwks =
        json!({"issuer": urls.maskinporten_issuer, "jwks_uri": urls.maskinporten_jwks_uri});
    let validator =
        Validator::new(ValidatorSettings::from_json(&by_jwks.to_string()).unwrap()).unwrap();
    let token = client
        .token(&TokenRequest::default(), &Call::none())
        .unwrap();
    let text = token.access_token();
    validator
        .check(text, &Requirements::default(), &Call::none())
        .unwrap();
}
