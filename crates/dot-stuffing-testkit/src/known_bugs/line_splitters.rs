//! Faulty line splitters.

use super::{KnownBug, Role};
use crate::{
    oracle::{self, LineEvent, Lines, Rules},
    view::{MAX_LINE, SplitLines},
};

type Spoil = fn(&[u8]) -> Lines;

struct Faulty {
    name: &'static str,
    lines: Spoil,
}

impl SplitLines for Faulty {
    fn name(&self) -> &'static str {
        self.name
    }

    fn lines(&self, rules: &Rules, chunks: &[&[u8]]) -> Lines {
        match *rules == Rules::RFC1939 {
            true => (self.lines)(&chunks.concat()),
            false => oracle::lines(rules, MAX_LINE, &chunks.concat()),
        }
    }
}

fn sound(wire: &[u8]) -> Lines {
    oracle::lines(&Rules::RFC1939, MAX_LINE, wire)
}

const BUGS: [(&str, &str, Spoil); 5] = [
    (
        "tail-of-a-long-line-is-a-line",
        "Python 3.11 poplib: it is read as the answer to the next command",
        |wire| {
            let mut lines = sound(wire);
            if let Some(LineEvent::Refused(_, offset)) = lines.events.first().cloned() {
                lines.events.extend(sound(&wire[offset..]).events);
            }
            lines
        },
    ),
    ("splits-lines-at-the-limit", "fetchmail 6.4.37", |wire| {
        let pieces = wire
            .chunks(MAX_LINE - 1)
            .flat_map(|piece| sound(piece).events);
        Lines {
            events: pieces.collect(),
            whole: sound(wire).whole,
        }
    }),
    (
        "lf-ends-a-line",
        "rust-adv-pop3 and many more; in a command it lets one in behind another",
        |wire| {
            let rules = Rules {
                lf_terminates: true,
                ..Rules::RFC1939
            };
            oracle::lines(&rules, MAX_LINE, wire)
        },
    ),
    ("end-of-file-ends-a-line", "tokio-util LinesCodec", |wire| {
        let lines = sound(wire);
        match lines.whole {
            true => lines,
            false => sound(&[wire, b"\r\n"].concat()),
        }
    }),
    ("takes-lines-for-utf-8", "rust-pop3-client 0.3.0", |wire| {
        let mut lines = sound(wire);
        for event in &mut lines.events {
            if let LineEvent::Line(line) = event {
                *line = String::from_utf8_lossy(line).into_owned().into_bytes();
            }
        }
        lines
    }),
];

pub(super) fn all() -> Vec<KnownBug> {
    let bug = |(name, source, lines)| KnownBug {
        name,
        source,
        role: Role::LineSplitter(Box::new(Faulty { name, lines })),
    };
    BUGS.into_iter().map(bug).collect()
}
