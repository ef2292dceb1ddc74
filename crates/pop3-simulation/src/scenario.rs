//! Scenarios: which messages a server has, and its faults.

use arbitrary::{Arbitrary, Unstructured};

/// A maildrop, the way its server counts octets, and the faults.
///
/// As fuzz input: one octet for each setting, then two for each fault and four for
/// each mishap.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The number of messages at the start: at most [`Self::MESSAGES`].
    pub messages: u8,
    /// The first message, as an index into the [contents](Self::content).
    pub first: u8,
    /// How LIST counts octets.
    pub counting: Counting,
    /// Whether the server announces PIPELINING.
    pub pipelining: bool,
    /// Whether the client deletes messages after delivery.
    pub delete: bool,
    /// Whether the client uses the Outlook profile or that of RFC 1939.
    pub outlook: bool,
    /// The maximum number of octets in a read; 0 means no maximum.
    pub read: u8,
    /// Whether the server reverses the order of its messages in every second
    /// session.
    pub renumbers: bool,
    /// Whether the client also fetches messages without a unique-id.
    pub without_unique_id: bool,
    /// Whether a message arrives before each session except the first.
    pub mail_arrives: bool,
    /// Whether the client stores mail in an mbox or in a Maildir.
    pub mbox: bool,
    /// The rules by which the client stores messages in a second Maildir.
    pub rules: Rules,
    /// The file system on which mail is stored.
    pub medium: Medium,
    /// Whether another program moves mail from `new` to `cur`, or appends to the
    /// mbox, between runs.
    pub is_shared: bool,
    /// The faults of the server.
    pub faults: Vec<Fault>,
    /// The mishaps of the client's machine.
    pub mishaps: Vec<Mishap>,
}

/// Rules by which a client stores some messages in a second Maildir, chosen by their
/// [header](Scenario::is_of_a_list).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    /// There is only one place.
    None,
    /// The same rule in each run.
    Same,
    /// The rule changes before each run: a rule, then none and so only one Maildir,
    /// then the opposite rule, and again from the start.
    Change,
}

/// When a file system writes changes to the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// Like ext4, XFS and Btrfs: names are written in order, and a rename is one
    /// change. `fsync` of any directory writes all names; `fsync` of a file writes
    /// its octets.
    Journaled,
    /// Only what POSIX promises: names are written in any order, and a rename is two
    /// changes. `fsync` writes the names of that directory, or the octets of that file.
    Posix,
    /// Like bindfs over ext4: `fsync` of a directory does nothing, and `fsync` of a
    /// file also writes all names.
    Layered,
}

/// One mishap of the client's machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mishap {
    /// The run in which it happens, from 0.
    pub run: u8,
    /// The instant of the run: there are two for each disk operation, and one for
    /// each turn of the network.
    pub at: u16,
    /// The kind of mishap.
    pub kind: MishapKind,
}

/// The kinds of mishap of the client's machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MishapKind {
    /// Power is lost. Chance decides which changes had reached the disk.
    PowerLoss {
        /// Modulo 4: 0 means no change, 1 all changes, and 2 or 3 any changes.
        chance: u16,
    },
    /// The program is killed.
    Kill,
    /// The disk is full, until the run ends.
    FullDisk,
    /// The next write or sync fails.
    OneError,
    /// All writes and syncs fail, until the run ends.
    Errors,
    /// The next sync fails.
    SyncError,
}

impl MishapKind {
    pub(crate) const fn ends_the_run(self) -> bool {
        matches!(self, Self::PowerLoss { .. } | Self::Kill)
    }
}

/// How LIST counts the octets of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counting {
    /// As RFC 1939 §11 requires.
    Exact,
    /// A line end counts as LF instead of CRLF.
    Lf,
    /// Includes stuffed dots.
    Stuffed,
    /// Includes the terminator.
    Terminated,
    /// Excludes the CRLF at the end.
    WithoutLastCrlf,
    /// In steps of 1024, rounded down.
    RoundedDown,
    /// In steps of 1024, rounded up.
    RoundedUp,
    /// Reports 0 for each message.
    Zero,
    /// Omits the line of the first message.
    FirstMissing,
}

/// A fault of the server. A number is that of a message in a session, from 1;
/// `once` means in the first session only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The first octet of a message is not stuffed.
    FirstDot,
    /// If the next RETR has already arrived, its `+OK` is sent before the
    /// terminator of the previous message; with `again`, it is sent once more in
    /// its place.
    Interleaved {
        /// Whether the `+OK` is also sent in its place.
        again: bool,
    },
    /// No terminator follows a message.
    NoTerminator {
        /// The message-number.
        number: u8,
        /// In the first session only.
        once: bool,
    },
    /// Two terminators follow a message.
    TwoTerminators {
        /// The message-number.
        number: u8,
        /// In the first session only.
        once: bool,
    },
    /// RETR gets no reply.
    NoAnswer {
        /// The message-number.
        number: u8,
        /// In the first session only.
        once: bool,
    },
    /// RETR gets two replies.
    TwoAnswers {
        /// The message-number.
        number: u8,
        /// In the first session only.
        once: bool,
    },
    /// RETR gets the reply that belongs to the next message.
    NextMessage {
        /// The message-number.
        number: u8,
        /// In the first session only.
        once: bool,
    },
    /// The second half of a message is missing; its terminator is not.
    Shortened {
        /// The message-number.
        number: u8,
        /// In the first session only.
        once: bool,
    },
    /// RETR is refused.
    Refused {
        /// The message-number.
        number: u8,
        /// In the first session only.
        once: bool,
    },
    /// The connection is closed after this many octets of one session.
    Closed {
        /// The session, from 0.
        session: u8,
        /// The number of octets, in units of four.
        octets: u8,
    },
    /// Each DELE renumbers the messages.
    NumberedAnew,
    /// DELE is refused.
    DeleRefused {
        /// The message-number.
        number: u8,
        /// In the first session only.
        once: bool,
    },
    /// QUIT is refused in the first session, and nothing is deleted.
    QuitRefused,
    /// STAT counts one more message each time.
    StatCounts,
    /// STAT is answered in words instead of numbers.
    StatSpeaks,
    /// UIDL omits a message in each session.
    UidlOmits {
        /// The message-number.
        number: u8,
    },
    /// UIDL reports the same unique-id for two messages.
    UidlRepeats,
    /// LIST and UIDL are in descending order.
    ListsBackwards,
}

impl Scenario {
    /// The maximum number of messages at the start.
    pub const MESSAGES: u8 = 5;
    /// The maximum number of faults.
    pub const FAULTS: usize = 3;
    /// The maximum number of mishaps.
    pub const MISHAPS: usize = 2;

    /// The scenario of a server without faults.
    #[must_use]
    pub const fn sound(messages: u8, pipelining: bool, delete: bool) -> Self {
        Self {
            messages,
            first: 0,
            counting: Counting::Exact,
            pipelining,
            delete,
            outlook: true,
            read: 0,
            renumbers: false,
            without_unique_id: false,
            mail_arrives: false,
            mbox: false,
            rules: Rules::None,
            medium: Medium::Journaled,
            is_shared: false,
            faults: Vec::new(),
            mishaps: Vec::new(),
        }
    }

    /// Returns the octets of the message with this index among all messages that
    /// are ever in the maildrop. Each message differs from every other, in size as
    /// well.
    #[must_use]
    pub fn content(&self, index: usize) -> Vec<u8> {
        let kind = (usize::from(self.first) + index) % 8;
        let mut message = String::from(match kind {
            0 => "Subject: a\r\n\r\nplain\r\n",
            1 => ".\r\nfirst line is a dot\r\n",
            2 => "..two dots first\r\n.\r\n..\r\n...\r\n",
            3 => ".\r\n+OK 3 120\r\nSubject: forged\r\n\r\n",
            4 => "+OK 3 120\r\n-ERR\r\n+OK\r\n",
            5 => "Subject: long\r\n\r\n",
            6 => ".x\r\n.\r\n\r\n",
            _ => "\r\n\r\n",
        });
        // There are enough lines, as in ordinary mail, and the sizes are far apart,
        // so that no way to count makes two of them equal.
        for line in 0..12 {
            message.push_str(&format!("line {line:02} {kind}\r\n"));
        }
        let octets = 300 + 150 * index + if kind == 5 { 5000 } else { 0 };
        let rest = octets.saturating_sub(message.len() + 4);
        message.push_str(&format!("{index:02}{}\r\n", "x".repeat(rest)));
        message.into_bytes()
    }

    /// Whether the message with this index has a header that a rule looks for.
    #[must_use]
    pub fn is_of_a_list(&self, index: usize) -> bool {
        let kind = (usize::from(self.first) + index) % 8;
        matches!(kind, 0 | 3 | 4 | 5)
    }

    /// Whether messages can be told apart. Without exact sizes they cannot if two
    /// of them have the same unique-id, or if one is sent in place of another: no
    /// client can detect that.
    #[must_use]
    pub fn can_be_seen(&self) -> bool {
        let says_nothing = matches!(
            self.counting,
            Counting::RoundedDown | Counting::RoundedUp | Counting::Zero
        );
        let leaves_out = self.counting == Counting::FirstMissing;
        let is_hidden = |fault: &Fault| match fault {
            Fault::UidlRepeats => says_nothing || leaves_out,
            Fault::NextMessage { .. } => says_nothing,
            _ => false,
        };
        !self.faults.iter().any(is_hidden)
    }

    /// Returns all single faults for messages up to `messages`.
    #[must_use]
    pub fn single_faults(messages: u8) -> Vec<Fault> {
        let mut faults = vec![
            Fault::FirstDot,
            Fault::Interleaved { again: false },
            Fault::Interleaved { again: true },
            Fault::NumberedAnew,
            Fault::QuitRefused,
            Fault::StatCounts,
            Fault::StatSpeaks,
            Fault::UidlRepeats,
            Fault::ListsBackwards,
        ];
        for number in 1..=messages {
            faults.push(Fault::UidlOmits { number });
            for once in [false, true] {
                faults.extend(Fault::of_message(number, once));
            }
        }
        faults
    }

    /// Reads a scenario from fuzz input.
    fn draw(input: &mut Unstructured<'_>) -> arbitrary::Result<Self> {
        let flags: u8 = input.arbitrary()?;
        let counting = match input.arbitrary::<u8>()? % 16 {
            0 => Counting::Lf,
            1 => Counting::Stuffed,
            2 => Counting::Terminated,
            3 => Counting::WithoutLastCrlf,
            4 => Counting::RoundedDown,
            5 => Counting::RoundedUp,
            6 => Counting::Zero,
            7 => Counting::FirstMissing,
            _ => Counting::Exact,
        };
        let mut scenario = Self {
            messages: 1 + input.arbitrary::<u8>()? % Self::MESSAGES,
            first: input.arbitrary::<u8>()? % 8,
            counting,
            pipelining: flags & 1 == 0,
            delete: flags & 2 == 0,
            outlook: flags & 4 == 0,
            read: match flags & 8 {
                0 => 0,
                _ => input.arbitrary::<u8>()? % 40,
            },
            renumbers: flags & 16 != 0,
            without_unique_id: flags & 64 != 0,
            mail_arrives: flags & 32 != 0,
            ..Self::sound(0, false, false)
        };
        if flags & 128 != 0 {
            let place: u8 = input.arbitrary()?;
            scenario.mbox = place & 1 != 0;
            scenario.is_shared = place & 2 != 0;
            scenario.medium = match place >> 2 & 3 {
                0 => Medium::Posix,
                1 => Medium::Layered,
                _ => Medium::Journaled,
            };
            scenario.rules = match place >> 4 & 3 {
                1 if !scenario.mbox => Rules::Same,
                2 if !scenario.mbox => Rules::Change,
                _ => Rules::None,
            };
        }
        while scenario.faults.len() < Self::FAULTS && !input.is_empty() {
            let [kind, place]: [u8; 2] = input.arbitrary()?;
            if kind % 32 >= 23 && scenario.mishaps.len() < Self::MISHAPS {
                scenario
                    .mishaps
                    .push(Mishap::draw(kind, place, input.arbitrary()?));
                continue;
            }
            scenario
                .faults
                .extend(Fault::draw(kind, place, scenario.messages));
            if !scenario.can_be_seen() {
                scenario.faults.pop();
            }
        }
        Ok(scenario)
    }
}

impl Fault {
    /// The faults that affect one message.
    const fn of_message(number: u8, once: bool) -> [Self; 8] {
        [
            Self::NoTerminator { number, once },
            Self::TwoTerminators { number, once },
            Self::NoAnswer { number, once },
            Self::TwoAnswers { number, once },
            Self::NextMessage { number, once },
            Self::Shortened { number, once },
            Self::Refused { number, once },
            Self::DeleRefused { number, once },
        ]
    }

    fn draw(kind: u8, place: u8, messages: u8) -> Option<Self> {
        let number = 1 + place % 64 % messages;
        let once = place & 64 != 0;
        let of_message = Self::of_message(number, once);
        Some(match kind % 32 {
            kind @ 0..8 => of_message[usize::from(kind)],
            8 => Self::FirstDot,
            9 => Self::Interleaved { again: once },
            10..16 => Self::Closed {
                session: kind % 3,
                octets: place,
            },
            16 => Self::NumberedAnew,
            17 => Self::QuitRefused,
            18 => Self::StatCounts,
            19 => Self::StatSpeaks,
            20 => Self::UidlRepeats,
            21 => Self::ListsBackwards,
            22 => Self::UidlOmits { number },
            _ => return None,
        })
    }
}

impl<'a> Arbitrary<'a> for Scenario {
    fn arbitrary(input: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        Self::draw(input)
    }
}

impl Mishap {
    fn draw(kind: u8, place: u8, chance: u16) -> Self {
        Self {
            run: place % 3,
            at: 3 * u16::from(place / 3) + chance % 3,
            kind: match kind % 32 {
                23 => MishapKind::Kill,
                24 => MishapKind::FullDisk,
                25 => MishapKind::OneError,
                26 => MishapKind::Errors,
                27 => MishapKind::SyncError,
                _ => MishapKind::PowerLoss { chance: chance / 3 },
            },
        }
    }
}
