//! What MS-STANOPOP3 says of POP3, as data: 56 statements, each with its
//! section, who must comply, how strictly, and for which releases of Outlook.
//!
//! MS-STANOPOP3 (version 10.0, July 2024) tells how Outlook reads RFC 1939. It
//! has 48 clarifications, C0001 to C0048, and 8 points of variability, V0001 to
//! V0008. The lines here are our own; the document is what counts.
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
//! [`check`] asks a server about each statement that binds servers, over any
//! connection, and answers with a [`report`].
//!
//! The tests of this crate, in `tests/statements/`, hold `pop3-proto` to the
//! statements, on each side that they bind. Each is named after its statement,
//! and is shown to fail on sessions that break it. `CONFORMANCE.md` at the root
//! of the repository lists all of that.

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

/// The statement of that id; `None` if the document has none.
#[must_use]
pub fn statement(id: Id) -> Option<&'static Statement> {
    statements().iter().find(|statement| statement.id() == id)
}
