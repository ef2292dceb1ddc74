//! Decodes replies as they arrive: the first line, then a block if there is one.

use core::fmt;

use dot_stuffing::{Chunk, Complete, Config, DecodeError, Decoded, LineEndings, MultilineDecoder};

use crate::{
    IndicatorRule, StatusError, StatusLine,
    first_line::{FirstLine, FirstLineDecoder},
};

/// The most octets of a line in a SASL exchange, including CRLF (RFC 4422 and RFC
/// 5034 set no limit; RFC 4954 §4 has this one for SMTP).
pub const MAX_SASL_LINE: usize = 12_288;

/// The kind of reply that a client expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReplyKind {
    /// One line, as for STAT, DELE, `LIST n` and most other commands, and the
    /// greeting.
    Line,
    /// One line and, if it is positive, a multi-line block: RETR, TOP.
    Message,
    /// The same for LIST, UIDL and CAPA, whose lines never begin with a dot.
    Listing,
    /// AUTH and its continuations: a challenge, or the line that ends the
    /// exchange (RFC 5034 §4).
    Sasl,
}

impl ReplyKind {
    /// Whether a positive first line is followed by a block.
    const fn has_block(self) -> bool {
        matches!(self, Self::Message | Self::Listing)
    }
}

/// How replies are read, and their limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReplyRule {
    /// How the first line is read as positive or negative.
    pub indicator: IndicatorRule,
    /// Whether a listing ends at any line that begins with a dot (MS-STANOPOP3
    /// V0002).
    pub dot_line_ends_listing: bool,
    /// What ends a line.
    pub line_endings: LineEndings,
    /// The most octets of a message.
    pub max_message_octets: u64,
    /// The most octets of a listing.
    pub max_listing_octets: u64,
}

impl ReplyRule {
    /// The rule of RFC 1939 and RFC 2449, with [`Self::MAX_LISTING_OCTETS`] and no
    /// limit for messages.
    pub const RFC1939: Self = Self {
        indicator: IndicatorRule::Exact,
        dot_line_ends_listing: false,
        line_endings: LineEndings::new(),
        max_message_octets: u64::MAX,
        max_listing_octets: Self::MAX_LISTING_OCTETS,
    };

    /// The rule of Outlook (MS-STANOPOP3 V0001, V0002).
    pub const OUTLOOK: Self = Self {
        indicator: IndicatorRule::FirstOctet,
        dot_line_ends_listing: true,
        ..Self::RFC1939
    };

    /// Enough for a UIDL of fifteen million messages.
    pub const MAX_LISTING_OCTETS: u64 = 1 << 30;

    /// The decoder for the block of a reply of this kind.
    pub(crate) const fn block(&self, kind: ReplyKind) -> MultilineDecoder {
        let config = Config::new().line_endings(self.line_endings);
        MultilineDecoder::with_config(match kind {
            ReplyKind::Listing => config
                .dot_line_ends(self.dot_line_ends_listing)
                .max_octets(self.max_listing_octets),
            _ => config.max_octets(self.max_message_octets),
        })
    }
}

/// A part of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyPart<'a> {
    /// The first line. If a block follows, its octets come next.
    Status(StatusLine<'a>),
    /// A SASL challenge, in base64.
    Challenge(&'a [u8]),
    /// Octets of the block: slices of the input.
    Data(&'a [u8]),
    /// The block ended, and is complete.
    End(Complete),
}

/// Splits a stream into the expected replies, one at a time.
///
/// Message octets are slices of the input. Only a first line or challenge that is
/// cut between inputs is copied, into a bounded buffer.
///
/// ```
/// use pop3_proto::{ReplyKind, ReplyPart, ReplyRule, ResponseDecoder};
///
/// let mut replies = ResponseDecoder::new(ReplyRule::RFC1939);
/// let mut input = &b"+OK 3 octets\r\n..\r\n.\r\n"[..];
/// let mut message = Vec::new();
/// replies.expect(ReplyKind::Message);
/// while !input.is_empty() {
///     let step = replies.decode(input)?;
///     input = &input[step.consumed..];
///     match step.event {
///         Some(ReplyPart::Data(octets)) => message.extend_from_slice(octets),
///         Some(ReplyPart::End(complete)) => assert_eq!(complete.octets, 3),
///         _ => {}
///     }
/// }
/// assert_eq!(message, b".\r\n");
/// assert!(replies.is_idle());
/// # Ok::<(), pop3_proto::ReplyError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ResponseDecoder {
    rule: ReplyRule,
    first_lines: FirstLineDecoder,
    stage: Stage,
}

#[derive(Clone, Debug)]
enum Stage {
    Idle,
    FirstLine(ReplyKind),
    Block(MultilineDecoder),
    Failed(ReplyError),
}

impl ResponseDecoder {
    /// A decoder that expects nothing yet.
    #[must_use]
    pub const fn new(rule: ReplyRule) -> Self {
        Self {
            rule,
            first_lines: FirstLineDecoder::new(rule),
            stage: Stage::Idle,
        }
    }

    /// Sets the kind of the next reply. Call it when [`is_idle`](Self::is_idle); it
    /// does not replace a reply that has begun.
    pub const fn expect(&mut self, kind: ReplyKind) {
        if self.is_idle() {
            self.stage = Stage::FirstLine(kind);
        }
    }

    /// Whether no reply is expected.
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        matches!(self.stage, Stage::Idle)
    }

    /// Decodes the next part of the reply. Stops at its end.
    ///
    /// # Errors
    ///
    /// If the input is not a reply, too long, or not expected. The stream cannot be
    /// trusted any more, and each further call repeats the error.
    pub fn decode<'a>(&'a mut self, input: &'a [u8]) -> Result<Decoded<ReplyPart<'a>>, ReplyError> {
        let Self {
            rule,
            first_lines,
            stage,
        } = self;
        let decoded = match stage {
            Stage::Failed(error) => return Err(*error),
            Stage::Idle if input.is_empty() => Ok(Decoded {
                consumed: 0,
                event: None,
            }),
            Stage::Idle => Err(ReplyError::Unsolicited),
            Stage::FirstLine(kind) => {
                let kind = *kind;
                first_lines.decode(kind, input).map(|step| Decoded {
                    consumed: step.consumed,
                    event: step.event.map(|line| {
                        let (has_block, part) = match line {
                            FirstLine::Challenge(octets) => (false, ReplyPart::Challenge(octets)),
                            FirstLine::Status(status) => (
                                kind.has_block() && status.is_positive(),
                                ReplyPart::Status(status),
                            ),
                        };
                        *stage = match has_block {
                            true => Stage::Block(rule.block(kind)),
                            false => Stage::Idle,
                        };
                        part
                    }),
                })
            }
            Stage::Block(block) => match decode_block(block, input) {
                Ok(step) => {
                    if let Some(ReplyPart::End(_)) = step.event {
                        *stage = Stage::Idle;
                    }
                    Ok(step)
                }
                Err(error) => Err(error),
            },
        };
        if let Err(error) = decoded {
            self.stage = Stage::Failed(error);
        }
        decoded
    }

    /// Ends the input.
    ///
    /// # Errors
    ///
    /// If a reply is due or incomplete, or the decoder has failed.
    pub const fn finish(&self) -> Result<(), ReplyError> {
        match &self.stage {
            Stage::Idle => Ok(()),
            Stage::Failed(error) => Err(*error),
            Stage::FirstLine(_) => Err(ReplyError::NoReply),
            Stage::Block(block) => match block.finish() {
                Err(error) => Err(ReplyError::Block(error)),
                Ok(_) => Err(ReplyError::NoReply),
            },
        }
    }
}

#[inline]
fn decode_block<'a>(
    block: &mut MultilineDecoder,
    input: &'a [u8],
) -> Result<Decoded<ReplyPart<'a>>, ReplyError> {
    let step = block.decode(input).map_err(ReplyError::Block)?;
    let event = match step.event {
        Some(Chunk::Data(octets)) => Some(ReplyPart::Data(octets)),
        Some(Chunk::End) => Some(ReplyPart::End(block.finish().map_err(ReplyError::Block)?)),
        None => None,
    };
    Ok(Decoded {
        consumed: step.consumed,
        event,
    })
}

/// Why a stream is not the expected reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReplyError {
    /// The block of the reply. Offsets count from its first octet.
    Block(DecodeError),
    /// The first line. Offsets count from the first octet of the stream.
    FirstLine(DecodeError),
    /// The stream ended where a reply was due.
    NoReply,
    /// A line that is not a reply.
    Status(StatusError),
    /// Unsolicited octets. They must not be taken for the reply to the next
    /// command.
    Unsolicited,
}

impl fmt::Display for ReplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Block(error) => write!(f, "in the block of a reply: {error}"),
            Self::FirstLine(error) => write!(f, "in the first line of a reply: {error}"),
            Self::NoReply => f.write_str("the server closed the connection before its reply"),
            Self::Status(error) => write!(f, "not a reply: {error}"),
            Self::Unsolicited => f.write_str("the server sent unsolicited octets"),
        }
    }
}

impl core::error::Error for ReplyError {}
