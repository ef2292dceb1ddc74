//! Why a message may be deleted.

use crate::MessageNumber;

/// The proof that a message was received whole in this session. Only the
/// session makes one, when the block of the reply to RETR is over.
///
/// It says nothing about storage: store the message before using it.
///
/// Nor can the block itself tell that the server left out its terminator and
/// the next reply was swallowed, or that it left a dot unstuffed and the message
/// was cut there. The session does not send DELE before every other command is
/// answered, and QUIT not before every DELE is: by then either has shown itself.
/// A connection may be lost before that. So a program that keeps a record of what
/// it received should compare [`octets`](Self::octets) with the size by LIST, and
/// ask STAT for the answer that it gave before: the crate `pop3-fetch` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "without it the message cannot be deleted"]
pub struct Retrieved {
    pub(super) number: MessageNumber,
    pub(super) session: u64,
    pub(super) octets: u64,
}

impl Retrieved {
    /// The message that was received.
    #[must_use]
    pub const fn number(self) -> MessageNumber {
        self.number
    }

    /// Its octets, dots unstuffed.
    #[must_use]
    pub const fn octets(self) -> u64 {
        self.octets
    }
}

/// The caller's word that a message is held already.
///
/// Make one only from the unique-id in this session's UIDL and a record of an
/// earlier one: message-numbers change from session to session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivered(MessageNumber);

impl Delivered {
    /// The message that has this number now was received and stored in an
    /// earlier session.
    #[must_use]
    pub const fn in_an_earlier_session(number: MessageNumber) -> Self {
        Self(number)
    }
}

/// Why a message may be deleted: [`Retrieved`] or [`Delivered`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeleteProof {
    pub(super) number: MessageNumber,
    /// The session that retrieved it; `None` on the caller's word.
    pub(super) session: Option<u64>,
}

impl From<Retrieved> for DeleteProof {
    fn from(retrieved: Retrieved) -> Self {
        Self {
            number: retrieved.number,
            session: Some(retrieved.session),
        }
    }
}

impl From<Delivered> for DeleteProof {
    fn from(delivered: Delivered) -> Self {
        Self {
            number: delivered.0,
            session: None,
        }
    }
}
