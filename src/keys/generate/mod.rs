//! New keys: in files, and on tokens where they never leave.

mod file;

pub use super::pkcs11::{TokenKeySpec, generate_on_token};
pub use file::{RsaBits, generate_in_file};
