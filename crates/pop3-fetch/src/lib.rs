//! Fetches mail so that no message is lost or delivered twice.
//!
//! A fetch is one or more *visits* to a server. A [`Visit`] is the client's part of
//! one session after the login, as an [`Exchange`](pop3_proto::client::Exchange):
//! it lists, retrieves, delivers, deletes and quits. It does no I/O on the network:
//! a driver connects, logs in and runs the visit, and [`Fetch`] says whether
//! another visit is due.
//!
//! It keeps two promises:
//!
//! - *A message counts as received only if the session is known to be in step
//!   afterwards.* A [`Visit`] asks for a witness, and [`Decisions`] says which
//!   messages are in doubt.
//! - *A message is deleted on the server only after the message and its entry in
//!   the journal are on disk*, or a command or an LMTP server has taken it.
//!   [`Group`] describes the protocol, step by step, and what it cannot promise
//!   there.

#![cfg(unix)]

mod delivery;
mod disk;
mod failure;
mod fetch;
mod journal;
mod report;
mod sizes;
mod visit;

pub use delivery::{
    Address, Answer, Committed, Direct, Form, Gone, Group, Intake, LineEnds, Lmtp, LmtpServer,
    Parcels, Place, Rule, Sorting, Source, Trace, Verdict, finish_leftovers,
};
pub use disk::{Directory, Disk, File, Syncs, System};
pub use failure::{Failure, Kind};
pub use fetch::{Fetch, Next, Orders};
pub use journal::{Journal, Key, Records, Seen, Spelling};
pub use report::{Report, Summary};
pub use sizes::{Learned, Received, Reckoning, Sizes, Total};
pub use visit::{Afterwards, Careful, Decisions, Plan, Visit, Wishes};

/// The system time, in seconds since 1970.
fn clock() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs().cast_signed())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_clock_counts_from_1970() {
        let years = super::clock() / (365 * 86_400);
        assert!((55..1000).contains(&years), "{years}");
    }
}
