//! Answers whose bodies no server should send.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use http_body::Frame;

/// 200 that announces more than it sends, and then ends the connection.
pub(super) fn cut() -> Response {
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

/// 200 with a JSON string of more than 10 MiB, without `Content-Length`.
pub(super) fn huge() -> Response {
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
