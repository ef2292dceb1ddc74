//! Models a multi-line block exactly as RFC 1939 §3 describes it.

/// Decodes a block. Returns its data, and the number of octets up to the end of the
/// terminator; `None` if there is no terminator.
#[must_use]
pub fn rfc1939(wire: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut data = Vec::new();
    let mut consumed = 0;
    loop {
        let rest = &wire[consumed..];
        let line_end = rest.windows(2).position(|pair| pair == b"\r\n")?;
        let line = &rest[..line_end + 2];
        consumed += line.len();
        match line {
            b".\r\n" => return Some((data, consumed)),
            [b'.', stuffed @ ..] => data.extend_from_slice(stuffed),
            line => data.extend_from_slice(line),
        }
    }
}
