//! The first lines of replies, and SASL challenges.

use dot_stuffing::{Decoded, LineDecoder};

use crate::{MAX_SASL_LINE, ReplyError, ReplyKind, ReplyRule, StatusLine, status::has_indicator};

/// Splits the first line of a reply off a stream.
#[derive(Clone, Debug)]
pub(crate) struct FirstLineDecoder {
    rule: ReplyRule,
    lines: LineDecoder<{ StatusLine::MAX_OCTETS }>,
    /// Made when the first SASL line is due.
    sasl_lines: Option<Box<LineDecoder<MAX_SASL_LINE>>>,
}

/// The first line of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FirstLine<'a> {
    Status(StatusLine<'a>),
    /// A SASL challenge, in base64.
    Challenge(&'a [u8]),
}

impl FirstLineDecoder {
    pub(crate) const fn new(rule: ReplyRule) -> Self {
        Self {
            rule,
            lines: LineDecoder::with_line_endings(rule.line_endings),
            sasl_lines: None,
        }
    }

    /// Decodes the first line of a reply of this kind. The kind must stay the same
    /// until the line is complete.
    pub(crate) fn decode<'a>(
        &'a mut self,
        kind: ReplyKind,
        input: &'a [u8],
    ) -> Result<Decoded<FirstLine<'a>>, ReplyError> {
        let step = match kind {
            ReplyKind::Sasl => self
                .sasl_lines
                .get_or_insert_with(|| {
                    Box::new(LineDecoder::with_line_endings(self.rule.line_endings))
                })
                .decode(input),
            _ => self.lines.decode(input),
        }
        .map_err(ReplyError::FirstLine)?;
        let indicator = self.rule.indicator;
        let event = match step.event {
            None => None,
            // `+ challenge`; some servers send `+challenge` or `+`.
            Some(line)
                if kind == ReplyKind::Sasl
                    && line.starts_with(b"+")
                    && !has_indicator(line, indicator) =>
            {
                Some(FirstLine::Challenge(line[1..].trim_ascii()))
            }
            Some(line) => {
                let status = StatusLine::parse(line, indicator).map_err(ReplyError::Status)?;
                Some(FirstLine::Status(status))
            }
        };
        Ok(Decoded {
            consumed: step.consumed,
            event,
        })
    }
}
