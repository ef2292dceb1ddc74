//! Models the encoding of a message.

/// What an encoder does with a bare CR or LF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Newline {
    /// It becomes CRLF.
    Canonicalize,
    /// It is refused.
    Reject,
    /// It stays.
    Verbatim,
}

impl Newline {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Canonicalize, Self::Reject, Self::Verbatim];
}

/// A newline that was refused, and its offset in the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A CR without LF.
    BareCr(usize),
    /// An LF without CR.
    BareLf(usize),
}

/// The message that a reader gets: newlines as `newline` says, and a final
/// CRLF unless the message is empty.
///
/// # Errors
///
/// The first bare CR or LF under [`Newline::Reject`].
pub fn canonical(newline: Newline, message: &[u8]) -> Result<Vec<u8>, Refusal> {
    let mut text = Vec::new();
    for (at, &octet) in message.iter().enumerate() {
        let bare_lf = octet == b'\n' && (at == 0 || message[at - 1] != b'\r');
        let bare_cr = octet == b'\r' && message.get(at + 1) != Some(&b'\n');
        match newline {
            Newline::Canonicalize if bare_lf || bare_cr => text.extend(b"\r\n"),
            Newline::Reject if bare_lf => return Err(Refusal::BareLf(at)),
            Newline::Reject if bare_cr => return Err(Refusal::BareCr(at)),
            _ => text.push(octet),
        }
    }
    if !text.is_empty() && !text.ends_with(b"\r\n") {
        text.extend(b"\r\n");
    }
    Ok(text)
}

/// The message on the wire, terminator included.
///
/// # Errors
///
/// As [`canonical`].
pub fn encode(newline: Newline, message: &[u8]) -> Result<Vec<u8>, Refusal> {
    let text = canonical(newline, message)?;
    let mut wire = Vec::new();
    for (at, &octet) in text.iter().enumerate() {
        if octet == b'.' && (at == 0 || text[..at].ends_with(b"\r\n")) {
            wire.push(b'.');
        }
        wire.push(octet);
    }
    wire.extend(b".\r\n");
    Ok(wire)
}

/// Where a block ends for the most gullible of readers: at the first dot
/// between any two of the line ends that some decoder was seen to honour
/// (CRLF, LF, CR, CR CR LF), or between one and a NUL.
#[must_use]
pub fn first_end_for_any_reader(wire: &[u8]) -> Option<usize> {
    let dots = (0..wire.len()).filter(|&at| wire[at] == b'.');
    let mut alone = dots.filter(|&at| at == 0 || matches!(wire[at - 1], b'\r' | b'\n'));
    alone.find_map(|at| match wire[at + 1..] {
        [b'\r', b'\n', ..] => Some(at + 3),
        [b'\r' | b'\n' | 0, ..] => Some(at + 2),
        _ => None,
    })
}
