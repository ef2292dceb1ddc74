//! How large a message is said to be, and how large it is.
//!
//! RFC 1939 §11 makes the sizes of LIST exact: the octets that RETR sends, before
//! stuffing. Many servers count line ends otherwise, in one of a few ways that can
//! be worked out from the message. A size that none of these explains is an
//! estimate, or that of another message, or of one of which a part is missing.

use core::fmt;

use pop3_proto::{
    DropListing,
    client::{MaildropIndex, Reply},
};

/// A message as it came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Octets, unstuffed, the last CRLF included.
    pub octets: u64,
    /// Lines that end with CRLF.
    pub lines: u64,
    /// The number that the answer to RETR began with: with most servers, the
    /// octets of the message.
    pub announced: Option<u64>,
}

/// A way to count the octets of a message other than RFC 1939's.
///
/// In the first three LIST says less than comes, by an amount that the line ends
/// of the message explain: nothing of it can be missing. Counts by which more is
/// listed than comes are not believed. A server that counts the dots of stuffing,
/// say, cannot be told from one that leaves out the stuffing of the first octet,
/// which the client then takes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reckoning {
    /// Without the CRLF that the server adds to a last line that has none
    /// (Dovecot).
    WithoutAddedCrlf,
    /// With LF where CRLF is sent.
    Lf,
    /// With LF, and without the last one, which the server adds.
    LfWithoutAddedLf,
    /// In no way that the message shows, but the answer to RETR begins with its
    /// octets: LIST has an estimate.
    Announced,
}

impl Reckoning {
    /// All ways.
    pub const ALL: [Self; 4] = [
        Self::WithoutAddedCrlf,
        Self::Lf,
        Self::LfWithoutAddedLf,
        Self::Announced,
    ];

    /// Whether a server that counts so lists this message with `listed` octets;
    /// `None` if LIST does not name it.
    fn explains(self, listed: Option<u64>, message: &Received) -> bool {
        let Received {
            octets,
            lines,
            announced,
        } = *message;
        let counted = match self {
            Self::WithoutAddedCrlf => octets.checked_sub(2),
            Self::Lf => octets.checked_sub(lines),
            Self::LfWithoutAddedLf => octets.saturating_sub(lines).checked_sub(1),
            Self::Announced => return announced == Some(octets),
        };
        counted.is_some() && counted == listed
    }
}

impl fmt::Display for Reckoning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WithoutAddedCrlf => "without the CRLF that the server adds at the end",
            Self::Lf => "with LF where the server sends CRLF",
            Self::LfWithoutAddedLf => {
                "with LF where the server sends CRLF, and without the line end that it adds"
            }
            Self::Announced => "otherwise than RETR, which is right",
        })
    }
}

/// What was learned of a server, from visit to visit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Learned {
    bits: i64,
}

impl Learned {
    const MIXES_REPLIES: i64 = 1 << 32;

    pub(crate) const fn from_bits(bits: i64) -> Self {
        Self { bits }
    }

    pub(crate) const fn bits(self) -> i64 {
        self.bits
    }

    /// Whether the server counts sizes in this way, at times at least.
    #[must_use]
    pub const fn has(self, reckoning: Reckoning) -> bool {
        self.bits & (1 << reckoning as u32) != 0
    }

    pub(crate) const fn learn(&mut self, reckoning: Reckoning) {
        self.bits |= 1 << reckoning as u32;
    }

    /// Whether its replies to pipelined commands are not what they are to
    /// commands sent one at a time.
    #[must_use]
    pub const fn mixes_replies(self) -> bool {
        self.bits & Self::MIXES_REPLIES != 0
    }

    pub(crate) const fn learn_mixes_replies(&mut self) {
        self.bits |= Self::MIXES_REPLIES;
    }
}

/// What is known of the sizes of a message and of the others.
#[derive(Clone, Copy, Debug)]
pub struct Sizes<'a> {
    /// That of the message, if LIST names it.
    pub listed: Option<u64>,
    /// What was learned of the server.
    pub learned: Learned,
    /// All messages.
    pub maildrop: &'a MaildropIndex,
}

impl Sizes<'_> {
    /// Whether they explain the message: its size is exact, or counted in a way
    /// that is known of the server and that shows in the message.
    #[must_use]
    pub fn explain(&self, message: &Received) -> bool {
        let knows = |way: &Reckoning| self.learned.has(*way);
        self.listed == Some(message.octets)
            || (Reckoning::ALL.into_iter().filter(knows)).any(|way| self.are_counted(way, message))
    }

    /// Whether the message may be the one that was asked for, if the server counts
    /// in this way. If RETR announces the octets that came, and another message is
    /// listed with them, it is that one.
    fn are_counted(&self, way: Reckoning, message: &Received) -> bool {
        message.octets > 0
            && way.explains(self.listed, message)
            && match way {
                Reckoning::Announced => self.are_nearest(message),
                _ => message.announced != Some(message.octets) || !self.are_of_another(message),
            }
    }

    /// In which way the server counts, if that shows in the message and no other is
    /// listed with its octets.
    #[must_use]
    pub fn teach(&self, message: &Received) -> Option<Reckoning> {
        let mut ways = Reckoning::ALL.into_iter();
        let way = ways.find(|way| self.are_counted(*way, message));
        way.filter(|_| !self.are_of_another(message))
    }

    fn are_of_another(&self, message: &Received) -> bool {
        let octets = Some(message.octets);
        self.listed != octets && self.maildrop.iter().any(|other| other.octets == octets)
    }

    /// Whether no other size in the maildrop is as near to that of the message, or
    /// explains it better.
    fn are_nearest(&self, message: &Received) -> bool {
        let distance = |listed: u64| listed.abs_diff(message.octets);
        let own = self.listed.map_or(0, distance);
        let counted = |octets| {
            let by_line_ends = |way: &Reckoning| *way != Reckoning::Announced;
            (Reckoning::ALL.iter().copied().filter(by_line_ends))
                .any(|way| way.explains(Some(octets), message))
        };
        let others = self.maildrop.iter().filter_map(|other| other.octets);
        let mut others = others.filter(|octets| Some(*octets) != self.listed);
        !others.any(|octets| distance(octets) <= own || counted(octets))
    }
}

/// What STAT was answered with: the same, as long as the session is in step and
/// nothing is deleted. No mail can forge it without knowing what else is in the
/// maildrop.
///
/// Equal are the same numbers, or without numbers the same words.
#[derive(Clone, Debug, Eq)]
pub struct Total {
    listing: Option<DropListing>,
    is_positive: bool,
    words: Vec<u8>,
}

impl PartialEq for Total {
    fn eq(&self, other: &Self) -> bool {
        match (self.listing, other.listing) {
            (Some(listing), Some(other)) => listing == other,
            _ => self.is_positive == other.is_positive && self.words == other.words,
        }
    }
}

impl Total {
    /// The answer to STAT.
    pub(crate) fn of(reply: &Reply<'_>) -> Self {
        Self {
            listing: reply.drop_listing().ok(),
            is_positive: reply.is_positive(),
            words: reply.status.text().to_vec(),
        }
    }

    /// Whether another reply begins with this very line.
    pub(crate) fn is_line_of(&self, reply: &Reply<'_>) -> bool {
        self.is_positive == reply.is_positive() && self.words == reply.status.text()
    }

    /// How many messages there are, if it says so.
    #[must_use]
    pub const fn messages(&self) -> Option<u32> {
        match self.listing {
            Some(listing) => Some(listing.messages),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use pop3_proto::{MessageNumber, ScanListing, client::Event};

    use super::*;

    /// A maildrop with these sizes.
    fn maildrop(sizes: &[u64]) -> MaildropIndex {
        let mut maildrop = MaildropIndex::new();
        for (index, &octets) in sizes.iter().enumerate() {
            let number = MessageNumber::from_index(index).unwrap();
            maildrop.handle(&Event::Scan(ScanListing { number, octets }));
        }
        maildrop
    }

    #[test]
    fn a_size_is_explained_only_in_a_way_that_was_learned() {
        let message = Received {
            octets: 100,
            lines: 7,
            announced: None,
        };
        let maildrop = maildrop(&[100, 98, 93, 92]);
        let explain = |learned, listed| {
            let sizes = Sizes {
                listed,
                learned,
                maildrop: &maildrop,
            };
            sizes.explain(&message)
        };
        for (way, listed) in Reckoning::ALL.into_iter().zip([98, 93, 92]) {
            let mut learned = Learned::default();
            assert!(explain(learned, Some(100)));
            assert!(!explain(learned, Some(listed)), "{way}");
            learned.learn(way);
            assert!(explain(learned, Some(listed)), "{way}");
            assert!(explain(learned, Some(100)), "{way}");
            assert!(!explain(learned, Some(listed + 1)), "{way}");
            assert!(!explain(learned, None), "{way}");
            assert!(!learned.mixes_replies());
        }
    }

    #[test]
    fn the_word_of_retr_counts_only_if_no_other_size_is_as_near() {
        let message = |octets| Received {
            octets,
            lines: 7,
            announced: Some(100),
        };
        for (sizes, octets, is_it) in [
            (&[103, 110][..], 100, true),
            (&[103, 97], 100, false),
            (&[103, 103], 100, true),
            (&[0, 0], 100, true),
            (&[103, 110], 101, false),
            (&[103, 93], 100, false),
        ] {
            let sizes = Sizes {
                listed: Some(sizes[0]),
                learned: Learned::default(),
                maildrop: &maildrop(sizes),
            };
            let taught = sizes.teach(&message(octets)).is_some();
            assert_eq!(taught, is_it, "{sizes:?}");
        }
    }

    /// A message of 98 octets is asked for, and that of 100 comes.
    #[test]
    fn a_message_with_the_size_of_another_teaches_nothing() {
        let maildrop = maildrop(&[98, 100]);
        for announced in [None, Some(98), Some(100)] {
            let message = Received {
                octets: 100,
                lines: 7,
                announced,
            };
            let mut learned = Learned::default();
            learned.learn(Reckoning::WithoutAddedCrlf);
            let sizes = Sizes {
                listed: Some(98),
                learned,
                maildrop: &maildrop,
            };
            assert_eq!(sizes.teach(&message), None);
            assert_eq!(sizes.explain(&message), announced != Some(100));
        }
    }

    #[test]
    fn no_size_is_below_zero() {
        let empty = Received::default();
        for way in [Reckoning::WithoutAddedCrlf, Reckoning::LfWithoutAddedLf] {
            assert!(!way.explains(Some(0), &empty), "{way}");
            assert!(!way.explains(None, &empty), "{way}");
        }
        let one = Received { octets: 1, ..empty };
        assert!(!Reckoning::WithoutAddedCrlf.explains(None, &one));
    }
}
