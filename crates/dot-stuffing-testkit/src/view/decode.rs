//! The views of `MultilineDecoder`.

use std::{
    io::{self, BufRead, Read},
    pin::Pin,
    task::{Context, Poll, Waker},
};

use bytes::BytesMut;
use dot_stuffing::{
    BareNewline, Chunk, Complete, Config, DecodeError, ErrorKind, Frame, MultilineCodec,
    MultilineDecoder, MultilineReader, Span,
};
use tokio_util::codec::Decoder as _;

use super::{Decode, fault, line_endings, policy};
use crate::oracle::{self, Outcome, Rules, Transcript};

/// All views of the decoder.
#[must_use]
pub fn decoders() -> &'static [&'static dyn Decode] {
    &[
        &Spans,
        &Slices,
        &Feed,
        &SkipToEnd,
        &ReadToEnd,
        &SmallReads,
        &BufReads,
        &BytesFrames,
        &TokioCodec,
        &Buffers,
        &InPlace,
        &Tokio,
        &Futures,
    ]
}

fn config(rules: &Rules) -> Config {
    let limit = |octets| u64::try_from(octets).unwrap_or(u64::MAX);
    Config::new()
        .line_endings(line_endings(rules))
        .unstuffed_dot(policy(rules.reject_unstuffed_dot))
        .dot_line_ends(rules.dot_line_ends)
        .max_octets(limit(rules.max_octets))
        .max_line_octets(limit(rules.max_line_octets))
}

/// Returns the result of a decoder after its last input.
fn outcome(decoder: &MultilineDecoder, transcript: &Transcript) -> Outcome {
    match decoder.finish() {
        Ok(complete) => {
            assert_eq!(
                complete.octets,
                transcript.data.len() as u64,
                "octets of the proof"
            );
            Outcome::Ended {
                consumed: complete.wire_octets as usize,
                stuffed: complete.stuffed_lines as usize,
            }
        }
        Err(error) => failure(error),
    }
}

fn failure(error: DecodeError) -> Outcome {
    let offset = error.offset() as usize;
    match error.kind() {
        ErrorKind::Truncated => Outcome::Truncated(offset),
        kind => Outcome::Failed(fault(kind), offset),
    }
}

/// `decode_span`, with a check of its contract at every step.
struct Spans;

impl Decode for Spans {
    fn name(&self) -> &'static str {
        "decode_span"
    }

    fn decode(&self, rules: &Rules, chunks: &[&[u8]], transcript: &mut Transcript) {
        let mut decoder = MultilineDecoder::with_config(config(rules));
        for &chunk in chunks {
            let mut input = chunk;
            while !input.is_empty() {
                let step = match decoder.decode_span(input) {
                    Ok(step) => step,
                    Err(error) => {
                        assert_eq!(decoder.decode_span(input), Err(error), "an error is sticky");
                        assert_eq!(decoder.finish(), Err(error), "an error is final");
                        transcript.outcome = failure(error);
                        return;
                    }
                };
                assert!(step.consumed <= input.len(), "consumed lies in the input");
                match step.event {
                    Some(Span::Data(range)) => {
                        assert!(!range.is_empty() && range.end <= step.consumed);
                        assert!(range.len() <= 16 * 1024, "runs are bounded");
                        transcript.data.extend_from_slice(&input[range]);
                    }
                    Some(Span::Cr) => transcript.data.push(b'\r'),
                    Some(Span::End) => {
                        transcript.outcome = outcome(&decoder, transcript);
                        assert!(decoder.is_complete());
                        let error = decoder.decode_span(b"x").unwrap_err();
                        assert_eq!(error.kind(), ErrorKind::AfterEnd);
                        assert_eq!(decoder.finish(), Err(error), "no proof after an error");
                        assert!(!decoder.is_complete());
                        return;
                    }
                    None => assert!(step.consumed > 0, "progress"),
                }
                input = &input[step.consumed..];
            }
            assert_eq!(
                decoder
                    .decode_span(b"")
                    .map(|step| (step.consumed, step.event)),
                decoder.clone().decode_span(b"").map(|_| (0, None)),
                "an empty input means nothing"
            );
        }
        transcript.outcome = outcome(&decoder, transcript);
    }
}

struct Slices;

impl Decode for Slices {
    fn name(&self) -> &'static str {
        "decode"
    }

    fn decode(&self, rules: &Rules, chunks: &[&[u8]], transcript: &mut Transcript) {
        let mut decoder = MultilineDecoder::with_config(config(rules));
        'chunks: for &chunk in chunks {
            let mut input = chunk;
            while !input.is_empty() {
                let Ok(step) = decoder.decode(input) else {
                    break 'chunks;
                };
                match step.event {
                    Some(Chunk::Data(data)) => transcript.data.extend_from_slice(data),
                    Some(Chunk::End) => break 'chunks,
                    None => {}
                }
                input = &input[step.consumed..];
            }
        }
        transcript.outcome = outcome(&decoder, transcript);
    }
}

struct Feed;

impl Decode for Feed {
    fn name(&self) -> &'static str {
        "feed"
    }

    fn decode(&self, rules: &Rules, chunks: &[&[u8]], transcript: &mut Transcript) {
        let mut decoder = MultilineDecoder::with_config(config(rules));
        let mut consumed = 0;
        for &chunk in chunks {
            let mut rest = chunk;
            let mut feed = decoder.feed(&mut rest);
            let mut failed = false;
            for data in &mut feed {
                match data {
                    Ok(data) => transcript.data.extend_from_slice(data),
                    Err(_) => failed = true,
                }
            }
            assert!(feed.next().is_none(), "fused");
            consumed += chunk.len() - rest.len();
            if failed || decoder.finish().is_ok() {
                break;
            }
        }
        transcript.outcome = outcome(&decoder, transcript);
        if let Outcome::Ended { consumed: end, .. } = transcript.outcome {
            assert_eq!(consumed, end, "rest is what follows the end");
        }
    }
}

/// `skip_to_end` after an error, with a check of where it ends.
struct SkipToEnd;

impl Decode for SkipToEnd {
    fn name(&self) -> &'static str {
        "skip_to_end"
    }

    fn decode(&self, rules: &Rules, chunks: &[&[u8]], transcript: &mut Transcript) {
        let mut decoder = MultilineDecoder::with_config(config(rules));
        let mut skipping = false;
        let mut ended = false;
        let mut consumed = 0;
        for &chunk in chunks {
            let mut rest = chunk;
            for data in decoder.feed(&mut rest) {
                match data {
                    Ok(data) => transcript.data.extend_from_slice(data),
                    Err(_) => skipping = true,
                }
            }
            let refused = decoder.finish();
            ended = decoder.is_complete();
            if skipping {
                ended = decoder.skip_to_end(&mut rest);
                assert_eq!(decoder.finish(), refused, "the first error stays");
            }
            consumed += chunk.len() - rest.len();
            if ended {
                break;
            }
            assert!(rest.is_empty(), "all is consumed up to the end");
        }
        assert_eq!(decoder.wire_octets() as usize, consumed);
        transcript.outcome = outcome(&decoder, transcript);
        if !skipping {
            return;
        }
        let end = match oracle::decode(&rules.without_refusals(), &chunks.concat()).outcome {
            Outcome::Ended { consumed, .. } => Some(consumed),
            _ => None,
        };
        assert_eq!(ended.then_some(consumed), end, "where a block ends");
    }
}

/// A source that has one chunk at a time in its buffer.
struct Chunks<'a> {
    chunks: &'a [&'a [u8]],
    at: usize,
    consumed: usize,
}

impl<'a> Chunks<'a> {
    const fn new(chunks: &'a [&'a [u8]]) -> Self {
        Self {
            chunks,
            at: 0,
            consumed: 0,
        }
    }
}

impl Read for Chunks<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let octets = self.fill_buf()?.read(into)?;
        self.consume(octets);
        Ok(octets)
    }
}

impl BufRead for Chunks<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while let Some(chunk) = self.chunks.first() {
            if self.at < chunk.len() {
                return Ok(&chunk[self.at..]);
            }
            self.chunks = &self.chunks[1..];
            self.at = 0;
        }
        Ok(&[])
    }

    fn consume(&mut self, octets: usize) {
        self.at += octets;
        self.consumed += octets;
        assert!(
            self.chunks
                .first()
                .is_none_or(|chunk| self.at <= chunk.len())
        );
    }
}

/// Reads a block with `read`, which returns the number of octets it read.
fn read_block(
    rules: &Rules,
    chunks: &[&[u8]],
    transcript: &mut Transcript,
    mut read: impl FnMut(&mut MultilineReader<Chunks<'_>>, &mut Vec<u8>) -> io::Result<usize>,
) {
    let mut reader = MultilineReader::with_config(Chunks::new(chunks), config(rules));
    transcript.outcome = loop {
        match read(&mut reader, &mut transcript.data) {
            Ok(0) => {
                let complete = reader.finish().expect("end of file only after the end");
                let consumed = complete.wire_octets as usize;
                assert_eq!(
                    reader.into_inner().consumed,
                    consumed,
                    "what follows is left"
                );
                break Outcome::Ended {
                    consumed,
                    stuffed: complete.stuffed_lines as usize,
                };
            }
            Ok(_) => {}
            Err(error) => {
                let again = reader.fill_buf().expect("an error is returned once");
                assert!(again.is_empty(), "then the reader is at its end");
                let cause = error
                    .get_ref()
                    .and_then(|cause| cause.downcast_ref::<DecodeError>());
                let cause = *cause.expect("a decode error");
                assert_eq!(reader.finish(), Err(cause), "the error stays");
                let truncated = error.kind() == io::ErrorKind::UnexpectedEof;
                assert_eq!(truncated, cause.kind() == ErrorKind::Truncated);
                break failure(cause);
            }
        }
    };
}

struct ReadToEnd;

impl Decode for ReadToEnd {
    fn name(&self) -> &'static str {
        "MultilineReader: read_to_end"
    }

    fn decode(&self, rules: &Rules, chunks: &[&[u8]], transcript: &mut Transcript) {
        read_block(rules, chunks, transcript, |reader, data| {
            reader.read_to_end(data)
        });
    }
}

struct SmallReads;

impl Decode for SmallReads {
    fn name(&self) -> &'static str {
        "MultilineReader: read of 3 octets"
    }

    fn decode(&self, rules: &Rules, chunks: &[&[u8]], transcript: &mut Transcript) {
        read_block(rules, chunks, transcript, |reader, data| {
            let mut buffer = [0; 3];
            let octets = reader.read(&mut buffer)?;
            data.extend_from_slice(&buffer[..octets]);
            Ok(octets)
        });
    }
}

struct BufReads;

impl Decode for BufReads {
    fn name(&self) -> &'static str {
        "MultilineReader: fill_buf"
    }

    fn decode(&self, rules: &Rules, chunks: &[&[u8]], transcript: &mut Transcript) {
        read_block(rules, chunks, transcript, |reader, data| {
            let octets = reader.fill_buf()?;
            // Consumes half of it first: a reader must continue after a partly
            // consumed buffer.
            let half = octets.len().div_ceil(2);
            data.extend_from_slice(&octets[..half]);
            reader.consume(half);
            Ok(half)
        });
    }
}

struct BytesFrames;

impl Decode for BytesFrames {
    fn name(&self) -> &'static str {
        "decode_bytes"
    }

    fn decode(&self, rules: &Rules, chunks: &[&[u8]], transcript: &mut Transcript) {
        let mut decoder = MultilineDecoder::with_config(config(rules));
        let mut input = BytesMut::new();
        let mut received = 0;
        'chunks: for &chunk in chunks {
            input.extend_from_slice(chunk);
            received += chunk.len();
            loop {
                match decoder.decode_bytes(&mut input) {
                    Ok(Some(Frame::Data(data))) => transcript.data.extend_from_slice(&data),
                    Ok(Some(Frame::End(complete))) => {
                        assert_eq!(complete.wire_octets as usize, received - input.len());
                        break 'chunks;
                    }
                    Ok(None) => break,
                    Err(_) => break 'chunks,
                }
            }
            assert!(input.is_empty(), "all is consumed");
        }
        transcript.outcome = outcome(&decoder, transcript);
    }
}

struct TokioCodec;

impl Decode for TokioCodec {
    fn name(&self) -> &'static str {
        "MultilineCodec"
    }

    fn decode(&self, rules: &Rules, chunks: &[&[u8]], transcript: &mut Transcript) {
        let mut codec = MultilineCodec::with_config(BareNewline::Verbatim, config(rules));
        let mut input = BytesMut::new();
        let mut step = |codec: &mut MultilineCodec, input: &mut BytesMut, eof: bool| loop {
            let frame = match eof {
                true => codec.decode_eof(input),
                false => codec.decode(input),
            };
            match frame {
                Ok(Some(Frame::Data(data))) => transcript.data.extend_from_slice(&data),
                Ok(Some(Frame::End(complete))) => {
                    let mut next = BytesMut::from(".\r\n");
                    let frame = codec.decode(&mut next).expect("the next block");
                    assert!(matches!(frame, Some(Frame::End(_))), "the next block");
                    assert!(
                        matches!(codec.decode_eof(&mut next), Ok(None)),
                        "a clean end of file"
                    );
                    let consumed = complete.wire_octets as usize;
                    let stuffed = complete.stuffed_lines as usize;
                    return Some(Outcome::Ended { consumed, stuffed });
                }
                Ok(None) => return None,
                Err(error) => {
                    let error = error.downcast::<DecodeError>().expect("a decode error");
                    return Some(failure(error));
                }
            }
        };
        for &chunk in chunks {
            input.extend_from_slice(chunk);
            if let Some(outcome) = step(&mut codec, &mut input, false) {
                transcript.outcome = outcome;
                return;
            }
        }
        // A codec does not expect a block of which nothing came.
        transcript.outcome = step(&mut codec, &mut input, true).unwrap_or(Outcome::Truncated(0));
    }
}

/// `decode_buf` into a buffer with little room.
struct Buffers;

impl Decode for Buffers {
    fn name(&self) -> &'static str {
        "decode_buf"
    }

    fn decode(&self, rules: &Rules, chunks: &[&[u8]], transcript: &mut Transcript) {
        let mut decoder = MultilineDecoder::with_config(config(rules));
        let mut room = [0; 3];
        'chunks: for &chunk in chunks {
            let mut input = chunk;
            loop {
                let mut left = &mut room[..];
                let ended = decoder.decode_buf(&mut input, &mut left);
                let written = 3 - left.len();
                transcript.data.extend_from_slice(&room[..written]);
                match ended {
                    Err(_) | Ok(true) => break 'chunks,
                    Ok(false) if input.is_empty() => break,
                    Ok(false) => assert_eq!(written, 3, "it stops only for want of room"),
                }
            }
        }
        transcript.outcome = outcome(&decoder, transcript);
    }
}

/// `decode_in_place`, which needs the whole block.
struct InPlace;

impl Decode for InPlace {
    fn name(&self) -> &'static str {
        "decode_in_place"
    }

    fn decode(&self, rules: &Rules, chunks: &[&[u8]], transcript: &mut Transcript) {
        let wire = chunks.concat();
        let mut block = wire.clone();
        transcript.outcome = match dot_stuffing::decode_in_place(config(rules), &mut block) {
            Ok(complete) => {
                let consumed = complete.wire_octets as usize;
                assert_eq!(
                    block[consumed..],
                    wire[consumed..],
                    "what follows is unchanged"
                );
                let data = &block[..complete.octets as usize];
                transcript.data.extend_from_slice(data);
                Outcome::Ended {
                    consumed,
                    stuffed: complete.stuffed_lines as usize,
                }
            }
            Err(error) => {
                // The data before an error is not returned.
                transcript.data = oracle::decode(rules, &wire).data;
                failure(error)
            }
        };
    }
}

/// `Chunks`, which has to wait before each look at its buffer.
struct Waiting<'a> {
    chunks: Chunks<'a>,
    waited: bool,
}

impl<'a> Waiting<'a> {
    const fn new(chunks: &'a [&'a [u8]]) -> Self {
        Self {
            chunks: Chunks::new(chunks),
            waited: false,
        }
    }

    fn poll(&mut self) -> Poll<io::Result<&[u8]>> {
        self.waited = !self.waited;
        match self.waited {
            true => Poll::Pending,
            false => Poll::Ready(self.chunks.fill_buf()),
        }
    }
}

impl tokio::io::AsyncRead for Waiting<'_> {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut tokio::io::ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }
}

impl tokio::io::AsyncBufRead for Waiting<'_> {
    fn poll_fill_buf(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        self.get_mut().poll()
    }

    fn consume(self: Pin<&mut Self>, octets: usize) {
        self.get_mut().chunks.consume(octets);
    }
}

impl futures_io::AsyncRead for Waiting<'_> {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }
}

impl futures_io::AsyncBufRead for Waiting<'_> {
    fn poll_fill_buf(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        self.get_mut().poll()
    }

    fn consume(self: Pin<&mut Self>, octets: usize) {
        self.get_mut().chunks.consume(octets);
    }
}

/// Reads a block with `read`, which appends some octets or returns `None` if it has
/// to wait.
fn poll_block(
    transcript: &mut Transcript,
    mut read: impl FnMut(&mut Context<'_>, &mut Vec<u8>) -> Poll<io::Result<usize>>,
) -> Result<(), DecodeError> {
    let mut context = Context::from_waker(Waker::noop());
    loop {
        match read(&mut context, &mut transcript.data) {
            Poll::Pending => {}
            Poll::Ready(Ok(0)) => return Ok(()),
            Poll::Ready(Ok(_)) => {}
            Poll::Ready(Err(error)) => {
                return Err(error.downcast::<DecodeError>().expect("a decode error"));
            }
        }
    }
}

/// The outcome of `poll_block`.
fn polled(
    read: Result<(), DecodeError>,
    finish: Result<Complete, DecodeError>,
    consumed: usize,
) -> Outcome {
    assert_eq!(read.err(), finish.err(), "the error stays");
    match finish {
        Ok(complete) => {
            assert_eq!(
                complete.wire_octets as usize, consumed,
                "what follows is left"
            );
            Outcome::Ended {
                consumed,
                stuffed: complete.stuffed_lines as usize,
            }
        }
        Err(error) => failure(error),
    }
}

struct Tokio;

impl Decode for Tokio {
    fn name(&self) -> &'static str {
        "tokio::MultilineReader"
    }

    fn decode(&self, rules: &Rules, chunks: &[&[u8]], transcript: &mut Transcript) {
        use tokio::io::AsyncBufRead as _;

        let source = Waiting::new(chunks);
        let mut reader = dot_stuffing::tokio::MultilineReader::with_config(source, config(rules));
        let read = poll_block(transcript, |context, data| {
            let octets = std::task::ready!(Pin::new(&mut reader).poll_fill_buf(context))?;
            let half = octets.len().div_ceil(2);
            data.extend_from_slice(&octets[..half]);
            Pin::new(&mut reader).consume(half);
            Poll::Ready(Ok(half))
        });
        let finish = reader.finish();
        transcript.outcome = polled(read, finish, reader.get_ref().chunks.consumed);
    }
}

struct Futures;

impl Decode for Futures {
    fn name(&self) -> &'static str {
        "futures::MultilineReader"
    }

    fn decode(&self, rules: &Rules, chunks: &[&[u8]], transcript: &mut Transcript) {
        use futures_io::AsyncRead as _;

        let source = Waiting::new(chunks);
        let mut reader = dot_stuffing::futures::MultilineReader::with_config(source, config(rules));
        let read = poll_block(transcript, |context, data| {
            let mut buffer = [0; 3];
            let read = Pin::new(&mut reader).poll_read(context, &mut buffer);
            let octets = std::task::ready!(read)?;
            data.extend_from_slice(&buffer[..octets]);
            Poll::Ready(Ok(octets))
        });
        let finish = reader.finish();
        transcript.outcome = polled(read, finish, reader.get_ref().chunks.consumed);
    }
}
