//! The form of messages in an mbox file: mboxrd.
//!
//! A message follows a line `From sender date` and ends with an empty line. Each of
//! its own lines that begins with any number of `>` and then `From ` gets another
//! `>`, which a reader can remove again.

use memchr::memchr;

use super::date::Date;

const FROM: &[u8] = b"From ";

/// Quotes one message, piece by piece.
#[derive(Clone, Debug, Default)]
pub(crate) struct Quoter {
    at: At,
    ends_with_lf: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    /// After nothing but `>`s and this number of octets of `From `, which are not
    /// written yet.
    #[default]
    LineStart,
    From(usize),
    Within,
}

impl Quoter {
    /// Quotes the next octets of the message and appends them to `to`.
    pub(crate) fn quote(&mut self, mut message: &[u8], to: &mut Vec<u8>) {
        if let Some(&last) = message.last() {
            self.ends_with_lf = last == b'\n';
        }
        while let Some(&octet) = message.first() {
            match self.at {
                At::Within => {
                    let line = match memchr(b'\n', message) {
                        Some(lf) => {
                            self.at = At::LineStart;
                            lf + 1
                        }
                        None => message.len(),
                    };
                    to.extend_from_slice(&message[..line]);
                    message = &message[line..];
                    continue;
                }
                At::LineStart if octet == b'>' => to.push(b'>'),
                At::LineStart | At::From(_) => {
                    let matched = match self.at {
                        At::From(matched) => matched,
                        _ => 0,
                    };
                    if octet != FROM[matched] {
                        to.extend_from_slice(&FROM[..matched]);
                        self.at = At::Within;
                        continue;
                    }
                    self.at = At::From(matched + 1);
                    if matched + 1 == FROM.len() {
                        // It makes no difference which `>` is the new one.
                        to.push(b'>');
                        to.extend_from_slice(FROM);
                        self.at = At::Within;
                    }
                }
            }
            message = &message[1..];
        }
    }

    /// Ends the message: ends its last line, and adds the empty one.
    pub(crate) fn finish(&mut self, to: &mut Vec<u8>) {
        if let At::From(matched) = self.at {
            to.extend_from_slice(&FROM[..matched]);
        }
        to.extend_from_slice(match self.ends_with_lf {
            true => b"\n",
            false => b"\n\n",
        });
        *self = Self::default();
    }
}

/// The `From ` line of a message received at `now` (seconds since 1970), in UTC.
pub(crate) fn from_line(now: i64) -> String {
    format!("From MAILER-DAEMON {}\n", Date::new(now).asctime())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quote(pieces: &[&[u8]]) -> Vec<u8> {
        let (mut quoter, mut to) = (Quoter::default(), Vec::new());
        for piece in pieces {
            quoter.quote(piece, &mut to);
        }
        quoter.finish(&mut to);
        to
    }

    /// A model that quotes line by line.
    fn model(message: &[u8]) -> Vec<u8> {
        let mut to = Vec::new();
        for line in message.split_inclusive(|&octet| octet == b'\n') {
            let bare = line.iter().position(|&octet| octet != b'>');
            if bare.is_some_and(|at| line[at..].starts_with(b"From ")) {
                to.push(b'>');
            }
            to.extend_from_slice(line);
        }
        if !message.ends_with(b"\n") {
            to.push(b'\n');
        }
        to.push(b'\n');
        to
    }

    #[test]
    fn quotes_the_same_however_the_message_is_cut() {
        let messages: [&[u8]; 9] = [
            b"",
            b"\n",
            b"From a\n",
            b">From a\n>>From b\n> From c\n From d\n",
            b"a\nFrom",
            b"a\nFro\nFrom \n",
            b"a From b\nFFrom c\nFroFrom d",
            b">",
            b">>>F\n\n\nFrom ",
        ];
        for message in messages {
            for first in 0..=message.len() {
                for second in first..=message.len() {
                    let pieces = [
                        &message[..first],
                        &message[first..second],
                        &message[second..],
                    ];
                    assert_eq!(quote(&pieces), model(message), "{pieces:?}");
                }
            }
        }
    }

    #[test]
    fn writes_dates_in_utc() {
        let lines = [
            (0, "Thu Jan  1 00:00:00 1970"),
            (3_723, "Thu Jan  1 01:02:03 1970"),
            (951_782_400, "Tue Feb 29 00:00:00 2000"),
            (1_709_251_199, "Thu Feb 29 23:59:59 2024"),
            (1_709_251_200, "Fri Mar  1 00:00:00 2024"),
            (1_735_689_599, "Tue Dec 31 23:59:59 2024"),
            (4_107_542_400, "Mon Mar  1 00:00:00 2100"),
        ];
        for (now, date) in lines {
            assert_eq!(from_line(now), format!("From MAILER-DAEMON {date}\n"));
        }
    }
}
