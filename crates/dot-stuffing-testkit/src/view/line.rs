//! The views of `LineDecoder`.

use std::io;

use bytes::{Bytes, BytesMut};
use dot_stuffing::{DecodeError, ErrorKind, LineCodec, LineDecoder};
use tokio_util::codec::Decoder as _;

use super::{SplitLines, fault, line_endings};
use crate::oracle::{LineEvent, Lines, Rules};

/// The maximum length of a line in tests of lines, including the line end.
pub const MAX_LINE: usize = 16;

/// All views of the line decoder.
#[must_use]
pub fn line_splitters() -> &'static [&'static dyn SplitLines] {
    &[&Decoder, &TokioCodec]
}

struct Decoder;

impl SplitLines for Decoder {
    fn name(&self) -> &'static str {
        "LineDecoder"
    }

    fn lines(&self, rules: &Rules, chunks: &[&[u8]]) -> Lines {
        let mut decoder = LineDecoder::<MAX_LINE>::with_line_endings(line_endings(rules));
        let mut events = Vec::new();
        for &chunk in chunks {
            let mut input = chunk;
            while !input.is_empty() {
                match decoder.decode(input) {
                    Ok(step) => {
                        assert!(step.consumed > 0, "progress");
                        events.extend(step.event.map(|line| LineEvent::Line(line.to_vec())));
                        input = &input[step.consumed..];
                    }
                    Err(error) => {
                        assert_eq!(decoder.decode(input), Err(error), "an error is sticky");
                        assert_eq!(decoder.finish(), Err(error), "an error is final");
                        let offset = error.offset() as usize;
                        events.push(LineEvent::Refused(fault(error.kind()), offset));
                        decoder.skip_line();
                    }
                }
            }
        }
        let whole = match decoder.finish() {
            Ok(()) => true,
            Err(error) => {
                let octets: usize = chunks.iter().map(|chunk| chunk.len()).sum();
                assert_eq!(error.offset() as usize, octets, "where the stream stopped");
                false
            }
        };
        Lines { events, whole }
    }
}

struct TokioCodec;

impl SplitLines for TokioCodec {
    fn name(&self) -> &'static str {
        "LineCodec"
    }

    fn lines(&self, rules: &Rules, chunks: &[&[u8]]) -> Lines {
        let mut codec = LineCodec::<MAX_LINE>::with_line_endings(line_endings(rules));
        let mut events = Vec::new();
        let mut input = BytesMut::new();
        let mut event = |line: io::Result<Option<Bytes>>| match line {
            Ok(None) => None,
            Ok(Some(line)) => {
                events.push(LineEvent::Line(line.to_vec()));
                Some(Ok(()))
            }
            Err(error) => {
                let error = error.downcast::<DecodeError>().expect("a decode error");
                if error.kind() != ErrorKind::Truncated {
                    let offset = error.offset() as usize;
                    events.push(LineEvent::Refused(fault(error.kind()), offset));
                }
                Some(Err(error))
            }
        };
        for chunk in chunks {
            input.extend_from_slice(chunk);
            while let Some(line) = event(codec.decode(&mut input)) {
                if line.is_err() {
                    codec.skip_line();
                }
            }
            assert!(input.is_empty(), "all is consumed");
        }
        let whole = match event(codec.decode_eof(&mut input)) {
            None => true,
            Some(end) => {
                let error = end.expect_err("no line without input");
                let octets: usize = chunks.iter().map(|chunk| chunk.len()).sum();
                assert_eq!(error.offset() as usize, octets, "where the stream stopped");
                false
            }
        };
        Lines { events, whole }
    }
}
