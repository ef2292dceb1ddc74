//! Logins: finds the user, checks the password, and opens the maildrop.

use std::sync::Arc;

use pop3_proto::server::{HiddenText, Login, Verdict};
use tokio::{select, task, time};
use tracing::{error, info, warn};

use super::{
    MailStore, OpenError, User,
    argon::Memory,
    connection::{Connection, Ended, now},
    counted::Counted,
    sasl::{SaslExchange, Step},
    shown::shown,
    users::Users,
};

impl<S: MailStore> Connection<'_, S> {
    /// Answers a login. Returns the reason if the connection must end.
    pub(super) async fn login(&mut self, login: Login) -> Option<Ended> {
        self.exchange = None;
        match login {
            Login::Password { name, password } => self.check(name, password).await,
            Login::Sasl {
                mechanism,
                initial_response,
            } => {
                let users = self.server.users.get();
                let Some(mut exchange) = SaslExchange::new(&mechanism, users) else {
                    return self.reject(None).await;
                };
                let initial_response = initial_response.as_ref().map(HiddenText::expose);
                let step = exchange.begin(initial_response);
                self.exchange = Some(exchange);
                self.take(step).await
            }
            // The mechanism is not offered.
            _ => self.reject(None).await,
        }
    }

    /// Answers a response to a challenge.
    pub(super) async fn respond(&mut self, base64: &str) -> Option<Ended> {
        match &mut self.exchange {
            Some(exchange) => {
                let step = exchange.respond(base64);
                self.take(step).await
            }
            None => self.reject(None).await,
        }
    }

    async fn take(&mut self, step: Step) -> Option<Ended> {
        match step {
            Step::Challenge(base64) => {
                if self.session.challenge(now(), &base64).is_err() {
                    // The client's part of the exchange is too long for a line.
                    return self.reject(None).await;
                }
                None
            }
            Step::Check { name, password } => self.check(name, password).await,
            Step::Proven(user) => {
                let users = self.exchange.as_ref().map(|exchange| exchange.users());
                match users.cloned() {
                    Some(users) => self.open(user, users).await,
                    None => self.reject(None).await,
                }
            }
            Step::Refused(name) => self.reject(name).await,
            Step::Failed => {
                self.server.counters.failed_logins.add(1);
                self.answer(Verdict::Temporary);
                None
            }
        }
    }

    async fn check(&mut self, name: String, password: HiddenText) -> Option<Ended> {
        let users = self.server.users.get();
        let time = self.server.settings.remember_logins;
        if let Some(user) = users.recall(&name, password.expose(), time) {
            self.server.counters.remembered_logins.add(1);
            return self.open(user, users).await;
        }
        let among = Arc::clone(&users);
        let check = move |memory: &mut Memory| {
            let user = among.check(memory, &name, password.expose(), time);
            user.ok_or(name)
        };
        match self.server.hashes.compute(check).await {
            Ok(Ok(user)) => self.open(user, users).await,
            Ok(Err(name)) => self.reject(Some(name)).await,
            Err(error) => {
                self.server.counters.failed_logins.add(1);
                error!(%error, "cannot check a password");
                self.answer(Verdict::Temporary);
                None
            }
        }
    }

    /// Opens the maildrop of a user who was found among `users`.
    async fn open(&mut self, user: User, users: Arc<Users>) -> Option<Ended> {
        let counters = &self.server.counters;
        if !self.server.users.are(&users) {
            // The password may have changed since it was checked.
            counters.failed_logins.add(1);
            info!(
                user = shown(user.name()),
                "the users changed during the login"
            );
            self.answer(Verdict::Temporary);
            return None;
        }
        let store = Arc::clone(&self.server.store);
        let name = shown(user.name());
        let name = name.as_str();
        let verdict = match task::spawn_blocking(move || store.open(&user)).await {
            Ok(Ok(maildrop)) => {
                counters.logins.add(1);
                info!(user = name, "login");
                Verdict::Accept(Counted {
                    maildrop,
                    counts: Arc::clone(&self.counts),
                })
            }
            Ok(Err(OpenError::InUse)) => {
                counters.maildrops_in_use.add(1);
                info!(user = name, "the maildrop is in use");
                Verdict::InUse
            }
            Ok(Err(OpenError::Io(error))) => {
                counters.failed_logins.add(1);
                error!(user = name, %error, "cannot open the maildrop");
                Verdict::Temporary
            }
            Err(error) => {
                counters.failed_logins.add(1);
                error!(user = name, %error, "cannot open the maildrop");
                Verdict::Temporary
            }
        };
        self.answer(verdict);
        None
    }

    /// Rejects a login, after a pause that grows.
    async fn reject(&mut self, name: Option<String>) -> Option<Ended> {
        let failed = self.session.failed_logins() + 1;
        let name = name.unwrap_or_default();
        self.server.counters.rejected_logins.add(1);
        warn!(user = shown(&name), failed, "login rejected");
        let pause = time::sleep(self.server.settings.delay(failed));
        select! {
            () = pause => {}
            _ = self.stopping.wait_for(|&stopping| stopping) => return Some(Ended::Stopping),
        }
        self.answer(Verdict::Reject);
        None
    }

    fn answer(&mut self, verdict: Verdict<Counted<S::Maildrop>>) {
        self.exchange = None;
        self.session.answer(now(), verdict);
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;
    use std::net::Ipv4Addr;

    use tokio::{
        io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines, duplex},
        time::timeout,
    };

    use crate::server::{Accounts, MemoryStore, Server, Settings};

    fn server(hashes: usize) -> Server<MemoryStore> {
        let settings = Settings {
            hashes,
            ..Settings::default()
        };
        let accounts = Accounts::single("mrose", "tanstaaf").unwrap();
        Server::new(MemoryStore::new().unwrap(), accounts).settings(settings)
    }

    /// One takes some 20 MiB.
    #[tokio::test(start_paused = true)]
    async fn hashes_no_more_passwords_at_once_than_is_allowed() {
        let server = server(5);
        assert_eq!(server.hashes.free(), 5);
        // As many logins as may be are at it.
        let others = server.hashes.take(5);
        let (near, far) = duplex(4096);
        let talk = async {
            let mut client = BufReader::new(near);
            let login = b"USER mrose\r\nPASS tanstaaf\r\n";
            client.write_all(login).await.unwrap();
            let mut lines = client.lines();
            let line = async |lines: &mut Lines<_>| lines.next_line().await.unwrap().unwrap();
            assert_eq!(line(&mut lines).await, "+OK POP3 ready");
            assert_eq!(line(&mut lines).await, "+OK");
            let minute = Duration::from_secs(60);
            assert!(timeout(minute, line(&mut lines)).await.is_err());
            drop(others);
            assert_eq!(line(&mut lines).await, "+OK maildrop locked and ready");
        };
        tokio::join!(server.attend(far, Ipv4Addr::LOCALHOST.into()), talk);
        assert_eq!(server.hashes.free(), 5);
    }

    #[test]
    fn lets_at_least_one_password_be_hashed() {
        assert_eq!(server(0).hashes.free(), 1);
    }
}
