//! Keys in files: PEM (PKCS#8, PKCS#1, SEC1, encrypted or not), DER, PKCS#12.

use std::cell::Cell;
use std::fmt;
use std::sync::Mutex;

use openssl::error::ErrorStack;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::pkey_ctx::PkeyCtx;

use super::jwk::{PublicJwk, prepare_padding};
use super::uri::FileUri;
use super::x509::{Certificate, order_chain};
use super::{Origin, Signer, ecdsa};
use crate::alg::Algorithm;
use crate::call::Call;
use crate::error::{Error, ErrorCode, Result};
use crate::log::{self, Level};
use crate::secret::Secret;

/// A private key in this process's memory.
pub struct SoftwareSigner {
    key: PKey<Private>,
    public_key: PublicJwk,
    certificates: Vec<Certificate>,
    uri: Option<String>,
    contexts: [Contexts; Algorithm::ALL.len()],
}

/// Initialised contexts of one algorithm that are not in use.
type Contexts = Mutex<Vec<PkeyCtx<Private>>>;

impl SoftwareSigner {
    /// Opens a key file. `passphrase` goes before the URI's `pin-source`, which
    /// is only read when the file is encrypted.
    ///
    /// # Errors
    /// `IO` when the file cannot be read, else as [`SoftwareSigner::from_bytes`].
    pub fn open(uri: &FileUri, passphrase: Option<Secret>) -> Result<Self> {
        warn_when_readable_by_others(uri.path());
        let bytes = crate::file::read(uri.path(), "key file")?;
        let source = || match (&passphrase, uri.pin_source()) {
            (Some(passphrase), _) => Ok(Some(passphrase.clone())),
            (None, Some(source)) => source.read().map(Some),
            (None, None) => Ok(None),
        };
        let mut signer = Self::read(&bytes, &source)
            .map_err(|error| error.in_context(format_args!("key file {}", uri.path().display())))?;
        signer.uri = Some(uri.to_string());
        Ok(signer)
    }

    /// Reads a key from PEM, DER or PKCS#12. Certificates in the same bytes that
    /// belong to the key are kept.
    ///
    /// # Errors
    /// `KEY_FORMAT`, `PASSPHRASE` when it is missing or wrong, `KEY_TYPE` when
    /// the key is not RSA 2048 to 4096, P-256 or P-384.
    pub fn from_bytes(bytes: &[u8], passphrase: Option<&Secret>) -> Result<Self> {
        Self::read(bytes, &|| Ok(passphrase.cloned()))
    }

    fn read(bytes: &[u8], passphrase: &dyn Fn() -> Result<Option<Secret>>) -> Result<Self> {
        refuse_wrong_dashes(bytes)?;
        let (key, certificates) = if is_pem(bytes) {
            (read_pem(bytes, passphrase)?, read_pem_certificates(bytes)?)
        } else if let Ok(pkcs12) = Pkcs12::from_der(bytes) {
            read_pkcs12(&pkcs12, passphrase)?
        } else {
            (read_der(bytes, passphrase)?, Vec::new())
        };
        Self::new(key, certificates)
    }

    fn new(key: PKey<Private>, certificates: Vec<Certificate>) -> Result<Self> {
        let public_der = key.public_key_to_der().map_err(|source| {
            Error::new(ErrorCode::KeyFormat, "the private key has no public half")
                .with_source(source)
        })?;
        let public_key = PublicJwk::from_spki_der(&public_der)?;
        let certificates = order_chain(&public_key, certificates)?;
        let signer = Self {
            key,
            public_key,
            certificates,
            uri: None,
            contexts: Default::default(),
        };
        signer.require_pair()?;
        Ok(signer)
    }

    /// OpenSSL reads a damaged file whose halves are of two keys, and signs with it what
    /// nobody can verify.
    fn require_pair(&self) -> Result<()> {
        let alg = self.algorithms()[0];
        let message = b"segl";
        let signature = self.sign(alg, message, &Call::none());
        if signature.is_ok_and(|signature| self.public_key.verify(alg, message, &signature)) {
            return Ok(());
        }
        Err(Error::new(
            ErrorCode::KeyFormat,
            "the private half of the key does not belong to its public half; the file is damaged, \
             so take it from where it was made or saved",
        ))
    }

    /// The private key itself.
    pub(super) fn into_key(self) -> PKey<Private> {
        self.key
    }

    /// An initialised context for `alg`: an idle one, else a new one. Nobody
    /// waits here, so that a forked child never meets a held lock.
    fn context(&self, alg: Algorithm) -> std::result::Result<PkeyCtx<Private>, ErrorStack> {
        let idle = self.contexts[alg as usize]
            .try_lock()
            .ok()
            .and_then(|mut idle| idle.pop());
        if let Some(context) = idle {
            return Ok(context);
        }
        let mut context = PkeyCtx::new(&self.key)?;
        context.sign_init()?;
        prepare_padding(&mut context, alg)?;
        Ok(context)
    }

    fn put_back(&self, alg: Algorithm, context: PkeyCtx<Private>) {
        if let Ok(mut idle) = self.contexts[alg as usize].try_lock()
            && idle.len() < MAX_IDLE_CONTEXTS
        {
            idle.push(context);
        }
    }
}

const MAX_IDLE_CONTEXTS: usize = 8;

impl Signer for SoftwareSigner {
    fn public_key(&self) -> &PublicJwk {
        &self.public_key
    }

    fn algorithms(&self) -> &[Algorithm] {
        self.public_key.algorithms()
    }

    fn sign(&self, alg: Algorithm, message: &[u8], call: &Call) -> Result<Vec<u8>> {
        super::require_algorithm(self, alg)?;
        call.check("signing")?;
        let failed = |source: ErrorStack| {
            Error::new(
                ErrorCode::Device,
                format!("OpenSSL could not make the {alg} signature"),
            )
            .with_source(source)
        };
        let mut context = self.context(alg).map_err(failed)?;
        let mut signature = Vec::with_capacity(512);
        context
            .sign_to_vec(&alg.hash(message), &mut signature)
            .map_err(failed)?;
        self.put_back(alg, context);
        match self.public_key.curve() {
            None => Ok(signature),
            Some(curve) => ecdsa::der_to_jose(curve, &signature).ok_or_else(|| {
                Error::new(
                    ErrorCode::SignatureFault,
                    "OpenSSL returned a malformed signature",
                )
            }),
        }
    }

    fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    fn origin(&self) -> Origin {
        Origin {
            uri: self.uri.clone(),
            extractable: Some(true),
            ..Origin::new("file")
        }
    }
}

impl fmt::Debug for SoftwareSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SoftwareSigner")
            .field("public_key", &self.public_key)
            .field("uri", &self.uri)
            .finish_non_exhaustive()
    }
}

fn is_pem(bytes: &[u8]) -> bool {
    bytes
        .split(|byte| *byte == b'\n')
        .any(|line| line.trim_ascii_start().starts_with(b"-----BEGIN "))
}

/// One dash too few, and no reader finds the key; DNB's published script has a PEM like
/// that.
fn refuse_wrong_dashes(bytes: &[u8]) -> Result<()> {
    let lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    for (index, line) in lines.enumerate() {
        let is_dash = |byte: &&u8| **byte == b'-';
        let before = line.iter().take_while(is_dash).count();
        let after = line.iter().rev().take_while(is_dash).count();
        let marker = &line[before..];
        let is_boundary = marker.starts_with(b"BEGIN ") || marker.starts_with(b"END ");
        if before > 0 && is_boundary && (before, after) != (5, 5) {
            let problem = format!(
                "line {} of the PEM has {before} dashes before its words and {after} after them; PEM has 5 and 5, \
                 so put the line right",
                index + 1
            );
            return Err(Error::new(ErrorCode::KeyFormat, problem));
        }
    }
    Ok(())
}

fn read_pem(
    bytes: &[u8],
    passphrase: &dyn Fn() -> Result<Option<Secret>>,
) -> Result<PKey<Private>> {
    let asked: Cell<Option<Result<()>>> = Cell::new(None);
    let key = PKey::private_key_from_pem_callback(bytes, |buffer| {
        let answer = passphrase().and_then(|secret| fill(buffer, secret));
        let len = *answer.as_ref().unwrap_or(&0);
        asked.set(Some(answer.map(|_| ())));
        Ok(len)
    });
    match (key, asked.take()) {
        (Ok(key), _) => Ok(key),
        (Err(_), Some(Err(error))) => Err(error),
        (Err(source), Some(Ok(()))) => Err(wrong_passphrase(source)),
        (Err(source), None) => Err(Error::new(
            ErrorCode::KeyFormat,
            "the PEM holds no private key that OpenSSL can read; \
             expected BEGIN PRIVATE KEY, ENCRYPTED PRIVATE KEY, RSA PRIVATE KEY or EC PRIVATE KEY",
        )
        .with_source(source)),
    }
}

/// Copies the passphrase to where OpenSSL wants it.
fn fill(buffer: &mut [u8], secret: Option<Secret>) -> Result<usize> {
    let secret = secret.ok_or_else(missing_passphrase)?;
    let bytes = secret.expose();
    let room = buffer.len();
    let target = buffer.get_mut(..bytes.len()).ok_or_else(|| {
        Error::new(
            ErrorCode::Passphrase,
            format!("the passphrase is longer than the {room} bytes that OpenSSL allows"),
        )
    })?;
    target.copy_from_slice(bytes);
    Ok(bytes.len())
}

fn read_pem_certificates(bytes: &[u8]) -> Result<Vec<Certificate>> {
    let has_certificate = bytes
        .split(|byte| *byte == b'\n')
        .any(|line| line.starts_with(b"-----BEGIN CERTIFICATE-----"));
    if has_certificate {
        Certificate::read_chain(bytes)
    } else {
        Ok(Vec::new())
    }
}

fn read_pkcs12(
    pkcs12: &Pkcs12,
    passphrase: &dyn Fn() -> Result<Option<Secret>>,
) -> Result<(PKey<Private>, Vec<Certificate>)> {
    let secret = passphrase()?.unwrap_or_else(|| Secret::new(Vec::new()));
    let text = std::str::from_utf8(secret.expose()).map_err(|source| {
        Error::new(ErrorCode::Passphrase, "a PKCS#12 passphrase must be UTF-8").with_source(source)
    })?;
    let parsed = pkcs12.parse2(text).map_err(|source| {
        if text.is_empty() {
            return missing_passphrase().with_source(source);
        }
        Error::new(
            ErrorCode::Passphrase,
            "the PKCS#12 passphrase is wrong, or the file uses an old cipher (RC2-40) that OpenSSL 3 refuses; \
             for the latter convert it: openssl pkcs12 -legacy -in old.p12 -nodes | openssl pkcs12 -export -out new.p12",
        )
        .with_source(source)
    })?;
    let key = parsed.pkey.ok_or_else(|| {
        Error::new(
            ErrorCode::KeyFormat,
            "the PKCS#12 file holds no private key",
        )
    })?;
    let certificates = parsed
        .cert
        .into_iter()
        .chain(parsed.ca.into_iter().flatten())
        .map(Certificate::from_x509)
        .collect::<Result<_>>()?;
    Ok((key, certificates))
}

fn read_der(
    bytes: &[u8],
    passphrase: &dyn Fn() -> Result<Option<Secret>>,
) -> Result<PKey<Private>> {
    let plain = match PKey::private_key_from_der(bytes) {
        Ok(key) => return Ok(key),
        Err(source) => source,
    };
    if !is_encrypted_pkcs8(bytes) {
        return Err(Error::new(
            ErrorCode::KeyFormat,
            "this is no private key in PEM, DER (PKCS#8, PKCS#1, SEC1) or PKCS#12",
        )
        .with_source(plain));
    }
    let secret = passphrase()?.ok_or_else(missing_passphrase)?;
    PKey::private_key_from_pkcs8_passphrase(bytes, secret.expose()).map_err(wrong_passphrase)
}

/// EncryptedPrivateKeyInfo (RFC 5958 section 3) opens with SEQUENCE, SEQUENCE,
/// OBJECT IDENTIFIER; PKCS#8, PKCS#1 and SEC1 open with SEQUENCE, INTEGER.
fn is_encrypted_pkcs8(der: &[u8]) -> bool {
    sequence(der)
        .and_then(sequence)
        .is_some_and(|algorithm| algorithm.first() == Some(&0x06))
}

/// What follows the head of a DER SEQUENCE.
fn sequence(der: &[u8]) -> Option<&[u8]> {
    match der {
        [0x30, 0x82, _, _, rest @ ..] | [0x30, 0x81, _, rest @ ..] => Some(rest),
        [0x30, len, rest @ ..] if *len < 0x80 => Some(rest),
        _ => None,
    }
}

fn missing_passphrase() -> Error {
    Error::new(
        ErrorCode::Passphrase,
        "the key is encrypted and no passphrase was given; add ?pin-source=file:… or env:… to its URI",
    )
}

fn wrong_passphrase(source: ErrorStack) -> Error {
    Error::new(
        ErrorCode::Passphrase,
        "the key cannot be decrypted; the passphrase is wrong or the file is damaged",
    )
    .with_source(source)
}

#[cfg(unix)]
fn warn_when_readable_by_others(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).map(|metadata| metadata.permissions().mode());
    if mode.is_ok_and(|mode| mode & 0o007 != 0) {
        log::emit(
            Level::Warn,
            "keys",
            format_args!(
                "key file {} is open to every user of this machine; run chmod 600 on it",
                path.display()
            ),
        );
    }
}

#[cfg(not(unix))]
fn warn_when_readable_by_others(_path: &std::path::Path) {}
