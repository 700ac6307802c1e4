//! The simulator's own keys: access tokens and the JWKS that verifies them.

use openssl::ec::{EcGroup, EcKey};
use openssl::ecdsa::EcdsaSig;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer;
use serde_json::{Map, Value, json};

use super::access_token::AccessToken;
use super::assertion::Jws;
use super::issued::IssuedTokens;
use crate::alg::Algorithm;
use crate::clock::UnixTime;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::PublicJwk;
use crate::keys::jwk::{Curve, base64url};

/// A fresh key that signs access tokens as long as the simulator lives.
pub(super) struct TokenSigner {
    alg: Algorithm,
    /// `typ` of the header.
    typ: Option<&'static str>,
    key: PKey<Private>,
    public: PublicJwk,
}

impl TokenSigner {
    /// Makes a new RSA key of 2048 bits, for RS256.
    pub(super) fn rs256() -> Result<Self> {
        let key = Rsa::generate(2048).and_then(PKey::from_rsa);
        Self::new(Algorithm::RS256, key)
    }

    /// Makes a new P-256 key, for ES256.
    pub(super) fn es256() -> Result<Self> {
        let key = EcGroup::from_curve_name(Curve::P256.nid())
            .and_then(|group| EcKey::generate(&group))
            .and_then(PKey::from_ec_key);
        Self::new(Algorithm::ES256, key)
    }

    /// The same with `typ` in the header of its tokens.
    pub(super) fn with_typ(mut self, typ: &'static str) -> Self {
        self.typ = Some(typ);
        self
    }

    fn new(alg: Algorithm, key: std::result::Result<PKey<Private>, ErrorStack>) -> Result<Self> {
        let made = key.and_then(|key| Ok((key.public_key_to_der()?, key)));
        let (spki, key) = made.map_err(|source| {
            Error::new(
                ErrorCode::Unsupported,
                format!("this OpenSSL cannot make the simulator's {alg} key"),
            )
            .with_source(source)
        })?;
        Ok(Self {
            alg,
            typ: None,
            key,
            public: PublicJwk::from_spki_der(&spki)?,
        })
    }

    /// The JWK set (RFC 7517 section 5) with the public half.
    pub(super) fn jwks(&self) -> Value {
        let kid = self.public.thumbprint();
        json!({ "keys": [self.public.to_registration(kid, self.alg)] })
    }

    /// The token, if it was signed here, is not expired and not rejected; else what
    /// is wrong with it.
    pub(super) fn verify(
        &self,
        token: &str,
        issued: &IssuedTokens,
        now: UnixTime,
    ) -> std::result::Result<AccessToken, &'static str> {
        let jws = Jws::parse(token).map_err(|_| "the token is malformed")?;
        if !self.has_signed(&jws) {
            return Err("the token is not signed by the issuer");
        }
        let exp = jws.claims.get("exp").and_then(Value::as_i64);
        if exp.is_none_or(|exp| now.seconds() >= exp) {
            return Err("the token is expired");
        }
        let jti = jws.claims.get("jti").and_then(Value::as_str);
        if jti.is_none_or(|jti| issued.is_rejected(jti)) {
            return Err("the token was revoked");
        }
        Ok(AccessToken::new(jws.claims))
    }

    /// True when this key made the signature of `jws`.
    fn has_signed(&self, jws: &Jws<'_>) -> bool {
        jws.algorithm(&[self.alg]).is_some() && jws.is_signed_by(&self.public, self.alg)
    }

    /// A compact JWS over `claims`. The header has `alg` and `kid`, as Maskinporten's
    /// tokens do, and `typ` where it was set.
    pub(super) fn sign(
        &self,
        claims: &Map<String, Value>,
    ) -> std::result::Result<String, ErrorStack> {
        let mut header = json!({ "alg": self.alg.name(), "kid": self.public.thumbprint() });
        if let Some(typ) = self.typ {
            header["typ"] = typ.into();
        }
        let claims = Value::Object(claims.clone());
        let input = format!(
            "{}.{}",
            base64url(header.to_string().as_bytes()),
            base64url(claims.to_string().as_bytes())
        );
        let mut signer = Signer::new(MessageDigest::sha256(), &self.key)?;
        let mut signature = signer.sign_oneshot_to_vec(input.as_bytes())?;
        if self.alg == Algorithm::ES256 {
            let der = EcdsaSig::from_der(&signature)?;
            signature = der.r().to_vec_padded(32)?;
            signature.extend(der.s().to_vec_padded(32)?);
        }
        Ok(format!("{input}.{}", base64url(&signature)))
    }
}
