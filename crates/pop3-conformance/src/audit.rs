//! Is a client program safe and correct? Scripted servers, good, odd and
//! hostile, and a judgement of what the program made of them.
//!
//! A [`Scenario`] is a file of `scenarios/`: a maildrop, one thing that the
//! server does otherwise than a good one, and what is right then. For each,
//! [`audit`] runs a [`Client`] in a scratch directory, under [`Limits`], until it
//! settles, and compares what it stored, octet for octet, and what it sent. A
//! [`Recipe`] says how to start a known program.
//!
//! The server itself is [`Server`], without I/O: [`audit`] puts sockets around
//! it, a fuzz target puts arbitrary octets into it.
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
