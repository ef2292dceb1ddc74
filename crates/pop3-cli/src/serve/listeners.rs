//! The sockets that the server listens on.

use std::{
    io::{self, Write as _},
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use pop3_tokio::server::Listener;

use super::{Serve, systemd::Passed};
use crate::exit::{Exit, Failure};

/// The default address. Port 110 would need privileges.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1110);

impl Serve {
    /// Listens where the options say and on the sockets that were passed, or else at
    /// the default address.
    pub(super) async fn open_listeners(
        &self,
        passed: Vec<Passed>,
    ) -> Result<Vec<Listener>, Failure> {
        let default = self.listen.is_empty() && self.tls_listen.is_empty() && passed.is_empty();
        let mut listeners = Vec::new();
        for &address in self.listen.iter().chain(default.then_some(&LISTEN)) {
            listeners.push(bound(address, Listener::bind(address).await)?);
        }
        for &address in &self.tls_listen {
            listeners.push(bound(address, Listener::bind_tls(address).await)?);
        }
        for socket in passed {
            let listener = match socket.implicit_tls {
                true => Listener::from_std_tls(socket.tcp),
                false => Listener::from_std(socket.tcp),
            };
            listeners.push(bound(socket.address, listener)?);
        }
        Ok(listeners)
    }
}

fn bound(address: SocketAddr, listener: io::Result<Listener>) -> Result<Listener, Failure> {
    listener.map_err(|error| {
        Failure::new(
            Exit::Unavailable,
            format_args!("cannot listen on {address}: {error}; port 0 picks a free port"),
        )
    })
}

/// Prints the addresses, one per line.
pub(super) fn print(listeners: &[Listener]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let mut print = || {
        for listener in listeners {
            writeln!(stdout, "{}", listener.address())?;
        }
        stdout.flush()
    };
    print().map_err(|error| {
        Failure::new(
            Exit::Io,
            format_args!("cannot write to standard output: {error}"),
        )
    })
}
