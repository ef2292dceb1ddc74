//! The client's side of a connection, without I/O.
//!
//! [`Session`] takes commands and the server's octets, and returns octets to send
//! and [`Event`]s. Socket, TLS and clock belong to the driver. The calls are those
//! of a [server's session](crate::server::Session).
//!
//! ```text
//!  Greeting --+OK--> Authorization --+OK to PASS, APOP, AUTH--> Transaction
//!     |               |        ^                                    |
//!   -ERR         +OK to STLS   | handle_tls              +OK to QUIT
//!     v               v        |                                    v
//!   Closed         Handshake --+                                 Update
//!
//!  any --an impossible reply, a limit, a timeout, the end of input--> Desync
//! ```

mod capabilities;
mod config;
mod error;
mod event;
mod exchange;
mod failure;
mod heard;
mod index;
mod input;
mod listing;
mod pending;
mod proof;
mod queue;
mod rules;
mod session;
mod state;
mod timer;

pub use capabilities::Capabilities;
pub use config::{Config, Limits, Timeouts, Transport};
pub use error::{ClientError, LineError, LineErrorKind, SessionError};
pub use event::{End, Event, Reply, Request, Response};
pub use exchange::Exchange;
pub use failure::SessionFailure;
pub use index::{IndexedMessage, MaildropIndex};
pub use pending::{Awaited, Evidence, Pending};
pub use proof::{DeleteProof, Delivered, Retrieved};
pub use session::Session;
pub use state::State;
pub use timer::Timer;
