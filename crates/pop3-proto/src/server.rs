//! The server's side of a session, without I/O (RFC 1939, 2449, 2595, 3206,
//! 5034, 6856).
//!
//! [`Session`] is the state machine, and serves a [`Maildrop`]. The driver moves
//! octets, provides the time, and handles [`Event`]s. The calls are those of a
//! [client's session](crate::client::Session).
//!
//! # Where the RFCs leave a choice
//!
//! 1. NOOP belongs to the TRANSACTION state (RFC 1939 §5), where the reply is
//!    always `+OK`; before login it is refused like other commands of that state.
//! 2. The reply to USER is `+OK` for every name; PASS is accepted only as the next
//!    command. CAPA announces USER and the [`PLAINTEXT_MECHANISMS`] only where they
//!    are accepted.
//! 3. Commands are processed one at a time: the next one is read after the reply is
//!    sent. Clients may pipeline (RFC 2449 §6.6).
//! 4. A line that does not end with CRLF is not a command, not even QUIT before the
//!    client closes its side.
//! 5. The texts of replies are in English, the only language that LANG offers (RFC
//!    6856 §3).
//! 6. RESP-CODES and AUTH-RESP-CODE are fulfilled: a text that begins with `[` is a
//!    code, and wrong credentials always have `[AUTH]`.
//! 7. TOP counts lines as they are sent, so a stored bare CR or LF ends a line.

mod authorization;
mod capabilities;
mod config;
mod event;
mod language;
mod maildrop;
mod reply;
mod session;
mod state;
mod transaction;

pub use config::{
    Config, DEFAULT_CHALLENGES, MAX_MECHANISMS, MAX_TEXT, MAX_TIMESTAMP, MIN_AUTOLOGOUT,
    PLAINTEXT_MECHANISMS, Tls,
};
pub use event::{ChallengeError, Closed, Event, HiddenText, Login, Verdict};
pub use maildrop::Maildrop;
pub use reply::MESSAGE_PIECE;
pub use session::Session;
pub use state::State;
