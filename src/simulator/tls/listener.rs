//! Connections whose handshake is done.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use rustls::{HandshakeKind, ServerConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::super::state::State;
use crate::log::{self, Level};

/// A client that stays silent this long is given up.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(30);

/// Handshakes that are done and not yet taken.
const WAITING: usize = 64;

/// After an accept that failed, for example for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

type Ready = (TlsStream<TcpStream>, SocketAddr);

/// Makes handshakes beside each other, so that a slow client holds up no other.
pub(in super::super) struct TlsListener {
    address: SocketAddr,
    ready: mpsc::Receiver<Ready>,
    accepting: AbortHandle,
}

impl TlsListener {
    /// Begins to accept. Must be called within a runtime.
    pub(in super::super) fn new(
        listener: TcpListener,
        config: Arc<ServerConfig>,
        state: Arc<State>,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (done, ready) = mpsc::channel(WAITING);
        let accepting = tokio::spawn(accept(listener, TlsAcceptor::from(config), state, done));
        Ok(Self {
            address,
            ready,
            accepting: accepting.abort_handle(),
        })
    }
}

impl Drop for TlsListener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> Ready {
        match self.ready.recv().await {
            Some(ready) => ready,
            // The simulator is being stopped.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    state: Arc<State>,
    done: mpsc::Sender<Ready>,
) {
    loop {
        let Ok((stream, address)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        // A refusal only costs speed.
        let _ = stream.set_nodelay(true);
        let (acceptor, state, done) = (acceptor.clone(), Arc::clone(&state), done.clone());
        tokio::spawn(async move {
            let handshake = tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream));
            match handshake.await.unwrap_or_else(|late| Err(late.into())) {
                Ok(stream) => {
                    count(&state, &stream);
                    // The receiver is gone when the simulator is stopped.
                    let _ = done.send((stream, address)).await;
                }
                Err(error) => {
                    state.count(|requests| requests.tls_refused += 1);
                    log::emit(
                        Level::Info,
                        "simulator",
                        format_args!("TLS handshake: {error}"),
                    );
                }
            }
        });
    }
}

fn count(state: &State, stream: &TlsStream<TcpStream>) {
    let (_, session) = stream.get_ref();
    let is_resumed = session.handshake_kind() == Some(HandshakeKind::Resumed);
    let has_certificate = session.peer_certificates().is_some();
    state.count(|requests| {
        requests.tls_connections += 1;
        requests.tls_resumed += u64::from(is_resumed);
        requests.tls_with_certificate += u64::from(has_certificate);
    });
}
