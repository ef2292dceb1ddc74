//! `pop3 fetch`: brings new messages from servers to a Maildir, an mbox, a command, an
//! LMTP server or standard output.

use std::{io::IsTerminal as _, path::PathBuf, thread, time::Duration};

use clap::{Args, ValueEnum};
use indicatif::MultiProgress;
use pop3_fetch::{Address, Place};
use pop3_tokio::client::Credentials;

use crate::{
    exit::{Exit, Failure},
    remote::{self, RemoteOptions},
};

pub(crate) mod config;
mod every;
mod examples;
mod job;
mod matching;
mod reading;
mod report;
mod sync;

pub(crate) use examples::EXAMPLES;
use job::Job;
use matching::Match;
use sync::{Logins, Stop, sync};

pub(crate) const NAME: &str = "fetch";

const NOTES: &str = "\
A message is new if its unique-id is not in the journal. It is stored if its size is the one in LIST and if the server \
then gives the same answer to STAT as before. A message that stays in doubt is left on the server, and a warning names \
it. A message is deleted on the server only after both the message and its entry in the journal are safely on disk. \
If a run is killed, the next run loses nothing and delivers nothing twice; only to standard output, a command or an \
LMTP server may it deliver a message twice.

With --to command:COMMAND, /bin/sh runs COMMAND once for each message, which is its standard input, as received and \
with lines as in --line-ends. Status 0 means that it has taken the message, even if it did not read all of it. After \
any other status, or a signal, the message stays on the POP3 server, a warning shows what the command wrote, and the \
next run tries again, after all other messages; status 75 (EX_TEMPFAIL) says that this is expected. COMMAND has no \
time limit, which timeout(1) can give it, and it cannot see POP3_PASSWORD.

With --to lmtp:HOST:PORT or lmtp:/SOCKET, an LMTP server (RFC 2033) gets each message with CRLF at the end of every \
line. There is no TLS: use it on this machine. A message is delivered when the server has accepted it for every \
--recipient. Otherwise it stays on the POP3 server, and the next runs offer it only to recipients that have not \
accepted it. As long as one of them refuses, the message stays and is reported; the others get it once.

A command or an LMTP server may have taken a message without a record in the journal, if the run is killed or the \
connection breaks in the moment between. Then the next run delivers that one message again. Nothing is lost: a message \
is recorded, and may be deleted, only after it was taken; whether it is then on disk is up to the command or the \
server.

With --match 'List-Id: rust-users => maildir:Mail/rust', a message goes to that Maildir if one of its List-Id fields \
contains rust-users, and to --to if no rule matches. Fields are compared after unfolding and decoding (RFC 2047); \
upper and lower case are the same, and so is any amount of white space. An empty TEXT matches each message that has \
the field. Only the header is searched, up to 256 KiB of it. Rules may change at any time: the journal knows where \
each message of a killed run waits. In the configuration file, a rule is a table, after the other keys of its account:

    [[accounts.home.match]]
    field = \"List-Id\"
    contains = \"rust-users\"
    to = \"maildir:~/Mail/rust\"

--match replaces all rules of the file, and so does --to, which is then the only place.

With --received and --delivered-to ADDRESS, a message begins with these fields, as getmail6 writes both by default \
and mpop the first:

    Delivered-To: me@example.org
    Received: from mail.example.org by laptop with POP3S
            for <me@example.org>; Sun, 29 Nov 2026 10:00:00 +0000

The server is named as in the URL, so nothing in these fields comes from the server. The date is in UTC. Sizes that \
are compared with LIST or --max-size do not count these fields, and rules of --match do not see them.

Accounts in the configuration file ($XDG_CONFIG_HOME/pop3/config.toml) take the same options:

    [accounts.home]
    url = \"pop3s://me@mail.example.org\"
    to = \"maildir:~/Mail/home\"
    password-command = \"pass mail/home\"
    delete-after = 14

Messages that pop3 import or --catch-up recorded are never fetched, and stay on the server unless --delete-imported \
is given too.

With --every, the program runs until SIGTERM or SIGINT, which end each session after its current step. Accounts do \
not wait for each other. After each failure of an account in a row, its interval doubles, up to an hour; no login \
comes sooner than the server allows (LOGIN-DELAY). Each run prints one line. SIGHUP reads the configuration file \
again and fetches at once. Under systemd, use Type=notify.

The key recipient is a list: recipient = [\"me@example.org\"]. Without URL, all accounts are fetched in parallel. The \
password comes from --password-file, --password-command, the environment variable POP3_PASSWORD, ~/.netrc or a prompt.
";

const STATUSES: &str = "\
Exit status:
   0  everything that should be fetched was fetched
  64  wrong usage
  65  the configuration file or the journal is malformed
  66  a file cannot be read
  69  the server cannot be reached, or lacks something that is needed
  73  the Maildir, the mbox or the journal cannot be opened
  74  reading or writing failed
  75  try again later: the connection broke, another run is fetching this account, or --to deferred a message
  76  a server broke the protocol or refused a message, the command failed, or a message stays in doubt
  77  the server refused the name or the password
 141  the reader of standard output closed it early";

fn after_help() -> String {
    format!("{NOTES}\n{EXAMPLES}\n{STATUSES}")
}

/// Fetch new messages from a POP3 server
#[derive(Args)]
#[command(after_long_help = after_help())]
pub(crate) struct Fetch {
    /// pop3s://user@host:port (TLS), pop3://user@host:port (STLS), user@host (TLS),
    /// or the name of an account in the configuration file
    #[arg(value_name = "URL")]
    from: Option<String>,

    /// Deliver to maildir:DIRECTORY, mbox:FILE, command:COMMAND (the message is its
    /// standard input), lmtp:HOST:PORT, lmtp:/SOCKET, or to standard output (-)
    #[arg(long, value_name = "PLACE")]
    to: Option<Place>,

    /// With --to lmtp: deliver to this mailbox; may be given several times
    #[arg(long, value_name = "ADDRESS")]
    recipient: Vec<Address>,

    /// With --to lmtp: name this sender in the envelope; default: none (<>), so that
    /// nothing is bounced
    #[arg(long, value_name = "ADDRESS")]
    sender: Option<Address>,

    /// With --to maildir: deliver messages whose header field FIELD contains TEXT to
    /// another Maildir: 'FIELD: TEXT => maildir:DIRECTORY'; may be given several times,
    /// and the first match decides
    #[arg(long = "match", value_name = "RULE")]
    rules: Vec<Match>,

    #[command(flatten)]
    wishes: WishOptions,

    /// Record the messages that are on the server now as fetched, and deliver and
    /// delete nothing; later runs fetch what arrives after this
    #[arg(long, conflicts_with_all = [
        "to", "rules", "afterwards", "delete_imported", "limit", "max_size", "line_ends", "received",
        "delivered_to", "any_size",
        "without_unique_id", "dry_run", "raw",
    ])]
    catch_up: bool,

    /// Run until a signal, and fetch each account at this INTERVAL: 90s, 5m, 2h…
    #[arg(long, value_name = "INTERVAL", value_parser = every::interval)]
    #[arg(conflicts_with_all = ["catch_up", "dry_run"])]
    every: Option<Duration>,

    #[command(flatten)]
    output: Output,

    /// Keep the journal (the record of fetched messages) in FILE
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,

    /// Read accounts from FILE
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    #[command(flatten, next_help_heading = "Server")]
    remote: RemoteOptions,
}

/// What to do with messages.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct WishOptions {
    /// Leave messages on the server; default of profiles from outlook-2019 on
    #[arg(long, group = "afterwards")]
    keep: bool,

    /// Delete messages on the server after delivery; default of profiles up to
    /// outlook-2016
    #[arg(long, group = "afterwards")]
    delete: bool,

    /// Delete messages on the server DAYS days after delivery
    #[arg(long, value_name = "DAYS", group = "afterwards")]
    delete_after: Option<u32>,

    /// With --delete or --delete-after: also delete messages that `pop3 import` or
    /// --catch-up recorded (this program has stored no copy of them)
    #[arg(long, conflicts_with = "keep")]
    delete_imported: bool,

    /// Fetch at most N messages; the next run continues
    #[arg(long, value_name = "N")]
    limit: Option<usize>,

    /// Leave messages of more than N octets on the server, and warn of them once a
    /// week
    #[arg(long, value_name = "N")]
    max_size: Option<u64>,

    /// End the lines of delivered messages in this way
    #[arg(long, value_enum)]
    line_ends: Option<LineEnds>,

    /// Add a Received field with the server, this machine and the date to each message
    #[arg(long)]
    received: bool,

    /// Add a Delivered-To field with this mailbox to each message
    #[arg(long, value_name = "ADDRESS")]
    delivered_to: Option<Address>,

    /// Accept messages whose size is not the one in LIST (a message that the server
    /// cut short then counts as complete)
    #[arg(long)]
    any_size: bool,

    /// Also fetch messages without a valid unique-id (each run retrieves them again
    /// and recognizes them by their content)
    #[arg(long)]
    without_unique_id: bool,
}

/// How the lines of delivered messages end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LineEnds {
    /// End lines with LF, as programs on Unix expect
    #[default]
    Lf,
    /// Keep every octet as it was received, so lines end with CRLF
    Received,
}

impl From<LineEnds> for pop3_fetch::LineEnds {
    fn from(line_ends: LineEnds) -> Self {
        match line_ends {
            LineEnds::Lf => Self::Lf,
            LineEnds::Received => Self::Received,
        }
    }
}

/// What to print.
#[derive(Args, Clone, Copy, Debug)]
struct Output {
    /// Print what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,

    /// With --dry-run: also print date, sender and subject of each message that would
    /// be fetched (one TOP for each)
    #[arg(long, requires = "dry_run")]
    headers: bool,

    /// With --to -: print the messages alone, without the separator lines of mbox
    #[arg(long)]
    raw: bool,

    /// Print a line of JSON for each message and for each account
    #[arg(long)]
    json: bool,

    /// Print errors only
    #[arg(short, long)]
    quiet: bool,
}

impl Fetch {
    pub(crate) fn run(self) -> Result<(), Failure> {
        if let Some(every) = self.every {
            return every::run(&self, every);
        }
        let jobs = job::jobs(&self)?;
        let bars = MultiProgress::new();
        if !std::io::stderr().is_terminal() {
            bars.set_draw_target(indicatif::ProgressDrawTarget::hidden());
        }
        match jobs.as_slice() {
            [job] => fetch(job, &bars),
            jobs => side_by_side(jobs, &bars),
        }
    }
}

/// Fetches one account.
fn fetch(job: &Job, bars: &MultiProgress) -> Result<(), Failure> {
    let credentials = job.remote.credentials()?;
    remote::block_on(once(job, &credentials, bars))
}

async fn once(job: &Job, credentials: &Credentials, bars: &MultiProgress) -> Result<(), Failure> {
    let (logins, stop) = (&mut Logins::default(), &mut Stop::never());
    sync(job, credentials, bars, logins, stop).await
}

/// Fetches all accounts in parallel. Reports each failure; the last one gives the
/// exit status.
fn side_by_side(jobs: &[Job], bars: &MultiProgress) -> Result<(), Failure> {
    thread::scope(|scope| {
        let mut running = Vec::new();
        let mut failure = None;
        for job in jobs {
            // One after the other, because each may prompt.
            let credentials = match job.remote.credentials() {
                Ok(credentials) => credentials,
                Err(failed) => {
                    failure = Some(say_earlier(failure, failed));
                    continue;
                }
            };
            running.push(scope.spawn(move || remote::block_on(once(job, &credentials, bars))));
        }
        for run in running {
            let done = run
                .join()
                .unwrap_or_else(|_| Err(Failure::new(Exit::Io, "a worker thread panicked")));
            if let Err(failed) = done {
                failure = Some(say_earlier(failure, failed));
            }
        }
        failure.map_or(Ok(()), Err)
    })
}

fn say_earlier(earlier: Option<Failure>, failure: Failure) -> Failure {
    if let Some(earlier) = earlier {
        earlier.report(NAME);
    }
    failure
}

#[cfg(test)]
mod tests {
    use super::Fetch;

    /// The command alone.
    #[derive(clap::Parser)]
    pub(super) struct Alone {
        #[command(flatten)]
        pub(super) fetch: Fetch,
    }
}
