//! The observations of the sessions, for the rows to judge.

use std::collections::BTreeMap;

use pop3_proto::{DropListing, FieldRule, ScanListing, UniqueIdListing};

use super::{
    dialogue::{Answer, Reply, Trouble},
    evidence::Secrets,
    prober::{Incident, IncidentKind, lines},
};

/// A command and its answer.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) command: String,
    pub(super) answer: Answer,
}

/// All observations. What is absent was not asked.
#[derive(Default)]
pub(super) struct Observed {
    pub(super) secrets: Secrets,
    pub(super) incidents: Vec<Incident>,
    /// Why there could be no more sessions, if so.
    pub(super) hopeless: Option<String>,
    pub(super) greeting: Option<Answer>,
    pub(super) login: Option<String>,
    /// Set if the server has no login that this check supports.
    pub(super) no_login: Option<String>,
    pub(super) capa: Option<Answer>,
    /// The capabilities last announced.
    pub(super) capabilities: Vec<Vec<u8>>,
    /// Commands of the TRANSACTION state before login.
    pub(super) early: Vec<Asked>,
    /// QUIT before login, and whether the connection ended.
    pub(super) early_quit: Option<(Answer, Option<bool>)>,
    pub(super) refused_login: Option<RefusedLogin>,
    pub(super) stls: Option<(bool, String)>,
    pub(super) stls_again: Option<Answer>,
    pub(super) stls_pipelined: Option<Injection>,
    pub(super) reading: Reading,
    pub(super) deleting: Option<Deleting>,
    pub(super) again: Option<Again>,
    pub(super) update: Option<Update>,
}

/// A login with a wrong password, and what followed.
pub(super) struct RefusedLogin {
    pub(super) answer: Answer,
    /// The answer to the right password, if the connection was still open.
    pub(super) after: Option<Answer>,
}

/// The outcome of a command sent together with STLS.
pub(super) enum Injection {
    /// The server obeyed it, as shown.
    Obeyed(String),
    /// The server discarded it.
    Discarded(String),
    /// The connection ended, or the run.
    Ended(Trouble),
}

impl Observed {
    /// Why the run ended before everything was tried, if it did.
    pub(super) fn cut_short(&self) -> Option<&str> {
        // The row that it failed in has the rest.
        self.hopeless.as_deref()?.lines().next_back()
    }
}

/// A session that changes nothing.
#[derive(Default)]
pub(super) struct Reading {
    pub(super) stat: Option<Answer>,
    pub(super) list: Option<Answer>,
    pub(super) uidl: Option<Answer>,
    pub(super) list_one: Option<(u32, Answer)>,
    pub(super) uidl_one: Option<(u32, Answer)>,
    pub(super) noop: Option<Answer>,
    pub(super) noop_in_lower_case: Option<Answer>,
    pub(super) unknown: Option<Answer>,
    pub(super) no_such_message: Vec<Asked>,
    pub(super) samples: Vec<Sample>,
    /// The number of messages in the maildrop that were not retrieved.
    pub(super) not_sampled: usize,
    /// Listings and the like, and then messages.
    pub(super) pipelined: Vec<Pipelined>,
    pub(super) long_command: Option<LongCommand>,
    pub(super) quit: Option<(Answer, Option<bool>)>,
}

/// A message that was retrieved.
pub(super) struct Sample {
    pub(super) number: u32,
    pub(super) listed: Option<u64>,
    pub(super) retr: Answer,
    /// The unsolicited octets after it.
    pub(super) after: Option<String>,
    pub(super) top_0: Option<Answer>,
    pub(super) top_1: Option<Answer>,
}

/// Commands sent together, their answers, and the answer that each got alone.
pub(super) struct Pipelined {
    pub(super) pipelined: Vec<Asked>,
    pub(super) alone: Vec<Option<Answer>>,
}

/// An overlong command.
pub(super) struct LongCommand {
    pub(super) answer: Answer,
    /// The octets after its answer.
    pub(super) after: Option<String>,
    pub(super) octets: usize,
}

/// DELE, and RSET.
pub(super) struct Deleting {
    pub(super) number: u32,
    pub(super) before: Answer,
    pub(super) dele: Answer,
    /// Commands that name the deleted message.
    pub(super) named: Vec<Asked>,
    pub(super) stat: Option<Answer>,
    pub(super) list: Option<Answer>,
    pub(super) uidl: Option<Answer>,
    pub(super) rset: Option<Answer>,
    pub(super) after: Option<Answer>,
    pub(super) list_after: Option<Answer>,
}

/// A later session.
pub(super) struct Again {
    pub(super) list: Answer,
    pub(super) uidl: Answer,
    /// By message-number.
    pub(super) messages: BTreeMap<u32, Answer>,
}

/// The maildrop before and after deletions.
pub(super) struct Update {
    /// The maildrop at the start.
    pub(super) before: Listing,
    /// After DELE and a connection that was dropped.
    pub(super) dropped: Option<Listing>,
    pub(super) deleted_id: Option<Vec<u8>>,
    pub(super) quit: Option<Answer>,
    /// After DELE and QUIT.
    pub(super) after: Option<Listing>,
    pub(super) shown: String,
}

/// The answers to LIST and UIDL, as far as they are readable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Listing {
    pub(super) sizes: BTreeMap<u32, u64>,
    pub(super) unique_ids: BTreeMap<u32, Vec<u8>>,
}

/// A message in the listings.
pub(super) struct Told<'a> {
    pub(super) number: u32,
    pub(super) octets: u64,
    pub(super) id: Option<&'a [u8]>,
}

impl Listing {
    pub(super) fn of(list: &Answer, uidl: &Answer, rule: FieldRule) -> Self {
        let block = |answer: &Answer| match answer {
            Ok(reply) => lines(&reply.block),
            Err(_) => Vec::new(),
        };
        Self {
            sizes: block(list)
                .iter()
                .filter_map(|line| ScanListing::parse(line, rule).ok())
                .map(|line| (line.number.get(), line.octets))
                .collect(),
            unique_ids: block(uidl)
                .iter()
                .filter_map(|line| {
                    let line = UniqueIdListing::parse(line, rule).ok()?;
                    Some((line.number.get(), line.unique_id.as_bytes().to_vec()))
                })
                .collect(),
        }
    }

    /// The current number of the message `number` of an `earlier` listing: that of
    /// its unique-id, or else the same number.
    pub(super) fn number_of(&self, earlier: &Self, number: u32) -> u32 {
        let Some(id) = earlier.unique_ids.get(&number) else {
            return number;
        };
        // Copies of one message may share a unique-id.
        if self.unique_ids.get(&number) == Some(id) {
            return number;
        }
        let mut ids = self.unique_ids.iter();
        let moved = ids.find(|(_, other)| *other == id);
        moved.map_or(number, |(&number, _)| number)
    }

    /// The messages in LIST.
    pub(super) fn messages_told(&self) -> Vec<Told<'_>> {
        let told = |(&number, &octets)| Told {
            number,
            octets,
            id: self.unique_ids.get(&number).map(Vec::as_slice),
        };
        self.sizes.iter().map(told).collect()
    }

    /// The number of messages in LIST, or else in UIDL.
    pub(super) fn messages(&self) -> usize {
        match self.sizes.is_empty() {
            true => self.unique_ids.len(),
            false => self.sizes.len(),
        }
    }
}

impl Asked {
    /// Whether `reply` is the same as the one to the command sent `alone`. Compares
    /// messages completely, and other replies except for sizes: another row judges
    /// changed sizes.
    pub(super) fn is_answered_as(&self, reply: &Reply, alone: &Reply) -> bool {
        if self.command.starts_with("RETR ") {
            return reply.positive == alone.positive && reply.block == alone.block;
        }
        let first_words = |reply: &Reply| {
            let lines = [reply.text.clone()].into_iter().chain(lines(&reply.block));
            let word = |line: Vec<u8>| {
                line.split(|octet| *octet == b' ')
                    .next()
                    .map(<[u8]>::to_vec)
            };
            lines.map(word).collect::<Vec<_>>()
        };
        reply.positive == alone.positive && first_words(reply) == first_words(alone)
    }
}

impl Pipelined {
    /// Whether each command got the same answer as alone, as far as is known.
    pub(super) fn is_in_order(&self) -> bool {
        let mut pairs = self.pipelined.iter().zip(&self.alone);
        pairs.all(|(asked, alone)| match (&asked.answer, alone) {
            (Ok(reply), Some(Ok(alone))) => asked.is_answered_as(reply, alone),
            (answer, _) => answer.is_ok(),
        })
    }
}

impl Observed {
    /// The first incident of a kind.
    pub(super) fn incident(&self, is: impl Fn(IncidentKind) -> bool) -> Option<&Incident> {
        self.incidents.iter().find(|incident| is(incident.kind))
    }

    pub(super) fn listing(&self, rule: FieldRule) -> Listing {
        let none = Err(Trouble::none());
        let list = self.reading.list.as_ref().unwrap_or(&none);
        let uidl = self.reading.uidl.as_ref().unwrap_or(&none);
        Listing::of(list, uidl, rule)
    }

    /// The answer to STAT, if it is readable.
    pub(super) fn drop_listing(&self, rule: FieldRule) -> Option<DropListing> {
        drop_listing(self.reading.stat.as_ref()?, rule)
    }
}

pub(super) fn drop_listing(stat: &Answer, rule: FieldRule) -> Option<DropListing> {
    let reply = stat.as_ref().ok().filter(|reply| reply.positive)?;
    DropListing::parse(&reply.text, rule).ok()
}

impl Sample {
    /// The message, if it arrived.
    pub(super) fn message(&self) -> Option<&Reply> {
        self.retr.as_ref().ok().filter(|reply| reply.positive)
    }

    /// The answer to TOP with 0 lines, if it arrived.
    pub(super) fn top(&self) -> Option<&Reply> {
        let top = self.top_0.as_ref()?.as_ref().ok()?;
        Some(top).filter(|top| top.positive)
    }

    /// Whether the message is incorrect on the wire, so that its octets and its end
    /// are unreliable.
    pub(super) fn is_suspect(&self) -> bool {
        let is_unstuffed = |message: &Reply| message.unstuffed.is_some();
        self.after.is_some()
            || self.message().is_some_and(is_unstuffed)
            || self.may_lose_first_dot()
    }

    /// Whether the first octet is an unstuffed dot: one dot, or the end of the
    /// block.
    pub(super) fn loses_first_dot(&self) -> bool {
        self.message().is_some_and(|message| {
            let ends = message.block.is_empty() && self.after.is_some();
            message.unstuffed == Some(0) || ends
        })
    }

    /// Whether the message begins with two dots on the wire and is one octet short,
    /// so that both dots may belong to the message.
    pub(super) fn may_lose_first_dot(&self) -> bool {
        self.message().is_some_and(|message| {
            let octets = message.block.len() as u64;
            message.block.starts_with(b".") && self.listed == Some(octets + 1)
        })
    }

    /// Whether RETR sent a different message than TOP, and LIST agrees with TOP. A
    /// message begins with what TOP sends of it, wherever its header ends.
    pub(super) fn is_another_message(&self) -> bool {
        let (Some(message), Some(top)) = (self.message(), self.top()) else {
            return false;
        };
        let (header, _) = split_header(&message.block);
        let (top_header, _) = split_header(&top.block);
        let begins = top.block.trim_ascii_end();
        let is_same = header.trim_ascii_end() == top_header.trim_ascii_end()
            || !begins.is_empty() && message.block.starts_with(begins);
        !is_same && self.listed != Some(message.block.len() as u64)
    }
}

/// Splits a message whose line ends are CR CR LF, from a server that stores mail
/// with CRLF and adds CR before each LF.
pub(super) fn split_header_of_double_cr(message: &[u8]) -> (&[u8], &[u8]) {
    const BLANK: &[u8] = b"\r\n\r\r\n";
    let end = message
        .windows(BLANK.len())
        .position(|octets| octets == BLANK);
    message.split_at(end.map_or(message.len(), |end| end + BLANK.len()))
}

/// Splits a message into its header with the blank line, and the rest.
pub(super) fn split_header(message: &[u8]) -> (&[u8], &[u8]) {
    if message.starts_with(b"\r\n") {
        return message.split_at(2);
    }
    let end = message.windows(4).position(|octets| octets == b"\r\n\r\n");
    message.split_at(end.map_or(message.len(), |end| end + 4))
}
