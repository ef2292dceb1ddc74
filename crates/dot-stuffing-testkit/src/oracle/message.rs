//! Models the encoding of a message.

/// What an encoder does with a bare CR or LF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Newline {
    /// Converts it to CRLF.
    Canonicalize,
    /// Refuses it.
    Reject,
    /// Leaves it unchanged.
    Verbatim,
}

impl Newline {
    /// All settings.
    pub const ALL: [Self; 3] = [Self::Canonicalize, Self::Reject, Self::Verbatim];
}

/// A bare CR or LF that was refused, with its offset in the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// A CR without LF.
    BareCr(usize),
    /// An LF without CR.
    BareLf(usize),
}

/// Returns the message that a reader receives: newlines as `newline` says, and a
/// final CRLF unless the message is empty.
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

/// Returns the message as sent on the wire, including the terminator.
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

/// Returns where a block ends for the most lenient reader: at the first dot between
/// any two of the line ends that some decoder was seen to accept (CRLF, LF, CR, CR
/// CR LF), or between one of them and a NUL.
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
