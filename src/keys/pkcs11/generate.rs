//! Making keys in a token.

use cryptoki_sys::*;
use openssl::rand::rand_bytes;

use super::cryptoki::Attribute;
use super::find::{self, Purpose, Wanted};
use super::public_key;
use super::session::Session;
use super::threads;
use super::token::{DEFAULT_TIME, Token};
use crate::alg::Algorithm;
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::keys::PublicJwk;
use crate::keys::jwk::Curve;
use crate::keys::uri::Pkcs11Uri;
use crate::log::{self, Level};
use crate::secret::Secret;

/// A key to be made in a token. It can never leave it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenKeySpec {
    /// What the key is for: an RSA algorithm gives an RSA key, ES256 and ES384 a
    /// key on their curve.
    pub alg: Algorithm,
    /// Whether it is to decrypt what others encrypt to it, and not to sign. Only an RSA
    /// key can.
    pub decrypts: bool,
    /// The bits of an RSA modulus, 2048 to 4096; 2048 by default, the size that
    /// every receiver takes.
    pub rsa_bits: u32,
    /// `CKA_LABEL`.
    pub label: String,
    /// `CKA_ID`; 16 random bytes when `None`.
    pub id: Option<Vec<u8>>,
}

impl TokenKeySpec {
    /// A key for `alg` called `label`.
    pub fn new(alg: Algorithm, label: impl Into<String>) -> Self {
        Self {
            alg,
            decrypts: false,
            rsa_bits: 2048,
            label: label.into(),
            id: None,
        }
    }

    /// An RSA key called `label` that decrypts.
    pub fn to_decrypt(label: impl Into<String>) -> Self {
        Self {
            decrypts: true,
            ..Self::new(Algorithm::RS256, label)
        }
    }

    fn purpose(&self) -> Purpose {
        match self.decrypts {
            true => Purpose::Decrypt,
            false => Purpose::Sign,
        }
    }
}

/// Makes a key pair in the token that `uri` means, and returns its public half.
/// The private key is marked sensitive and not extractable, and it may sign or, if that
/// is what it is for, decrypt; an RSA key not both. A label or id in `uri` must be that of `spec`.
///
/// # Errors
/// `KEY_EXISTS` when the token has a private key with that label or id already.
/// `INVALID_ARGUMENT`, `MECHANISM`, and 200 numbers of [`ErrorCode`].
pub fn generate_on_token(
    uri: &Pkcs11Uri,
    secret: Option<Secret>,
    spec: &TokenKeySpec,
    call: &Call,
) -> Result<PublicJwk> {
    let _deferred = log::defer();
    call.check("making a key in a token")?;
    require_consistent(uri, spec)?;
    let id = match &spec.id {
        Some(id) => id.clone(),
        None => random_id()?,
    };
    let (own_uri, own_call) = (uri.clone(), call.clone());
    let open = move || Token::open(&own_uri, secret, &own_call);
    let token = threads::run_as(uri.settings().threads, call, DEFAULT_TIME, open)?;
    let (own_spec, own_id) = (spec.clone(), id.clone());
    let key = token.with_rw_session(call, move |session| {
        let (spec, id) = (&own_spec, &own_id);
        require_free(session, spec, id)?;
        let (public, private) = generate(session, spec, id)?;
        inspect(session, spec, public, private)
            .map_err(|error| remove(session, [private, public], error))
    });
    let key = key.map_err(|error| {
        error.in_context(format_args!("making a key in {}", token.place().name))
    })?;
    log::emit(
        Level::Info,
        "pkcs11",
        format_args!(
            "made {} in {}",
            find::describe(spec.label.as_bytes(), &id),
            token.place().name
        ),
    );
    Ok(key)
}

fn require_consistent(uri: &Pkcs11Uri, spec: &TokenKeySpec) -> Result<()> {
    let problem = if spec.label.is_empty() {
        "the new key needs a label"
    } else if spec.id.as_ref().is_some_and(Vec::is_empty) {
        "the new key's id must not be empty; leave it out to get a random one"
    } else if uri.object().is_some_and(|object| object != spec.label) {
        "the URI's object is not the new key's label; name the token only"
    } else if uri.id().is_some() && uri.id() != spec.id.as_deref() {
        "the URI's id is not the new key's id; name the token only"
    } else if spec.alg.is_rsa() && !(2048..=4096).contains(&spec.rsa_bits) {
        "an RSA key must have 2048 to 4096 bits"
    } else if spec.decrypts && !spec.alg.is_rsa() {
        "only an RSA key can decrypt"
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorCode::InvalidArgument, problem))
}

fn random_id() -> Result<Vec<u8>> {
    let mut id = vec![0; 16];
    rand_bytes(&mut id).map_err(|source| {
        Error::new(ErrorCode::Unsupported, "OpenSSL has no random numbers").with_source(source)
    })?;
    Ok(id)
}

fn require_free(session: &Session<'_>, spec: &TokenKeySpec, id: &[u8]) -> Result<()> {
    let by_label = Wanted {
        label: Some(spec.label.as_bytes().into()),
        id: None,
    };
    let by_id = Wanted {
        label: None,
        id: Some(id.into()),
    };
    for (wanted, what) in [(by_label, "label"), (by_id, "id")] {
        if !find::private_keys(session, &wanted)?.is_empty() {
            return Err(Error::new(
                ErrorCode::KeyExists,
                format!(
                    "there is a private key with this {what} already ({}); choose another {what}, or remove that key first",
                    find::describe(spec.label.as_bytes(), id)
                ),
            ));
        }
    }
    Ok(())
}

fn generate(
    session: &Session<'_>,
    spec: &TokenKeySpec,
    id: &[u8],
) -> Result<(CK_OBJECT_HANDLE, CK_OBJECT_HANDLE)> {
    let mut public = vec![
        Attribute::flag(CKA_TOKEN, true),
        Attribute::flag(CKA_PRIVATE, false),
        Attribute::flag(
            match spec.purpose() {
                Purpose::Sign => CKA_VERIFY,
                Purpose::Decrypt => CKA_ENCRYPT,
            },
            true,
        ),
        Attribute::bytes(CKA_LABEL, spec.label.as_bytes()),
        Attribute::bytes(CKA_ID, id),
    ];
    let mechanism = match curve(spec.alg) {
        Some(curve) => {
            public.push(Attribute::bytes(
                CKA_EC_PARAMS,
                public_key::curve_params(curve),
            ));
            CKM_EC_KEY_PAIR_GEN
        }
        None => {
            public.push(Attribute::number(CKA_MODULUS_BITS, spec.rsa_bits.into()));
            public.push(Attribute::bytes(CKA_PUBLIC_EXPONENT, &[1, 0, 1]));
            CKM_RSA_PKCS_KEY_PAIR_GEN
        }
    };
    let mut private = vec![
        Attribute::flag(CKA_TOKEN, true),
        Attribute::flag(CKA_PRIVATE, true),
        Attribute::flag(CKA_SENSITIVE, true),
        Attribute::flag(CKA_EXTRACTABLE, false),
        Attribute::flag(CKA_SIGN, !spec.decrypts),
        Attribute::bytes(CKA_LABEL, spec.label.as_bytes()),
        Attribute::bytes(CKA_ID, id),
    ];
    // Left out, some tokens allow it.
    if spec.alg.is_rsa() {
        private.push(Attribute::flag(CKA_DECRYPT, spec.decrypts));
    }
    Ok(session.generate_key_pair(mechanism, &public, &private)?)
}

/// Reads the new key back: a token may ignore what it was asked for.
fn inspect(
    session: &Session<'_>,
    spec: &TokenKeySpec,
    public: CK_OBJECT_HANDLE,
    private: CK_OBJECT_HANDLE,
) -> Result<PublicJwk> {
    for (kind, name, refused) in [
        (CKA_EXTRACTABLE, "CKA_EXTRACTABLE", true),
        (CKA_SENSITIVE, "CKA_SENSITIVE", false),
        (CKA_NEVER_EXTRACTABLE, "CKA_NEVER_EXTRACTABLE", false),
        (CKA_LOCAL, "CKA_LOCAL", false),
    ] {
        if session.flag(private, kind)? == Some(refused) {
            return Err(Error::new(
                ErrorCode::Device,
                format!(
                    "the token made the key with {name} = {refused}, so it is not sure to stay in the token; \
                     look for a setting of the token that allows non-extractable keys"
                ),
            ));
        }
    }
    let key_type = if spec.alg.is_rsa() { CKK_RSA } else { CKK_EC };
    public_key::from_object(session, public, key_type)?.ok_or_else(|| {
        Error::new(
            ErrorCode::Device,
            "the token does not show the new public key",
        )
    })
}

/// Removes a key that is not what was asked for, and says whether it is gone.
fn remove(session: &Session<'_>, objects: [CK_OBJECT_HANDLE; 2], error: Error) -> Error {
    let left = objects.map(|object| session.destroy(object)).into_iter();
    match left.filter_map(std::result::Result::err).next() {
        None => error.in_context("the new key was removed again"),
        Some(failure) => error.in_context(format_args!(
            "the new key could NOT be removed ({}), remove it with the vendor's tool",
            Error::from(failure).message()
        )),
    }
}

fn curve(alg: Algorithm) -> Option<Curve> {
    match alg {
        Algorithm::ES256 => Some(Curve::P256),
        Algorithm::ES384 => Some(Curve::P384),
        _ => None,
    }
}
