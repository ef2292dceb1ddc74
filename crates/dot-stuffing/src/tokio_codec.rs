//! The codec traits of tokio-util, on top of `buf.rs` and the encoder.

use std::io;

use bytes::{Buf as _, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use crate::{BareNewline, Chunk, Config, Frame, MultilineDecoder, MultilineEncoder};

/// Multi-line blocks for `tokio_util::codec`: decodes to [`Frame`]s, and encodes
/// from [`Chunk`]s.
///
/// # Reading
///
/// After [`Frame::End`], the next frame is that of the next block, and `None`
/// means that the stream ended between two blocks. If it ends in a block, the
/// error is `UnexpectedEof`. Before the first octet of a block, a codec cannot
/// know whether a block must follow. If one must, `None` before [`Frame::End`]
/// is a failure.
///
/// If what follows is not a block, as in POP3, do not ask for another frame
/// after [`Frame::End`]; the codec has not touched the octets after the block.
/// Give the stream to another codec, such as [`LineCodec`](crate::LineCodec),
/// with `Framed::map_codec`, which keeps the octets that were read ahead.
///
/// A refused or truncated block is an error, and so is each further call of `decode`;
/// `Framed` then returns `None`. To answer it and go on, see
/// [`skip_to_end`](Self::skip_to_end).
///
/// # Writing
///
/// [`Chunk::End`] sends the terminator and makes the codec ready for the next
/// message. After an error, the codec encodes nothing more, neither
/// [`Chunk::End`] nor another message: octets of the refused message may have been
/// sent, and what follows them would be read as a part of it. Close the connection.
///
/// ```
/// use bytes::BytesMut;
/// use dot_stuffing::{BareNewline, Chunk, Frame, MultilineCodec};
/// use tokio_util::codec::{Decoder, Encoder};
///
/// let mut codec = MultilineCodec::new(BareNewline::Canonicalize);
/// let mut wire = BytesMut::new();
/// codec.encode(Chunk::Data(b".\n"), &mut wire)?;
/// codec.encode(Chunk::End, &mut wire)?;
/// assert_eq!(wire, "..\r\n.\r\n");
///
/// assert_eq!(codec.decode(&mut wire)?, Some(Frame::Data(".\r\n".into())));
/// assert!(matches!(codec.decode(&mut wire)?, Some(Frame::End(_))));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct MultilineCodec {
    decoder: MultilineDecoder,
    encoder: MultilineEncoder,
}

impl MultilineCodec {
    /// A codec that reads by RFC 1939 §3, and treats bare newlines in messages that
    /// it sends as `newline` says.
    #[must_use]
    pub const fn new(newline: BareNewline) -> Self {
        Self::with_config(newline, Config::new())
    }

    /// A codec with policies and limits for reading.
    #[must_use]
    pub const fn with_config(newline: BareNewline, config: Config) -> Self {
        Self {
            decoder: MultilineDecoder::with_config(config),
            encoder: MultilineEncoder::new(newline),
        }
    }

    /// Removes the rest of a refused block from `input`. If its end was in it, returns
    /// the octets of the whole block on the wire, and the codec is ready for the next
    /// block. Otherwise, read more into `input`, and call this again.
    ///
    /// See [`MultilineDecoder::skip_to_end`]. `input` is `read_buf` of
    /// `Framed::into_parts`.
    ///
    /// ```
    /// use bytes::BytesMut;
    /// use dot_stuffing::{BareNewline, Config, MultilineCodec};
    /// use tokio_util::codec::Decoder;
    ///
    /// let mut codec = MultilineCodec::with_config(BareNewline::Reject, Config::smtp());
    /// let mut input = BytesMut::from("a\n.\n");
    /// codec.decode(&mut input)?; // returns "a"
    /// assert!(codec.decode(&mut input).is_err());
    /// assert_eq!(codec.skip_to_end(&mut input), None);
    /// input.extend_from_slice(b"\r\n.\r\nQUIT\r\n");
    /// assert_eq!(codec.skip_to_end(&mut input), Some(9));
    /// assert_eq!(input, "QUIT\r\n");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use = "the end may not have come yet"]
    pub fn skip_to_end(&mut self, input: &mut BytesMut) -> Option<u64> {
        let mut rest = &input[..];
        let ended = self.decoder.skip_to_end(&mut rest);
        let skipped = input.len() - rest.len();
        input.advance(skipped);
        ended.then(|| {
            let octets = self.decoder.wire_octets();
            self.decoder.reset();
            octets
        })
    }
}

impl Decoder for MultilineCodec {
    type Item = Frame;
    type Error = io::Error;

    fn decode(&mut self, input: &mut BytesMut) -> io::Result<Option<Frame>> {
        let frame = self.decoder.decode_bytes(input)?;
        if let Some(Frame::End(_)) = frame {
            self.decoder.reset();
        }
        Ok(frame)
    }

    fn decode_eof(&mut self, input: &mut BytesMut) -> io::Result<Option<Frame>> {
        let frame = self.decode(input)?;
        match frame {
            None if self.decoder.wire_octets() > 0 => Err(self.decoder.truncate().into()),
            _ => Ok(frame),
        }
    }
}

impl Encoder<Chunk<'_>> for MultilineCodec {
    type Error = io::Error;

    fn encode(&mut self, chunk: Chunk<'_>, wire: &mut BytesMut) -> io::Result<()> {
        match chunk {
            Chunk::Data(message) => {
                wire.reserve(message.len());
                for octets in self.encoder.encode(message) {
                    wire.extend_from_slice(octets?);
                }
            }
            Chunk::End => wire.extend_from_slice(self.encoder.end()?),
        }
        Ok(())
    }
}
