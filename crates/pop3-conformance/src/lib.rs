//! The 56 statements of MS-STANOPOP3 as data, each with its section, the party that
//! must comply, its strength, and the releases of Outlook that it covers.
//!
//! MS-STANOPOP3 (version 10.0, July 2024) describes how Outlook interprets RFC
//! 1939. It has 48 clarifications, C0001 to C0048, and 8 points of variability,
//! V0001 to V0008. The texts here are our own summaries; the document is
//! authoritative.
//!
//! ```
//! use pop3_conformance::{Id, Party, Release, Strength, statement};
//!
//! let id: Id = "C0017".parse()?;
//! let drop_listing = statement(id).unwrap();
//! assert_eq!(drop_listing.party(), Party::Server);
//! assert_eq!(drop_listing.strength(), Strength::Must);
//! assert_eq!(drop_listing.section().to_string(), "2.2.5");
//! assert!(drop_listing.releases().contains(Release::NewOutlook));
//!
//! // What happens to mail after a sync depends on the release.
//! let retention = statement("C0048".parse()?).unwrap();
//! assert!(retention.for_release(Release::Outlook2016).unwrap().contains("deletes"));
//! assert!(retention.for_release(Release::Outlook2019).unwrap().contains("leaves"));
//! # Ok::<(), pop3_conformance::ParseIdError>(())
//! ```
//!
//! [`check`] tests a server for each statement that binds servers, over any
//! connection, and returns a [`report`]. [`audit`] does the same for client
//! programs.
//!
//! The tests in `tests/statements/` hold `pop3-proto` to the statements, on each
//! side that they bind. Each test is named after its statement, and is shown to
//! fail on sessions that break it. `CONFORMANCE.md` at the root of the workspace
//! lists them.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod audit;
pub mod check;
mod id;
mod release;
pub mod report;
mod section;
mod statement;
mod table;

pub use id::{Id, Kind, ParseIdError};
pub use release::{Release, Releases};
pub use section::Section;
pub use statement::{Clause, Party, Statement, Strength};

/// All statements, in the order of the document.
#[must_use]
pub fn statements() -> &'static [Statement] {
    &table::STATEMENTS
}

/// The statement with this id; `None` if the document has none.
#[must_use]
pub fn statement(id: Id) -> Option<&'static Statement> {
    statements().iter().find(|statement| statement.id() == id)
}

/// Runs the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
