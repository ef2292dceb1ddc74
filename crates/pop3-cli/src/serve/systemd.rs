//! What systemd passes to a service, and what the service tells it.

use std::{
    env,
    net::{SocketAddr, TcpListener},
};

use listenfd::ListenFd;
use sd_notify::NotifyState;

use crate::exit::{Exit, Failure};

/// The name (FileDescriptorName=) of a socket whose connections begin with TLS.
pub(super) const TLS_NAME: &str = "pop3s";

/// A listening socket that systemd has passed (sd_listen_fds(3)).
pub(super) struct Passed {
    pub(super) tcp: TcpListener,
    pub(super) address: SocketAddr,
    pub(super) implicit_tls: bool,
}

/// Takes the sockets that were passed, if there are any.
pub(super) fn sockets() -> Result<Vec<Passed>, Failure> {
    let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut names = names.split(':');
    let mut sockets = ListenFd::from_env();
    let mut passed = Vec::new();
    for index in 0..sockets.len() {
        let implicit_tls = names.next() == Some(TLS_NAME);
        let taken = sockets.take_tcp_listener(index).and_then(|tcp| {
            tcp.map(|tcp| {
                let address = tcp.local_addr()?;
                Ok(Passed {
                    tcp,
                    address,
                    implicit_tls,
                })
            })
            .transpose()
        });
        let taken = taken.map_err(|error| {
            Failure::new(
                Exit::Unavailable,
                format_args!(
                    "cannot use socket {index} of LISTEN_FDS: {error}; give it ListenStream=ADDRESS:PORT"
                ),
            )
        })?;
        passed.extend(taken);
    }
    Ok(passed)
}

/// Tells systemd that the service is ready, or has read its files again.
pub(super) fn ready() {
    notify(&[NotifyState::Ready]);
}

/// Tells systemd that the files are read again; `ready` must follow.
pub(super) fn reloading() {
    if let Ok(now) = NotifyState::monotonic_usec_now() {
        notify(&[NotifyState::Reloading, now]);
    }
}

/// Tells systemd that the service accepts no more connections.
pub(super) fn stopping() {
    notify(&[NotifyState::Stopping]);
}

/// Does nothing without systemd, that is without NOTIFY_SOCKET.
fn notify(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "cannot tell systemd about the state of the server");
    }
}
