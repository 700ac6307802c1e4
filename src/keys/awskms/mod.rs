//! Keys in AWS KMS.
//!
//! From the outside in: [`AwsKmsSigner`] is a key, [`AwsKmsDecrypter`] one that
//! decrypts, `generate` makes new ones;
//! `client` sends one operation, again where that helps, with `refusal` reading
//! what KMS answers, and `outage` lets a key that fails rest; `place` decides on region and endpoint, `sigv4` signs the
//! requests, and `credentials` finds what to sign them with.

mod client;
pub mod credentials;
mod decrypter;
mod generate;
mod key;
mod outage;
mod place;
mod refusal;
mod retry;
mod signer;
mod sigv4;
mod variables;

pub use credentials::{Credentials, CredentialsProvider};
pub use decrypter::AwsKmsDecrypter;
pub use generate::{GeneratedKmsKey, KmsKeySpec, generate_in_kms};
pub use signer::AwsKmsSigner;
