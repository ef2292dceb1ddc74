//! A faulty server: RETR of a deleted message sends it.

use std::{collections::BTreeSet, io::Read as _, mem, time::Instant};

use dot_stuffing_testkit::oracle::{Newline, encode};
use pop3_proto::{
    MessageNumber,
    server::{Maildrop, Verdict},
};

use super::Lines;
use crate::{
    oracle,
    view::{MemoryMaildrop, Server, ServerSession},
};

/// Still sends a message that DELE has marked.
pub(super) struct Retrieves {
    lines: Lines,
    maildrop: Option<MemoryMaildrop>,
    deleted: BTreeSet<u32>,
    sent: Vec<u8>,
}

impl Retrieves {
    pub(super) const fn new(lines: Lines) -> Self {
        Self {
            lines,
            maildrop: None,
            deleted: BTreeSet::new(),
            sent: Vec::new(),
        }
    }
}

impl Server for Retrieves {
    fn inner(&mut self) -> &mut ServerSession {
        &mut self.lines.inner
    }

    fn answer(&mut self, now: Instant, verdict: Verdict<MemoryMaildrop>) {
        if let Verdict::Accept(maildrop) = &verdict {
            self.maildrop = Some(maildrop.clone());
        }
        self.lines.answer(now, verdict);
    }

    fn handle_input(&mut self, now: Instant, input: &[u8]) -> usize {
        let (consumed, line) = self.lines.next_line(input);
        if let Some(line) = line {
            let command = oracle::command(line.strip_suffix(b"\r\n").unwrap_or(&line));
            let words: Vec<&str> = command.iter().flat_map(|text| text.split(' ')).collect();
            let number = words.get(1).and_then(|word| word.parse().ok());
            let keyword = words.first().copied().unwrap_or_default();
            let number = number.and_then(MessageNumber::new);
            match (keyword, number, &mut self.maildrop) {
                ("RSET", ..) => self.deleted.clear(),
                ("DELE", Some(number), Some(maildrop)) if number.get() <= maildrop.messages() => {
                    self.deleted.insert(number.get());
                }
                ("RETR", Some(number), Some(maildrop)) if self.deleted.contains(&number.get()) => {
                    let mut message = Vec::new();
                    let open = maildrop.open(number);
                    let read = open.and_then(|mut open| open.read_to_end(&mut message));
                    if read.is_ok()
                        && let Ok(block) = encode(Newline::Canonicalize, &message)
                    {
                        self.sent.extend(b"+OK\r\n");
                        self.sent.extend(block);
                        return consumed;
                    }
                }
                _ => {}
            }
            self.lines.waiting = line;
        }
        self.lines.read(now);
        consumed
    }

    fn transmit(&mut self, now: Instant) -> Vec<u8> {
        let mut sent = mem::take(&mut self.sent);
        sent.extend(self.lines.transmit(now));
        sent
    }

    fn handle_tls(&mut self, now: Instant) {
        self.lines.handle_tls(now);
    }

    fn handle_eof(&mut self, now: Instant) {
        self.lines.handle_eof(now);
    }
}
