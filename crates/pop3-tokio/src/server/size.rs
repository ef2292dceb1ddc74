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
        for slice in encoder.encode(&piece[..read]) {
            octets += slice.map_err(io::Error::other)?.len() as u64;
        }
    }
    octets -= encoder.stuffed_lines();
    let end = encoder.finish().map_err(io::Error::other)?;
    Ok(octets + (end.len() - ".\r\n".len()) as u64)
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read};

    use super::wire_octets;

    /// A message whose reading is broken off each time but the last.
    struct Broken<'a>(Vec<io::ErrorKind>, &'a [u8]);

    impl Read for Broken<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.pop() {
                Some(kind) => Err(kind.into()),
                None => self.1.read(buffer),
            }
        }
    }

    #[test]
    fn counts_no_stuffed_dot() {
        for (message, octets) in [(".a\n.b\n", 8), (".\n.\n.", 9), ("a\n.\n..\nb\n", 13)] {
            assert_eq!(wire_octets(message.as_bytes()).unwrap(), octets);
        }
    }

    #[test]
    fn goes_on_after_a_signal_and_not_after_an_error() {
        use io::ErrorKind::{Interrupted, Other};
        let octets = |kinds: &[_]| wire_octets(Broken(kinds.to_vec(), b"a\n"));
        assert_eq!(octets(&[Interrupted, Interrupted]).unwrap(), 3);
        assert_eq!(octets(&[Other]).unwrap_err().kind(), Other);
    }
}
