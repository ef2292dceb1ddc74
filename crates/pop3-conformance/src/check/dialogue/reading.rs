//! Reads a reply piece by piece.

use dot_stuffing::{AnomalyKind, Inspector};
use pop3_proto::{
    IndicatorRule, ReplyError, ReplyKind, ReplyPart, ReplyRule, ResponseDecoder, StatusLine,
};

use super::{Reply, TroubleKind};
use crate::check::Limits;

/// A reply that is being read.
pub(super) struct Reading {
    decoder: ResponseDecoder,
    inspector: Inspector,
    reply: Reply,
    in_block: bool,
    /// Octets of the block, on the wire.
    block_octets: u64,
    /// The first octets, for the report, and the number of all octets.
    pub(super) head: Vec<u8>,
    pub(super) octets: usize,
}

/// The most octets of a reply that are kept for the report.
const HEAD: usize = 4 * 1024;

impl Reading {
    pub(super) fn new(kind: ReplyKind, limits: &Limits) -> Self {
        let rule = ReplyRule {
            indicator: IndicatorRule::FirstOctet,
            dot_line_ends_listing: false,
            max_message_octets: limits.block_octets,
            max_listing_octets: limits.block_octets,
            ..ReplyRule::RFC1939
        };
        let mut decoder = ResponseDecoder::new(rule);
        decoder.expect(kind);
        Self {
            decoder,
            inspector: Inspector::new(),
            reply: Reply::default(),
            in_block: false,
            block_octets: 0,
            head: Vec::new(),
            octets: 0,
        }
    }

    /// Consumes octets from the front. Returns the reply when it is complete.
    pub(super) fn take(&mut self, unread: &mut Vec<u8>) -> Result<Option<Reply>, TroubleKind> {
        let mut at = 0;
        let done = loop {
            let input = &unread[at..];
            if input.is_empty() {
                break Ok(None);
            }
            let step = match self.decoder.decode(input) {
                Ok(step) => step,
                Err(error) => {
                    self.keep(&unread[at..]);
                    break Err(match error {
                        ReplyError::Block(_) => TroubleKind::BlockTooLong,
                        _ => TroubleKind::LineTooLong,
                    });
                }
            };
            let consumed = step.consumed;
            let was_in_block = self.in_block;
            match step.event {
                None | Some(ReplyPart::Challenge(_)) => {}
                Some(ReplyPart::Status(status)) => {
                    self.reply.positive = status.is_positive();
                    self.reply.text = status.text().to_vec();
                    self.in_block = true;
                }
                Some(ReplyPart::Data(octets)) => self.reply.block.extend_from_slice(octets),
                Some(ReplyPart::End(complete)) => {
                    self.reply.stuffed_lines = complete.stuffed_lines;
                }
            }
            let wire = &unread[at..at + consumed];
            self.keep(wire);
            if was_in_block {
                self.inspect(wire);
            }
            at += consumed;
            if self.decoder.is_idle() {
                break Ok(Some(()));
            }
        };
        unread.drain(..at);
        let done = done?;
        Ok(done.map(|()| {
            let line = self.head.split(|octet| *octet == b'\r').next();
            let line = line.unwrap_or_default();
            self.reply.exact = StatusLine::parse(line, IndicatorRule::Exact).is_ok();
            std::mem::take(&mut self.reply)
        }))
    }

    fn keep(&mut self, octets: &[u8]) {
        self.octets += octets.len();
        let room = HEAD.saturating_sub(self.head.len());
        self.head
            .extend_from_slice(&octets[..octets.len().min(room)]);
    }

    fn inspect(&mut self, wire: &[u8]) {
        self.block_octets += wire.len() as u64;
        let unstuffed = &mut self.reply.unstuffed;
        self.inspector.inspect(wire, |anomaly| {
            if anomaly.kind == AnomalyKind::UnstuffedDot && unstuffed.is_none() {
                *unstuffed = Some(anomaly.offset);
            }
        });
    }

    /// Whether the first line has arrived and a block is being read.
    pub(super) const fn is_in_block(&self) -> bool {
        self.in_block
    }

    /// What is missing if nothing more arrives.
    pub(super) fn unfinished(&self, is_closed: bool) -> TroubleKind {
        match (self.head.is_empty(), self.in_block, self.block_octets) {
            (true, ..) if is_closed => TroubleKind::Closed,
            (true, ..) => TroubleKind::Silent,
            (_, false, _) => TroubleKind::LineUnended,
            (_, true, 0) => TroubleKind::NoBlock,
            (_, true, _) => TroubleKind::BlockUnended,
        }
    }
}
