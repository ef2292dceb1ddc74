//! `pop3 check`: is a server one that Outlook can use?
//!
//! [`run`] opens a handful of sessions with a server, and answers with one row
//! for each statement of MS-STANOPOP3 that binds servers, and for the clauses of
//! RFC 1939, 2449 and 2595 that a client depends on. The maildrop is left as it
//! was found, unless [`Options::destructive`] says that it is there for this.
//!
//! The sessions come first, and only then does each row judge what was seen, so
//! that a row can blame a server for what is its own matter alone: where a
//! reply did not come, the row for its contents has nothing to say. What the
//! server sends is read with the decoders of our client; every wait, every reply
//! and the run as a whole have [limits](Limits), and whatever comes, there is a
//! report in the end.
//!
//! A row fails where a MUST is violated, and warns where a SHOULD is. What a
//! server does lawfully never fails; what cannot be told with the messages that
//! are there is not testable, and the row says what is needed.
//!
//! ```
//! use std::{io, rc::Rc, time::{Duration, Instant, SystemTime}};
//! use pop3_conformance::check::{self, Account, Connection, Network, Options, Protection};
//! use pop3_proto::Profile;
//!
//! /// A server that takes connections and says nothing.
//! struct Silent(Instant);
//!
//! struct Nothing;
//!
//! impl Network for Silent {
//!     fn connect(&mut self, _: Duration) -> io::Result<Box<dyn Connection>> {
//!         Ok(Box::new(Nothing))
//!     }
//!     fn now(&self) -> Instant {
//!         self.0
//!     }
//!     fn pause(&mut self, time: Duration) {
//!         self.0 += time;
//!     }
//! }
//!
//! impl Connection for Nothing {
//!     fn send(&mut self, _: &[u8], _: Duration) -> io::Result<()> {
//!         Ok(())
//!     }
//!     fn receive(&mut self, _: &mut [u8], _: Duration) -> io::Result<usize> {
//!         Err(io::ErrorKind::TimedOut.into())
//!     }
//!     fn start_tls(&mut self, _: Duration) -> io::Result<()> {
//!         Err(io::ErrorKind::TimedOut.into())
//!     }
//! }
//!
//! let mut server = Silent(Instant::now());
//! let account = Account {
//!     user: "mrose",
//!     password: "tanstaaf",
//!     repeats: Rc::new(|text| text.windows(8).any(|text| text == b"tanstaaf")),
//!     protection: Protection::Stls,
//! };
//! let options = Options::new(Profile::OUTLOOK_2024);
//! let subject = ("a silent server", SystemTime::now());
//! let report = check::run(&mut server, &account, &options, subject, &mut |_| {})?;
//! let greets = &report.rows()[0];
//! assert_eq!((greets.id(), greets.verdict()), ("C0002", check::FAIL));
//! assert!(report.rows()[1..].iter().all(|row| row.verdict() == check::NOT_TESTABLE));
//! # Ok::<(), check::Unable>(())
//! ```

use std::{io, rc::Rc, time::Duration, time::SystemTime};

use pop3_proto::Profile;

use crate::{
    Strength,
    report::{Outcome, Report, Row, Verdict},
};

mod connection;
mod dialogue;
mod evidence;
mod observed;
mod phases;
mod prober;
mod rows;

pub use connection::{Connection, Network};

use observed::Observed;
use prober::Prober;

/// The server does what the row asks for.
pub const PASS: Verdict = Verdict::new("pass", Outcome::Good);
/// It does not, and must.
pub const FAIL: Verdict = Verdict::new("fail", Outcome::Bad);
/// It does not, and should.
pub const WARN: Verdict = Verdict::new("warn", Outcome::Noted);
/// This server or this maildrop gives no material for an answer.
pub const NOT_TESTABLE: Verdict = Verdict::new("not testable here", Outcome::Skipped);

/// A row: a question to a server.
pub struct Check {
    id: &'static str,
    title: &'static str,
    strength: Strength,
    phases: &'static [Phase],
    outlook: fn(&Profile) -> &'static str,
    judge: fn(&Observed, &Options) -> Finding,
}

/// A session, or more, that a row may need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Before login: commands in the wrong state, QUIT.
    EarlyQuit,
    /// Everything that changes nothing.
    Reading,
    /// Several commands at once.
    Pipelining,
    /// STLS where it does not belong.
    Stls,
    /// DELE and RSET.
    Deleting,
    /// A later session.
    Again,
    /// A login with a wrong password.
    RefusedLogin,
    /// DELE and QUIT.
    Update,
}

/// What a row found, with the exchange that shows it.
enum Finding {
    Pass(String),
    Violation(String),
    /// With what is missing.
    Untestable(String),
}

/// Who logs in, and how the connection is protected.
#[derive(Clone)]
pub struct Account<'a> {
    /// The name.
    pub user: &'a str,
    /// The password. It is sent by USER and PASS, or by AUTH PLAIN where the
    /// server takes nothing else, and never shown.
    pub password: &'a str,
    /// Whether a text of the server repeats the password, or what was sent with
    /// it, in any writing. Such a text is not shown.
    pub repeats: Rc<Repeats>,
    /// Whether and how TLS comes in.
    pub protection: Protection,
}

/// Says whether a text repeats something secret.
pub type Repeats = dyn Fn(&[u8]) -> bool;

/// How a connection comes under TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// From the first octet: [`Network::connect`] does it.
    Implicit,
    /// By STLS. No password is sent without it.
    StlsRequired,
    /// By STLS. Where it is not announced, a password is sent only to a server on
    /// [this machine](Connection::is_local).
    Stls,
    /// By STLS where it is announced and not refused; else not at all, and anyone
    /// between can read the password.
    StlsIfOffered,
}

/// How to check.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which release is asked about: how it reads listings, and what it will do.
    pub profile: Profile,
    /// Only these rows, by their ids; all if empty.
    pub only: Vec<String>,
    /// These rows not.
    pub skip: Vec<String>,
    /// The maildrop is there for this: messages may be removed.
    pub destructive: bool,
    /// How long, and how much.
    pub limits: Limits,
}

/// What a run takes at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For a connection to be made.
    pub connect: Duration,
    /// For the first line of a reply, and for each next piece of its block.
    pub reply: Duration,
    /// For what may come after a reply, or the end of a connection.
    pub linger: Duration,
    /// For everything.
    pub run: Duration,
    /// Connections in all.
    pub connections: u32,
    /// Octets of one block, on the wire.
    pub block_octets: u64,
    /// Messages that are retrieved.
    pub messages: usize,
    /// The largest message that is retrieved, in octets.
    pub message_octets: u64,
    /// Messages that are retrieved once more in a later session.
    pub messages_again: usize,
}

impl Limits {
    /// Ten minutes for everything, half a minute for a reply.
    pub const DEFAULT: Self = Self {
        connect: Duration::from_secs(30),
        reply: Duration::from_secs(30),
        linger: Duration::from_secs(2),
        run: Duration::from_secs(600),
        connections: 40,
        block_octets: 16 * 1024 * 1024,
        messages: 32,
        message_octets: 1024 * 1024,
        messages_again: 4,
    };
}

impl Options {
    /// All rows, without destroying anything.
    #[must_use]
    pub const fn new(profile: Profile) -> Self {
        Self {
            profile,
            only: Vec::new(),
            skip: Vec::new(),
            destructive: false,
            limits: Limits::DEFAULT,
        }
    }

    fn wants(&self, check: &Check) -> bool {
        let is = |id: &String| id.eq_ignore_ascii_case(check.id);
        (self.only.is_empty() || self.only.iter().any(is)) && !self.skip.iter().any(is)
    }
}

impl Check {
    /// What it is called by: a statement such as `C0017`, or an RFC and a word.
    #[must_use]
    pub const fn id(&self) -> &'static str {
        self.id
    }

    /// What has to hold.
    #[must_use]
    pub const fn title(&self) -> &'static str {
        self.title
    }

    /// How strictly: a MUST that is violated fails, all else warns.
    #[must_use]
    pub const fn strength(&self) -> Strength {
        self.strength
    }

    const fn verdict(&self, finding: &Finding) -> Verdict {
        match (finding, self.strength) {
            (Finding::Pass(_), _) => PASS,
            (Finding::Untestable(_), _) => NOT_TESTABLE,
            (Finding::Violation(_), Strength::Must | Strength::MustNot) => FAIL,
            (Finding::Violation(_), _) => WARN,
        }
    }

    fn row(&self, seen: &Observed, options: &Options) -> Row {
        let finding = (self.judge)(seen, options);
        let row = Row::new(self.id, self.title, self.verdict(&finding));
        let evidence = match &finding {
            Finding::Pass(text) | Finding::Untestable(text) | Finding::Violation(text) => text,
        };
        let row = row.with_evidence(seen.secrets.without_numbers(evidence));
        match finding {
            Finding::Violation(_) => row.with_consequence((self.outlook)(&options.profile)),
            _ => row,
        }
    }
}

/// All rows, in the order of a report: the statements, then the clauses.
pub fn checks() -> impl Iterator<Item = &'static Check> {
    rows::ALL.into_iter().flatten()
}

/// Checks a server. `subject` names it in the report, to which the greeting or
/// IMPLEMENTATION is added; `progress` is told what is about to be done.
///
/// # Errors
///
/// If nothing can be checked: no connection, no TLS where it is required, no
/// login.
pub fn run(
    network: &mut dyn Network,
    account: &Account<'_>,
    options: &Options,
    (subject, date): (&str, SystemTime),
    progress: &mut dyn FnMut(&'static str),
) -> Result<Report, Unable> {
    let wanted: Vec<&Check> = checks().filter(|check| options.wants(check)).collect();
    let needed = |phase: Phase| wanted.iter().any(|check| check.phases.contains(&phase));
    let mut prober = Prober::new(network, account, options.limits);
    let seen = phases::run(&mut prober, account, options, &needed, progress)?;
    let subject = match server_name(&seen) {
        Some(name) => format!("{subject}, \"{name}\", as {}", options.profile.title),
        None => format!("{subject}, as {}", options.profile.title),
    };
    let mut report = Report::new("Can Outlook use this server?", &subject, date);
    for check in wanted {
        report.push(check.row(&seen, options));
    }
    if let Some(why) = seen.cut_short() {
        report.cut_short(why);
    }
    Ok(report)
}

/// What the server calls itself.
fn server_name(seen: &Observed) -> Option<String> {
    const MOST: usize = 80;
    let implementation = seen.capabilities.iter().find_map(|line| {
        let name = line.strip_prefix(b"IMPLEMENTATION ")?;
        (!name.is_empty()).then(|| seen.secrets.quoted(name, MOST))
    });
    implementation.or_else(|| match &seen.greeting {
        Some(Ok(greeting)) if !greeting.text.is_empty() => {
            Some(seen.secrets.quoted(&greeting.text, MOST))
        }
        _ => None,
    })
}

/// Why nothing was checked. What the server said is made safe to show.
#[derive(Debug)]
#[non_exhaustive]
pub enum Unable {
    /// The certificate that came after STLS is not trusted.
    Certificate(io::Error),
    /// There is no connection.
    Connect(io::Error),
    /// The server greets with a refusal.
    Busy(String),
    /// It does not announce STLS, and no password goes out in the clear.
    NoTls,
    /// It refuses the login.
    Refused(String),
}

impl core::fmt::Display for Unable {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let one_line = |shown: &str| shown.replace('\n', "; ");
        match self {
            Self::Certificate(error) => write!(f, "no TLS after STLS: {error}"),
            Self::Connect(error) => write!(f, "cannot connect: {error}"),
            Self::Busy(shown) => {
                write!(f, "the server takes nobody now: {}", one_line(shown))
            }
            Self::NoTls => f.write_str(
                "the server announces no STLS, and the password is not sent in the clear",
            ),
            Self::Refused(shown) => write!(f, "the login is refused: {}", one_line(shown)),
        }
    }
}

impl core::error::Error for Unable {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Certificate(error) | Self::Connect(error) => Some(error),
            _ => None,
        }
    }
}
