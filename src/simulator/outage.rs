//! Token endpoints that fail the way real ones do.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::{Request, State as Extract};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body::Frame;
use serde::Deserialize;

use super::reply;
use super::server::MAX_BODY;
use super::state::State;
use super::{dnb, maskinporten};

/// How an endpoint fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub enum OutageKind {
    /// 503 with a line of plain text.
    #[serde(rename = "503")]
    ServiceUnavailable,
    /// 429 with `Retry-After` in seconds.
    #[serde(rename = "429")]
    TooManyRequests,
    /// The right answer, late.
    #[serde(rename = "slow")]
    Slow,
    /// 200, then the connection is closed in the middle of the body.
    #[serde(rename = "cut")]
    Cut,
    /// 200 with an HTML page, as a proxy or a login wall answers.
    #[serde(rename = "html")]
    Html,
    /// 200 with a JSON string of more than 10 MiB, without `Content-Length`.
    #[serde(rename = "huge")]
    Huge,
    /// 200 with JSON that is no token response.
    #[serde(rename = "wrong_content")]
    WrongContent,
}

/// An outage: of both token endpoints, or of one path.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Outage {
    /// How it fails.
    pub kind: OutageKind,
    /// For how many requests. `None`: until it is ended.
    #[serde(default)]
    pub count: Option<u32>,
    /// Milliseconds that [`OutageKind::Slow`] waits. Default 1000.
    #[serde(default = "default_delay_ms")]
    pub delay_ms: u64,
    /// Seconds in `Retry-After` of [`OutageKind::TooManyRequests`]. Default 1.
    #[serde(default = "default_retry_after")]
    pub retry_after: u32,
    /// The path that fails, for example `/dnb/jwks`. `None`: both token
    /// endpoints.
    #[serde(default)]
    pub path: Option<String>,
}

impl Outage {
    /// An outage of both token endpoints until it is ended.
    pub fn new(kind: OutageKind) -> Self {
        Self {
            kind,
            count: None,
            delay_ms: default_delay_ms(),
            retry_after: default_retry_after(),
            path: None,
        }
    }

    /// The same outage for the next `count` requests only.
    #[must_use]
    pub fn times(mut self, count: u32) -> Self {
        self.count = Some(count);
        self
    }

    fn concerns(&self, path: &str) -> bool {
        match &self.path {
            Some(chosen) => chosen == path,
            None => path == maskinporten::TOKEN_PATH || path == dnb::TOKEN_PATH,
        }
    }
}

fn default_delay_ms() -> u64 {
    1000
}

fn default_retry_after() -> u32 {
    1
}

/// The present outage, if there is one.
#[derive(Default)]
pub(super) struct Outages(Mutex<Option<Outage>>);

impl Outages {
    /// Begins an outage in place of the present one, or ends it.
    pub(super) fn set(&self, outage: Option<Outage>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = outage;
    }

    /// The outage that meets a request for `path`, counted down.
    fn meet(&self, path: &str) -> Option<Outage> {
        let mut present = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let outage = present.as_mut().filter(|outage| outage.concerns(path))?;
        match &mut outage.count {
            Some(0) => {
                *present = None;
                return None;
            }
            Some(left) => *left -= 1,
            None => {}
        }
        Some(outage.clone())
    }
}

/// Answers in place of the endpoint while there is an outage.
pub(super) async fn apply(
    Extract(state): Extract<Arc<State>>,
    request: Request,
    next: Next,
) -> Response {
    let Some(outage) = state.outages.meet(request.uri().path()) else {
        return next.run(request).await;
    };
    // A connection that is closed over an unread request is reset, and the
    // client may lose the answer.
    let (head, body) = request.into_parts();
    let body = to_bytes(body, MAX_BODY).await.unwrap_or_default();
    match outage.kind {
        OutageKind::ServiceUnavailable => {
            (StatusCode::SERVICE_UNAVAILABLE, "temporarily unavailable\n").into_response()
        }
        OutageKind::TooManyRequests => {
            let retry_after = [(header::RETRY_AFTER, outage.retry_after.to_string())];
            (
                StatusCode::TOO_MANY_REQUESTS,
                retry_after,
                "too many requests\n",
            )
                .into_response()
        }
        OutageKind::Slow => {
            tokio::time::sleep(Duration::from_millis(outage.delay_ms)).await;
            next.run(Request::from_parts(head, body.into())).await
        }
        OutageKind::Cut => cut(),
        OutageKind::Html => {
            let html = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
            (
                html,
                "<!DOCTYPE html><title>Maintenance</title><p>We will be back.\n",
            )
                .into_response()
        }
        OutageKind::Huge => huge(),
        OutageKind::WrongContent => {
            reply::json(StatusCode::OK, &serde_json::json!(["no token here"]))
        }
    }
}

fn cut() -> Response {
    let mut response = json_body(Chunks {
        first: Some(Bytes::from_static(b"{\"access_token\":\"eyJ")),
        repeat: 0,
        end: End::NextTurn,
    });
    let announced = HeaderValue::from_static("1000");
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, announced);
    response
}

fn huge() -> Response {
    json_body(Chunks {
        first: Some(Bytes::from_static(b"{\"access_token\":\"")),
        repeat: 11 * 16,
        end: End::Closed,
    })
}

fn json_body(chunks: Chunks) -> Response {
    let mut response = Response::new(Body::new(chunks));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// A body in pieces: one piece, then `repeat` times 64 KiB, then its end.
struct Chunks {
    first: Option<Bytes>,
    repeat: usize,
    end: End,
}

enum End {
    /// The JSON is closed and the body ends as it should.
    Closed,
    /// The connection breaks, after a turn in which what was sent goes out.
    NextTurn,
    /// The connection breaks now.
    Broken,
    /// Nothing is left.
    Over,
}

const FILLER: &[u8] = &[b'A'; 64 * 1024];

impl HttpBody for Chunks {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        if self.repeat > 0 {
            self.repeat -= 1;
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(FILLER)))));
        }
        match self.end {
            End::Closed => {
                self.end = End::Over;
                Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"\"}")))))
            }
            End::NextTurn => {
                self.end = End::Broken;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            End::Broken => {
                self.end = End::Over;
                Poll::Ready(Some(Err("the connection is cut on purpose".into())))
            }
            End::Over => Poll::Ready(None),
        }
    }
}
