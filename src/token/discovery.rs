//! Where tokens are requested, as the server's metadata say.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;

use super::server_metadata::ServerMetadata;
use crate::call::Call;
use crate::clock::{Clock, UnixTime};
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorCode, Result};
use crate::http::{Method, Request, Transport};
use crate::log::{self, Level};
use crate::profiles::TokenEndpoint;

/// Metadata are read anew after so many seconds.
const KEPT_FOR: i64 = 24 * 3600;

/// After a try to read them anew, the next one is made after so many seconds.
const NEXT_TRY_AFTER: i64 = 60;

/// The time for reading them anew, in a call without a deadline.
const REFRESH_SHARE: Duration = Duration::from_secs(5);

/// Finds the token endpoint. It has no lock, so that one slow server holds nobody
/// up who has its metadata already, and a forked child meets none that is held.
#[derive(Debug)]
pub struct Discovery {
    source: TokenEndpoint,
    has_certificate: bool,
    known: ArcSwapOption<Known>,
    /// When metadata were last asked for to replace those that are known.
    tried_at: AtomicI64,
    /// The metadata were found in the second place.
    is_otherwise: AtomicBool,
}

#[derive(Debug)]
struct Known {
    metadata: ServerMetadata,
    read_at: UnixTime,
}

impl Discovery {
    /// Of the token endpoint that a client's settings name; see
    /// [`crate::profiles::token_endpoint`]. Nothing is sent.
    pub fn new(source: TokenEndpoint) -> Self {
        Self {
            source,
            has_certificate: false,
            known: ArcSwapOption::empty(),
            tried_at: AtomicI64::new(i64::MIN),
            is_otherwise: AtomicBool::new(false),
        }
    }

    /// The same for a client that has a client certificate, or has none. With one, the
    /// metadata's `mtls_endpoint_aliases` count (RFC 8705 section 5).
    #[must_use]
    pub fn with_client_certificate(mut self, has_certificate: bool) -> Self {
        self.has_certificate = has_certificate;
        self
    }

    /// The token endpoint. Metadata are read at the first use and, by `clock`,
    /// every 24 hours; while that fails, those known before count, and the next
    /// try is made after a minute. Of two places the second is asked when the server
    /// answers 404 at the first, and is asked first once it had them.
    ///
    /// # Errors
    /// `UNSUPPORTED` when the service gives programs no tokens; at the first use
    /// those of [`Transport::send`], `METADATA_INVALID`, `TOKEN_SERVER` and
    /// `TOKEN_RATE_LIMITED`.
    pub fn token_endpoint(
        &self,
        transport: &dyn Transport,
        clock: &dyn Clock,
        call: &Call,
    ) -> Result<Endpoint> {
        match &self.source {
            TokenEndpoint::Known(endpoint) => Ok(endpoint.clone()),
            TokenEndpoint::Nowhere(instead) => Err(Error::new(ErrorCode::Unsupported, *instead)),
            TokenEndpoint::InMetadata {
                metadata,
                otherwise,
                issuer,
            } => {
                let now = clock.now();
                let read_at = |place: &Endpoint, call: &Call| {
                    let request = Request::new(Method::Get, place.clone());
                    let answer = transport.send(&request, call)?;
                    ServerMetadata::from_response(&answer, issuer, now)
                        .map_err(|error| error.in_context(format_args!("GET {place}")))
                };
                let read = |call: &Call| match otherwise {
                    None => read_at(metadata, call),
                    Some(otherwise) => {
                        self.in_either(metadata, otherwise, |place| read_at(place, call))
                    }
                };
                self.in_metadata(read, now, call)
            }
        }
    }

    /// What the metadata said, if they were read.
    pub fn metadata(&self) -> Option<ServerMetadata> {
        let known = self.known.load();
        known.as_ref().map(|known| known.metadata.clone())
    }

    /// What `read` finds in the place that had it, or else in the other one.
    fn in_either(
        &self,
        usual: &Endpoint,
        otherwise: &Endpoint,
        read: impl Fn(&Endpoint) -> Result<ServerMetadata>,
    ) -> Result<ServerMetadata> {
        let was_otherwise = self.is_otherwise.load(Ordering::SeqCst);
        let (first, second) = match was_otherwise {
            true => (otherwise, usual),
            false => (usual, otherwise),
        };
        let absent = match read(first) {
            Err(error) if error.details().http_status == Some(404) => error,
            outcome => return outcome,
        };
        match read(second) {
            Ok(metadata) => {
                self.is_otherwise.store(!was_otherwise, Ordering::SeqCst);
                Ok(metadata)
            }
            // Both are named, where the server has neither.
            Err(error) if error.details().http_status == Some(404) => {
                Err(absent.in_context(format_args!("GET {second}: HTTP 404 too")))
            }
            Err(error) => Err(error),
        }
    }

    fn in_metadata(
        &self,
        read: impl Fn(&Call) -> Result<ServerMetadata>,
        now: UnixTime,
        call: &Call,
    ) -> Result<Endpoint> {
        let Some(known) = self.known.load_full() else {
            return Ok(self.keep(read(call)?, now));
        };
        if is_within(known.read_at.seconds(), KEPT_FOR, now) || !self.begin_try(now) {
            return Ok(self.choose(&known.metadata));
        }
        match read(&call.share(2, REFRESH_SHARE)) {
            Ok(metadata) => Ok(self.keep(metadata, now)),
            Err(error) => {
                log::emit(
                    Level::Warn,
                    "token",
                    format_args!("the token endpoint known before is used on: {error}"),
                );
                Ok(self.choose(&known.metadata))
            }
        }
    }

    fn choose(&self, metadata: &ServerMetadata) -> Endpoint {
        metadata.token_endpoint_for(self.has_certificate).clone()
    }

    fn keep(&self, metadata: ServerMetadata, now: UnixTime) -> Endpoint {
        let endpoint = self.choose(&metadata);
        let read_at = now;
        self.known
            .store(Some(Arc::new(Known { metadata, read_at })));
        endpoint
    }

    /// True for the one thread that is to try now.
    fn begin_try(&self, now: UnixTime) -> bool {
        let last = self.tried_at.load(Ordering::SeqCst);
        !is_within(last, NEXT_TRY_AFTER, now)
            && self
                .tried_at
                .compare_exchange(last, now.seconds(), Ordering::SeqCst, Ordering::SeqCst)
                .is_ok()
    }
}

/// True until `seconds` have passed since `start`. A clock that was set back does
/// not make that longer.
fn is_within(start: i64, seconds: i64, now: UnixTime) -> bool {
    (0..seconds).contains(&now.seconds().saturating_sub(start))
}
