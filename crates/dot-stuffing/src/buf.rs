//! Decodes a `BytesMut` into frames, almost without copying.

use bytes::{Buf, Bytes, BytesMut};

use crate::{Complete, DecodeError, MultilineDecoder, Span, scan};

/// A part of a decoded block that owns its octets by reference counting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// These octets belong to the message, at most 16 KiB of them.
    Data(Bytes),
    /// The block ended, and is complete.
    End(Complete),
}

/// A frame shorter than this is copied, so that it does not keep the memory of a
/// whole buffer. A copy costs about as much as a shared reference.
const SMALL: usize = 1024;

impl MultilineDecoder {
    /// Splits the next part of the message off the front of `input`. Returns `None`
    /// if all of `input` is consumed and more must be read.
    ///
    /// A frame of 1 KiB or more shares the memory of `input` without a copy; a
    /// shorter one is copied. Short stuffed lines are moved together in `input`, so
    /// that many of them make one frame.
    ///
    /// # Errors
    ///
    /// As [`decode_span`](Self::decode_span).
    ///
    /// ```
    /// use bytes::{Bytes, BytesMut};
    /// use dot_stuffing::{Frame, MultilineDecoder};
    ///
    /// let mut input = BytesMut::from(&b"..a\r\n.\r\n+OK"[..]);
    /// let mut decoder = MultilineDecoder::new();
    /// let frame = decoder.decode_bytes(&mut input)?;
    /// assert_eq!(frame, Some(Frame::Data(Bytes::from_static(b".a\r\n"))));
    /// let frame = decoder.decode_bytes(&mut input)?;
    /// assert_eq!(frame, Some(Frame::End(decoder.finish()?)));
    /// assert_eq!(input, "+OK");
    /// # Ok::<(), dot_stuffing::DecodeError>(())
    /// ```
    pub fn decode_bytes(&mut self, input: &mut BytesMut) -> Result<Option<Frame>, DecodeError> {
        let step = self.decode_span(input)?;
        let frame = match step.event {
            Some(Span::Data(mut data)) => {
                let mut consumed = step.consumed;
                if data.len() < SMALL {
                    let octets = &mut input[..];
                    while data.len() < scan::RUN / 2 {
                        let Some(line) = self.stuffed_line(&octets[consumed..]) else {
                            break;
                        };
                        octets.copy_within(consumed..consumed + line, data.end);
                        data.end += line;
                        consumed += line + 1;
                    }
                }
                if data.len() < SMALL {
                    let frame = Bytes::copy_from_slice(&input[data]);
                    input.advance(consumed);
                    return Ok(Some(Frame::Data(frame)));
                }
                let mut read = input.split_to(consumed);
                read.truncate(data.end);
                read.advance(data.start);
                return Ok(Some(Frame::Data(read.freeze())));
            }
            Some(Span::Cr) => Some(Frame::Data(Bytes::from_static(b"\r"))),
            Some(Span::End) => self.finish().ok().map(Frame::End),
            None => None,
        };
        input.advance(step.consumed);
        Ok(frame)
    }
}
