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
use super::state::{self, Requests, State};
use super::tls::{Connection, Identity, TlsListener};
use super::urls::Urls;
use super::{
    admin, altinn, api, bank, dnb, helseid, in_progress, kfr, krr, lanekassen, maskinporten, nav,
    self_service, skatteetaten,
};
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
        config.check()?;
        if !listen.ip().is_loopback() {
            return Err(Error::new(
                ErrorCode::Config,
                format!(
                    "the simulator trusts everybody and only listens on loopback, not on {listen}; \
                     use 127.0.0.1 or [::1]"
                ),
            ));
        }
        let cannot_listen = |source| cannot_listen(listen, source);
        let (plain, plain_address) = bind(listen)?;
        let tls = match &config.tls {
            Some(tls) => Some(bind(SocketAddr::new(listen.ip(), tls.port))?),
            None => None,
        };
        let urls = Urls::new(plain_address, tls.as_ref().map(|(_, address)| *address));
        let state = Arc::new(State::new(config, urls, clock)?);
        let listeners = Listeners {
            plain,
            tls: tls.map(|(listener, _)| listener),
        };

        let (stop, stopped) = oneshot::channel();
        let (report, started) = mpsc::channel();
        let served = Arc::clone(&state);
        let thread = std::thread::Builder::new()
            .name("segl-simulator".to_owned())
            .spawn(move || serve(listeners, &served, &report, stopped))
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

struct Listeners {
    plain: std::net::TcpListener,
    tls: Option<std::net::TcpListener>,
}

fn bind(listen: SocketAddr) -> Result<(std::net::TcpListener, SocketAddr)> {
    let bound = || {
        let listener = std::net::TcpListener::bind(listen)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    bound().map_err(|source| cannot_listen(listen, source))
}

fn cannot_listen(listen: SocketAddr, source: io::Error) -> Error {
    Error::new(
        ErrorCode::Io,
        format!(
            "the simulator cannot listen on {listen}: {source}; \
             choose another port, or 0 for a free one"
        ),
    )
    .with_source(source)
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

    /// The certificate that clients have to trust to speak HTTPS with it, PEM. `None`
    /// when it speaks plain HTTP only.
    pub fn ca_pem(&self) -> Option<&str> {
        self.state.identity.as_ref().map(Identity::ca_pem)
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

    /// Makes the APIs refuse the access tokens that were issued so far; gives their
    /// number. Expired ones are not counted.
    pub fn reject_tokens(&self) -> usize {
        self.state.reject_tokens()
    }

    /// Stops, and returns once its ports are free. Open connections are closed.
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
        .merge(altinn::routes())
        .merge(maskinporten::routes())
        .merge(dnb::routes())
        .merge(helseid::routes())
        .merge(kfr::routes())
        .merge(api::routes())
        .merge(krr::routes())
        .merge(lanekassen::routes())
        .merge(nav::routes())
        .merge(skatteetaten::routes())
        .merge(bank::routes())
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
    listeners: Listeners,
    state: &Arc<State>,
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
            spawn(listeners, state)?;
            drop(context);
            Ok(runtime)
        });
    let runtime = match prepared {
        Ok(runtime) => runtime,
        Err(error) => {
            // The receiver waits in `start_with_clock`.
            let _ = report.send(Err(error));
            return;
        }
    };
    let _ = report.send(Ok(()));
    // A handle that was leaked never sends; a dropped one ends the wait too.
    let _ = runtime.block_on(stopped);
}

/// Serves each listener on the runtime that the caller is in.
fn spawn(listeners: Listeners, state: &Arc<State>) -> io::Result<()> {
    let router = router(Arc::clone(state));
    if let (Some(listener), Some(identity)) = (listeners.tls, &state.identity) {
        let listener = TcpListener::from_std(listener)?;
        let listener = TlsListener::new(listener, identity.server_config(), Arc::clone(state))?;
        let service = router
            .clone()
            .into_make_service_with_connect_info::<Connection>();
        tokio::spawn(async move { axum::serve(listener, service).await });
    }
    let plain = TcpListener::from_std(listeners.plain)?.tap_io(|connection| {
        // A refusal only costs speed.
        let _ = connection.set_nodelay(true);
    });
    tokio::spawn(async move { axum::serve(plain, router).await });
    Ok(())
}
