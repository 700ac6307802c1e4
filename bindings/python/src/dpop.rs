//! What an API says about DPoP.

use pyo3::prelude::*;
use segl::http::Response;

/// True for an answer of 401 that asks for the request once more, with a nonce in its proof.
#[pyfunction]
pub(crate) fn asks_for_dpop_nonce(status: u16, headers: Vec<(String, String)>) -> bool {
    let headers = headers.into_iter();
    let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value));
    segl::apis::asks_for_dpop_nonce(&Response::new(status, headers.collect(), Vec::new()))
}
