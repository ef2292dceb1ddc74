//! `pop3 check`: checks whether Outlook can use a server.

use std::{
    rc::Rc,
    time::{Duration, SystemTime},
};

use clap::{Args, ValueEnum};
use indicatif::ProgressBar;
use pop3_conformance::{
    check::{self, Account, Options, Protection, Unable},
    report::{Outcome, Report},
};
use pop3_tokio::client::{Credentials, Redactor, Scheme};

use crate::{
    accounts::Named,
    exit::{Exit, Failure},
    output::Output,
    remote::{Remote, RemoteOptions},
};

mod network;

use network::Sockets;

pub(crate) const NAME: &str = "check";

/// How often the spinner moves.
const TICK: Duration = Duration::from_millis(100);

/// Check whether Outlook can use a POP3 server
///
/// Opens several sessions and prints a row for each statement of MS-STANOPOP3 that
/// binds servers, and for each clause of RFC 1939, 2449 and 2595 that clients
/// depend on: pass, fail, warn, or not testable here. The maildrop stays as it was:
/// the check marks one message as deleted and unmarks it again. One session logs in
/// with a wrong password (`--skip C0010` leaves it out).
///
/// Some rows need messages in the maildrop. To test every row, put in these: one
/// message whose first octet is a dot; one with lines that begin with dots and a
/// line that is a single dot; and two others with several lines.
///
/// A reply may take 30 seconds and the whole check 10 minutes; --timeout and
/// --session-timeout change these limits.
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Check {
    #[command(flatten)]
    account: Named,

    /// Print the report in this format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Run only these rows: C0017, rfc1939-stuffing…
    #[arg(long, value_name = "ID,…", value_delimiter = ',', value_parser = id)]
    only: Vec<String>,

    /// Skip these rows
    #[arg(long, value_name = "ID,…", value_delimiter = ',', value_parser = id)]
    skip: Vec<String>,

    /// Delete up to two messages, to check that the server removes them. Use it
    /// only with a maildrop made for tests
    #[arg(long)]
    destructive: bool,

    #[command(flatten, next_help_heading = "Server")]
    remote: RemoteOptions,
}

const AFTER_HELP: &str = "\
Exit status:
   0  all rows were tried, and the server violates no MUST
   1  the server violates at least one MUST
  64  wrong usage
  65  the configuration file is malformed
  66  a file cannot be read
  69  the server cannot be reached, or has no TLS
  75  the server accepts no sessions now, or stopped accepting them before all rows were tried
  76  TLS failed, or the server does not speak POP3
  77  the server refused the name or the password";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table
    Text,
    /// One JSON object
    Json,
    /// JUnit's XML
    Junit,
    /// A page that needs no other file
    Html,
}

fn id(text: &str) -> Result<String, String> {
    let mut all = check::checks().map(check::Check::id);
    match all.any(|id| id.eq_ignore_ascii_case(text)) {
        true => Ok(text.to_owned()),
        false => {
            let ids: Vec<&str> = check::checks().map(check::Check::id).collect();
            Err(format!("no such row; choose from {}", ids.join(" ")))
        }
    }
}

impl Check {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        if self.remote.auth.is_some() {
            return Err(Failure::new(
                Exit::Usage,
                "pop3 check logs in with USER and PASS, or with PLAIN; remove --auth",
            ));
        }
        let remote = self.account.remote(self.remote.clone())?;
        let credentials = remote.credentials()?;
        let report = self.report(&remote, &credentials)?;
        let text = match self.format {
            Format::Text => report.text(),
            Format::Json => report.json(),
            Format::Html => report.html(),
            Format::Junit => report.junit().map_err(|error| {
                Failure::new(Exit::Io, format_args!("cannot write the report: {error}"))
            })?,
        };
        let mut output = Output::create(None)?;
        output.write(text.as_bytes())?;
        output.keep()?;
        if let Some(ids) = failed(&report) {
            return Err(Failure::new(
                Exit::Differs,
                format_args!("the server violates a MUST: {ids}"),
            ));
        }
        match report.why_cut_short() {
            None => Ok(()),
            Some(why) => Err(Failure::new(
                Exit::Temporary,
                format_args!(
                    "{}: not all rows were tried: {why}; run the check again",
                    remote.account()
                ),
            )),
        }
    }

    fn report(&self, remote: &Remote, credentials: &Credentials) -> Result<Report, Failure> {
        let Credentials::Password { user, password } = credentials else {
            return Err(Failure::new(Exit::Usage, "pop3 check needs a password"));
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Failure::of_runtime)?;
        let mut network = Sockets {
            runtime: Rc::new(runtime),
            endpoint: &remote.endpoint,
            settings: &remote.settings,
        };
        let redactor = Redactor::new(credentials);
        let account = Account {
            user,
            password,
            repeats: Rc::new(move |text| redactor.repeats(text)),
            protection: protection(remote),
        };
        let progress = ProgressBar::new_spinner();
        progress.enable_steady_tick(TICK);
        let report = check::run(
            &mut network,
            &account,
            &self.options(remote),
            (&remote.endpoint.authority(), SystemTime::now()),
            &mut |what| progress.set_message(what),
        );
        progress.finish_and_clear();
        report.map_err(|unable| failure(remote, &unable))
    }

    fn options(&self, remote: &Remote) -> Options {
        let mut options = Options::new(remote.settings.profile);
        options.only.clone_from(&self.only);
        options.skip.clone_from(&self.skip);
        if !remote.settings.pipelining {
            options.skip.push("rfc2449-pipelining".to_owned());
        }
        options.destructive = self.destructive;
        let limits = &mut options.limits;
        if let Some(timeout) = self.remote.timeout.map(Duration::from_secs) {
            (limits.connect, limits.reply) = (timeout, timeout);
        }
        if let Some(timeout) = self.remote.session_timeout.map(Duration::from_secs) {
            limits.run = timeout;
        }
        options
    }
}

/// The protection that the options ask for, as in all commands.
fn protection(remote: &Remote) -> Protection {
    let settings = &remote.settings;
    match remote.endpoint.scheme {
        Scheme::Pop3s => Protection::Implicit,
        // Nothing else shows a certificate.
        Scheme::Pop3 if settings.tls.fingerprint.is_some() => Protection::StlsRequired,
        Scheme::Pop3 if settings.insecure_plaintext => Protection::StlsIfOffered,
        Scheme::Pop3 if settings.require_tls => Protection::StlsRequired,
        Scheme::Pop3 => Protection::Stls,
    }
}

/// The rows that fail.
fn failed(report: &Report) -> Option<String> {
    let rows = report.rows().iter();
    let ids: Vec<&str> = rows
        .filter(|row| row.verdict().outcome() == Outcome::Bad)
        .map(|row| row.id())
        .collect();
    (!ids.is_empty()).then(|| ids.join(", "))
}

fn failure(remote: &Remote, unable: &Unable) -> Failure {
    let exit = match unable {
        Unable::Certificate(error) | Unable::Connect(error) => {
            if let Some(error) = network::client_error(error) {
                return remote.failure(error);
            }
            Exit::Unavailable
        }
        Unable::NoTls if protection(remote) == Protection::Stls => {
            return Failure::new(
                Exit::Unavailable,
                format_args!(
                    "{}: {unable}; --insecure-plaintext sends it anyway",
                    remote.account()
                ),
            );
        }
        Unable::Busy(_) => Exit::Temporary,
        Unable::Refused(_) => Exit::NoPermission,
        _ => Exit::Unavailable,
    };
    Failure::new(exit, format_args!("{}: {unable}", remote.account()))
}
