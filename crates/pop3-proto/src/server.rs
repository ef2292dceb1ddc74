//! The server's side of a session, without I/O (RFC 1939, 2449, 2595, 3206,
//! 5034, 6856).
//!
//! [`Session`] is the state machine; a [`Maildrop`] is what it serves; the
//! driver carries octets, tells the time and decides about [`Event`]s. The calls are those
//! of a [client's session](crate::client::Session).
//!
//! # Where the RFCs leave a choice
//!
//! 1. NOOP belongs to the TRANSACTION state (RFC 1939 §5), where it always says
//!    `+OK`; before login it is refused like the others.
//! 2. USER says `+OK` to every name; PASS is taken only as the very next
//!    command. CAPA names USER, and the [`PLAINTEXT_MECHANISMS`], only where
//!    they would be taken.
//! 3. Commands are obeyed one at a time: the next is read when the reply is
//!    sent. Clients may pipeline as they like (RFC 2449 §6.6).
//! 4. What a client sends and does not end with CRLF is no command, not even
//!    QUIT before it closes its side.
//! 5. The texts of replies are in English, and LANG offers that alone (RFC 6856
//!    §3).
//! 6. What RESP-CODES and AUTH-RESP-CODE promise holds: a text that begins with
//!    `[` is a code, and wrong credentials always have `[AUTH]`.
//! 7. TOP counts lines as they are sent, so that a stored bare CR or LF ends
//!    one.

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
