//! Turns a line of the client into the steps of an answer.

use super::{Mode, QUEUE_MAX, Server};
use crate::audit::{
    MAX_COMMANDS,
    log::{Command, Entry, OCTETS_KEPT, State},
    maildrop::{self, Answer, Ends},
    scenario::{Rule, Then, When},
};

impl<'s> Server<'s> {
    pub(super) fn handle_line(&mut self) {
        let crlf = self.line.last() == Some(&b'\r');
        if crlf {
            self.line.pop();
        }
        let command = self.note(crlf);
        self.commands += 1;
        if self.commands > MAX_COMMANDS || self.outbox.octets() > QUEUE_MAX {
            self.log.too_much = true;
            self.mode = Mode::Closing;
            self.outbox.clear();
        }
        if self.mode != Mode::Talking || self.outbox.is_last() {
            return;
        }
        let words = command.words();
        let state = self.state_by_then();
        let kept = (&self.maildrop, &self.deleted[..]);
        let good = maildrop::answer(self.scenario, &words, (state, self.tls), kept);
        let allowed = good.octets.starts_with(b"+");
        let succeeds = self.answer(&words, good) && allowed;
        match &words[..] {
            [verb, number] if verb == "DELE" && succeeds => {
                self.deleted.extend(number.parse::<usize>());
            }
            [verb] if verb == "RSET" => self.deleted.clear(),
            [verb, ..] if verb == "QUIT" && succeeds && state == State::Transaction => {
                let marked = self.deleted.iter();
                let numbers = marked.map(|&number| self.maildrop.number_in_scenario(number));
                self.removed = numbers.collect();
            }
            _ => {}
        }
    }

    /// The state of the session once everything queued is sent.
    fn state_by_then(&self) -> State {
        self.outbox.state().unwrap_or(self.state)
    }

    /// Logs the line.
    pub(super) fn note(&mut self, crlf: bool) -> Command {
        let mut line = std::mem::take(&mut self.line);
        if std::mem::take(&mut self.line_is_too_long) {
            self.log.too_much = true;
        }
        line.truncate(OCTETS_KEPT);
        let command = Command {
            line,
            crlf,
            state: self.state,
            tls: self.tls,
            early: !self.outbox.is_empty(),
            closed: matches!(self.mode, Mode::Closing | Mode::Closed),
        };
        self.log.push(Entry::Command(command.clone()));
        command
    }

    /// Queues the steps of an answer: by the first rule that matches, or those of a
    /// correct server. Returns whether the answer is positive.
    pub(super) fn answer(&mut self, words: &[String], good: Answer) -> bool {
        let Some(rule) = self.rule(words) else {
            let then = match good.ends {
                Ends::Nothing => Then::GoOn,
                Ends::Session => Then::Close,
                Ends::Clear => Then::Tls,
            };
            match self.scenario.interleaved {
                true => self.interleave(words, &good.octets),
                false => self.send(&good.octets, &[]),
            }
            self.outbox.end(good.state, then);
            return good.octets.starts_with(b"+");
        };
        let octets = rule.send.as_deref().unwrap_or(&good.octets);
        let octets = &octets[..rule.until.unwrap_or(octets.len()).min(octets.len())];
        // A command fails unless the answer is positive.
        let state = match octets.first() {
            Some(b'+') => good.state,
            _ if words == ["CONNECT"] => State::Authorization,
            _ => self.state_by_then(),
        };
        self.expects_hello =
            words == ["STLS"] && octets.starts_with(b"+") && rule.then != Then::Tls;
        self.outbox.wait(rule.delay);
        self.send(octets, &rule.cuts);
        self.outbox.end(state, rule.then);
        octets.starts_with(b"+")
    }

    fn rule(&mut self, words: &[String]) -> Option<&'s Rule> {
        let words = self.words_of_the_scenario(words);
        let fits = |(rule, used): (&Rule, &u32)| {
            words.starts_with(&rule.to)
                && (self.maildrop.is_whole() || !rule.is_listing())
                && rule.times.is_none_or(|times| *used < times)
                && match rule.when {
                    When::Always => true,
                    When::Clear => !self.tls,
                    When::Tls => self.tls,
                }
        };
        let at = (self.scenario.rules.iter().zip(&self.used)).position(fits)?;
        self.used[at] += 1;
        Some(&self.scenario.rules[at])
    }

    /// The command with the message-number that the rules use.
    fn words_of_the_scenario(&self, words: &[String]) -> Vec<String> {
        let mut words = words.to_vec();
        if let [verb, number, ..] = &mut words[..]
            && ["DELE", "LIST", "RETR", "TOP", "UIDL"].contains(&verb.as_str())
            && let Ok(known) = number.parse()
        {
            *number = self.maildrop.number_in_scenario(known).to_string();
        }
        words
    }

    /// Queues an answer whose status line precedes the end of the previous message.
    fn interleave(&mut self, words: &[String], octets: &[u8]) {
        let line = octets.iter().position(|&octet| octet == b'\n');
        let (status, block) = octets.split_at(line.map_or(octets.len(), |at| at + 1));
        if !self.outbox.send_before_the_end(status) {
            self.send(status, &[]);
        }
        let is_message = words.first().is_some_and(|verb| verb == "RETR") && !block.is_empty();
        match block.strip_suffix(b".\r\n") {
            Some(message) if is_message => {
                self.send(message, &[]);
                self.outbox.send_late(b".\r\n");
            }
            _ => self.send(block, &[]),
        }
    }

    fn send(&mut self, octets: &[u8], cuts: &[usize]) {
        match self.scenario.octet_by_octet {
            true => self.outbox.send_each(octets),
            false => self.outbox.send(octets, cuts),
        }
    }
}
