//! `segl_client`: one configured client, and its assertions.

use std::ffi::c_char;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use zeroize::Zeroizing;

use super::call::{read_call, segl_call};
use super::error::segl_error;
use super::guard::{guard, guard_or};
use super::handle::{self, Handle};
use super::settings::Settings;
use super::signer::{segl_signer, unwritable};
use super::transport::segl_transport;
use super::types::{CStruct, Out, optional_text, read_struct, segl_bytes, text};
use crate::config::Config;
use crate::error::Result;
use crate::profiles::ClientSettings;
use crate::token::{TokenClient, TokenClientBuilder, TokenRequest};

/// A handle on a client of a token endpoint.
pub struct segl_client {
    _opaque: [u8; 0],
}

impl Handle for segl_client {
    type Target = TokenClient;
    const TYPE: &'static str = "segl_client";
}

/// What a client is made of. Zero-fill it, then set `struct_size` and the rest.
/// It is copied.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct segl_client_params {
    /// `sizeof(segl_client_params)`.
    pub struct_size: usize,
    /// The settings of one client, a JSON object with the words of segl.toml
    /// (docs/config.schema.json). UTF-8. NULL when `config_path` is set.
    pub config_json: *const c_char,
    /// The length of `config_json` in bytes.
    pub config_json_len: usize,
    /// The client's key, in the place of the settings `key` and `keys`. May be NULL. It is
    /// shared: the caller may free the handle at once.
    pub signer: *const segl_signer,
    /// The key of the client certificate that servers are shown in TLS, in the place of
    /// the setting `tls.key`; its certificate is `tls.certificate`, or the one beside
    /// it. May be NULL. It is shared, as `signer`.
    pub tls_signer: *const segl_signer,
    /// The key that tokens are bound to (DPoP), in the place of the setting `dpop.key`. May
    /// be NULL. It is shared: the caller may free the handle at once.
    pub dpop_signer: *const segl_signer,
    /// What sends the client's requests, in the place of segl's own HTTP. May be NULL. It
    /// is shared: the caller may free the handle at once. The setting `tls` has no
    /// meaning beside it, and is refused.
    pub transport: *const segl_transport,
    /// The path of a configuration file (segl.toml), in the place of `config_json`:
    /// exactly one of the two is set. UTF-8.
    pub config_path: *const c_char,
    /// The length of `config_path` in bytes.
    pub config_path_len: usize,
    /// The client in the file. NULL when `config_json` is set.
    pub client_name: *const c_char,
    /// The length of `client_name` in bytes.
    pub client_name_len: usize,
}

// SAFETY: `repr(C)`, begins with a `usize`, integers and pointers only.
unsafe impl CStruct for segl_client_params {
    const TYPE: &'static str = "segl_client_params";
}

/// Makes a client from settings in JSON or in a file, and opens its key. Of several (`keys`)
/// one is enough: those whose home is away for now are opened later, when it is
/// their turn to sign.
///
/// Ownership: the inputs are borrowed, and copied where they are kept. `out`
/// becomes the caller's; free it with `segl_client_free`.
/// NULL: `params` and `out` must not be NULL; `call` may be NULL.
/// Threads: any thread, any time. It blocks while the key is opened.
/// Failure: `SEGL_CONFIG`, whose field `SEGL_FIELD_CONFIG_PATH` names the
/// setting, or as `segl_signer_open`; `out` is NULL then.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_client_new(
    params: *const segl_client_params,
    call: *const segl_call,
    out: *mut *mut segl_client,
) -> *mut segl_error {
    guard(|| {
        // SAFETY: the caller keeps to the conventions.
        let (out, (mut builder, params), call) = unsafe {
            (
                Out::new("out", out)?,
                read_params(params)?,
                read_call(call)?,
            )
        };
        if let Some(signer) = handle::get_optional("params->signer", params.signer)? {
            builder = builder.signer(Arc::clone(&signer.0));
        }
        if let Some(signer) = handle::get_optional("params->tls_signer", params.tls_signer)? {
            builder = builder.tls_signer(Arc::clone(&signer.0));
        }
        let dpop_signer = handle::get_optional("params->dpop_signer", params.dpop_signer)?;
        if let Some(signer) = dpop_signer {
            builder = builder.dpop_signer(Arc::clone(&signer.0));
        }
        let transport = handle::get_optional("params->transport", params.transport)?;
        if let Some(transport) = transport {
            builder = builder.transport(Arc::clone(&transport.0));
        }
        out.set(handle::insert(builder.build(&call)?));
        Ok(())
    })
}

/// Makes the client that a configuration file (segl.toml) names, and opens its
/// key.
///
/// Ownership: the inputs are borrowed. `out` becomes the caller's; free it with
/// `segl_client_free`.
/// NULL: `path`, `name` and `out` must not be NULL; `call` may be NULL.
/// Threads: any thread, any time. It blocks while the key is opened.
/// Failure: `SEGL_IO` when the file cannot be read, otherwise as
/// `segl_client_new`; `out` is NULL then.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_client_open(
    path: *const c_char,
    path_len: usize,
    name: *const c_char,
    name_len: usize,
    call: *const segl_call,
    out: *mut *mut segl_client,
) -> *mut segl_error {
    guard(|| {
        // SAFETY: the caller keeps to the conventions.
        let (out, path, name, call) = unsafe {
            (
                Out::new("out", out)?,
                text("path", path, path_len)?,
                text("name", name, name_len)?,
                read_call(call)?,
            )
        };
        let config = Config::from_file(Path::new(path))?;
        out.set(handle::insert(TokenClient::from_config(
            &config, name, &call,
        )?));
        Ok(())
    })
}

/// Makes a signed assertion, a JWT, without network. Of several keys the first
/// that is ready signs; while it cannot, the next one does, under its own `kid`.
/// As long as another key is left, one may use no more than an even share of the
/// time left, and 10 seconds without a timeout.
///
/// `request_json` is a JSON object whose members go before the client's
/// settings: `scopes`, `resource`, `consumer_org` (`null`: none, whatever the
/// settings say), `pid`, `authorization_details`; all optional.
///
/// Ownership: the inputs are borrowed. `out_jwt` becomes the caller's; free it
/// with `segl_bytes_free`.
/// NULL: `client` and `out_jwt` must not be NULL; `request_json` may be NULL
/// with length 0, which asks for what the client is configured for; `call` may
/// be NULL.
/// Threads: any thread, any time, also with the same client. It blocks while
/// the key signs.
/// Failure: `SEGL_INVALID_ARGUMENT` for a request that the profile cannot make,
/// otherwise what the key's home reports; `out_jwt` is zero-filled then.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_client_assertion(
    client: *const segl_client,
    request_json: *const c_char,
    request_json_len: usize,
    call: *const segl_call,
    out_jwt: *mut segl_bytes,
) -> *mut segl_error {
    guard(|| {
        // SAFETY: the caller keeps to the conventions.
        let (out, request, call) = unsafe {
            (
                Out::new("out_jwt", out_jwt)?,
                read_request(request_json, request_json_len)?,
                read_call(call)?,
            )
        };
        let client = handle::get("client", client)?;
        let jwt = client.assertion(&request.unwrap_or_default(), &call)?;
        out.set(segl_bytes::copy_of(Zeroizing::new(jwt).as_str()));
        Ok(())
    })
}

/// Makes the JWT that registers the client's public key with DNB; of several
/// keys, the first one. `segl register dnb --key` makes those of the others.
///
/// Ownership: the inputs are borrowed. `out_jwt` becomes the caller's; free it
/// with `segl_bytes_free`.
/// NULL: `client` and `out_jwt` must not be NULL; `call` may be NULL.
/// Threads: any thread, any time, also with the same client. It blocks while
/// the key signs.
/// Failure: `SEGL_UNSUPPORTED` for other profiles, otherwise what the key's home
/// reports; `out_jwt` is zero-filled then.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_client_registration(
    client: *const segl_client,
    call: *const segl_call,
    out_jwt: *mut segl_bytes,
) -> *mut segl_error {
    guard(|| {
        // SAFETY: the caller keeps to the conventions.
        let (out, call) = unsafe { (Out::new("out_jwt", out_jwt)?, read_call(call)?) };
        let jwt = handle::get("client", client)?.registration(&call)?;
        out.set(segl_bytes::copy_of(Zeroizing::new(jwt).as_str()));
        Ok(())
    })
}

/// How the client is doing, as a JSON object.
///
/// The array `keys` has an object for each key, in the order of the settings, with
/// `name` ("key", "keys[1]", or "signer" for one that was given as a handle),
/// `opened`, `certificate_not_after` and `registered_until` (seconds since 1970, or
/// null), `warnings` (an array of texts about what ends soon or has ended),
/// `refusal` (what the service said when it last refused the key, or null), and the
/// members of `segl_signer_health`; `problem` says why a key is not open.
///
/// `tls` is such an object for the key of the client certificate of TLS ("tls.key", or
/// "tls_signer" for one that was given as a handle), or null.
///
/// `dpop` is such an object for the key that tokens are bound to ("dpop.key",
/// "dpop_signer" for one that was given as a handle, or the name of the client's own key
/// where there is no other), or null.
///
/// The object `tokens` counts: `cached`, `requests`, `failures`, `refreshes`,
/// `stale`, `rejected`, `shared`; its `clock_skew_ms` is how far the service's clock is ahead,
/// or null. Nothing is sent, and nothing is asked of a device.
///
/// Ownership: `client` is borrowed. `out_json` becomes the caller's; free it
/// with `segl_bytes_free`.
/// NULL: no argument may be NULL.
/// Threads: any thread, any time, also while others use the client. It does not
/// wait for a device.
/// Failure: only for a NULL argument or a handle that is not live; `out_json` is
/// zero-filled then.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_client_health(
    client: *const segl_client,
    out_json: *mut segl_bytes,
) -> *mut segl_error {
    guard(|| {
        // SAFETY: the caller keeps to the conventions.
        let out = unsafe { Out::new("out_json", out_json)? };
        let client = handle::get("client", client)?;
        let health = json!({
            "keys": client.health(),
            "tls": client.tls_health(),
            "dpop": client.dpop_health(),
            "tokens": client.token_health(),
        });
        let json = serde_json::to_vec(&health).map_err(unwritable)?;
        out.set(segl_bytes::copy_of(json));
        Ok(())
    })
}

/// Frees a client and its cache.
///
/// Ownership: ends the caller's ownership. Freeing twice is harmless.
/// NULL: `client` may be NULL; nothing happens then.
/// Threads: any thread, any time, also while other threads use it; they finish
/// first.
/// Failure: it cannot fail; a handle that is not live is ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn segl_client_free(client: *mut segl_client) {
    guard_or((), || handle::free(client));
}

/// # Safety
/// As [`read_struct`], and its texts as [`text`].
unsafe fn read_params(
    params: *const segl_client_params,
) -> Result<(TokenClientBuilder, segl_client_params)> {
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
                "params->client_name",
                given.client_name,
                given.client_name_len,
            )?,
        )
    };
    let builder = match Settings::given("client", json, path, name)? {
        Settings::Json(json) => TokenClient::builder(ClientSettings::from_json(json)?),
        Settings::InFile { path, name } => {
            TokenClient::builder_from_config(&Config::from_file(path)?, name)?
        }
    };
    Ok((builder, params))
}

/// # Safety
/// As [`optional_text`].
pub(super) unsafe fn read_request(json: *const c_char, len: usize) -> Result<Option<TokenRequest>> {
    // SAFETY: see the function's contract.
    unsafe { optional_text("request_json", json, len)? }
        .map(TokenRequest::from_json)
        .transpose()
}
