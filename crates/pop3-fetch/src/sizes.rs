//! Compares the size of a message in LIST with the octets that were received.
//!
//! RFC 1939 §11 makes the sizes in LIST exact: the octets that RETR sends, before
//! stuffing. Many servers count line ends differently, in one of a few ways that
//! can be recognized from the message. If none of these explains a size, it is an
//! estimate, or the size of another message, or part of the message is missing.

use core::fmt;

use pop3_proto::{
    DropListing,
    client::{MaildropIndex, Reply},
};

/// The counts of a received message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Octets after unstuffing, including the last CRLF.
    pub octets: u64,
    /// The number of lines that end with CRLF.
    pub lines: u64,
    /// The number at the start of the first line of the reply to RETR; most servers
    /// send the octets of the message there.
    pub announced: Option<u64>,
}

/// A way to count the octets of a message other than RFC 1939's.
///
/// In the first three ways, LIST gives less than is received, by an amount that the
/// line ends of the message explain, so nothing can be missing. Counts that give
/// more than is received are not accepted: for example, a server that counts
/// stuffed dots looks the same as one that does not stuff the first octet, a dot
/// that the client then removes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reckoning {
    /// Without the CRLF that the server adds to a last line without one (Dovecot).
    WithoutAddedCrlf,
    /// With LF instead of CRLF.
    Lf,
    /// With LF instead of CRLF, and without the last LF, which the server adds.
    LfWithoutAddedLf,
    /// LIST has an estimate, and the reply to RETR begins with the exact octets.
    Announced,
}

impl Reckoning {
    /// All ways of counting.
    pub const ALL: [Self; 4] = [
        Self::WithoutAddedCrlf,
        Self::Lf,
        Self::LfWithoutAddedLf,
        Self::Announced,
    ];

    /// Whether a server that counts in this way lists this message with `listed`
    /// octets; `None` if LIST does not list it.
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
            Self::Lf => "with LF instead of the CRLF that it sends",
            Self::LfWithoutAddedLf => {
                "with LF instead of the CRLF that it sends, and without the line end that it adds"
            }
            Self::Announced => "differently from RETR, which is right",
        })
    }
}

/// What was learned about a server on earlier visits.
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

    /// Whether the server counts sizes in this way, at least sometimes.
    #[must_use]
    pub const fn has(self, reckoning: Reckoning) -> bool {
        self.bits & (1 << reckoning as u32) != 0
    }

    pub(crate) const fn learn(&mut self, reckoning: Reckoning) {
        self.bits |= 1 << reckoning as u32;
    }

    /// Whether the server mixes up the replies to pipelined commands.
    #[must_use]
    pub const fn mixes_replies(self) -> bool {
        self.bits & Self::MIXES_REPLIES != 0
    }

    pub(crate) const fn learn_mixes_replies(&mut self) {
        self.bits |= Self::MIXES_REPLIES;
    }
}

/// The size of a message in LIST, and what is needed to judge it.
#[derive(Clone, Copy, Debug)]
pub struct Sizes<'a> {
    /// The size of the message, if LIST lists it.
    pub listed: Option<u64>,
    /// What was learned about the server.
    pub learned: Learned,
    /// All messages.
    pub maildrop: &'a MaildropIndex,
}

impl Sizes<'_> {
    /// Whether the sizes explain the message: its size is exact, or counted in a
    /// way that the server is known to use and that fits the message.
    #[must_use]
    pub fn explain(&self, message: &Received) -> bool {
        let knows = |way: &Reckoning| self.learned.has(*way);
        self.listed == Some(message.octets)
            || (Reckoning::ALL.into_iter().filter(knows)).any(|way| self.are_counted(way, message))
    }

    /// Whether this can be the requested message if the server counts in this way.
    /// If RETR announces the octets that were received and another message is
    /// listed with them, it is the other one.
    fn are_counted(&self, way: Reckoning, message: &Received) -> bool {
        message.octets > 0
            && way.explains(self.listed, message)
            && match way {
                Reckoning::Announced => self.are_nearest(message),
                _ => message.announced != Some(message.octets) || !self.are_of_another(message),
            }
    }

    /// Returns the way in which the server counts, if the message shows it and no
    /// other message is listed with its octets.
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

    /// Whether no other size in the maildrop is as close to that of the message or
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

/// The reply to STAT. It stays the same as long as the session is in step and
/// nothing is deleted. A mail cannot forge it without knowing what else is in the
/// maildrop.
///
/// Two totals are equal if their numbers are equal or, without numbers, their
/// texts.
#[derive(Clone, Debug, Eq)]
pub struct Total {
    listing: Option<DropListing>,
    /// Whether the reply is positive, and its text.
    line: (bool, Vec<u8>),
}

impl PartialEq for Total {
    fn eq(&self, other: &Self) -> bool {
        self.line == other.line || (self.listing.is_some() && self.listing == other.listing)
    }
}

impl Total {
    /// The total in a reply to STAT.
    pub(crate) fn of(reply: &Reply<'_>) -> Self {
        Self {
            listing: reply.drop_listing().ok(),
            line: Self::line(reply),
        }
    }

    /// Whether another reply begins with this line.
    pub(crate) fn is_line_of(&self, reply: &Reply<'_>) -> bool {
        self.line == Self::line(reply)
    }

    fn line(reply: &Reply<'_>) -> (bool, Vec<u8>) {
        (reply.is_positive(), reply.status.text().to_vec())
    }

    /// Returns the number of messages, if the reply has one.
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
    fn explains_a_size_only_in_a_way_that_was_learned() {
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
    fn trusts_the_size_in_the_reply_to_retr_only_if_no_other_size_is_as_close() {
        let message = |octets: u64| Received {
            octets,
            lines: 7,
            announced: Some(octets.min(100)),
        };
        for (sizes, octets, is_it) in [
            (&[103, 110][..], 100, true),
            (&[103, 97], 100, false),
            (&[103, 103], 100, true),
            (&[0, 0], 100, true),
            (&[103, 110], 101, false),
            (&[103, 93], 100, false),
            (&[103, 110], 0, false),
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

    /// The message of 98 octets is requested, and the one of 100 is sent.
    #[test]
    fn learns_nothing_from_a_message_with_the_size_of_another() {
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
    fn never_computes_a_negative_size() {
        let empty = Received::default();
        for way in [Reckoning::WithoutAddedCrlf, Reckoning::LfWithoutAddedLf] {
            assert!(!way.explains(Some(0), &empty), "{way}");
            assert!(!way.explains(None, &empty), "{way}");
        }
        let one = Received { octets: 1, ..empty };
        assert!(!Reckoning::WithoutAddedCrlf.explains(None, &one));
    }
}
