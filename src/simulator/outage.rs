//! Token endpoints that fail the way real ones do.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::to_bytes;
use axum::extract::{Request, State as Extract};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use fastrand::Rng;
use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use tokio::sync::watch;

use super::broken_body::{cut, huge};
use super::reply;
use super::server::MAX_BODY;
use super::state::State;
use super::{dnb, helseid, maskinporten};

const TOKEN_PATHS: [&str; 3] = [
    maskinporten::TOKEN_PATH,
    dnb::TOKEN_PATH,
    helseid::TOKEN_PATH,
];

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
    /// The request is taken and not answered, until the client goes away. When
    /// the outage is ended or another one begins, the right answer comes.
    #[serde(rename = "hang")]
    Hang,
}

/// An outage: of all token endpoints, or of one path; of every request there,
/// or of a share of them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Outage {
    /// How it fails.
    pub kind: OutageKind,
    /// For how many requests that it hits. `None`: until it is ended.
    #[serde(default)]
    pub count: Option<u32>,
    /// Milliseconds that [`OutageKind::Slow`] waits. Default 1000.
    #[serde(default = "default_delay_ms")]
    pub delay_ms: u64,
    /// Seconds in `Retry-After` of [`OutageKind::TooManyRequests`]. Default 1.
    #[serde(default = "default_retry_after")]
    pub retry_after: u32,
    /// The path that fails, for example `/dnb/jwks`. `None`: all token
    /// endpoints.
    #[serde(default)]
    pub path: Option<String>,
    /// Which share of the requests it hits, 1 to 100. Default 100. The shares of
    /// several outages add up; one that comes after a share of 100 waits for the
    /// end of those before it.
    #[serde(default = "default_percent", deserialize_with = "percent")]
    pub percent: u8,
    /// Chooses which requests are hit: with the same seed the same ones, counted
    /// in the order in which they come in. Default 0.
    #[serde(default)]
    pub seed: u64,
}

impl Outage {
    /// An outage of all token endpoints until it is ended.
    pub fn new(kind: OutageKind) -> Self {
        Self {
            kind,
            count: None,
            delay_ms: default_delay_ms(),
            retry_after: default_retry_after(),
            path: None,
            percent: default_percent(),
            seed: 0,
        }
    }

    /// The same outage for the next `count` requests only.
    #[must_use]
    pub fn times(mut self, count: u32) -> Self {
        self.count = Some(count);
        self
    }

    /// The same outage for a share of the requests, 1 to 100 percent; more counts
    /// as 100.
    #[must_use]
    pub fn share(mut self, percent: u8, seed: u64) -> Self {
        self.percent = percent;
        self.seed = seed;
        self
    }

    fn concerns(&self, path: &str) -> bool {
        match &self.path {
            Some(chosen) => chosen == path,
            None => TOKEN_PATHS.contains(&path),
        }
    }
}

fn default_delay_ms() -> u64 {
    1000
}

fn default_retry_after() -> u32 {
    1
}

fn default_percent() -> u8 {
    100
}

fn percent<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    let percent = u8::deserialize(deserializer)?;
    if (1..=100).contains(&percent) {
        Ok(percent)
    } else {
        Err(D::Error::custom("percent is from 1 to 100"))
    }
}

/// One outage or a list of them, as JSON and TOML have it.
#[derive(Debug, Clone, Default)]
pub(super) struct OutageList(pub(super) Vec<Outage>);

impl<'de> Deserialize<'de> for OutageList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMore;

        impl<'de> Visitor<'de> for OneOrMore {
            type Value = Vec<Outage>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an outage or a list of outages")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                Outage::deserialize(MapAccessDeserializer::new(map)).map(|outage| vec![outage])
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list))
            }
        }

        deserializer.deserialize_any(OneOrMore).map(Self)
    }
}

/// The present outages, in order.
pub(super) struct Outages {
    present: Mutex<Vec<Present>>,
    /// Changes when other outages begin, which lets the hanging requests go on.
    changed: watch::Sender<()>,
}

struct Present {
    outage: Outage,
    random: Rng,
}

impl Default for Outages {
    fn default() -> Self {
        Self {
            present: Mutex::default(),
            changed: watch::Sender::new(()),
        }
    }
}

impl Outages {
    /// Begins outages in place of the present ones.
    pub(super) fn set(&self, outages: Vec<Outage>) {
        // The place counts too, so that two outages with one seed do not draw alike.
        let present = outages.into_iter().zip(0..).map(|(outage, place)| Present {
            random: Rng::with_seed(outage.seed.wrapping_add(place)),
            outage,
        });
        *self.present.lock().unwrap_or_else(PoisonError::into_inner) = present.collect();
        self.changed.send_replace(());
    }

    /// The outage that meets a request for `path`, counted down, and what changes
    /// when it is over.
    fn meet(&self, path: &str) -> Option<(Outage, watch::Receiver<()>)> {
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        present.retain(|one| one.outage.count != Some(0));
        // Of 100 requests so many are left to the outages not asked yet.
        let mut left = 100;
        for Present { outage, random } in present.iter_mut() {
            if !outage.concerns(path) {
                continue;
            }
            if left == 0 {
                break;
            }
            let share = outage.percent.min(left);
            if random.u8(0..left) < share {
                if let Some(count) = &mut outage.count {
                    *count -= 1;
                }
                return Some((outage.clone(), self.changed.subscribe()));
            }
            left -= share;
        }
        None
    }
}

/// Answers in place of the endpoint while there is an outage.
pub(super) async fn apply(
    Extract(state): Extract<Arc<State>>,
    request: Request,
    next: Next,
) -> Response {
    let Some((outage, mut changed)) = state.outages.meet(request.uri().path()) else {
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
        OutageKind::Hang => {
            // An error means that the simulator is gone, which drops this too.
            let _ = changed.changed().await;
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
