//! The views of `dot-stuffing`.

use std::io::{self, BufRead, Read};

use bytes::BytesMut;
use dot_stuffing::{
    BareNewline, Frame, Inspector, MultilineDecoder, MultilineEncoder, MultilineReader,
};
use dot_stuffing_testkit::oracle;

use crate::{
    case::Form,
    subject::{Expected, Sink, Subject},
};

/// `MultilineDecoder::feed`.
pub enum Slices {}

impl Subject for Slices {
    const NAME: &'static str = "slices";
    const FORMS: &'static [Form] = &Form::ALL;
    type Work<'a> = &'a [&'a [u8]];

    fn prepare<'a>(reads: &'a [&'a [u8]], _: Option<Self::Work<'a>>) -> Self::Work<'a> {
        reads
    }

    fn run(reads: &mut Self::Work<'_>, sink: &mut impl Sink) {
        let mut decoder = MultilineDecoder::new();
        for mut read in reads.iter().copied() {
            for data in decoder.feed(&mut read) {
                sink.data(data.expect("a good block"));
            }
        }
    }
}

/// `MultilineDecoder::decode_bytes`. The reads are split off one buffer, as if
/// each had been read into the end of it.
pub enum Frames {}

impl Subject for Frames {
    const NAME: &'static str = "Bytes";
    type Work<'a> = (BytesMut, &'a [&'a [u8]]);

    fn prepare<'a>(reads: &'a [&'a [u8]], spent: Option<Self::Work<'a>>) -> Self::Work<'a> {
        (joined(reads, spent.map(|(buffer, _)| buffer)), reads)
    }

    fn run((buffer, reads): &mut Self::Work<'_>, sink: &mut impl Sink) {
        let mut decoder = MultilineDecoder::new();
        for read in *reads {
            let mut read = buffer.split_to(read.len());
            while !read.is_empty() {
                match decoder.decode_bytes(&mut read).expect("a good block") {
                    Some(Frame::Data(data)) => sink.data(&data),
                    Some(Frame::End(_)) | None => {}
                }
            }
        }
    }
}

/// Joins all reads in one buffer; reuses `spent` if there is one.
pub(crate) fn joined(reads: &[&[u8]], spent: Option<BytesMut>) -> BytesMut {
    let mut buffer = spent.unwrap_or_default();
    buffer.clear();
    buffer.reserve(reads.iter().map(|read| read.len()).sum());
    for read in reads {
        buffer.extend_from_slice(read);
    }
    buffer
}

/// `MultilineReader` as a `BufRead`, over a reader whose buffer holds one read.
pub enum BufReads {}

impl Subject for BufReads {
    const NAME: &'static str = "BufRead";
    type Work<'a> = &'a [&'a [u8]];

    fn prepare<'a>(reads: &'a [&'a [u8]], _: Option<Self::Work<'a>>) -> Self::Work<'a> {
        reads
    }

    fn run(reads: &mut Self::Work<'_>, sink: &mut impl Sink) {
        let mut reader = MultilineReader::new(Reads { reads, at: 0 });
        loop {
            let data = reader.fill_buf().expect("a good block");
            if data.is_empty() {
                break;
            }
            sink.data(data);
            let octets = data.len();
            reader.consume(octets);
        }
    }
}

/// A reader that buffers one read at a time.
struct Reads<'a> {
    reads: &'a [&'a [u8]],
    at: usize,
}

impl BufRead for Reads<'_> {
    #[inline]
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        Ok(self.reads.first().map_or(&[], |read| &read[self.at..]))
    }

    #[inline]
    fn consume(&mut self, octets: usize) {
        self.at += octets;
        if self.reads.first().is_some_and(|read| read.len() == self.at) {
            self.reads = &self.reads[1..];
            self.at = 0;
        }
    }
}

impl Read for Reads<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let octets = self.fill_buf()?.read(into)?;
        self.consume(octets);
        Ok(octets)
    }
}

/// `MultilineDecoder::feed`, with its slices collected in a large enough vector
/// that has been written before.
pub enum IntoVec {}

impl Subject for IntoVec {
    const NAME: &'static str = "into a Vec";
    type Work<'a> = (Vec<u8>, &'a [&'a [u8]]);

    fn prepare<'a>(reads: &'a [&'a [u8]], spent: Option<Self::Work<'a>>) -> Self::Work<'a> {
        (emptied(reads, spent.map(|(into, _)| into)), reads)
    }

    fn run((into, reads): &mut Self::Work<'_>, sink: &mut impl Sink) {
        let mut decoder = MultilineDecoder::new();
        for mut read in reads.iter().copied() {
            for data in decoder.feed(&mut read) {
                into.extend_from_slice(data.expect("a good block"));
            }
        }
        sink.data(into);
    }
}

/// An empty vector with room for all reads, its memory mapped.
pub(crate) fn emptied(reads: &[&[u8]], spent: Option<Vec<u8>>) -> Vec<u8> {
    let octets = reads.iter().map(|read| read.len()).sum();
    // The kernel would not map zeroed memory yet.
    let mut into = spent.unwrap_or_else(|| vec![1; octets]);
    into.clear();
    into
}

/// `Inspector`: counts the anomalies, and the octets of the longest line.
pub enum Inspection {}

impl Subject for Inspection {
    const NAME: &'static str = "Inspector";
    const FORMS: &'static [Form] = &Form::ALL;
    type Work<'a> = &'a [&'a [u8]];

    fn prepare<'a>(reads: &'a [&'a [u8]], _: Option<Self::Work<'a>>) -> Self::Work<'a> {
        reads
    }

    fn run(reads: &mut Self::Work<'_>, sink: &mut impl Sink) {
        let mut inspector = Inspector::new();
        let mut anomalies = 0;
        for read in *reads {
            inspector.inspect(read, |_| anomalies += 1);
        }
        sink.counted(anomalies + inspector.longest_line().octets);
    }

    fn expected<'a>(reads: &[&[u8]], _: &'a [u8]) -> Expected<'a> {
        let inspection = oracle::inspect(&reads.concat());
        Expected::Octets((inspection.findings.len() + inspection.longest.1) as u64)
    }
}

/// `MultilineEncoder` under `BareNewline::Verbatim`.
pub enum Verbatim {}

impl Subject for Verbatim {
    const NAME: &'static str = "Verbatim";
    type Work<'a> = &'a [&'a [u8]];

    fn prepare<'a>(reads: &'a [&'a [u8]], _: Option<Self::Work<'a>>) -> Self::Work<'a> {
        reads
    }

    fn run(reads: &mut Self::Work<'_>, sink: &mut impl Sink) {
        encode(BareNewline::Verbatim, reads, sink);
    }
}

/// `MultilineEncoder` under `BareNewline::Canonicalize`.
pub enum Canonicalize {}

impl Subject for Canonicalize {
    const NAME: &'static str = "Canonicalize";
    type Work<'a> = &'a [&'a [u8]];

    fn prepare<'a>(reads: &'a [&'a [u8]], _: Option<Self::Work<'a>>) -> Self::Work<'a> {
        reads
    }

    fn run(reads: &mut Self::Work<'_>, sink: &mut impl Sink) {
        encode(BareNewline::Canonicalize, reads, sink);
    }
}

#[inline(always)]
fn encode(newline: BareNewline, reads: &[&[u8]], sink: &mut impl Sink) {
    let mut encoder = MultilineEncoder::new(newline);
    for read in reads {
        for octets in encoder.encode(read) {
            sink.data(octets.expect("nothing is refused"));
        }
    }
    sink.data(encoder.finish().expect("nothing was refused"));
}
