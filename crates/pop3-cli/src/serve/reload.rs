//! Reads the files of users and of the certificate again while the server runs.

use std::{convert::Infallible, future::pending, io, net::SocketAddr};

use pop3_tokio::server::{MailStore, Server};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Serve, systemd, warn_of_scram};
use crate::exit::Failure;

impl Serve {
    /// Starts to wait for SIGHUP. Without files to read again, SIGHUP ends the
    /// server, as it does when a terminal is closed.
    pub(super) fn hangups(&self) -> io::Result<Option<Signal>> {
        let has_files = self.accounts.users.is_some() || self.tls.has_files();
        has_files.then(|| signal(SignalKind::hangup())).transpose()
    }

    /// Reads the files again at each signal.
    pub(super) async fn reload_at(
        &self,
        hangups: Option<Signal>,
        server: &Server<impl MailStore>,
        addresses: &[SocketAddr],
    ) -> Infallible {
        if let Some(mut hangups) = hangups {
            while hangups.recv().await.is_some() {
                systemd::reloading();
                self.reload(server, addresses);
                systemd::ready();
            }
        }
        pending().await
    }

    /// Each file that is faulty leaves what was read before in use.
    fn reload(&self, server: &Server<impl MailStore>, addresses: &[SocketAddr]) {
        if self.tls.has_files() {
            match self.tls.config(addresses.iter()) {
                Ok(config) => {
                    server.replace_tls(config);
                    tracing::info!("read the certificate again");
                }
                Err(failure) => report("the certificate", failure),
            }
        }
        if self.accounts.users.is_some() {
            match self.users(addresses) {
                Ok(accounts) => {
                    warn_of_scram(&accounts);
                    let users = accounts.users().count();
                    let changed = server.replace_accounts(accounts);
                    tracing::info!(users, changed, "read the file of users again");
                }
                Err(failure) => report("the file of users", failure),
            }
        }
    }
}

fn report(what: &str, failure: Failure) {
    if let Failure::Said { what: error, .. } = failure {
        tracing::error!(%error, "cannot read {what} again, so the old one stays in use");
    }
}
