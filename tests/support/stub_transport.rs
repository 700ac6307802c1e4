//! A transport that answers by a function and keeps what it was sent.

use std::fmt;
use std::sync::{Arc, Mutex};

use segl::http::{Request, Response, Transport};
use segl::{Call, Result};

type Answer = dyn Fn(&Request) -> Result<Response> + Send + Sync;

pub struct StubTransport {
    answer: Box<Answer>,
    seen: Mutex<Vec<Request>>,
}

impl StubTransport {
    pub fn new(answer: impl Fn(&Request) -> Result<Response> + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            answer: Box::new(answer),
            seen: Mutex::default(),
        })
    }

    /// The requests so far whose URL has `part`.
    pub fn seen(&self, part: &str) -> Vec<Request> {
        let seen = self.seen.lock().unwrap();
        let has_part = |request: &&Request| request.url.as_str().contains(part);
        seen.iter().filter(has_part).cloned().collect()
    }
}

impl Transport for StubTransport {
    fn send(&self, request: &Request, _call: &Call) -> Result<Response> {
        self.seen.lock().unwrap().push(request.clone());
        (self.answer)(request)
    }
}

impl fmt::Debug for StubTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StubTransport")
    }
}

/// The first value of a header.
pub fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let found = request
        .headers
        .iter()
        .find(|(own, _)| own.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}
