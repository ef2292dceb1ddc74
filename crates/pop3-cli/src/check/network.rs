//! The server over sockets: the checks block while a runtime does the I/O.

use std::{
    io,
    rc::Rc,
    thread::sleep,
    time::{Duration, Instant},
};

use pop3_conformance::check::{Connection, Network};
use pop3_tokio::client::{Channel, Endpoint, Error, Settings};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    runtime::Runtime,
    time::timeout,
};

/// One server, over TCP and TLS.
pub(super) struct Sockets<'a> {
    pub(super) runtime: Rc<Runtime>,
    pub(super) endpoint: &'a Endpoint,
    pub(super) settings: &'a Settings,
}

struct Socket {
    runtime: Rc<Runtime>,
    endpoint: Endpoint,
    settings: Settings,
    /// Absent when a handshake has failed.
    channel: Option<Channel>,
}

impl Network for Sockets<'_> {
    fn connect(&mut self, within: Duration) -> io::Result<Box<dyn Connection>> {
        let open = Channel::open(self.endpoint, self.settings);
        let channel = wait(&self.runtime, within, async {
            open.await.map_err(io::Error::other)
        })?;
        Ok(Box::new(Socket {
            runtime: Rc::clone(&self.runtime),
            endpoint: self.endpoint.clone(),
            settings: self.settings.clone(),
            channel: Some(channel),
        }))
    }

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn pause(&mut self, time: Duration) {
        sleep(time);
    }
}

impl Connection for Socket {
    fn send(&mut self, octets: &[u8], within: Duration) -> io::Result<()> {
        let channel = self.channel.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        wait(&self.runtime, within, async {
            channel.write_all(octets).await?;
            channel.flush().await
        })
    }

    fn receive(&mut self, into: &mut [u8], within: Duration) -> io::Result<usize> {
        let channel = self.channel.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        wait(&self.runtime, within, channel.read(into))
    }

    fn start_tls(&mut self, within: Duration) -> io::Result<()> {
        let channel = self.channel.take().ok_or(io::ErrorKind::NotConnected)?;
        let handshake = channel.start_tls(&self.endpoint, &self.settings);
        self.channel = Some(wait(&self.runtime, within, async {
            handshake.await.map_err(|error| match error {
                Error::Certificate { .. } | Error::Fingerprint { .. } => {
                    io::Error::new(io::ErrorKind::PermissionDenied, error)
                }
                error => io::Error::other(error),
            })
        })?);
        Ok(())
    }

    fn is_local(&self) -> bool {
        self.channel.as_ref().is_some_and(Channel::is_loopback)
    }
}

/// Waits at most `within`. The runtime itself has to drive the future: a handle to
/// it would not.
fn wait<T>(
    runtime: &Runtime,
    within: Duration,
    future: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    runtime.block_on(async {
        match timeout(within, future).await {
            Ok(done) => done,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    })
}

/// The client's error in a failure to connect.
pub(super) fn client_error(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}
