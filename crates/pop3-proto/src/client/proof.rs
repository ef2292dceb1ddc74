//! Why a message may be deleted.

use crate::MessageNumber;

/// The proof that a message was received completely in this session. Only the
/// session makes one, at the end of the block in the reply to RETR.
///
/// It says nothing about storage: store the message before you use the proof.
///
/// The block itself cannot show that the server omitted the terminator, so that the
/// next reply was swallowed, or did not stuff a dot, so that the message was cut
/// there. The session sends DELE only after every other command is answered, and
/// QUIT only after every DELE is: by then either fault has become known. But a
/// connection may break earlier. So a program that keeps records should compare
/// [`octets`](Self::octets) with the size in LIST, and check that the reply to STAT
/// is the same as before, as the crate `pop3-fetch` does.
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

    /// Its octets, after unstuffing.
    #[must_use]
    pub const fn octets(self) -> u64 {
        self.octets
    }
}

/// The caller's statement that a message is already stored.
///
/// Make one only from the unique-id in this session's UIDL and a record of an
/// earlier one: message-numbers change from session to session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivered(MessageNumber);

impl Delivered {
    /// States that the message with this number was received and stored in an
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
    /// The session that retrieved it; `None` for a statement of the caller.
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
