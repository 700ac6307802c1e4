//! The samples sent to the simulator's Maskinporten, which refuses what is wrong in them.

use std::sync::Arc;

use openssl::hash::MessageDigest;
use openssl::sign::Signer;
use segl::Call;
use segl::clock::{FixedClock, UnixTime};
use segl::http::{Request, Transport, TransportSettings, UreqTransport};
use segl::simulator::{RunningSimulator, Simulator, SimulatorConfig};
use serde_json::{Value, json};

use crate::support::{rsa_key, signer};
use crate::{bits, lanekassen, number, sample, text};

fn start(toml: &str, now: i64) -> RunningSimulator {
    Simulator::start_with_clock(
        SimulatorConfig::from_toml(toml).unwrap(),
        ([127, 0, 0, 1], 0).into(),
        Arc::new(FixedClock::new(UnixTime::from_seconds(now))),
    )
    .unwrap()
}

fn base64url(bytes: &[u8]) -> String {
    let text = openssl::base64::encode_block(bytes);
    text.replace('+', "-").replace('/', "_").replace('=', "")
}

/// A JWS of this text, signed with the tests' own key.
fn signed(header: &str, claims: &str) -> String {
    let input = format!(
        "{}.{}",
        base64url(header.as_bytes()),
        base64url(claims.as_bytes())
    );
    let key = rsa_key();
    let mut signer = Signer::new(MessageDigest::sha256(), &key).unwrap();
    let signature = signer.sign_oneshot_to_vec(input.as_bytes()).unwrap();
    format!("{input}.{}", base64url(&signature))
}

/// Status and body of the answer to a grant with this assertion.
fn grant(simulator: &RunningSimulator, assertion: &str) -> (u16, String) {
    let url = simulator
        .urls()
        .maskinporten_token_endpoint
        .parse()
        .unwrap();
    let form = format!(
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={assertion}"
    );
    let transport = UreqTransport::new(TransportSettings::default());
    let answer = transport
        .send(&Request::post_form(url, form), &Call::none())
        .unwrap();
    (answer.status, crate::message(&answer))
}

fn refused(simulator: &RunningSimulator, assertion: &str, says: &str) {
    let (status, body) = grant(simulator, assertion);
    assert_eq!(status, 400, "{body}");
    assert!(body.contains(says), "{body}");
}

/// A client of Bits, whose certificate the simulator knows.
fn bits_client(tolerated: &str) -> String {
    let sample = sample!("bits.json");
    let pem = openssl::x509::X509::from_der(bits::certificate().der())
        .and_then(|x509| x509.to_pem())
        .unwrap();
    format!(
        "[maskinporten]\ntolerated_claims = [{tolerated}]\ntrusted_certificates = ['''\n{}''']\n\
         [[maskinporten.clients]]\nclient_id = \"{}\"\norgno = \"{}\"\nscopes = [\"bits:kundeforhold.write\"]\n",
        String::from_utf8(pem).unwrap(),
        text(&sample["shown_payload"], "iss"),
        text(&sample, "orgno"),
    )
}

#[test]
fn bits_sample_is_refused_for_one_fault_after_the_other() {
    let sample = sample!("bits.json");
    let unsigned = text(&sample, "unsigned");
    let decoded = segl::jws::decode(&format!("{unsigned}.")).unwrap();
    let (header, mut claims) = (Value::from(decoded.header), Value::from(decoded.claims));
    let now = number(&claims, "iat");
    let strict = start(&bits_client(""), now);
    // Two parts; then no signature.
    refused(&strict, unsigned, "MP-011");
    refused(&strict, &format!("{unsigned}.AA"), "Unknown claim nbf.");

    let simulator = start(&bits_client("\"nbf\""), now);
    refused(&simulator, &format!("{unsigned}.AA"), "MP-110");
    let shown = sample["shown_payload"].to_string();
    refused(&simulator, &signed(&header.to_string(), &shown), "MP-110");

    // With the right audience the certificate is looked at, and then who signed.
    claims["aud"] = simulator.urls().maskinporten_issuer.as_str().into();
    let cut = json!({"alg": "RS256", "typ": "JWT", "x5c": [sample["shown_x5c"]]});
    refused(
        &simulator,
        &signed(&cut.to_string(), &claims.to_string()),
        "MP-123",
    );
    let not_a_list = json!({"alg": "RS256", "typ": "JWT", "x5c": header["x5c"][0]});
    refused(
        &simulator,
        &signed(&not_a_list.to_string(), &claims.to_string()),
        "MP-123",
    );
    refused(
        &simulator,
        &signed(&header.to_string(), &claims.to_string()),
        "MP-124",
    );
}

/// The simulator with the client of one of Lånekassen's samples.
fn lanekassen_client(sample: &Value, more: &str) -> RunningSimulator {
    let jwk = signer(&rsa_key())
        .public_key()
        .to_registration("k", segl::Algorithm::RS256);
    let jwks = json!({"keys": [jwk]}).to_string();
    let toml = format!(
        "[[maskinporten.clients]]\nclient_id = \"{}\"\norgno = \"991825827\"\nscopes = [\"{}\"]\njwks = '{jwks}'\n{more}",
        text(sample, "iss"),
        text(sample, "scope")
    );
    start(&toml, number(sample, "iat"))
}

#[test]
fn lanekassens_first_sample_is_refused_as_it_is_and_for_its_life() {
    let sample = lanekassen::corrected();
    let simulator = lanekassen_client(&sample, "");
    let header = r#"{"alg":"RS256","kid":"k"}"#;
    let published = text(&sample!("lanekassen.json"), "grant").to_owned();
    refused(&simulator, &signed(header, &published), "MP-011");
    let mut claims = sample;
    refused(&simulator, &signed(header, &claims.to_string()), "MP-110");
    claims["aud"] = simulator.urls().maskinporten_issuer.as_str().into();
    refused(
        &simulator,
        &signed(header, &claims.to_string()),
        "too long lifetime",
    );
    claims["exp"] = json!(number(&claims, "iat") + 120);
    let (status, body) = grant(&simulator, &signed(header, &claims.to_string()));
    assert_eq!(status, 200, "{body}");
}

#[test]
fn lanekassens_supplier_gets_a_token_for_its_consumer() {
    let mut claims = sample!("lanekassen.json")["grant_of_supplier"].clone();
    let delegation = format!(
        "[[maskinporten.clients.delegations]]\nconsumer = \"{}\"\nscopes = [\"{}\"]\n",
        text(&claims, "consumer_org"),
        text(&claims, "scope")
    );
    let header = r#"{"alg":"RS256","kid":"k"}"#;
    let without = lanekassen_client(&claims, "");
    claims["aud"] = without.urls().maskinporten_issuer.as_str().into();
    let (status, body) = grant(&without, &signed(header, &claims.to_string()));
    assert!(status >= 400 && body.contains("MP-251"), "{status} {body}");

    let simulator = lanekassen_client(&claims, &delegation);
    claims["aud"] = simulator.urls().maskinporten_issuer.as_str().into();
    let (status, body) = grant(&simulator, &signed(header, &claims.to_string()));
    assert_eq!(status, 200, "{body}");
    let body: Value = serde_json::from_str(&body).unwrap();
    let token = segl::jws::decode(text(&body, "access_token")).unwrap();
    let sample: Value = serde_json::from_str(&claims.to_string()).unwrap();
    assert_eq!(
        token.claims["consumer"]["ID"],
        format!("0192:{}", text(&sample, "consumer_org"))
    );
    assert_eq!(token.claims["supplier"]["ID"], "0192:991825827");
}
