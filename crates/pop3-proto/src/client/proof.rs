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
/// Whoever keeps a record of what was received should ask
/// [`fits`](Self::fits) first, since a connection may be lost before that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "without it the message cannot be deleted"]
pub struct Retrieved {
    pub(super) number: MessageNumber,
    pub(super) session: u64,
    pub(super) octets: u64,
}

impl Retrieved {
    /// How many octets a message may have beyond twice its announced size:
    /// room for the header fields that servers and virus scanners add when it
    /// is fetched.
    pub const ADDED_OCTETS: u64 = 4096;

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

    /// Whether the octets fit the size that LIST announced: at least half of
    /// it, and no more than twice of it and [`Self::ADDED_OCTETS`].
    ///
    /// Sizes are exact by RFC 1939 §11, and often are not: a server that counts
    /// LF for CRLF announces at least half of the octets, one that counts
    /// stuffed dots at most a third more, and some estimate. So a message that fits may
    /// still have swallowed a small one.
    ///
    /// If it does not fit, do not record the message as received. Fetch it
    /// again in a new session without
    /// [pipelining](super::Config::pipelining). If it then has as many octets
    /// again, and the session goes on to its end, the size was wrong.
    #[must_use]
    pub const fn fits(self, announced: u64) -> bool {
        let most = announced
            .saturating_mul(2)
            .saturating_add(Self::ADDED_OCTETS);
        announced / 2 <= self.octets && self.octets <= most
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
