//! How a request came in.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::http::request::Parts;
use axum::serve::IncomingStream;

use super::listener::TlsListener;
use crate::keys::Certificate;

/// A request's connection.
#[derive(Debug, Clone, Default)]
pub(in super::super) enum Connection {
    /// Plain HTTP.
    #[default]
    Plain,
    /// HTTPS, with what the client showed and proved to have the key of: its own
    /// certificate first. Empty when it showed none.
    Tls(Arc<[Certificate]>),
}

impl Connection {
    pub(in super::super) fn is_tls(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    /// The client's certificates, its own first.
    pub(in super::super) fn certificates(&self) -> &[Certificate] {
        match self {
            Self::Plain => &[],
            Self::Tls(chain) => chain,
        }
    }

    /// `x5t#S256` of the client's certificate (RFC 8705 section 3.1).
    pub(in super::super) fn thumbprint(&self) -> Option<String> {
        self.certificates().first().map(Certificate::to_x5t_s256)
    }
}

impl Connected<IncomingStream<'_, TlsListener>> for Connection {
    fn connect_info(stream: IncomingStream<'_, TlsListener>) -> Self {
        let (_, session) = stream.io().get_ref();
        let chain = session.peer_certificates().unwrap_or_default();
        // The verifier has read them already.
        Self::Tls(
            chain
                .iter()
                .filter_map(|der| Certificate::from_der(der).ok())
                .collect(),
        )
    }
}

/// Without HTTPS there is nothing to say about a connection.
impl<S: Sync> FromRequestParts<S> for Connection {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let known = parts.extensions.get::<ConnectInfo<Self>>();
        Ok(known
            .map(|ConnectInfo(connection)| connection.clone())
            .unwrap_or_default())
    }
}
