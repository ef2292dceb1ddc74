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
