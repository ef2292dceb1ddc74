//! The codec traits of tokio-util, on top of the line decoder.

use std::io;

use bytes::{Buf as _, Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use crate::{EncodeError, EncodeErrorKind, LineDecoder, LineEndings};

/// Lines of at most `MAX` octets, including the line end, for `tokio_util::codec`:
/// commands, status lines, listings.
///
/// Only CRLF ends a line, unless [`LineEndings`] say otherwise;
/// `tokio_util::codec::LinesCodec` ends one at a bare LF too, and so reads two
/// commands where others read one. Lines are octets, without their line end.
///
/// A line that is too long is an error, and so is each further line, until
/// [`skip_line`](Self::skip_line). If the stream ends within a line, the error is
/// `UnexpectedEof`.
///
/// After an error, `Framed` returns `None`, and then reads from the stream before it
/// decodes what it has read already. To go on, skip the line with
/// `Framed::map_codec`, which makes it decode that first:
///
/// ```
/// # use dot_stuffing::LineCodec;
/// # use futures_util::{SinkExt, StreamExt};
/// # use tokio::io::AsyncWriteExt;
/// # use tokio_util::codec::Framed;
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let (near, mut far) = tokio::io::duplex(100);
/// far.write_all(b"much too long\r\nQUIT\r\n").await?; // and waits for replies
/// let mut lines = Framed::new(near, LineCodec::<8>::new());
/// while let Some(line) = lines.next().await {
///     match line {
///         Ok(line) => {
///             assert_eq!(line, "QUIT");
///             break;
///         }
///         Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
///             lines.send("500").await?;
///             lines = lines.map_codec(|mut codec| {
///                 codec.skip_line();
///                 codec
///             });
///         }
///         Err(error) => return Err(error),
///     }
/// }
/// # Ok(())
/// # })?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// A line to send gets its CRLF. One that contains CR or LF is an error, because it
/// would be two; so is one of more than `MAX` octets. Nothing of it is sent.
///
/// ```
/// use bytes::BytesMut;
/// use dot_stuffing::LineCodec;
/// use tokio_util::codec::{Decoder, Encoder};
///
/// let mut codec = LineCodec::<255>::new();
/// let mut wire = BytesMut::new();
/// codec.encode("NOOP", &mut wire)?;
/// assert!(codec.encode("USER a\r\nQUIT", &mut wire).is_err());
/// assert_eq!(wire, "NOOP\r\n");
/// assert_eq!(codec.decode(&mut wire)?, Some("NOOP".into()));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct LineCodec<const MAX: usize> {
    lines: LineDecoder<MAX>,
}

impl<const MAX: usize> LineCodec<MAX> {
    /// A codec for lines that end with CRLF; a bare CR or LF that is read belongs to
    /// the line.
    #[must_use]
    pub const fn new() -> Self {
        Self::with_line_endings(LineEndings::new())
    }

    /// A codec with other rules for what ends a line that is read.
    #[must_use]
    pub const fn with_line_endings(line_endings: LineEndings) -> Self {
        Self {
            lines: LineDecoder::with_line_endings(line_endings),
        }
    }

    /// Skips the line that was refused, as [`LineDecoder::skip_line`].
    ///
    /// ```
    /// use bytes::BytesMut;
    /// use dot_stuffing::LineCodec;
    /// use tokio_util::codec::Decoder;
    ///
    /// let mut codec = LineCodec::<8>::new();
    /// let mut input = BytesMut::from("much too long\r\nQUIT\r\n");
    /// assert!(codec.decode(&mut input).is_err());
    /// codec.skip_line(); // and answer 500
    /// assert_eq!(codec.decode(&mut input)?, Some("QUIT".into()));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub const fn skip_line(&mut self) {
        self.lines.skip_line();
    }
}

impl<const MAX: usize> Decoder for LineCodec<MAX> {
    type Item = Bytes;
    type Error = io::Error;

    fn decode(&mut self, input: &mut BytesMut) -> io::Result<Option<Bytes>> {
        loop {
            let step = self.lines.decode(input)?;
            // Lines are short: a copy does not keep the whole buffer alive.
            let line = step.event.map(Bytes::copy_from_slice);
            input.advance(step.consumed);
            if line.is_some() || input.is_empty() {
                return Ok(line);
            }
        }
    }

    fn decode_eof(&mut self, input: &mut BytesMut) -> io::Result<Option<Bytes>> {
        let line = self.decode(input)?;
        if line.is_none() {
            self.lines.truncate()?;
        }
        Ok(line)
    }
}

impl<const MAX: usize, L: AsRef<[u8]>> Encoder<L> for LineCodec<MAX> {
    type Error = io::Error;

    fn encode(&mut self, line: L, wire: &mut BytesMut) -> io::Result<()> {
        let line = line.as_ref();
        if let Some(at) = memchr::memchr2(b'\r', b'\n', line) {
            return Err(EncodeError::new(EncodeErrorKind::LineEnd, at as u64).into());
        }
        if line.len() + b"\r\n".len() > MAX {
            let most = MAX.saturating_sub(b"\r\n".len());
            return Err(EncodeError::new(EncodeErrorKind::LineTooLong, most as u64).into());
        }
        wire.extend_from_slice(line);
        wire.extend_from_slice(b"\r\n");
        Ok(())
    }
}
