//! Counts the octets of a message on the wire.

use std::io::{self, Read};

use dot_stuffing::{BareNewline, MultilineEncoder};

/// The octets read at once.
const PIECE: usize = 64 * 1024;

/// Counts the octets of a message as it is sent (RFC 1939 §11): each line end
/// is CRLF, the last line has one, no byte-stuffing, no termination octet.
///
/// # Errors
///
/// Those of reading.
pub(super) fn wire_octets(mut message: impl Read) -> io::Result<u64> {
    // Use the encoder of the session, so that both agree.
    let mut encoder = MultilineEncoder::new(BareNewline::Canonicalize);
    let mut piece = vec![0; PIECE];
    let mut octets = 0;
    loop {
        let read = match message.read(&mut piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        if read == 0 {
            break;
        }
        let mut slices = encoder.encode(&piece[..read]);
        let mut left = read;
        while let Some(slice) = slices.next() {
            let slice = slice.map_err(io::Error::other)?;
            let rest = slices.rest().len();
            // A stuffed dot does not belong to the message.
            let stuffed = rest == left && slice == b".";
            left = rest;
            if !stuffed {
                octets += slice.len() as u64;
            }
        }
    }
    let end = encoder.finish().map_err(io::Error::other)?;
    Ok(octets + (end.len() - ".\r\n".len()) as u64)
}
