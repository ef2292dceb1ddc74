//! Faulty decoders: one line-by-line reader, with one wrong rule each. A test shows
//! that the reader without a wrong rule passes every check.

use super::{KnownBug, Role};
use crate::{
    oracle::{Fault, Outcome, Rules, Transcript},
    view::Decode,
};

/// The rules of a reader. Fields named after a bug are off in a sound reader.
#[derive(Clone)]
struct Habits {
    name: &'static str,
    source: &'static str,
    /// Whether the octets since the last line end are a whole line.
    line_ends: fn(&Line<'_>) -> bool,
    /// Whether the octets are the terminator.
    terminates: fn(&Line<'_>) -> bool,
    /// Returns the content of a line.
    unstuff: fn(&Line<'_>) -> Vec<u8>,
    /// Returns the outcome of the block if the input ends within a line.
    at_eof: fn(&Line<'_>) -> Option<Outcome>,
    max_line: usize,
    loses_final_crlf: bool,
}

/// The octets since the last line end.
struct Line<'a> {
    octets: &'a [u8],
    /// The offset at which the line begins.
    start: usize,
    /// Whether a piece of input ends after these octets.
    at_joint: bool,
    /// The offsets at which pieces of input end.
    joints: &'a [usize],
}

impl Line<'_> {
    fn is_terminator(&self) -> bool {
        self.octets == b".\r\n"
    }

    fn is_first(&self) -> bool {
        self.start == 0
    }

    fn without_dot(&self) -> Vec<u8> {
        match self.octets {
            b"." | b".\r" => Vec::new(),
            [b'.', rest @ ..] => rest.to_vec(),
            octets => octets.to_vec(),
        }
    }
}

const SOUND: Habits = Habits {
    name: "sound",
    source: "",
    line_ends: |line| line.octets.ends_with(b"\r\n"),
    terminates: |line| line.is_terminator(),
    unstuff: |line| line.without_dot(),
    at_eof: |_| None,
    max_line: usize::MAX,
    loses_final_crlf: false,
};

/// Returns the known bugs, and the sound reader on which they are based, for
/// comparison.
pub(super) fn all() -> Vec<KnownBug> {
    let bugs = [
        Habits {
            name: "starts-mid-line",
            source: "smtp-proto 0.2.5: a terminator or stuffed dot on the first line is not seen",
            terminates: |line| line.is_terminator() && !line.is_first(),
            unstuff: |line| match line.is_first() {
                true => line.octets.to_vec(),
                false => line.without_dot(),
            },
            ..SOUND
        },
        Habits {
            name: "empty-block-never-ends",
            source: "async-pop 1.1.3: hangs on an empty message",
            terminates: |line| line.is_terminator() && !line.is_first(),
            ..SOUND
        },
        Habits {
            name: "ends-on-dot-cr-cr-lf",
            source: "smtp-proto 0.2.5, rust-pop3-client 0.3.0, Net::POP3 3.14",
            terminates: |line| matches!(line.octets, b".\r\n" | b".\r\r\n"),
            ..SOUND
        },
        Habits {
            name: "loses-octet-after-dot-cr",
            source: "Dovecot 2.3.19 istream-dot",
            unstuff: |line| match line.octets {
                [b'.', b'\r', next, rest @ ..] if *next != b'\n' => [b"\r", rest].concat(),
                _ => line.without_dot(),
            },
            ..SOUND
        },
        Habits {
            name: "end-of-file-is-success",
            source: "curl 7.88.1",
            at_eof: |line| {
                Some(Outcome::Ended {
                    consumed: line.start + line.octets.len(),
                    stuffed: 0,
                })
            },
            ..SOUND
        },
        Habits {
            name: "end-of-file-after-dot-cr-is-success",
            source: "Python 3.11 poplib, getmail6 6.18.11",
            at_eof: |line| match line.octets {
                b".\r" => Some(Outcome::Ended {
                    consumed: line.start + 2,
                    stuffed: 0,
                }),
                _ => None,
            },
            ..SOUND
        },
        Habits {
            name: "end-of-file-after-dot-is-success",
            source: "mpop 1.4.18, rust-adv-pop3",
            at_eof: |line| match line.octets {
                b"." => Some(Outcome::Ended {
                    consumed: line.start + 1,
                    stuffed: 0,
                }),
                _ => None,
            },
            ..SOUND
        },
        Habits {
            name: "endless-at-end-of-file",
            source: "mpop 1.4.18 writes newlines for ever; rust-pop3-client 0.3.0 loops",
            at_eof: |_| Some(Outcome::Hung),
            ..SOUND
        },
        Habits {
            name: "ends-on-lf-dot-lf",
            source: "Go textproto, poplib, MailKit, fetchmail, mpop, Net::POP3",
            line_ends: |line| line.octets.ends_with(b"\n"),
            terminates: |line| matches!(line.octets, b".\r\n" | b".\n"),
            ..SOUND
        },
        Habits {
            name: "ends-on-lf-dot-crlf",
            source: "Dovecot 2.3.19 in loose mode",
            line_ends: |line| line.octets.ends_with(b"\n"),
            ..SOUND
        },
        Habits {
            name: "ends-on-crlf-dot-lf",
            source: "Go textproto and others: the CR of the terminator is optional",
            terminates: |line| matches!(line.octets, b".\r\n" | b".\n"),
            ..SOUND
        },
        Habits {
            name: "ends-on-cr-dot-lf-line",
            source: "Python 3.11 poplib: CR at the front of a line is stripped too",
            terminates: |line| matches!(line.octets, b".\r\n" | b"\r.\n"),
            ..SOUND
        },
        Habits {
            name: "ends-on-dot-nul",
            source: "mpop 1.4.18: a line is a C string",
            terminates: |line| {
                line.is_terminator()
                    || line.octets.starts_with(b".\0") && line.octets.ends_with(b"\r\n")
            },
            ..SOUND
        },
        Habits {
            name: "ends-only-where-a-read-ends",
            source: "Thunderbird LineReader, mailme 0.1.1: octets after the terminator hide it",
            terminates: |line| line.is_terminator() && line.at_joint,
            ..SOUND
        },
        Habits {
            name: "ends-where-a-read-ends-with-dot-crlf",
            source: "agsh/yapople#32: any line end after a dot",
            terminates: |line| {
                line.is_terminator() || line.at_joint && line.octets.ends_with(b".\r\n")
            },
            ..SOUND
        },
        Habits {
            name: "ends-where-a-read-ends-with-dot",
            source: "node-pop3#26, #27: a dot at the end of a read is the end",
            terminates: |line| line.is_terminator() || line.at_joint && line.octets == b".",
            ..SOUND
        },
        Habits {
            name: "forgets-the-dot-before-a-read",
            source: "Outlook Express, BID 252: a read boundary between two dots",
            terminates: |line| {
                line.is_terminator()
                    || line.octets == b"..\r\n" && line.joints.contains(&(line.start + 1))
            },
            ..SOUND
        },
        Habits {
            name: "never-unstuffs",
            source: "async-pop 1.1.3, pop3-codec 0.3.0, mailrs-smtp-codec 1.0.2",
            unstuff: |line| line.octets.to_vec(),
            ..SOUND
        },
        Habits {
            name: "unstuffs-only-two-dots",
            source: "curl, poplib, MailKit, Thunderbird, Net::POP3: `.x` keeps its dot",
            unstuff: |line| match line.octets {
                [b'.', b'.', ..] => line.without_dot(),
                octets => octets.to_vec(),
            },
            ..SOUND
        },
        Habits {
            name: "splits-lines-at-8191",
            source: "fetchmail 6.4.37: what follows 8191 octets is taken for a line",
            line_ends: |line| line.octets.ends_with(b"\r\n") || line.octets.len() == 8191,
            ..SOUND
        },
        Habits {
            name: "refuses-lines-over-2048",
            source: "Python 3.11 poplib, rust-pop3-client 0.3.0",
            max_line: 2048,
            ..SOUND
        },
        Habits {
            name: "loses-the-final-crlf",
            source: "async-pop 1.1.3",
            loses_final_crlf: true,
            ..SOUND
        },
        Habits {
            name: "makes-crlf-lf",
            source: "Go textproto, mpop, fetchmail, getmail6, Net::POP3",
            unstuff: |line| match line.without_dot() {
                data if data.ends_with(b"\r\n") => [&data[..data.len() - 2], b"\n"].concat(),
                data => data,
            },
            ..SOUND
        },
        Habits {
            name: "drops-bare-cr",
            source: "fetchmail 6.4.37",
            unstuff: |line| {
                let data = line.without_dot();
                let bare = |at: usize| {
                    data[at] == b'\r' && data.get(at + 1).is_some_and(|&next| next != b'\n')
                };
                (0..data.len())
                    .filter(|&at| !bare(at))
                    .map(|at| data[at])
                    .collect()
            },
            ..SOUND
        },
        Habits {
            name: "takes-octets-for-utf-8",
            source: "rust-pop3-client 0.3.0: 8-bit becomes U+FFFD",
            unstuff: |line| {
                String::from_utf8_lossy(&line.without_dot())
                    .into_owned()
                    .into_bytes()
            },
            ..SOUND
        },
        Habits {
            name: "cr-and-one-octet-end-a-line",
            source: "pop3 1.0.6",
            line_ends: |line| {
                line.octets.ends_with(b"\n") || line.octets.iter().rev().nth(1) == Some(&b'\r')
            },
            ..SOUND
        },
    ];
    bugs.into_iter().map(Habits::into_known_bug).collect()
}

impl Habits {
    fn into_known_bug(self) -> KnownBug {
        KnownBug {
            name: self.name,
            source: self.source,
            role: Role::Decoder(Box::new(self)),
        }
    }
}

impl Decode for Habits {
    fn name(&self) -> &'static str {
        self.name
    }

    fn follows(&self, rules: &Rules) -> bool {
        *rules == Rules::RFC1939
    }

    fn decode(&self, _: &Rules, chunks: &[&[u8]], transcript: &mut Transcript) {
        let wire = chunks.concat();
        let joints: Vec<usize> = chunks
            .iter()
            .scan(0, |at, chunk| {
                *at += chunk.len();
                Some(*at)
            })
            .collect();
        let mut next_joint = joints.iter().copied().filter(|&at| at > 0).peekable();
        let (mut start, mut stuffed) = (0, 0);
        let line = |start: usize, end: usize, at_joint| Line {
            octets: &wire[start..end],
            start,
            at_joint,
            joints: &joints,
        };
        for end in 1..=wire.len() {
            while next_joint.next_if(|&joint| joint < end).is_some() {}
            let line = line(start, end, next_joint.peek() == Some(&end));
            if (self.terminates)(&line) {
                if self.loses_final_crlf {
                    transcript
                        .data
                        .truncate(transcript.data.len().saturating_sub(2));
                }
                transcript.outcome = Outcome::Ended {
                    consumed: end,
                    stuffed,
                };
                return;
            }
            if line.octets.len() > self.max_line {
                transcript.outcome = Outcome::Failed(Fault::LineTooLong, end - 1);
                return;
            }
            if (self.line_ends)(&line) {
                transcript.data.extend((self.unstuff)(&line));
                stuffed += usize::from(line.octets.starts_with(b"."));
                start = end;
            }
        }
        let line = line(start, wire.len(), true);
        transcript.data.extend((self.unstuff)(&line));
        transcript.outcome = (self.at_eof)(&line).unwrap_or(Outcome::Truncated(wire.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::SOUND;
    use crate::{check, generate::cases};

    #[test]
    fn the_sound_reader_passes_every_check() {
        for wire in cases(500) {
            check::multiline_decode(&[&SOUND], &wire.0);
        }
    }
}
