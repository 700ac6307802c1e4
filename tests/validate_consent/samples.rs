//! The samples in Lånekassen's page "Integrasjon mot Maskinporten"
//! (`dsop_saldostudielan_integrasjonMaskinporten`), right and wrong ones. They are published
//! unsigned, and signed here.

use segl::profiles::{ClientSettings, TokenRequest};
use segl::{Call, ErrorCode, TokenClient};
use serde_json::{Value, json};

use crate::support::{rsa_key, signer};
use crate::world::{ALTINN, ALTINN_KEY, NOW, PERSON, World, jws, jws_of, token};

const SCOPE: &str = "lanekassen:lan/v1/saldoopplysninger";

/// "Eksempel access token"; ORG_NO stands for a number.
const ACCESS_TOKEN: &str = r#"{
  "scope" : "lanekassen:lan/v1/saldoopplysninger",
  "iss" : "https://test.maskinporten.no/",
  "client_amr" : "virksomhetssertifikat",
  "token_type" : "Bearer",
  "exp" : 1584694565,
  "iat" : 1584693565,
  "jti" : "IYRtIEzOYb8fHiIMEaqVHq_tXYGWe6OEOjOdsK-P_30",
  "consumer" : {
    "authority" : "iso6523-actorid-upis",
    "ID" : "0192:ORG_NO"
  }
}"#;

/// "Eksempel access token for tredjepart/leverandør"
const SUPPLIERS_ACCESS_TOKEN: &str = r#"{
  "iss" : "https://test.maskinporten.no/",
  "client_amr" : "virksomhetssertifikat",
  "token_type" : "Bearer",
  "client_id" : "oidc_difi_delegering_altinn",
  "scope" : "lanekassen:lan/v1/saldoopplysninger",
  "supplier" : {
    "authority" : "iso6523-actorid-upis",
    "ID" : "0192:991825827"
  },
  "exp" : 1584694440,
  "delegation_source" : "https://tt02.altinn.no/",
  "iat" : 1584693440,
  "jti" : "faulA3FDWRqpd59Cwc1DqvA72kOV_xDHggBXpSpptsw",
  "consumer" : {
    "authority" : "iso6523-actorid-upis",
    "ID" : "0192:910753614"
  }
}"#;

/// "Eksempel forespørsel access token": it lacks a comma, has one too many, and its lifetime is
/// a thousand times too long.
const WRONG_GRANT: &str = r#"{
"aud": "https://test.maskinporten.no/",
"scope": "lanekassen:lan/v1/saldoopplysninger"
 "iss": "min_egen_clientid",
 "iat": 1602070975,
 "exp": 1602190975,
 "jti": "E05750BC-5066-4B16-8F63-C2581DF6E359",
  }"#;

fn signed(payload: &str) -> String {
    jws_of(&json!({ "alg": "RS256", "kid": "k1" }), payload, &rsa_key())
}

fn of(orgno: &str) -> String {
    ACCESS_TOKEN.replace("ORG_NO", orgno)
}

fn world_at(seconds: i64) -> World {
    let world = World::with(json!({ "legacy_consent": { "metadata": ALTINN } }));
    world.set_time(seconds);
    world
}

#[test]
fn the_access_token_says_what_the_page_says() {
    let world = world_at(1_584_693_600);
    let required = json!({ "scopes": [SCOPE], "consumer": "910753614", "supplier": null });
    let verified = world
        .check_token(&signed(&of("910753614")), &required)
        .unwrap();
    let consumer = verified.consumer().unwrap();
    assert_eq!(consumer.org_number().unwrap().as_str(), "910753614");
    assert_eq!(verified.scopes().collect::<Vec<_>>(), [SCOPE]);
    assert_eq!(verified.expires_at().seconds(), 1_584_694_565);
    assert!(verified.supplier().is_none());
    let error = world
        .check_token(&signed(ACCESS_TOKEN), &required)
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::AccessTokenMalformed, "{error}");
    assert!(error.message().contains("\"consumer\""), "{error}");
}

#[test]
fn the_suppliers_access_token_is_the_consumers() {
    let world = world_at(1_584_693_600);
    let token = signed(SUPPLIERS_ACCESS_TOKEN);
    let check = |supplier: Value| {
        let required = json!({
            "scopes": [SCOPE], "consumer": "910753614", "supplier": supplier,
            "delegation_source": "https://tt02.altinn.no",
        });
        world.check_token(&token, &required)
    };
    let verified = check("991825827".into()).unwrap();
    let supplier = verified.supplier().unwrap().org_number().unwrap();
    assert_eq!(supplier.as_str(), "991825827");
    for other in ["910753614".into(), Value::Null] {
        let error = check(other).unwrap_err();
        assert_eq!(error.code(), ErrorCode::AccessTokenSupplier);
    }
}

/// "Maskinporten.consumer (minus 0192:) må være lik AltinnSamtykke.CoveredBy for at request
/// skal bli godkjent." With `ValidTo` as the page has it.
#[test]
fn the_consumer_must_be_the_one_whom_the_consent_covers() {
    let at = 1_599_211_000;
    let world = world_at(at);
    let check = |access_token: &str, consumer: &str, covered_by: &str| {
        let mut access: Value = serde_json::from_str(access_token).unwrap();
        access["consumer"]["ID"] = format!("0192:{consumer}").into();
        access["iat"] = at.into();
        access["exp"] = (at + 120).into();
        let consent = json!({
            "OfferedBy": PERSON, "CoveredBy": covered_by, "ValidTo": 1_599_211_796,
            "Services": ["5498_1"], "iss": "altinn.no", "iat": at, "exp": at + 30,
        });
        let consent = jws(
            &json!({ "alg": "RS256", "kid": "A1B2" }),
            &consent,
            &ALTINN_KEY,
        );
        let required = json!({
            "scopes": [SCOPE],
            "legacy_consent": { "token": consent, "from": PERSON, "services": ["5498_1"] },
        });
        world.check_token(&token(&access), &required)
    };
    check(ACCESS_TOKEN, "910753614", "910753614").unwrap();
    check(SUPPLIERS_ACCESS_TOKEN, "910753614", "910753614").unwrap();
    // Another bank's consent, and one that was given to the supplier.
    for (access_token, consumer, covered_by) in [
        (ACCESS_TOKEN, "910753614", "974760673"),
        (ACCESS_TOKEN, "974760673", "910753614"),
        (SUPPLIERS_ACCESS_TOKEN, "910753614", "991825827"),
    ] {
        let error = check(access_token, consumer, covered_by).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ConsentOrganisation);
        assert!(
            error.message().contains(consumer) && error.message().contains(covered_by),
            "{error}"
        );
    }
}

#[test]
fn the_samples_json_is_refused_with_a_reason() {
    let error = TokenRequest::from_json(WRONG_GRANT).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument, "{error}");
    let world = world_at(NOW);
    let error = world
        .check_token(&signed(WRONG_GRANT), &json!({}))
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::AccessTokenMalformed, "{error}");
    assert!(error.message().contains("expected `,` or `}`"), "{error}");
}

fn settings(more: &Value) -> segl::Result<TokenClient> {
    let mut settings = json!({
        "profile": "maskinporten", "environment": "test", "client_id": "min_egen_clientid",
        "kid": "k1", "scopes": [SCOPE],
    });
    settings
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    TokenClient::builder(ClientSettings::from_json(&settings.to_string())?)
        .signer(signer(&rsa_key()))
        .build(&Call::none())
}

#[test]
fn the_samples_lifetime_is_refused_with_a_reason() {
    let lifetime = 1_602_190_975 - 1_602_070_975;
    assert_eq!(lifetime, 120_000);
    settings(&json!({ "lifetime_seconds": 120 })).unwrap();
    let error = settings(&json!({ "lifetime_seconds": lifetime })).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Config, "{error}");
    assert!(error.message().contains("120"), "{error}");
    let path = error.details().config_path.as_deref();
    assert_eq!(path, Some("lifetime_seconds"));
}

#[test]
fn the_pages_token_endpoint_is_refused_with_a_reason() {
    settings(&json!({ "token_endpoint": "https://test.maskinporten.no/token" })).unwrap();
    let error = settings(&json!({ "token_endpoint": "https://test.maskinporten.no/" }));
    let error = error.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Config, "{error}");
    assert!(
        error
            .message()
            .contains("https://test.maskinporten.no/token"),
        "{error}"
    );
}
