//! Certificates of one test, by an authority of its own.

use std::fs;
use std::path::PathBuf;

use openssl::pkey::PKey;
use openssl::x509::X509;
use segl::Signer;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::authority::{self, VALID, ec_key};

/// Who issued the certificates of a test's servers and clients.
pub struct Authority {
    folder: TempDir,
    pub authority: authority::Authority,
}

impl Authority {
    /// A new one.
    pub fn new() -> Self {
        let authority = Self {
            folder: tempfile::tempdir().unwrap(),
            authority: authority::Authority::new("Test CA"),
        };
        fs::write(authority.ca_file(), authority.authority.pem()).unwrap();
        authority
    }

    /// The file with the authority's own certificate.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A server's key and certificate, for 127.0.0.1, and the newest version of TLS that
    /// it speaks, in the words of `server.mjs`.
    pub fn server(&self, max_version: &str) -> Value {
        let key = ec_key();
        let certificate = self.authority.server(&key, &["127.0.0.1"], VALID);
        json!({
            "key": text(key.private_key_to_pem_pkcs8().unwrap()),
            "certificate": text(certificate.to_pem().unwrap()),
            "maxVersion": max_version,
        })
    }

    /// A certificate over the public key of `signer`.
    pub fn client(&self, signer: &dyn Signer) -> X509 {
        let spki = signer.public_key().to_spki_der().unwrap();
        let key = PKey::public_key_from_der(&spki).unwrap();
        self.authority.client(&key, "Test client", VALID)
    }

    /// The `file:` URI of a certificate, as settings have it.
    pub fn file(&self, certificate: &X509) -> String {
        let serial = certificate.serial_number().to_bn().unwrap();
        let name = format!("{}.pem", serial.to_hex_str().unwrap());
        let path = self.folder.path().join(name);
        fs::write(&path, certificate.to_pem().unwrap()).unwrap();
        format!("file:{}", path.display())
    }
}

fn text(pem: Vec<u8>) -> String {
    String::from_utf8(pem).unwrap()
}
