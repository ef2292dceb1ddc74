//! Converts the line ends of the wire to those of stored mail.

use memchr::memchr_iter;

/// How the lines of delivered messages end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LineEnds {
    /// End lines with LF, as mpop, fetchmail and getmail do and programs on Unix
    /// expect.
    #[default]
    Lf,
    /// Keep every octet as it was received, so lines end with CRLF.
    Received,
}

/// Converts CRLF to LF, or leaves it, and counts in both cases. Bare CR and bare LF
/// stay as they are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Converter {
    line_ends: LineEnds,
    /// Whether the octets so far end with a CR that is not written yet.
    holds_cr: bool,
    /// The last octet that was written.
    last: u8,
    octets: u64,
    /// The number of LFs written without a CR before them.
    bare_lfs: u64,
    /// The number of lines received with CRLF.
    lines: u64,
}

impl Converter {
    pub(crate) fn new(line_ends: LineEnds) -> Self {
        Self {
            line_ends,
            ..Self::default()
        }
    }

    /// Returns the octets written, and the octets if every line ended with CRLF:
    /// the `S=` and `W=` that Dovecot puts into file names in a Maildir.
    pub(crate) const fn sizes(&self) -> (u64, u64) {
        (self.octets, self.octets + self.bare_lfs)
    }

    /// Returns the number of lines so far that were received with CRLF.
    pub(crate) const fn lines(&self) -> u64 {
        self.lines
    }

    /// Converts the next octets of the message and appends them to `to`.
    pub(crate) fn convert(&mut self, message: &[u8], to: &mut Vec<u8>) {
        let mut written = 0;
        for lf in memchr_iter(b'\n', message) {
            let line = &message[written..lf];
            written = lf + 1;
            match self.line_ends {
                LineEnds::Lf => match line.split_last() {
                    Some((b'\r', line)) => {
                        self.put(line, to);
                        // The held CR is the first of two.
                        self.release(to);
                        self.lines += 1;
                    }
                    Some(_) => self.put(line, to),
                    // The CR was the last of the octets before.
                    None => self.lines += u64::from(std::mem::take(&mut self.holds_cr)),
                },
                LineEnds::Received => {
                    self.put(line, to);
                    self.lines += u64::from(self.last == b'\r');
                }
            }
            self.bare_lfs += u64::from(self.last != b'\r');
            self.put(b"\n", to);
        }
        let rest = &message[written..];
        match (self.line_ends, rest.split_last()) {
            (LineEnds::Lf, Some((b'\r', rest))) => {
                self.put(rest, to);
                // The held CR is the first of two.
                self.release(to);
                self.holds_cr = true;
            }
            _ => self.put(rest, to),
        }
    }

    /// Ends the message.
    pub(crate) fn finish(&mut self, to: &mut Vec<u8>) {
        self.release(to);
    }

    fn put(&mut self, octets: &[u8], to: &mut Vec<u8>) {
        let Some(&last) = octets.last() else {
            return;
        };
        self.release(to);
        to.extend_from_slice(octets);
        self.octets += octets.len() as u64;
        self.last = last;
    }

    /// Writes the CR that is held.
    fn release(&mut self, to: &mut Vec<u8>) {
        if std::mem::take(&mut self.holds_cr) {
            to.push(b'\r');
            self.octets += 1;
            self.last = b'\r';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(line_ends: LineEnds, pieces: &[&[u8]]) -> (Vec<u8>, (u64, u64)) {
        let mut converter = Converter::new(line_ends);
        let mut to = Vec::new();
        for piece in pieces {
            converter.convert(piece, &mut to);
        }
        converter.finish(&mut to);
        let whole = pieces.concat();
        let lines = whole.windows(2).filter(|octets| octets == b"\r\n").count();
        assert_eq!(converter.lines(), lines as u64, "{pieces:?}");
        (to, converter.sizes())
    }

    /// A model that converts a whole message, octet by octet.
    fn lf(message: &[u8]) -> Vec<u8> {
        let at = |index: usize| message.get(index);
        (0..message.len())
            .filter(|&index| !(at(index) == Some(&b'\r') && at(index + 1) == Some(&b'\n')))
            .map(|index| message[index])
            .collect()
    }

    fn crlf_octets(stored: &[u8]) -> u64 {
        let bare = (0..stored.len())
            .filter(|&at| stored[at] == b'\n' && (at == 0 || stored[at - 1] != b'\r'));
        (stored.len() + bare.count()) as u64
    }

    /// All messages of up to six octets, cut everywhere, in up to three pieces.
    #[test]
    fn converts_the_same_however_the_message_is_cut() {
        for octets in 0..=6_u32 {
            for code in 0..3_u32.pow(octets) {
                let message: Vec<u8> = (0..octets)
                    .map(|at| b"\r\na"[(code / 3_u32.pow(at) % 3) as usize])
                    .collect();
                for first in 0..=message.len() {
                    for second in first..=message.len() {
                        let pieces = [
                            &message[..first],
                            &message[first..second],
                            &message[second..],
                        ];
                        let (stored, sizes) = convert(LineEnds::Lf, &pieces);
                        assert_eq!(stored, lf(&message), "{pieces:?}");
                        assert_eq!(sizes, (stored.len() as u64, crlf_octets(&stored)));
                        let (stored, sizes) = convert(LineEnds::Received, &pieces);
                        assert_eq!(stored, message);
                        assert_eq!(sizes, (stored.len() as u64, crlf_octets(&stored)));
                    }
                }
            }
        }
    }
}
