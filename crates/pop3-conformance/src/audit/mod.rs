//! Is a client program safe and correct? Scripted servers, good, odd and
//! hostile, and a judgement of what the program made of them.
//!
//! A [`Scenario`] is a file of `scenarios/`: a maildrop, one thing that the
//! server does otherwise than a good one, and what is right then. [`audit`]
//! runs a [`Client`] once for each in a scratch folder, under [`Limits`], and
//! compares what it stored, octet for octet, and what it sent. A [`Recipe`]
//! says how to start a known program.
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

mod behaviour;
#[cfg(unix)]
mod client;
#[cfg(unix)]
mod identity;
#[cfg(unix)]
mod judge;
#[cfg(unix)]
mod listen;
mod log;
mod maildrop;
mod outbox;
#[cfg(unix)]
mod recipe;
#[cfg(unix)]
mod result;
#[cfg(unix)]
mod run;
mod scenario;
mod server;
#[cfg(unix)]
mod stored;
mod table;
#[cfg(unix)]
mod watch;

pub use behaviour::{Cover, client_statements, cover};
#[cfg(unix)]
pub use client::{Client, Invocation, Takes};
#[cfg(unix)]
pub use judge::Verdict;
pub use log::{Command, ENTRIES_MAX, Entry, Log, OCTETS_KEPT, State};
#[cfg(unix)]
pub use recipe::{Recipe, RecipeError};
#[cfg(unix)]
pub use result::Audit;
#[cfg(unix)]
pub use run::{Limits, Options, Progress, audit};
pub use scenario::{Scenario, ScenarioError, Transport};
pub use server::{Action, COMMANDS_MAX, FLOOD_MAX, LINE_MAX, Server};
#[cfg(unix)]
pub use stored::Store;
#[cfg(unix)]
pub use table::{recipe_files, recipes};
pub use table::{scenario_files, scenarios};
