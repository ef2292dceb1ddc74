//! What the journal says of a message.

/// The state of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// Delivered, on disk.
    Delivered = 1,
    /// Delivered, and the server was asked to delete it but has not confirmed that.
    DeletionRequested = 2,
    /// The server has confirmed DELE and QUIT. If it lists the unique-id again,
    /// that is another message.
    Deleted = 3,
}

impl State {
    pub(super) fn from_column(value: i64) -> rusqlite::Result<Self> {
        match value {
            1 => Ok(Self::Delivered),
            2 => Ok(Self::DeletionRequested),
            3 => Ok(Self::Deleted),
            other => Err(rusqlite::Error::IntegralValueOutOfRange(2, other)),
        }
    }
}

/// How a message came into the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// `pop3` fetched it.
    Fetched = 0,
    /// It was recorded as seen ([`Seen`]).
    Seen = 1,
    /// It was recorded as seen, and each `-` in its unique-id may be a `/` on the
    /// server ([`Spelling::SlashesAsDashes`]).
    SeenDashed = 2,
}

impl Origin {
    pub(super) fn from_column(value: i64) -> rusqlite::Result<Self> {
        match value {
            0 => Ok(Self::Fetched),
            1 => Ok(Self::Seen),
            2 => Ok(Self::SeenDashed),
            other => Err(rusqlite::Error::IntegralValueOutOfRange(6, other)),
        }
    }
}

/// A message that counts as delivered although `pop3` did not deliver it: another
/// program did, or the user wants only what comes after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its key.
    pub key: Key,
    /// Its size as the server listed it, if that is known.
    pub octets: Option<u64>,
    /// When it was delivered or recorded, in seconds since 1970.
    pub since: i64,
}

/// How the unique-ids of seen messages are spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// As the server sends them.
    Exact,
    /// With each `/` replaced by `-`, as getmail writes them.
    SlashesAsDashes,
}

/// Identifies a message by its unique-id and its copy number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The unique-id as the server sent it.
    pub unique_id: Vec<u8>,
    /// The copy number: 0 unless several messages have the same unique-id.
    pub copy: u32,
}

/// A message that is on disk under a name by which the next run finds it, but may
/// not yet be delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pending {
    pub(crate) key: Key,
    /// Its size as the server listed it.
    pub(crate) octets: u64,
    /// The name that its delivery gave it.
    pub(crate) name: String,
}

/// A pending message that a killed run left.
#[derive(Clone, Debug)]
pub(crate) struct Waits {
    pub(crate) message: Pending,
    /// When it became pending.
    pub(crate) since: i64,
    /// The boot-id of the system at that time; empty if unknown.
    pub(crate) boot: String,
}

/// What a killed run left at one place.
#[derive(Debug, Default)]
pub(crate) struct Leftover {
    pub(crate) place: String,
    /// The prefixes of the names of its unfinished files.
    pub(crate) stems: Vec<String>,
    pub(crate) pending: Vec<Waits>,
}
