//! Models the events for listings and messages.

use std::collections::BTreeSet;

use dot_stuffing_testkit::{
    generate::shown,
    oracle::{Fault, LineEvent, Lines, Outcome, Rules, decode, lines},
};

use super::{Client, End, Scenario, is_message, words};
use crate::oracle::{drop_listing, scan_listing, unique_id_listing};

impl Client<'_> {
    /// Returns the listing in a first line, if the command has one.
    pub(super) fn listing_in_status(
        &self,
        keyword: &str,
        asked: Option<u32>,
        text: &[u8],
    ) -> String {
        let outlook = self.scenario.outlook;
        let octets = |(number, octets): (u32, u64)| (number, octets.to_string());
        let listing = match (keyword, asked) {
            ("STAT", _) => drop_listing(text, outlook).map(octets),
            ("LIST", Some(_)) => scan_listing(text, outlook).map(octets),
            ("UIDL", Some(_)) => unique_id_listing(text, outlook)
                .map(|(number, unique_id)| (number, unique_id.escape_ascii().to_string())),
            _ => return String::new(),
        };
        let is_asked_for = |&(number, _): &(u32, String)| asked.is_none_or(|asked| asked == number);
        match listing.filter(is_asked_for) {
            Some((number, what)) => format!(" = {number} {what}"),
            None => " = malformed".to_owned(),
        }
    }

    pub(super) fn block(&mut self, command: &str) -> Result<(), End> {
        let limits = self.scenario.limits;
        let is_message = is_message(command);
        let rules = Rules {
            dot_line_ends: self.scenario.outlook && matches!(command, "CAPA" | "LIST" | "UIDL"),
            max_octets: match is_message {
                true => limits.message_octets,
                false => limits.listing_octets,
            },
            ..Rules::RFC1939
        };
        let decoded = decode(&rules, self.rest());
        let mut counts = String::new();
        if !is_message {
            counts = self.listing(command, &decoded.data)?;
        } else if !decoded.data.is_empty() {
            self.log.push(format!("data {}", shown(&decoded.data)));
        }
        match decoded.outcome {
            Outcome::Ended { consumed, .. } => self.at += consumed,
            Outcome::Truncated(_) => return Err(End::Cut("block")),
            Outcome::Failed(Fault::TooLong, _) => return Err(End::Error("block")),
            other => panic!("{other:?}: no rule refuses an octet"),
        }
        let (keyword, _) = words(command);
        let octets = decoded.data.len();
        self.log
            .push(format!("end {keyword} octets {octets}{counts}"));
        Ok(())
    }

    /// Reads the lines of a listing. Returns the number of lines of each kind.
    fn listing(&mut self, command: &str, data: &[u8]) -> Result<String, End> {
        let (mut seen, mut count, mut texts) = (BTreeSet::new(), 0, 0);
        let Scenario {
            outlook, strict, ..
        } = *self.scenario;
        let most = self.scenario.limits.listing_entries;
        let split = lines(&Rules::RFC1939, 512, data);
        let begins_one_more = begins_one_more(&split, data);
        for event in split.events {
            if count == most {
                return Err(End::Error("too many lines"));
            }
            count += 1;
            let found = match (&event, command) {
                (LineEvent::Line(line), "CAPA") if strict && !is_capability(line) => None,
                (LineEvent::Refused(..), "CAPA") if strict => None,
                (_, "CAPA") => {
                    self.log.push("capability".to_owned());
                    continue;
                }
                (LineEvent::Line(line), "AUTH" | "LANG") => {
                    texts += 1;
                    self.log.push(format!("line {}", line.escape_ascii()));
                    continue;
                }
                (LineEvent::Line(line), "LIST") => scan_listing(line, outlook)
                    .map(|(number, octets)| (number, format!("scan {number} {octets}"))),
                (LineEvent::Line(line), _) => {
                    unique_id_listing(line, outlook).map(|(number, unique_id)| {
                        let unique_id = String::from_utf8_lossy(&unique_id);
                        (number, format!("unique-id {number} {unique_id}"))
                    })
                }
                (LineEvent::Refused(..), _) => None,
            };
            let found = found.filter(|(number, _)| *number <= most && seen.insert(*number));
            if found.is_none() && strict {
                return Err(End::Error("malformed line"));
            }
            let line = found.map_or("malformed".to_owned(), |(_, line)| line);
            self.log.push(line);
        }
        if begins_one_more && count == most {
            return Err(End::Error("too many lines"));
        }
        if command == "CAPA" {
            return Ok(format!(" lines {count}"));
        }
        let (entries, highest) = (texts + seen.len(), seen.last().unwrap_or(&0));
        let malformed = count as usize - entries;
        Ok(format!(
            " entries {entries} malformed {malformed} highest {highest}"
        ))
    }
}

/// Whether the octets after the last known line belong to another line.
fn begins_one_more(split: &Lines, data: &[u8]) -> bool {
    let last = data.windows(2).rposition(|pair| pair == b"\r\n");
    let start = last.map_or(0, |at| at + 2);
    let is_known = matches!(split.events.last(), Some(LineEvent::Refused(_, at)) if *at > start);
    !split.whole && !is_known
}

/// Whether a line is printable text and not blank (RFC 2449 §3).
fn is_capability(line: &[u8]) -> bool {
    let is_text = |text: &str| {
        let is_control = |char: char| char.is_ascii_control() && char != '\t';
        !text.contains(is_control) && !text.trim_matches([' ', '\t']).is_empty()
    };
    str::from_utf8(line).is_ok_and(is_text)
}
