//! `pop3 check`: checks whether Outlook can use a server.
//!
//! [`run`] opens several sessions with a server, and makes a row for each statement
//! of MS-STANOPOP3 that binds servers, and for each clause of RFC 1939, 2449 and
//! 2595 that a client depends on. The maildrop stays as it was, unless
//! [`Options::destructive`] is set.
//!
//! All sessions run first; then each row judges the observations. So a row blames a
//! server only for its own rule: if a reply did not arrive, the row for its
//! contents has nothing to judge. The decoders of our client read what the server
//! sends. Every wait, every reply and the whole run have [limits](Limits), so that
//! there is always a report in the end.
//!
//! A row fails if a MUST is violated, and warns if a SHOULD is violated. What a
//! server may do never fails. If the messages in the maildrop are not enough to
//! judge a row, it is not testable, and the row says what it needs.
//!
//! ```
//! use std::{io, rc::Rc, time::{Duration, Instant, SystemTime}};
//! use pop3_conformance::check::{self, Account, Connection, Network, Options, Protection};
//! use pop3_proto::Profile;
//!
//! /// A server that accepts connections and sends nothing.
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

/// The server fulfills the row.
pub const PASS: Verdict = Verdict::new("pass", Outcome::Good);
/// The server does not fulfill the row, and must.
pub const FAIL: Verdict = Verdict::new("fail", Outcome::Bad);
/// The server does not fulfill the row, and should.
pub const WARN: Verdict = Verdict::new("warn", Outcome::Noted);
/// This server or this maildrop is not enough to judge the row.
pub const NOT_TESTABLE: Verdict = Verdict::new("not testable here", Outcome::Skipped);

/// A row of the check: one rule for servers.
///
/// ```
/// use pop3_conformance::{Strength, check::checks};
///
/// let drop_listing = checks().find(|check| check.id() == "C0017").unwrap();
/// assert_eq!(drop_listing.strength(), Strength::Must);
/// for check in checks() {
///     println!("{}: {}", check.id(), check.title());
/// }
/// ```
pub struct Check {
    id: &'static str,
    title: &'static str,
    strength: Strength,
    phases: &'static [Phase],
    outlook: fn(&Profile) -> &'static str,
    judge: fn(&Observed, &Options) -> Finding,
}

/// One or more sessions that a row may need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Before login: commands in the wrong state, QUIT.
    EarlyQuit,
    /// Commands that change nothing.
    Reading,
    /// Several commands sent together.
    Pipelining,
    /// STLS with a command sent along, and STLS under TLS.
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

/// The finding of a row, with the exchange that shows it.
enum Finding {
    Pass(String),
    Violation(String),
    /// With what is missing.
    Untestable(String),
}

/// The user who logs in, and the protection of the connection.
#[derive(Clone)]
pub struct Account<'a> {
    /// The name.
    pub user: &'a str,
    /// The password. It is sent with USER and PASS, or with AUTH PLAIN if the
    /// server accepts nothing else, and is never shown.
    pub password: &'a str,
    /// Whether a text of the server repeats the password, or what was sent with it,
    /// in any encoding. Such a text is not shown.
    pub repeats: Rc<Repeats>,
    /// Whether and how TLS is used.
    pub protection: Protection,
}

/// Says whether a text repeats something secret.
pub type Repeats = dyn Fn(&[u8]) -> bool;

/// How TLS protects a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// From the first octet: [`Network::connect`] does it.
    Implicit,
    /// By STLS. No password is sent without TLS.
    StlsRequired,
    /// By STLS. Where it is not announced, a password is sent only to a server on
    /// [this machine](Connection::is_local).
    Stls,
    /// By STLS if it is announced and not refused; otherwise not at all, and anyone
    /// between client and server can read the password.
    StlsIfOffered,
}

/// How to check.
///
/// ```
/// use pop3_conformance::check::Options;
/// use pop3_proto::Profile;
///
/// let mut options = Options::new(Profile::OUTLOOK_2024);
/// options.skip.push("C0010".into()); // no login with a wrong password
/// options.limits.messages = 8;
/// ```
#[derive(Clone, Debug)]
pub struct Options {
    /// The release of Outlook: how it reads listings, and what it does.
    pub profile: Profile,
    /// Run only these rows, by their ids; all rows if empty.
    pub only: Vec<String>,
    /// Skip these rows.
    pub skip: Vec<String>,
    /// Allow the check to delete messages: the maildrop is made for tests.
    pub destructive: bool,
    /// The limits of the run.
    pub limits: Limits,
}

/// The limits of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The time to connect.
    pub connect: Duration,
    /// The time for the first line of a reply, and for each further piece of its
    /// block.
    pub reply: Duration,
    /// The time to wait for octets after a reply, or for the end of a connection.
    pub linger: Duration,
    /// The time for the whole run.
    pub run: Duration,
    /// The most connections.
    pub connections: u32,
    /// The most octets of a block, on the wire.
    pub block_octets: u64,
    /// The most messages to retrieve.
    pub messages: usize,
    /// The octets of the largest message to retrieve.
    pub message_octets: u64,
    /// The most messages to retrieve again in a later session.
    pub messages_again: usize,
}

impl Limits {
    /// 10 minutes for the whole run, 30 seconds for a reply.
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
    /// All rows, without deleting messages.
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
    /// The id: a statement such as `C0017`, or an RFC and a word.
    #[must_use]
    pub const fn id(&self) -> &'static str {
        self.id
    }

    /// The rule, in a sentence.
    #[must_use]
    pub const fn title(&self) -> &'static str {
        self.title
    }

    /// The strength: a violated MUST fails, anything else warns.
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

/// All rows, in the order of a report: statements first, then clauses.
pub fn checks() -> impl Iterator<Item = &'static Check> {
    rows::ALL.into_iter().flatten()
}

/// Checks a server. `subject` names it in the report, which also shows the greeting
/// or IMPLEMENTATION; `progress` is called with the next step.
///
/// # Errors
///
/// If nothing can be checked: no connection, no TLS where it is required, or no
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

/// The server's name for itself.
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

/// Why nothing was checked. Texts of the server are safe to show.
#[derive(Debug)]
#[non_exhaustive]
pub enum Unable {
    /// The certificate after STLS is not trusted.
    Certificate(io::Error),
    /// There is no connection.
    Connect(io::Error),
    /// The server greets with a refusal.
    Busy(String),
    /// The server does not announce STLS, and no password is sent without TLS.
    NoTls,
    /// The server refuses the login.
    Refused(String),
}

impl core::fmt::Display for Unable {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let one_line = |shown: &str| shown.replace('\n', "; ");
        match self {
            Self::Certificate(error) => write!(f, "TLS failed after STLS: {error}"),
            Self::Connect(error) => write!(f, "cannot connect: {error}"),
            Self::Busy(shown) => {
                write!(f, "the server accepts no sessions now: {}", one_line(shown))
            }
            Self::NoTls => f.write_str(
                "the server does not announce STLS, and the password is not sent without TLS",
            ),
            Self::Refused(shown) => write!(f, "the server refuses the login: {}", one_line(shown)),
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
