//! Fetching mail so that nothing is lost and nothing comes twice.
//!
//! A fetch is one or more *visits* to a server. A [`Visit`] is the client's part
//! of one session after the login, as an
//! [`Exchange`](pop3_proto::client::Exchange): it lists, retrieves, delivers,
//! deletes and quits. It knows no socket; [`Fetch`] says whether another visit
//! is due, and a driver connects, logs in and runs it.
//!
//! Two promises, and where they are kept:
//!
//! - *A message counts as received only when the session is known to be in step
//!   after it*: a [`Visit`] asks for a witness, and [`Decisions`] says what is in
//!   doubt.
//! - *It is deleted on the server only when it is on the disk and the journal says
//!   so on the disk too*: [`Group`] describes the protocol, step by step.

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
    Committed, Direct, Form, Gone, Group, Intake, LineEnds, Parcels, Place, finish_leftovers,
};
pub use disk::{Directory, Disk, File, Syncs, System};
pub use failure::{Failure, Kind};
pub use fetch::{Fetch, Next, Orders};
pub use journal::{Journal, Key, Records};
pub use report::{Report, Summary};
pub use sizes::{Learned, Received, Reckoning, Sizes, Total};
pub use visit::{Afterwards, Careful, Decisions, Plan, Visit, Wishes};

/// Seconds since 1970, by the system.
fn clock() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs().cast_signed())
}
