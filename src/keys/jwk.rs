//! Public keys: JWK (RFC 7517, RFC 7518 section 6), thumbprint (RFC 7638) and
//! signature verification.

use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::bn::{BigNum, BigNumContext, BigNumRef};
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, PKeyRef, Public};
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::{Padding, Rsa};
use openssl::sha::sha256;
use openssl::sign::RsaPssSaltlen;
use serde_json::{Map, Value};

use super::ecdsa;
use crate::alg::{Algorithm, KeyEncryption};
use crate::error::{Error, ErrorCode, Result};

/// A public key that segl can check signatures of: RSA of 2048 to 4096 bits,
/// or EC on P-256 or P-384. It can't be built from anything else.
#[derive(Clone)]
pub struct PublicJwk {
    kind: Kind,
    key: PKey<Public>,
    thumbprint: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Rsa { n: String, e: String, bits: u32 },
    Ec { curve: Curve, x: String, y: String },
}

/// OpenSSL takes no more of keys over 3072 bits. A long exponent makes each signature costly to
/// check, and the key of a DPoP proof is of its sender's choice.
const MAX_EXPONENT_LEN: usize = 8;

/// The curves of ES256 and ES384.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Curve {
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
}

impl Curve {
    /// The `crv` value: `"P-256"` or `"P-384"`.
    pub fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
        }
    }

    /// Bytes of one coordinate, and of R and of S.
    pub(crate) fn coordinate_len(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
        }
    }

    /// The algorithm of this curve (RFC 7518 section 3.4 binds them).
    pub fn algorithm(self) -> Algorithm {
        match self {
            Self::P256 => Algorithm::ES256,
            Self::P384 => Algorithm::ES384,
        }
    }

    pub(crate) fn nid(self) -> Nid {
        match self {
            Self::P256 => Nid::X9_62_PRIME256V1,
            Self::P384 => Nid::SECP384R1,
        }
    }

    fn from_nid(nid: Option<Nid>) -> Result<Self> {
        match nid {
            Some(Nid::X9_62_PRIME256V1) => Ok(Self::P256),
            Some(Nid::SECP384R1) => Ok(Self::P384),
            other => Err(Error::new(
                ErrorCode::KeyType,
                format!(
                    "the key is on curve {}; only P-256 and P-384 can be used",
                    other
                        .and_then(|nid| nid.short_name().ok())
                        .unwrap_or("with explicit parameters")
                ),
            )),
        }
    }
}

impl PublicJwk {
    /// From a SubjectPublicKeyInfo (RFC 5280 section 4.1), DER.
    ///
    /// # Errors
    /// `KEY_FORMAT` when it is not one, `KEY_TYPE` for a key of another type,
    /// size or curve.
    pub fn from_spki_der(der: &[u8]) -> Result<Self> {
        let key = PKey::public_key_from_der(der).map_err(|source| {
            Error::new(
                ErrorCode::KeyFormat,
                "the public key is not a DER SubjectPublicKeyInfo",
            )
            .with_source(source)
        })?;
        Self::from_pkey(key)
    }

    /// From an RSA modulus and public exponent, both big-endian.
    ///
    /// # Errors
    /// `KEY_TYPE` outside 2048 to 4096 bits.
    pub fn from_rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self> {
        let key = BigNum::from_slice(modulus)
            .and_then(|n| Rsa::from_public_components(n, BigNum::from_slice(exponent)?))
            .and_then(PKey::from_rsa)
            .map_err(unusable)?;
        Self::from_pkey(key)
    }

    /// From the affine coordinates of a point, both big-endian.
    ///
    /// # Errors
    /// `KEY_FORMAT` when the point is not on the curve.
    pub fn from_ec(curve: Curve, x: &[u8], y: &[u8]) -> Result<Self> {
        let key = EcGroup::from_curve_name(curve.nid())
            .and_then(|group| {
                let (x, y) = (BigNum::from_slice(x)?, BigNum::from_slice(y)?);
                EcKey::from_public_key_affine_coordinates(&group, &x, &y)
            })
            .and_then(PKey::from_ec_key)
            .map_err(unusable)?;
        Self::from_pkey(key)
    }

    /// From a JWK (RFC 7517). Members other than those of the key itself are
    /// ignored; a private member is refused.
    ///
    /// # Errors
    /// `KEY_FORMAT` when a member is missing or not base64url, `KEY_TYPE` for
    /// another type or curve.
    pub fn from_json(json: &str) -> Result<Self> {
        let jwk: Map<String, Value> = serde_json::from_str(json)
            .map_err(|_| Error::new(ErrorCode::KeyFormat, "the JWK is not a JSON object"))?;
        Self::from_members(&jwk)
    }

    /// As [`PublicJwk::from_json`], of an object that was read already.
    pub(crate) fn from_members(jwk: &Map<String, Value>) -> Result<Self> {
        if ["d", "p", "q", "dp", "dq", "qi", "oth", "k"]
            .iter()
            .any(|name| jwk.contains_key(*name))
        {
            return Err(Error::new(
                ErrorCode::KeyFormat,
                "the JWK holds a private key; give the public half only (without \"d\")",
            ));
        }
        match text(jwk, "kty")? {
            "RSA" => Self::from_rsa(&octets(jwk, "n")?, &octets(jwk, "e")?),
            "EC" => {
                let curve = match text(jwk, "crv")? {
                    "P-256" => Curve::P256,
                    "P-384" => Curve::P384,
                    other => return Err(unsupported_kind("crv", other)),
                };
                Self::from_ec(curve, &octets(jwk, "x")?, &octets(jwk, "y")?)
            }
            other => Err(unsupported_kind("kty", other)),
        }
    }

    pub(crate) fn from_pkey(key: PKey<Public>) -> Result<Self> {
        let kind = match key.id() {
            Id::RSA => {
                let rsa = key.rsa().map_err(unusable)?;
                let bits = u32::try_from(rsa.n().num_bits()).unwrap_or(0);
                if !(2048..=4096).contains(&bits) {
                    return Err(Error::new(
                        ErrorCode::KeyType,
                        format!("the RSA key has {bits} bits; 2048 to 4096 can be used"),
                    ));
                }
                let exponent = rsa.e().to_vec();
                if exponent == [1] || exponent.last().is_none_or(|last| last % 2 == 0) {
                    return Err(Error::new(
                        ErrorCode::KeyType,
                        "the RSA key's public exponent is 1 or even; such a key is no use",
                    ));
                }
                if exponent.len() > MAX_EXPONENT_LEN {
                    return Err(Error::new(
                        ErrorCode::KeyType,
                        "the RSA key's public exponent has more than 64 bits; keys have 65537",
                    ));
                }
                Kind::Rsa {
                    n: base64url(&rsa.n().to_vec()),
                    e: base64url(&rsa.e().to_vec()),
                    bits,
                }
            }
            Id::EC => {
                let ec = key.ec_key().map_err(unusable)?;
                let curve = Curve::from_nid(ec.group().curve_name())?;
                let (x, y) = coordinates(&ec, curve).map_err(unusable)?;
                Kind::Ec { curve, x, y }
            }
            _ => {
                return Err(Error::new(
                    ErrorCode::KeyType,
                    "the key is neither RSA nor EC; use RSA 2048 to 4096, P-256 or P-384",
                ));
            }
        };
        let thumbprint = thumbprint(&kind);
        Ok(Self {
            kind,
            key,
            thumbprint,
        })
    }

    /// OpenSSL's form.
    pub(crate) fn pkey(&self) -> &PKeyRef<Public> {
        &self.key
    }

    /// The SHA-256 thumbprint of RFC 7638, base64url: segl's default `kid`.
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// `"RSA"` or `"EC"` (RFC 7518 section 6.1).
    pub fn kty(&self) -> &'static str {
        match self.kind {
            Kind::Rsa { .. } => "RSA",
            Kind::Ec { .. } => "EC",
        }
    }

    /// The size in bits: of the modulus, or of the curve's field.
    pub fn bits(&self) -> u32 {
        match self.kind {
            Kind::Rsa { bits, .. } => bits,
            Kind::Ec {
                curve: Curve::P256, ..
            } => 256,
            Kind::Ec {
                curve: Curve::P384, ..
            } => 384,
        }
    }

    /// The curve of an EC key.
    pub fn curve(&self) -> Option<Curve> {
        match self.kind {
            Kind::Rsa { .. } => None,
            Kind::Ec { curve, .. } => Some(curve),
        }
    }

    /// The algorithms that keys of this type can make, the usual one first.
    pub fn algorithms(&self) -> &'static [Algorithm] {
        match self.kind {
            Kind::Rsa { .. } => &[
                Algorithm::RS256,
                Algorithm::RS384,
                Algorithm::RS512,
                Algorithm::PS256,
            ],
            Kind::Ec {
                curve: Curve::P256, ..
            } => &[Algorithm::ES256],
            Kind::Ec {
                curve: Curve::P384, ..
            } => &[Algorithm::ES384],
        }
    }

    /// The SubjectPublicKeyInfo, DER.
    ///
    /// # Errors
    /// `KEY_FORMAT` when OpenSSL cannot encode the key.
    pub fn to_spki_der(&self) -> Result<Vec<u8>> {
        self.key.public_key_to_der().map_err(unusable)
    }

    /// The members of the key itself, in alphabetical order (RFC 7638 section
    /// 3.2), without `kid`, `use` or `alg`.
    pub fn members(&self) -> Map<String, Value> {
        let mut jwk = Map::new();
        match &self.kind {
            Kind::Rsa { n, e, .. } => {
                jwk.insert("e".into(), e.as_str().into());
                jwk.insert("kty".into(), "RSA".into());
                jwk.insert("n".into(), n.as_str().into());
            }
            Kind::Ec { curve, x, y } => {
                jwk.insert("crv".into(), curve.name().into());
                jwk.insert("kty".into(), "EC".into());
                jwk.insert("x".into(), x.as_str().into());
                jwk.insert("y".into(), y.as_str().into());
            }
        }
        jwk
    }

    /// The JWK for who encrypts to the key: with `kid`, `use` = `enc` and `alg`.
    pub fn to_encryption(&self, kid: &str, alg: KeyEncryption) -> Map<String, Value> {
        let mut jwk = self.members();
        jwk.insert("alg".into(), alg.name().into());
        jwk.insert("kid".into(), kid.into());
        jwk.insert("use".into(), "enc".into());
        jwk.sort_keys();
        jwk
    }

    /// The JWK as Maskinporten's self-service and DNB ask for it: the key with
    /// `kid`, `use` = `sig` and `alg`.
    pub fn to_registration(&self, kid: &str, alg: Algorithm) -> Map<String, Value> {
        let mut jwk = self.members();
        jwk.insert("alg".into(), alg.name().into());
        jwk.insert("kid".into(), kid.into());
        jwk.insert("use".into(), "sig".into());
        jwk.sort_keys();
        jwk
    }

    /// True when `signature` (JOSE form) is a signature of `message` with `alg`.
    /// A key of another type gives false.
    pub fn verify(&self, alg: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        self.verify_digest(alg, &alg.hash(message), signature)
    }

    /// As [`PublicJwk::verify`], for a message that is hashed already.
    pub(crate) fn verify_digest(&self, alg: Algorithm, digest: &[u8], signature: &[u8]) -> bool {
        let Some(signature) = self.native_signature(alg, signature) else {
            return false;
        };
        let verified = self
            .verifying_context(alg)
            .and_then(|mut context| context.verify(digest, &signature));
        matches!(verified, Ok(true))
    }

    /// `signature` (JOSE form) as OpenSSL takes it; `None` when it can be none of this key
    /// with `alg`.
    pub(super) fn native_signature<'a>(
        &self,
        alg: Algorithm,
        signature: &'a [u8],
    ) -> Option<Cow<'a, [u8]>> {
        if !self.algorithms().contains(&alg) {
            return None;
        }
        match self.kind {
            Kind::Rsa { bits, .. } => {
                let is_whole = signature.len() == bits.div_ceil(8) as usize;
                is_whole.then_some(Cow::Borrowed(signature))
            }
            Kind::Ec { curve, .. } => ecdsa::jose_to_der(curve, signature).map(Cow::Owned),
        }
    }

    /// A context that verifies signatures made with `alg`, one after the other.
    pub(super) fn verifying_context(
        &self,
        alg: Algorithm,
    ) -> std::result::Result<PkeyCtx<Public>, ErrorStack> {
        let mut context = PkeyCtx::new(&self.key)?;
        context.verify_init()?;
        prepare_padding(&mut context, alg)?;
        Ok(context)
    }
}

/// Sets the hash and, for RSA, the padding of `alg` on an initialised context.
pub(crate) fn prepare_padding<T>(
    ctx: &mut PkeyCtx<T>,
    alg: Algorithm,
) -> std::result::Result<(), ErrorStack> {
    if alg == Algorithm::PS256 {
        ctx.set_rsa_padding(Padding::PKCS1_PSS)?;
        ctx.set_signature_md(alg.md())?;
        ctx.set_rsa_mgf1_md(alg.md())?;
        ctx.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)
    } else {
        if alg.is_rsa() {
            ctx.set_rsa_padding(Padding::PKCS1)?;
        }
        ctx.set_signature_md(alg.md())
    }
}

impl PartialEq for PublicJwk {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl Eq for PublicJwk {}

impl fmt::Debug for PublicJwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "PublicJwk({} {} {})",
            self.kty(),
            self.bits(),
            self.thumbprint
        )
    }
}

pub(crate) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn thumbprint(kind: &Kind) -> String {
    let canonical = match kind {
        Kind::Rsa { n, e, .. } => format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#),
        Kind::Ec { curve, x, y } => {
            format!(
                r#"{{"crv":"{}","kty":"EC","x":"{x}","y":"{y}"}}"#,
                curve.name()
            )
        }
    };
    base64url(&sha256(canonical.as_bytes()))
}

fn coordinates(
    ec: &EcKey<Public>,
    curve: Curve,
) -> std::result::Result<(String, String), ErrorStack> {
    let mut ctx = BigNumContext::new()?;
    let (mut x, mut y) = (BigNum::new()?, BigNum::new()?);
    ec.public_key()
        .affine_coordinates(ec.group(), &mut x, &mut y, &mut ctx)?;
    let padded = |number: &BigNumRef| {
        let len = i32::try_from(curve.coordinate_len()).unwrap_or(i32::MAX);
        number.to_vec_padded(len).map(|bytes| base64url(&bytes))
    };
    Ok((padded(&x)?, padded(&y)?))
}

fn text<'a>(jwk: &'a Map<String, Value>, name: &str) -> Result<&'a str> {
    jwk.get(name).and_then(Value::as_str).ok_or_else(|| {
        Error::new(
            ErrorCode::KeyFormat,
            format!("the JWK's member \"{name}\" is missing or not a string"),
        )
    })
}

fn octets(jwk: &Map<String, Value>, name: &str) -> Result<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text(jwk, name)?).map_err(|source| {
        Error::new(
            ErrorCode::KeyFormat,
            format!("the JWK's member \"{name}\" is not base64url without padding"),
        )
        .with_source(source)
    })
}

fn unsupported_kind(member: &str, value: &str) -> Error {
    Error::new(
        ErrorCode::KeyType,
        format!(
            "the JWK's \"{member}\" is \"{}\"; segl uses RSA, and EC on P-256 and P-384",
            value.escape_debug()
        ),
    )
}

fn unusable(source: ErrorStack) -> Error {
    Error::new(ErrorCode::KeyFormat, "the public key cannot be used").with_source(source)
}
