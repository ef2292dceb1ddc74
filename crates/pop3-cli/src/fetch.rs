//! `pop3 fetch`: new messages, from servers to where mail is kept.

use std::{
    io::IsTerminal as _,
    path::PathBuf,
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use clap::{Args, ValueEnum};
use indicatif::MultiProgress;
use pop3_fetch::Place;

use crate::{
    exit::{Exit, Failure},
    remote::{self, RemoteOptions},
};

mod config;
mod job;
mod report;
mod sync;

use job::Job;

pub(crate) const NAME: &str = "fetch";

const AFTER_HELP: &str = "\
A message is new if the journal does not know its unique-id. It is stored when its size is what LIST says and the server \
then answers STAT as before; what stays in doubt is left on the server and named. It is deleted on the server only when \
it is on the disk where it belongs, and the journal says so on the disk too. Killed at any moment, the next run loses \
nothing and delivers nothing twice; to standard output it may deliver a message twice.

Accounts in the configuration file ($XDG_CONFIG_HOME/pop3/config.toml) take the same options:

    [accounts.home]
    url = \"pop3s://me@mail.example.org\"
    to = \"maildir:~/Mail/home\"
    password-command = \"pass mail/home\"
    delete-after = 14

Without URL all of them are fetched, side by side. The password comes from --password-file, --password-command, the \
variable POP3_PASSWORD or a prompt.

Exit status:
   0  all is fetched that was to be fetched
  64  wrong usage
  65  a configuration file or journal that cannot be understood
  66  a file that cannot be read
  69  the server cannot be reached, or does not offer what is needed
  73  the place for mail, or the journal, cannot be opened
  74  reading or writing failed
  75  not now: the connection broke, or another run has the account
  76  the server does not keep to the protocol, refused a message, or a message stays in doubt
  77  name or password were refused
 141  the reader of standard output closed it early";

/// Fetch new messages from a POP3 server
#[derive(Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct Fetch {
    /// pop3s://user@host:port (TLS), pop3://user@host:port (STLS), or the
    /// name of an account in the configuration file
    #[arg(value_name = "URL")]
    from: Option<String>,

    /// Deliver to maildir:DIRECTORY, mbox:FILE, or - for standard output
    #[arg(long, value_name = "PLACE")]
    to: Option<Place>,

    #[command(flatten)]
    wishes: WishOptions,

    #[command(flatten)]
    output: Output,

    /// Keep the record of what was fetched in this file
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,

    /// Read accounts from this file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    #[command(flatten, next_help_heading = "Server")]
    remote: RemoteOptions,
}

/// What is to be done with messages.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct WishOptions {
    /// Leave messages on the server; so do profiles from outlook-2019 on
    #[arg(long, group = "afterwards")]
    keep: bool,

    /// Delete messages on the server once they are delivered; so do profiles up
    /// to outlook-2016
    #[arg(long, group = "afterwards")]
    delete: bool,

    /// Delete them so many days after they were delivered
    #[arg(long, value_name = "DAYS", group = "afterwards")]
    delete_after: Option<u32>,

    /// Fetch at most N messages; the next run goes on
    #[arg(long, value_name = "N")]
    limit: Option<usize>,

    /// Leave messages of more than N octets on the server
    #[arg(long, value_name = "N")]
    max_size: Option<u64>,

    /// How lines end in what is delivered
    #[arg(long, value_enum)]
    line_ends: Option<LineEnds>,

    /// Accept messages whose size is not what LIST says (a message that the server
    /// cuts short is then taken for whole)
    #[arg(long)]
    any_size: bool,

    /// Fetch messages without a valid unique-id, too (they are retrieved in each
    /// run, and known again by their octets)
    #[arg(long)]
    without_unique_id: bool,
}

/// How lines end in what is delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LineEnds {
    /// LF, as mpop, fetchmail and getmail deliver, and as programs on Unix expect
    #[default]
    Lf,
    /// Every octet as it was received, and so CRLF
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

/// What is printed.
#[derive(Args, Clone, Copy, Debug)]
struct Output {
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,

    /// With --to -: messages as they are, without the lines that mbox has
    /// between them
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
        let jobs = job::jobs(self)?;
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
    remote::block_on(sync::sync(job, &credentials, bars))
}

/// Fetches all of them at once. Each failure is said; the last one gives the
/// status.
fn side_by_side(jobs: &[Job], bars: &MultiProgress) -> Result<(), Failure> {
    thread::scope(|scope| {
        let mut running = Vec::new();
        let mut failure = None;
        for job in jobs {
            // One after the other, since there may be prompts.
            let credentials = match job.remote.credentials() {
                Ok(credentials) => credentials,
                Err(failed) => {
                    failure = Some(say_earlier(failure, failed));
                    continue;
                }
            };
            running
                .push(scope.spawn(move || remote::block_on(sync::sync(job, &credentials, bars))));
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

/// Seconds since 1970.
fn clock() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs().cast_signed())
}

#[cfg(test)]
mod tests {
    use super::clock;

    /// `--delete-after` counts from what it says.
    #[test]
    fn the_clock_is_after_this_was_written() {
        assert!(clock() > 1_750_000_000);
    }
}
