//! One connection with TLS.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};

use rustls::{ClientConnection, HandshakeKind};
use ureq::unversioned::transport::{
    Buffers, LazyBuffers, NextTimeout, Transport, TransportAdapter,
};

use super::failure::{self, Situation};
use crate::error::Error;

/// A connection with TLS over another.
pub(in crate::http) struct TlsConnection {
    connection: ClientConnection,
    socket: TransportAdapter,
    buffers: LazyBuffers,
    pub(super) situation: Situation,
    has_answered: bool,
}

/// Why a connection ended.
pub(super) enum Problem {
    Tls(rustls::Error),
    Io(io::Error),
}

impl TlsConnection {
    pub(super) fn new(
        connection: ClientConnection,
        socket: TransportAdapter,
        buffers: LazyBuffers,
        situation: Situation,
    ) -> Self {
        Self {
            connection,
            socket,
            buffers,
            situation,
            has_answered: false,
        }
    }

    /// The whole handshake. In TLS 1.3 the server's word on the client's
    /// certificate comes later, at the first read.
    pub(super) fn shake_hands(&mut self) -> Result<(), Problem> {
        loop {
            self.send()?;
            if !self.connection.is_handshaking() {
                return Ok(());
            }
            if self.receive()? == 0 {
                return Err(Problem::Io(ErrorKind::UnexpectedEof.into()));
            }
        }
    }

    /// True when the session is an earlier connection's.
    pub(super) fn is_resumed(&self) -> bool {
        self.connection.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    /// The error of ureq for `problem`, with segl's inside.
    pub(super) fn failed(&self, problem: Problem) -> ureq::Error {
        match problem {
            Problem::Tls(error) => carried(failure::explain(error, &self.situation)),
            // Said in words of segl's: ureq takes such an end for the end of a body of
            // unknown length, and so does whoever cuts one short (RFC 8446 section 6.1).
            Problem::Io(error) if is_cut(&error) => {
                let explained = failure::cut(&self.situation, self.has_answered);
                carried(explained.with_source(error))
            }
            Problem::Io(error) => error.into(),
        }
    }

    /// Sends what waits to be sent.
    fn send(&mut self) -> Result<(), Problem> {
        while self.connection.wants_write() {
            match self.connection.write_tls(&mut self.socket) {
                Ok(_) => {}
                Err(error) if is_cut(&error) => return Err(self.last_word(error)),
                Err(error) => return Err(Problem::Io(error)),
            }
        }
        Ok(())
    }

    /// Why the server closed the connection, if it said so before; else `error`.
    fn last_word(&mut self, error: io::Error) -> Problem {
        loop {
            match self.receive() {
                Ok(1..) => {}
                Err(Problem::Tls(alert)) => return Problem::Tls(alert),
                Ok(0) | Err(Problem::Io(_)) => return Problem::Io(error),
            }
        }
    }

    /// Reads once from below; 0 at the end.
    fn receive(&mut self) -> Result<usize, Problem> {
        let count = self
            .connection
            .read_tls(&mut self.socket)
            .map_err(Problem::Io)?;
        if let Err(error) = self.connection.process_new_packets() {
            // The server is told why, if it still listens.
            let _ = self.connection.write_tls(&mut self.socket);
            return Err(Problem::Tls(error));
        }
        Ok(count)
    }

    /// True when nothing waits to be read, not even the end: what a server says
    /// unasked must not become the answer to the next request.
    fn is_silent(&mut self) -> bool {
        while !self.socket.get_mut().buffers().input().is_empty() {
            if self.receive().is_err() {
                return false;
            }
        }
        let waiting = self.connection.reader().read(&mut [0]);
        waiting.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }

    fn write(&mut self, amount: usize) -> Result<(), Problem> {
        let mut written = 0;
        while written < amount {
            let output = &self.buffers.output()[written..amount];
            written += self
                .connection
                .writer()
                .write(output)
                .map_err(Problem::Io)?;
            self.send()?;
        }
        Ok(())
    }

    fn read(&mut self) -> Result<usize, Problem> {
        loop {
            let input = self.buffers.input_append_buf();
            match self.connection.reader().read(input) {
                Ok(amount) => {
                    self.buffers.input_appended(amount);
                    return Ok(amount);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(Problem::Io(error)),
            }
            self.receive()?;
            self.send()?;
        }
    }
}

impl Transport for TlsConnection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.socket.set_timeout(timeout);
        self.write(amount).map_err(|problem| self.failed(problem))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.socket.set_timeout(timeout);
        let amount = self.read().map_err(|problem| self.failed(problem))?;
        self.has_answered |= amount > 0;
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.socket.get_mut().is_open() && self.is_silent()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

/// An error of segl on its way through ureq.
pub(super) fn carried(error: Error) -> ureq::Error {
    ureq::Error::Other(Box::new(error))
}

fn is_cut(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::BrokenPipe
            | ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionReset
            | ErrorKind::UnexpectedEof
    )
}

impl fmt::Debug for TlsConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConnection")
            .field("over", &self.socket.get_ref())
            .finish_non_exhaustive()
    }
}
