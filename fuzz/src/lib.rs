//! What must hold for any bytes, one file a parser. The fuzzer calls these functions, and
//! `tests/fuzzed/` of segl with the seeds and what is made of them.

mod access_token;
mod certificate;
pub(crate) mod client;
mod config;
mod endpoint;
mod header_template;
mod jwe;
mod jwk;
mod jwks;
mod jws;
mod key_file;
mod key_uri;
mod multipart;
mod operation;
mod private;
mod server_metadata;
mod simulator_config;
mod token_request;
mod token_response;
mod values;

/// What a target is called, and what it asserts of bytes.
pub type Target = (&'static str, fn(&[u8]));

/// Every target, with the name of its program under `fuzz_targets/` and its folder under
/// `seeds/`.
pub const TARGETS: [Target; 18] = [
    ("access_token", access_token::check),
    ("certificate", certificate::check),
    ("config", config::check),
    ("endpoint", endpoint::check),
    ("header_template", header_template::check),
    ("jwe", jwe::check),
    ("jwk", jwk::check),
    ("jwks", jwks::check),
    ("jws", jws::check),
    ("key_file", key_file::check),
    ("key_uri", key_uri::check),
    ("multipart", multipart::check),
    ("operation", operation::check),
    ("server_metadata", server_metadata::check),
    ("simulator_config", simulator_config::check),
    ("token_request", token_request::check),
    ("token_response", token_response::check),
    ("values", values::check),
];

/// Asserts of `data` what the target called `name` does. Panics where it does not hold,
/// and when there is no such target.
pub fn run(name: &str, data: &[u8]) {
    let found = TARGETS.iter().find(|(known, _)| *known == name);
    let (_, check) = found.unwrap_or_else(|| panic!("there is no target {name}"));
    check(data);
}
