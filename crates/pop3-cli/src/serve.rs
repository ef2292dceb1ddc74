//! `pop3 serve`: serves a Maildir, or a sample, to POP3 clients.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use clap::Args;
use pop3_proto::Expiry;
use pop3_tokio::server::{Accounts, MailStore, MaildirStore, MemoryStore, Server, Settings};
use tokio::{
    runtime::Runtime,
    select,
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use self::systemd::Passed;
use crate::{
    exit::{Exit, Failure, say},
    sample,
};

mod accounts;
mod address;
mod hash;
mod limits;
mod listeners;
mod log;
mod metrics;
mod password;
mod reload;
mod systemd;
mod tls;

pub(crate) use tls::self_signed;

pub(crate) const NAME: &str = "serve";

/// How long to wait at the end for threads that still write to a disk.
const LAST_WAIT: Duration = Duration::from_secs(1);

const AFTER_HELP: &str = "\
Prints the addresses it listens on, one per line and those of --listen first, and serves until SIGTERM or SIGINT. Then \
sessions that are logged in may continue for the time of --grace; a second signal ends them at once. A session that is \
cut off deletes nothing.

SIGHUP makes the server read the files of --users, --tls-cert and --tls-key again. A changed password is in force at \
once; sessions in progress continue. If a file is faulty, the log says so, and what was read before stays in use.

Sockets that systemd passes (LISTEN_FDS) are used besides those of the options, and without the default address; \
connections to one with FileDescriptorName=pop3s begin with TLS. systemd is told when the server is ready, reloads and \
stops (Type=notify, or notify-reload).

A Maildir is locked (by pop3.lock in it) while a session is open. The server reads each message once to count its octets \
and keeps the counts in pop3.sizes; it does not use sizes in file names. Other programs may use the Maildir at the same \
time.

The FILE of --users has lines of the form user:hash or user:hash:maildir. The hash is an Argon2 hash ($argon2id$...) or \
the keys of SCRAM-SHA-256 (SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey). A user may have one line of each kind, for \
the same password. `pop3 serve --hash USER >> FILE` adds a line. A relative maildir starts at the directory of FILE. \
SCRAM-SHA-256 is offered only if every user has a line for it, because a client chooses the best method on offer before \
the server knows the user.

From other hosts, passwords are accepted only under TLS, unless --insecure-plaintext is given.

Exit status:
   0  stopped by a signal
  64  wrong usage
  65  the FILE of --users is malformed
  66  a file or the Maildir cannot be opened
  69  an address cannot be listened on
  73  the certificate or the FILE of --metrics-file cannot be written
  74  reading or writing failed";

/// Serve a Maildir, or a sample, to POP3 clients
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Serve {
    /// Serve this Maildir to every user whose line in --users names no other
    #[arg(long, value_name = "DIR", conflicts_with = "demo")]
    maildir: Option<PathBuf>,

    /// Serve a sample that contains every edge case of byte-stuffing, from memory,
    /// with TLS and a certificate made for this run, to user demo with password
    /// demo
    #[arg(long)]
    demo: bool,

    /// Listen on ADDRESS (default 127.0.0.1:1110 if --tls-listen is not given
    /// either): address and port, name and port, or a port of 127.0.0.1; port 0
    /// picks a free port
    #[arg(long, value_name = "ADDRESS", value_parser = address::address)]
    listen: Vec<SocketAddr>,

    /// Listen on ADDRESS for connections that begin with TLS (usually port 995)
    #[arg(long, value_name = "ADDRESS", value_parser = address::address)]
    tls_listen: Vec<SocketAddr>,

    #[command(flatten, next_help_heading = "Users")]
    accounts: accounts::AccountOptions,

    #[command(flatten, next_help_heading = "TLS")]
    tls: tls::TlsOptions,

    /// Accept passwords without TLS from other hosts too; anyone between the client
    /// and the server can then read them
    #[arg(long)]
    insecure_plaintext: bool,

    /// Announce that the server keeps mail for at least DAYS, or never deletes it.
    /// This only announces a policy that you enforce yourself; by default nothing
    /// is announced
    #[arg(long, value_name = "DAYS|never", value_parser = expiry)]
    expire: Option<Expiry>,

    #[command(flatten, next_help_heading = "Limits")]
    limits: limits::LimitOptions,

    #[command(flatten, next_help_heading = "Log, on stderr")]
    log: log::LogOptions,

    #[command(flatten, next_help_heading = "Metrics")]
    metrics: metrics::MetricsOptions,

    #[command(flatten, next_help_heading = "Instead of serving")]
    hash: hash::HashOptions,
}

impl Serve {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        if let Some(name) = &self.hash.hash {
            return self.hash.print(name);
        }
        if self.maildir.is_none() && !self.demo && self.accounts.users.is_none() {
            return Err(usage(
                "nothing to serve: give --maildir DIR, --users FILE or --demo",
            ));
        }
        let passed = systemd::sockets()?;
        if !self.has_tls() && passed.iter().any(|socket| socket.implicit_tls) {
            return Err(usage(format_args!(
                "a socket with FileDescriptorName={} needs a certificate: give --tls-cert and --tls-key, \
                 or --tls-self-signed",
                systemd::TLS_NAME
            )));
        }
        let own = self.listen.iter().chain(&self.tls_listen).copied();
        let addresses: Vec<_> = own
            .chain(passed.iter().map(|socket| socket.address))
            .collect();
        let accounts = self.users(&addresses)?;
        self.log.begin();
        warn_of_scram(&accounts);
        if self.demo {
            let store = MemoryStore::new().map_err(|error| {
                Failure::new(Exit::Io, format_args!("cannot make the sample: {error}"))
            })?;
            for (_, message) in sample::messages() {
                store.deliver(message);
            }
            return self.serve(store, accounts, passed, &addresses);
        }
        self.serve(self.maildirs(), accounts, passed, &addresses)
    }

    fn maildirs(&self) -> MaildirStore {
        MaildirStore::new(self.maildir.clone(), self.accounts.directory())
    }

    /// Reads the users, and checks that they can log in and have mail.
    fn users(&self, addresses: &[SocketAddr]) -> Result<Accounts, Failure> {
        let accounts = self.accounts.load(self.demo)?;
        self.check_addresses(&accounts, addresses)?;
        if self.demo {
            return Ok(accounts);
        }
        let store = self.maildirs();
        for user in accounts.users() {
            match store.path(user) {
                Some(path) => check_maildir(&path)?,
                None => {
                    return Err(usage(format_args!(
                        "user {} has no Maildir: name one in the third field of the line in --users, \
                         or give --maildir DIR",
                        user.name()
                    )));
                }
            }
        }
        Ok(accounts)
    }

    /// Refuses addresses where no user could log in, and where anyone could.
    fn check_addresses(
        &self,
        accounts: &Accounts,
        addresses: &[SocketAddr],
    ) -> Result<(), Failure> {
        if !self.tls_listen.is_empty() && !self.has_tls() {
            return Err(usage(
                "--tls-listen needs a certificate: give --tls-cert and --tls-key, or --tls-self-signed",
            ));
        }
        let Some(far) = addresses.iter().find(|address| !address.ip().is_loopback()) else {
            return Ok(());
        };
        if self.demo && self.accounts.is_none() {
            return Err(usage(format_args!(
                "{far} is open to other hosts, and the password of --demo is public: \
                 give --user NAME, or listen on 127.0.0.1"
            )));
        }
        if !self.has_tls() && !self.insecure_plaintext && !accounts.offers_scram() {
            return Err(usage(format_args!(
                "no user could log in at {far} without TLS: give --tls-cert and --tls-key, or \
                 --tls-self-signed, or a line for SCRAM-SHA-256 to every user (--hash USER --scram)"
            )));
        }
        Ok(())
    }

    fn has_tls(&self) -> bool {
        self.demo || self.tls.is_some()
    }

    fn serve(
        &self,
        store: impl MailStore,
        accounts: Accounts,
        passed: Vec<Passed>,
        addresses: &[SocketAddr],
    ) -> Result<(), Failure> {
        let mut settings = self
            .limits
            .settings(Settings::default(), self.insecure_plaintext);
        settings.expire = self.expire;
        settings.remember_logins = self.accounts.remember_logins();
        let mut server = Server::new(store, accounts).settings(settings);
        if self.has_tls() {
            server = server.tls(self.tls.config(addresses.iter())?);
        }
        limits::raise_open_files();
        let runtime = Runtime::new().map_err(Failure::of_runtime)?;
        let done = runtime.block_on(self.listen_and_serve(Arc::new(server), passed, addresses));
        runtime.shutdown_timeout(LAST_WAIT);
        done
    }

    async fn listen_and_serve(
        &self,
        server: Arc<Server<impl MailStore>>,
        passed: Vec<Passed>,
        addresses: &[SocketAddr],
    ) -> Result<(), Failure> {
        let failed = |error| {
            Failure::new(
                Exit::Io,
                format_args!("cannot handle SIGTERM, SIGINT and SIGHUP: {error}"),
            )
        };
        let signals = count_signals().map_err(failed)?;
        let hangups = self.hangups().map_err(failed)?;
        let after = |number| {
            let mut signals = signals.clone();
            async move {
                // The sender lives as long as the runtime, so this cannot fail.
                let _ = signals.wait_for(|&count| count >= number).await;
            }
        };
        let listeners = self.open_listeners(passed).await?;
        self.metrics.write(&server)?;
        listeners::print(&listeners)?;
        systemd::ready();
        if self.demo && self.accounts.is_none() {
            say(NAME, "log in as demo with password demo");
        }
        let stop = async {
            after(1).await;
            systemd::stopping();
        };
        select! {
            _ = Arc::clone(&server).serve(listeners, stop, after(2)) => {}
            never = self.reload_at(hangups, &server, addresses) => match never {},
            never = self.metrics.keep_writing(&server) => match never {},
        }
        self.metrics.write(&server)
    }
}

/// Warns if some users, but not all, have keys for SCRAM-SHA-256: then it is not
/// offered.
fn warn_of_scram(accounts: &Accounts) {
    let without = accounts.without_scram().count();
    if without > 0 && without < accounts.users().count() {
        tracing::warn!(
            users_without_scram = without,
            "SCRAM-SHA-256 is not offered, because not every user has a line for it"
        );
    }
}

/// Starts to count SIGTERM and SIGINT.
fn count_signals() -> io::Result<watch::Receiver<u32>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (counter, count) = watch::channel(0);
    tokio::spawn(async move {
        loop {
            select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            counter.send_modify(|count| *count += 1);
        }
    });
    Ok(count)
}

fn check_maildir(path: &Path) -> Result<(), Failure> {
    for directory in ["new", "cur"] {
        let directory = path.join(directory);
        if !directory.is_dir() {
            return Err(Failure::new(
                Exit::NoInput,
                format_args!(
                    "{} is not a Maildir: {} is not a directory; create it, or name another Maildir",
                    path.display(),
                    directory.display()
                ),
            ));
        }
    }
    Ok(())
}

fn expiry(text: &str) -> Result<Expiry, &'static str> {
    match text {
        "never" => Ok(Expiry::Never),
        _ => text
            .parse()
            .map(Expiry::Days)
            .map_err(|_| "write a number of days, or never"),
    }
}

fn usage(what: impl std::fmt::Display) -> Failure {
    Failure::new(Exit::Usage, what)
}
