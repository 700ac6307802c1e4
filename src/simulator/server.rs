//! Start and stop: a runtime of its own on a thread of its own.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use axum::extract::DefaultBodyLimit;
use axum::serve::ListenerExt;
use axum::{Router, middleware};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::config::SimulatorConfig;
use super::outage::{self, Outage};
use super::state::{self, Requests, State, Urls};
use super::{admin, api, dnb, in_progress, maskinporten, self_service};
use crate::clock::{Clock, SystemClock};
use crate::error::{Error, ErrorCode, Result};

/// Most bytes of a request's body.
pub(super) const MAX_BODY: usize = 256 * 1024;

/// Starts simulators.
#[derive(Debug)]
pub struct Simulator;

impl Simulator {
    /// Starts a simulator on `listen`; port 0 takes a free port. It runs on
    /// threads of its own, so it can be used with or without an async runtime.
    ///
    /// # Errors
    /// `CONFIG` for an address that is not loopback or a configuration that
    /// contradicts itself, `IO` when the address cannot be listened on.
    pub fn start(config: SimulatorConfig, listen: SocketAddr) -> Result<RunningSimulator> {
        Self::start_with_clock(config, listen, Arc::new(SystemClock))
    }

    /// As [`Simulator::start`], with a clock that the caller moves.
    ///
    /// # Errors
    /// As [`Simulator::start`].
    pub fn start_with_clock(
        config: SimulatorConfig,
        listen: SocketAddr,
        clock: Arc<dyn Clock>,
    ) -> Result<RunningSimulator> {
        if !listen.ip().is_loopback() {
            return Err(Error::new(
                ErrorCode::Config,
                format!(
                    "the simulator trusts everybody and only listens on loopback, not on {listen}; \
                     use 127.0.0.1 or [::1]"
                ),
            ));
        }
        let cannot_listen = |source: io::Error| {
            Error::new(
                ErrorCode::Io,
                format!(
                    "the simulator cannot listen on {listen}: {source}; \
                     choose another port, or 0 for a free one"
                ),
            )
            .with_source(source)
        };
        let listener = std::net::TcpListener::bind(listen).map_err(cannot_listen)?;
        listener.set_nonblocking(true).map_err(cannot_listen)?;
        let urls = Urls::new(listener.local_addr().map_err(cannot_listen)?);
        let state = Arc::new(State::new(config, urls, clock)?);

        let router = router(Arc::clone(&state));
        let (stop, stopped) = oneshot::channel();
        let (report, started) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("segl-simulator".to_owned())
            .spawn(move || serve(listener, router, &report, stopped))
            .map_err(cannot_listen)?;
        match started.recv() {
            Ok(Ok(())) => Ok(RunningSimulator {
                state,
                running: Some((stop, thread)),
            }),
            Ok(Err(error)) => Err(cannot_listen(error)),
            Err(_) => Err(cannot_listen(io::Error::other("its thread ended at once"))),
        }
    }
}

/// A simulator that runs until it is shut down or dropped.
pub struct RunningSimulator {
    state: Arc<State>,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl RunningSimulator {
    /// Where it answers.
    pub fn urls(&self) -> &Urls {
        &self.state.urls
    }

    /// What was asked of it so far.
    pub fn requests(&self) -> Requests {
        self.state.requests()
    }

    /// Begins an outage in place of the present ones, or ends them with `None`.
    pub fn set_outage(&self, outage: Option<Outage>) {
        self.set_outages(outage.into_iter().collect());
    }

    /// Begins several outages in place of the present ones. A request meets the
    /// first that hits it.
    pub fn set_outages(&self, outages: Vec<Outage>) {
        self.state.outages.set(outages);
    }

    /// Makes the API under `/api/` refuse the access tokens that Maskinporten has
    /// issued so far; gives their number. Expired ones are not counted.
    pub fn reject_tokens(&self) -> usize {
        self.state.maskinporten.issued.reject_all(self.state.now())
    }

    /// Stops, and returns once the port is free. Open connections are closed.
    pub fn shutdown(mut self) {
        self.stop();
    }

    fn stop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            // Either can only fail when the thread is gone, which is the aim.
            let _ = stop.send(());
            let _ = thread.join();
        }
    }
}

impl Drop for RunningSimulator {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for RunningSimulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunningSimulator")
            .field("base", &self.state.urls.base)
            .finish_non_exhaustive()
    }
}

fn router(state: Arc<State>) -> Router {
    Router::new()
        .merge(maskinporten::routes())
        .merge(dnb::routes())
        .merge(api::routes())
        .merge(self_service::routes())
        .merge(admin::routes())
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&state),
            outage::apply,
        ))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&state),
            in_progress::observe,
        ))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&state),
            state::observe,
        ))
        .with_state(state)
}

fn serve(
    listener: std::net::TcpListener,
    router: Router,
    report: &mpsc::Sender<io::Result<()>>,
    stopped: oneshot::Receiver<()>,
) {
    let prepared = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("segl-simulator")
        .enable_all()
        .build()
        .and_then(|runtime| {
            let context = runtime.enter();
            let listener = TcpListener::from_std(listener)?;
            drop(context);
            Ok((runtime, listener))
        });
    let (runtime, listener) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            // The receiver waits in `start_with_clock`.
            let _ = report.send(Err(error));
            return;
        }
    };
    let listener = listener.tap_io(|connection| {
        // A refusal only costs speed.
        let _ = connection.set_nodelay(true);
    });
    runtime.spawn(async move { axum::serve(listener, router).await });
    let _ = report.send(Ok(()));
    // A handle that was leaked never sends; a dropped one ends the wait too.
    let _ = runtime.block_on(stopped);
}
