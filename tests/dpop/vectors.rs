//! What RFC 9449 publishes.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use segl::clock::{FixedClock, UnixTime};
use segl::http::Method;
use segl::keys::{Origin, PublicJwk, Signer};
use segl::profiles::ClientSettings;
use segl::{Algorithm, Call, Result, TokenClient, TokenRequest};
use serde_json::json;

use crate::call;
use crate::dpop_server::Proof;
use crate::support::{ScriptedTransport, json_answer};

/// Published in RFC 9449 section 4.1, figure 2.
const TOKEN_PROOF: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";

/// Published in RFC 9449 section 7.1, figure 13.
const API_PROOF: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";

/// Published in RFC 9449 section 7.1.
const ACCESS_TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";

/// Published in RFC 9449 section 6.1.
const THUMBPRINT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

/// The key of the RFC, whose private half nobody has: it "signs" with the signature of
/// figure 13.
#[derive(Debug)]
struct Published(PublicJwk);

impl Signer for Published {
    fn public_key(&self) -> &PublicJwk {
        &self.0
    }

    fn algorithms(&self) -> &[Algorithm] {
        self.0.algorithms()
    }

    fn sign(&self, _: Algorithm, _: &[u8], _: &Call) -> Result<Vec<u8>> {
        let signature = API_PROOF.rsplit('.').next().unwrap();
        Ok(URL_SAFE_NO_PAD.decode(signature).unwrap())
    }

    fn origin(&self) -> Origin {
        Origin::new("published")
    }
}

#[test]
fn the_verifier_of_these_tests_takes_the_proofs_of_the_rfc_and_no_others() {
    for proof in [TOKEN_PROOF, API_PROOF] {
        assert_eq!(Proof::verified(proof).unwrap().thumbprint(), THUMBPRINT);
    }
    let (header, _) = TOKEN_PROOF.split_once('.').unwrap();
    let (_, others) = API_PROOF.split_once('.').unwrap();
    assert!(
        Proof::verified(&format!("{header}.{others}")).is_ok(),
        "one header"
    );
    let (input, _) = API_PROOF.rsplit_once('.').unwrap();
    let (_, signature) = TOKEN_PROOF.rsplit_once('.').unwrap();
    assert!(Proof::verified(&format!("{input}.{signature}")).is_err());
}

#[test]
fn the_proof_of_the_rfc_is_made_again() {
    let published = Proof::verified(API_PROOF).unwrap();
    let jwk = published.header["jwk"].to_string();
    let answer = json!({"access_token": ACCESS_TOKEN, "token_type": "dpop", "expires_in": 60});
    let settings = r#"{"profile":"generic","issuer":"https://server.example.com",
        "token_endpoint":"https://server.example.com/token","client_id":"c","kid":"k","dpop":{}}"#;
    let client = TokenClient::builder(ClientSettings::from_json(settings).unwrap())
        .signer(Arc::new(Published(PublicJwk::from_json(&jwk).unwrap())))
        .clock(Arc::new(FixedClock::new(UnixTime::from_seconds(
            1_562_262_618,
        ))))
        .transport(ScriptedTransport::answering([json_answer(
            200,
            &answer.to_string(),
        )]))
        .build(&call())
        .unwrap();
    assert_eq!(client.dpop_thumbprint(), Some(THUMBPRINT));
    let token = client.token(&TokenRequest::default(), &call()).unwrap();
    assert_eq!(
        token.authorization().as_str(),
        format!("DPoP {ACCESS_TOKEN}")
    );
    let url = "https://resource.example.org/protectedresource?not=here".parse();
    let made = client.dpop_proof(Method::Get, &url.unwrap(), &token, &call());
    let made = segl::jws::decode(&made.unwrap()).unwrap();
    assert_eq!(json!(made.header), published.header);
    let (mut claims, mut expected) = (json!(made.claims), published.claims);
    // It differs each time.
    assert_ne!(claims["jti"], expected["jti"]);
    claims["jti"] = json!("");
    expected["jti"] = json!("");
    assert_eq!(claims, expected);
}
