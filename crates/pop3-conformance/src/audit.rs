//! `pop3 audit`: tests whether a client program is safe and correct, with scripted
//! servers that are correct, odd or hostile.
//!
//! A [`Scenario`] is a file in `scenarios/`: a maildrop, one fault of the server,
//! and the behaviour that is right for it. For each scenario, [`audit`] runs a
//! [`Client`] in a scratch directory, under [`Limits`], until it settles. It
//! compares the stored mail octet by octet, and checks the commands that the client
//! sent. A [`Recipe`] says how to start a known program.
//!
//! The server itself is [`Server`], without I/O: [`audit`] adds sockets, and a fuzz
//! target feeds it arbitrary octets.
//!
//! ```
//! use pop3_conformance::audit;
//!
//! let families: std::collections::BTreeSet<&str> =
//!     audit::scenarios().iter().map(|scenario| scenario.family()).collect();
//! assert!(families.contains("end-lf-dot-lf"));
//! assert!(audit::recipes().iter().any(|recipe| recipe.name() == "mpop"));
//! ```

/// Converts octets to text and back: the notation of scenarios, and of the traces
/// that the tests replay.
///
/// Each line ends with CRLF. The escapes are `\r`, `\n`, `\t`, `\\`, `\xHH`, and
/// `\{N O}` for N times the octet O; a single `\` at the end of a line removes its
/// CRLF.
///
/// ```
/// use pop3_conformance::audit::octets;
///
/// assert_eq!(octets::parse(r"+OK\{3 .}").unwrap(), b"+OK...\r\n");
/// assert_eq!(octets::parse(r".\r\").unwrap(), b".\r");
/// assert_eq!(octets::parse_lines("one\ntwo\n").unwrap(), b"one\r\ntwo\r\n");
/// assert_eq!(octets::show(b"a\0\r\n"), r"a\x00");
/// ```
pub mod octets;

mod cover;
mod log;
mod maildrop;
mod outbox;
#[cfg(all(unix, feature = "run"))]
mod run;
mod scenario;
mod server;
mod table;

pub use cover::{Cover, client_statements, cover};
pub use log::{Command, Entry, Log, MAX_ENTRIES, OCTETS_KEPT, State};
pub use maildrop::Maildrop;
#[cfg(all(unix, feature = "run"))]
pub use run::{
    Audit, Client, Invocation, Limits, Options, Progress, Recipe, RecipeError, Store, Takes,
    Verdict, audit, recipe_files, recipes,
};
pub use scenario::{Scenario, ScenarioError, Transport};
pub use server::{Action, MAX_COMMANDS, MAX_FLOOD, MAX_LINE, Server};
pub use table::{scenario_files, scenarios};
