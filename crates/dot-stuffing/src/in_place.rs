//! Decodes a whole block inside the buffer that contains it.

use crate::{Complete, Config, DecodeError, MultilineDecoder, Span};

/// Decodes a whole block in place: `block[..complete.octets]` is the message, and
/// `block[complete.wire_octets..]` is what follows the block, unchanged. For a `Vec`
/// or a `BytesMut`, `truncate` keeps the message.
///
/// # Errors
///
/// As [`MultilineDecoder::decode`] and [`MultilineDecoder::finish`]. Then the
/// contents of `block` are unspecified: if the end of the block may not have come
/// yet, decode each read with [`MultilineDecoder::feed`].
///
/// ```
/// use dot_stuffing::{Config, decode_in_place};
///
/// let mut block = b"a\r\n..b\r\n.\r\n+OK".to_vec();
/// let complete = decode_in_place(Config::pop3(), &mut block)?;
/// assert_eq!(&block[complete.wire_octets as usize..], b"+OK");
/// block.truncate(complete.octets as usize);
/// assert_eq!(block, b"a\r\n.b\r\n");
/// # Ok::<(), dot_stuffing::DecodeError>(())
/// ```
pub fn decode_in_place(config: Config, block: &mut [u8]) -> Result<Complete, DecodeError> {
    let mut decoder = MultilineDecoder::with_config(config);
    let mut read = 0;
    let mut written = 0;
    while read < block.len() && !decoder.is_complete() {
        let step = decoder.decode_span(&block[read..])?;
        match step.event {
            Some(Span::Data(range)) => {
                block.copy_within(read + range.start..read + range.end, written);
                written += range.len();
            }
            // `Cr` is a CR that ended an earlier input. Each of these ends with the block.
            Some(Span::Cr | Span::End) | None => {}
        }
        read += step.consumed;
    }
    decoder.finish()
}
