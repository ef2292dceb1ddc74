//! The codec on the buffers of the crate `bytes`.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::{Complete, DecodeError, EncodeError, MultilineDecoder, MultilineEncoder, Span, scan};

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

    /// Moves the parts of the message from `input` to `message`, up to the end of the
    /// block, of `input`, or of the room in `message`. Returns whether the block ended in
    /// this call; octets after it stay in `input`. Call [`reset`](Self::reset) before
    /// you decode another block.
    ///
    /// # Errors
    ///
    /// As [`decode_span`](Self::decode_span), also for octets in `input` if the block
    /// has ended in an earlier call. Octets before the rejected one are in `message`.
    ///
    /// ```
    /// use dot_stuffing::MultilineDecoder;
    ///
    /// let mut decoder = MultilineDecoder::new();
    /// let mut message = Vec::new();
    /// let mut input = &b"a\r\n..b\r\n.\r\n+OK"[..];
    /// assert!(decoder.decode_buf(&mut input, &mut message)?);
    /// assert_eq!((&message[..], input), (&b"a\r\n.b\r\n"[..], &b"+OK"[..]));
    /// # Ok::<(), dot_stuffing::DecodeError>(())
    /// ```
    pub fn decode_buf(
        &mut self,
        input: &mut impl Buf,
        message: &mut impl BufMut,
    ) -> Result<bool, DecodeError> {
        if self.is_complete() {
            // Octets of another block are an error.
            return self.decode_span(input.chunk()).map(|_| false);
        }
        while input.has_remaining() && !self.is_complete() {
            let chunk = input.chunk();
            if chunk.is_empty() {
                break;
            }
            let room = message.remaining_mut();
            // Octets that are dropped need no room.
            let before = (room == 0).then(|| self.clone());
            let step = self.decode_span(&chunk[..chunk.len().min(room.max(1))])?;
            match (step.event, before) {
                (Some(Span::Data(_) | Span::Cr), Some(before)) => {
                    *self = before;
                    break;
                }
                (Some(Span::Data(range)), None) => message.put_slice(&chunk[range]),
                (Some(Span::Cr), None) => message.put_u8(b'\r'),
                (Some(Span::End) | None, _) => {}
            }
            input.advance(step.consumed);
        }
        if !self.is_complete() {
            // Repeats the error of an earlier call.
            let _ = self.decode_span(&[])?;
        }
        Ok(self.is_complete())
    }
}

impl MultilineEncoder {
    /// Takes the next part of the message, all that `message` has now. Encode it with
    /// [`StuffedBuf::put`], to its end: if the value is dropped early, the block would
    /// lack octets, so the encoder fails with
    /// [`Unfinished`](crate::EncodeErrorKind::Unfinished), and there is no terminator.
    ///
    /// ```
    /// use dot_stuffing::{BareNewline, MultilineEncoder};
    ///
    /// let mut encoder = MultilineEncoder::new(BareNewline::Canonicalize);
    /// let mut wire = Vec::new();
    /// assert!(encoder.encode_buf(&b".a\n"[..]).put(&mut wire)?);
    /// wire.extend_from_slice(encoder.finish()?);
    /// assert_eq!(wire, b"..a\r\n.\r\n");
    /// # Ok::<(), dot_stuffing::EncodeError>(())
    /// ```
    pub fn encode_buf<B: Buf>(&mut self, message: B) -> StuffedBuf<'_, B> {
        self.begin(message.remaining());
        StuffedBuf {
            encoder: self,
            message,
        }
    }
}

/// A part of a message that is being encoded. Made by
/// [`MultilineEncoder::encode_buf`].
#[derive(Debug)]
#[must_use = "a message is encoded only as octets are put"]
pub struct StuffedBuf<'e, B> {
    encoder: &'e mut MultilineEncoder,
    message: B,
}

impl<B: Buf> StuffedBuf<'_, B> {
    /// Encodes to `wire`, up to the end of the part or of the room in `wire`. Returns
    /// whether all of the part is encoded; otherwise, call this again with more room.
    ///
    /// It needs room for three octets, and may leave room for two, because an octet of
    /// the message can become three.
    ///
    /// # Errors
    ///
    /// As [`encode`](MultilineEncoder::encode). Octets before the rejected one are in
    /// `wire`, and may still be in the part.
    ///
    /// ```
    /// use dot_stuffing::{BareNewline, MultilineEncoder};
    ///
    /// let mut encoder = MultilineEncoder::new(BareNewline::Verbatim);
    /// let mut part = encoder.encode_buf(&b"abc\r\n"[..]);
    /// let mut room = [0; 5];
    /// assert!(!part.put(&mut &mut room[..])?); // send it
    /// assert!(part.put(&mut &mut room[..])?);
    /// assert_eq!(encoder.finish()?, b".\r\n");
    /// # Ok::<(), dot_stuffing::EncodeError>(())
    /// ```
    pub fn put(&mut self, wire: &mut impl BufMut) -> Result<bool, EncodeError> {
        while self.message.has_remaining() {
            let chunk = self.message.chunk();
            // n octets become at most 2n + 1.
            let most = wire.remaining_mut().saturating_sub(1) / 2;
            let piece = chunk.len().min(most);
            if piece == 0 {
                break;
            }
            for octets in self.encoder.stuffed(&chunk[..piece]) {
                wire.put_slice(octets?);
            }
            self.message.advance(piece);
        }
        match self.encoder.refusal() {
            Some(error) => Err(error),
            None => Ok(!self.message.has_remaining()),
        }
    }
}
