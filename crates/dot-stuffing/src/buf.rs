//! Decodes a `BytesMut` into frames without copying.

use bytes::{Buf, Bytes, BytesMut};

use crate::{Complete, DecodeError, MultilineDecoder, Span};

/// A part of a decoded block that owns its octets by reference counting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// These octets belong to the message, at most 16 KiB of them.
    Data(Bytes),
    /// The block ended, and is complete.
    End(Complete),
}

impl MultilineDecoder {
    /// Splits the next part of the message off the front of `input`, without a
    /// copy. Returns `None` if all of `input` is consumed and more must be read.
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
            Some(Span::Data(range)) => {
                let mut read = input.split_to(step.consumed);
                read.truncate(range.end);
                read.advance(range.start);
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
