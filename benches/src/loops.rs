//! Simple, correct code that needs no library.

use crate::{
    case::Form,
    subject::{Expected, Sink, Subject},
};

/// A decoder that checks each octet and only counts.
pub enum ByteLoop {}

impl Subject for ByteLoop {
    const NAME: &'static str = "byte loop";
    const FORMS: &'static [Form] = &Form::ALL;
    type Work<'a> = &'a [&'a [u8]];

    fn prepare<'a>(reads: &'a [&'a [u8]], _: Option<Self::Work<'a>>) -> Self::Work<'a> {
        reads
    }

    fn run(reads: &mut Self::Work<'_>, sink: &mut impl Sink) {
        sink.counted(count_octets(reads));
    }

    fn expected<'a>(_: &[&[u8]], output: &'a [u8]) -> Expected<'a> {
        Expected::Octets(output.len() as u64)
    }
}

#[inline(never)]
fn count_octets(reads: &[&[u8]]) -> u64 {
    enum State {
        LineStart,
        Text,
        TextCr,
        Dot,
        DotCr,
    }
    let mut state = State::LineStart;
    let mut octets = 0;
    for read in reads {
        for octet in *read {
            state = match (state, octet) {
                (State::LineStart, b'.') => State::Dot,
                (State::Dot, b'\r') => State::DotCr,
                (State::DotCr, b'\n') => return octets,
                (State::DotCr, b'\r') => {
                    octets += 2;
                    State::TextCr
                }
                (State::DotCr, _) => {
                    octets += 2;
                    State::Text
                }
                (State::TextCr, b'\n') => {
                    octets += 1;
                    State::LineStart
                }
                (_, b'\r') => {
                    octets += 1;
                    State::TextCr
                }
                _ => {
                    octets += 1;
                    State::Text
                }
            };
        }
    }
    octets
}

/// A decoder that finds each LF with memchr and checks the line.
pub enum MemchrByLine {}

impl Subject for MemchrByLine {
    const NAME: &'static str = "memchr by line";
    type Work<'a> = &'a [&'a [u8]];

    fn prepare<'a>(reads: &'a [&'a [u8]], _: Option<Self::Work<'a>>) -> Self::Work<'a> {
        reads
    }

    fn run(reads: &mut Self::Work<'_>, sink: &mut impl Sink) {
        enum State {
            LineStart,
            Dot,
            DotCr,
            Text { after_cr: bool },
        }
        let mut state = State::LineStart;
        for read in *reads {
            let mut rest = *read;
            while let Some(&octet) = rest.first() {
                match state {
                    State::LineStart if octet == b'.' => {
                        rest = &rest[1..];
                        state = State::Dot;
                    }
                    State::Dot if octet == b'\r' => {
                        rest = &rest[1..];
                        state = State::DotCr;
                    }
                    State::DotCr if octet == b'\n' => return,
                    State::DotCr => {
                        sink.data(b"\r");
                        state = State::Text { after_cr: true };
                    }
                    State::LineStart | State::Dot => state = State::Text { after_cr: false },
                    State::Text { after_cr } => {
                        let lf = memchr::memchr(b'\n', rest);
                        let before_lf = lf.unwrap_or(rest.len());
                        let after_cr = match before_lf {
                            0 => after_cr,
                            _ => rest[before_lf - 1] == b'\r',
                        };
                        let line;
                        (line, rest) = rest.split_at(before_lf + usize::from(lf.is_some()));
                        sink.data(line);
                        state = match (lf, after_cr) {
                            (Some(_), true) => State::LineStart,
                            (Some(_), false) => State::Text { after_cr: false },
                            (None, _) => State::Text { after_cr },
                        };
                    }
                }
            }
        }
    }
}

/// An encoder that finds each LF with memchr, turns it into CRLF, and doubles a
/// dot at the start of the next line. It misses a CR without LF.
pub enum EncodeByLine {}

impl Subject for EncodeByLine {
    const NAME: &'static str = "memchr by line";
    type Work<'a> = &'a [&'a [u8]];

    fn prepare<'a>(reads: &'a [&'a [u8]], _: Option<Self::Work<'a>>) -> Self::Work<'a> {
        reads
    }

    fn run(reads: &mut Self::Work<'_>, sink: &mut impl Sink) {
        let mut line_start = true;
        let mut after_cr = false;
        for read in *reads {
            let mut rest = *read;
            while !rest.is_empty() {
                if line_start && rest[0] == b'.' {
                    sink.data(b".");
                }
                let lf = memchr::memchr(b'\n', rest);
                let before_lf = lf.unwrap_or(rest.len());
                if before_lf > 0 {
                    after_cr = rest[before_lf - 1] == b'\r';
                }
                line_start = lf.is_some();
                let end = before_lf + usize::from(line_start);
                if line_start && !after_cr {
                    sink.data(&rest[..before_lf]);
                    sink.data(b"\r\n");
                } else {
                    sink.data(&rest[..end]);
                }
                after_cr &= !line_start;
                rest = &rest[end..];
            }
        }
        if !line_start {
            sink.data(b"\r\n");
        }
        sink.data(b".\r\n");
    }
}

/// An encoder that checks each octet and only counts. It mends no newline.
pub enum EncodeByteLoop {}

impl Subject for EncodeByteLoop {
    const NAME: &'static str = "byte loop";
    type Work<'a> = &'a [&'a [u8]];

    fn prepare<'a>(reads: &'a [&'a [u8]], _: Option<Self::Work<'a>>) -> Self::Work<'a> {
        reads
    }

    fn run(reads: &mut Self::Work<'_>, sink: &mut impl Sink) {
        sink.counted(count_encoded(reads));
    }

    fn expected<'a>(_: &[&[u8]], output: &'a [u8]) -> Expected<'a> {
        Expected::Octets(output.len() as u64)
    }
}

#[inline(never)]
fn count_encoded(reads: &[&[u8]]) -> u64 {
    let mut line_start = true;
    let mut after_cr = false;
    let mut octets = 0;
    for read in reads {
        for &octet in *read {
            octets += if line_start && octet == b'.' { 2 } else { 1 };
            line_start = after_cr && octet == b'\n';
            after_cr = octet == b'\r';
        }
    }
    let terminator: &[u8] = if line_start { b".\r\n" } else { b"\r\n.\r\n" };
    octets + terminator.len() as u64
}
