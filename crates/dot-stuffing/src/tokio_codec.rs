//! The codec traits of tokio-util, on top of `buf.rs` and the encoder.

use std::io;

use bytes::BytesMut;
use tokio_util::codec::{Decoder, Encoder};

use crate::{BareNewline, Chunk, Config, Frame, MultilineDecoder, MultilineEncoder};

/// Multi-line blocks for `tokio_util::codec`: decodes to [`Frame`]s, and encodes
/// from [`Chunk`]s.
///
/// Decoding stops at [`Frame::End`]: the octets after the block stay in the buffer
/// until [`next_block`](Self::next_block) is called, or until another codec takes
/// over (`Framed::map_codec`). If the stream ends before the block, the error is
/// `UnexpectedEof`.
///
/// [`Chunk::End`] sends the terminator and makes the encoder ready for the next
/// message.
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
    newline: BareNewline,
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
            newline,
        }
    }

    /// Starts to decode the block after the one that has ended.
    ///
    /// ```
    /// use bytes::BytesMut;
    /// use dot_stuffing::{BareNewline, Frame, MultilineCodec};
    /// use tokio_util::codec::Decoder;
    ///
    /// let mut codec = MultilineCodec::new(BareNewline::Canonicalize);
    /// let mut wire = BytesMut::from(".\r\na\r\n.\r\n");
    /// assert!(matches!(codec.decode(&mut wire)?, Some(Frame::End(_))));
    /// assert_eq!(codec.decode(&mut wire)?, None);
    /// codec.next_block();
    /// assert_eq!(codec.decode(&mut wire)?, Some(Frame::Data("a\r\n".into())));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub const fn next_block(&mut self) {
        self.decoder.reset();
    }
}

impl Decoder for MultilineCodec {
    type Item = Frame;
    type Error = io::Error;

    fn decode(&mut self, input: &mut BytesMut) -> io::Result<Option<Frame>> {
        match self.decoder.finish() {
            Ok(_) => Ok(None),
            Err(_) => Ok(self.decoder.decode_bytes(input)?),
        }
    }

    fn decode_eof(&mut self, input: &mut BytesMut) -> io::Result<Option<Frame>> {
        let frame = self.decode(input)?;
        if frame.is_none() {
            self.decoder.finish()?;
        }
        Ok(frame)
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
            Chunk::End => {
                let next = MultilineEncoder::new(self.newline);
                let encoder = core::mem::replace(&mut self.encoder, next);
                wire.extend_from_slice(encoder.finish()?);
            }
        }
        Ok(())
    }
}
