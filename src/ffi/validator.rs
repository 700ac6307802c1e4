//! `segl_validator`: checks of the access tokens that an API receives.

use std::ffi::c_char;
use std::sync::Arc;

use super::call::{read_call, segl_call};
use super::error::segl_error;
use super::guard::{guard, guard_or};
use super::handle::{self, Handle};
use super::settings::Settings;
use super::signer::unwritable;
use super::transport::segl_transport;
use super::types::{CStruct, Out, optional_text, read_struct, segl_bytes, text};
use crate::config::Config;
use crate::error::Result;
use crate::json;
use crate::validate::{Requirements, Validator, ValidatorBuilder, ValidatorSettings};

/// A handle on what checks the access tokens of one issuer.
pub struct segl_validator {
    _opaque: [u8; 0],
}

impl Handle for segl_validator {
    type Target = Validator;
    const TYPE: &'static str = "segl_validator";
}

/// What a validator is made of. Zero-fill it, then set `struct_size` and the rest.
/// It is copied.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct segl_validator_params {
    /// `sizeof(segl_validator_params)`.
    pub struct_size: usize,
    /// The settings of one validator, a JSON object with the words of segl.toml
    /// (docs/config.schema.json). UTF-8. NULL when `config_path` is set.
    pub config_json: *const c_char,
    /// The length of `config_json` in bytes.
    pub config_json_len: usize,
    /// The path of a configuration file (segl.toml), in the place of `config_json`:
    /// exactly one of the two is set. UTF-8.
    pub config_path: *const c_char,
    /// The length of `config_path` in bytes.
    pub config_path_len: usize,
    /// The validator in the file. NULL when `config_json` is set.
    pub validator_name: *const c_char,
    /// The length of `validator_name` in bytes.
    pub validator_name_len: usize,
    /// What reads the issuer's keys, in the place of segl's own HTTP. May be NULL. It is
    /// shared: the caller may free the handle at once. The setting `ca_file` has no meaning
    /// beside it, and is refused.
    pub transport: *const segl_transport,
}

// SAFETY: `repr(C)`, begins with a `usize`, integers and pointers only.
unsafe impl CStruct for segl_validator_params {
    const TYPE: &'static str = "segl_validator_params";
}

/// Makes a validator from settings in JSON or in a file. Nothing is sent before its first
/// check. One is enough for a program: it keeps the issuer's keys.
///
/// Ownership: the inputs are borrowed, and copied where they are kept. `out`
/// becomes the caller's; free it with `segl_validator_free`.
/// NULL: `params` and `out` must not be NULL.
/// Threads: any thread, any time.
/// Failure: `SEGL_CONFIG` or `SEGL_URL`, whose field `SEGL_FIELD_CONFIG_PATH` names the
/// setting, `SEGL_IO` when a file cannot be read, `SEGL_CERTIFICATE` for `ca_file`; `out`
/// is NULL then.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_validator_new(
    params: *const segl_validator_params,
    out: *mut *mut segl_validator,
) -> *mut segl_error {
    guard(|| {
        // SAFETY: the caller keeps to the conventions.
        let (out, (mut builder, params)) = unsafe { (Out::new("out", out)?, read_params(params)?) };
        let transport = handle::get_optional("params->transport", params.transport)?;
        if let Some(transport) = transport {
            builder = builder.transport(Arc::clone(&transport.0));
        }
        out.set(handle::insert(builder.build()?));
        Ok(())
    })
}

/// Answers whether the sender of an access token may do what is required, now: signature,
/// issuer, times, scopes, consumer and supplier, audience, person, what the token is bound
/// to, and consent are checked, in this order.
///
/// `token` is what stands behind "Bearer " in the header `Authorization`.
/// `requirements_json` is a JSON object whose members go before the validator's settings:
/// `scopes` (all of them), `any_scope` (one is enough), `audience`, `consumer` (an
/// organisation number), `supplier` (an organisation number; `null`: the token must not be
/// delegated), `delegation_source`, `pid`, `consent` (`{"from": ..., "resources": [...]}`, of
/// Altinn), `legacy_consent` (of Altinn 2), `dpop` (`{"proof": ..., "method": ..., "url": ...}`) and
/// `client_certificate` (PEM); all optional, and
/// none but `supplier` may be `null`. docs/services.md says what each asks for. For
/// example, that it is not delegated and that this person has consented:
/// `{"supplier":null,"consent":{"from":"05848998356","resources":["bank-saldo"]}}`.
///
/// `out_json` is what the token says, a JSON object: `issuer`, `issued_at`, `expires_at`
/// (seconds since 1970), `id`, `client_id`, `client_amr`, `scopes`, `audiences`, `consumer` and
/// `supplier` (objects with `authority`, `id` and `orgno`), `delegation_source`, `pid`, what
/// was required of `consent` and `legacy_consent`, and all claims as `claims`. What is absent
/// is null or an empty array. It names the person, if the token does.
///
/// Ownership: the inputs are borrowed. `out_json` becomes the caller's; free it with
/// `segl_bytes_free`.
/// NULL: `validator`, `token` and `out_json` must not be NULL; `requirements_json` may be
/// NULL with length 0, which requires what the settings say; `call` may be NULL.
/// Threads: any thread, any time, also with the same validator. It computes only, unless the
/// issuer's keys have to be read: at the first check, and when a token names one that is not
/// known or has a signature that is not its key's, at most once in 30 seconds.
/// Failure: a number from 700 on for a token that is refused. Its fields
/// `SEGL_FIELD_HTTP_STATUS` and `SEGL_FIELD_OAUTH_ERROR` are what the API answers then (RFC
/// 6750 section 3.1): 401 and "invalid_token", 403 and "insufficient_scope", or for a DPoP
/// proof 401 and "invalid_dpop_proof" or "use_dpop_nonce".
/// `SEGL_JWKS_UNAVAILABLE`, `SEGL_JWKS_INVALID` or `SEGL_METADATA_INVALID` when the issuer's
/// keys cannot be had and none are known, `SEGL_TIMEOUT` and `SEGL_CANCELLED` while they are
/// read, all with status 503 and no OAuth error;
/// `SEGL_INVALID_ARGUMENT` for requirements that are none; `out_json` is zero-filled then.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_validator_check(
    validator: *const segl_validator,
    token: *const c_char,
    token_len: usize,
    requirements_json: *const c_char,
    requirements_json_len: usize,
    call: *const segl_call,
    out_json: *mut segl_bytes,
) -> *mut segl_error {
    guard(|| {
        // SAFETY: the caller keeps to the conventions.
        let (out, token, requirements, call) = unsafe {
            (
                Out::new("out_json", out_json)?,
                text("token", token, token_len)?,
                optional_text(
                    "requirements_json",
                    requirements_json,
                    requirements_json_len,
                )?,
                read_call(call)?,
            )
        };
        let validator = handle::get("validator", validator)?;
        let requirements = requirements.map(Requirements::from_json).transpose()?;
        let verified = validator.check(token, &requirements.unwrap_or_default(), &call)?;
        let text = json::to_wiped_text(&verified.to_json()?).map_err(unwritable)?;
        out.set(segl_bytes::copy_of(text.as_slice()));
        Ok(())
    })
}

/// Frees a validator and its keys.
///
/// Ownership: ends the caller's ownership. Freeing twice is harmless.
/// NULL: `validator` may be NULL; nothing happens then.
/// Threads: any thread, any time, also while other threads use it; they finish
/// first.
/// Failure: it cannot fail; a handle that is not live is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_validator_free(validator: *mut segl_validator) {
    guard_or((), || handle::free(validator));
}

/// # Safety
/// As [`read_struct`], and its texts as [`text`].
unsafe fn read_params(
    params: *const segl_validator_params,
) -> Result<(ValidatorBuilder, segl_validator_params)> {
    // SAFETY: see the function's contract.
    let (params, json, path, name) = unsafe {
        let given = read_struct("params", params)?;
        let text = |argument, data, len| optional_text(argument, data, len);
        (
            given,
            text(
                "params->config_json",
                given.config_json,
                given.config_json_len,
            )?,
            text(
                "params->config_path",
                given.config_path,
                given.config_path_len,
            )?,
            text(
                "params->validator_name",
                given.validator_name,
                given.validator_name_len,
            )?,
        )
    };
    let builder = match Settings::given("validator", json, path, name)? {
        Settings::Json(json) => Validator::builder(ValidatorSettings::from_json(json)?),
        Settings::InFile { path, name } => {
            Validator::builder_from_config(&Config::from_file(path)?, name)?
        }
    };
    Ok((builder, params))
}
