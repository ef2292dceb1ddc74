//! The view of `LineDecoder`.

use dot_stuffing::LineDecoder;

use super::{SplitLines, fault, line_endings};
use crate::oracle::{LineEvent, Lines, Rules};

/// The maximum length of a line in tests of lines, including the line end.
pub const MAX_LINE: usize = 16;

/// All views of the line decoder.
#[must_use]
pub fn line_splitters() -> &'static [&'static dyn SplitLines] {
    &[&Decoder]
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
