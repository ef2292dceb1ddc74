//! Takes a message out of its block: finds the end and removes the stuffed
//! dots.

use super::Flaw;

/// Where a block ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    /// The octets of the message, stuffed.
    pub(super) data: usize,
    /// The first octet after the block.
    pub(super) after: usize,
}

/// Finds the end of the block from an offset on.
pub(super) fn end(wire: &[u8], from: usize, flaw: Option<Flaw>) -> Option<End> {
    if flaw != Some(Flaw::StartsMidLine) && wire.starts_with(b".\r\n") {
        return Some(End { data: 0, after: 3 });
    }
    // The possible ends of a message, and how many octets of each belong to it.
    let mut ends: Vec<(&[u8], usize)> = vec![(b"\r\n.\r\n", 2)];
    match flaw {
        Some(Flaw::LfEndsLines) => ends.extend([(&b"\n.\n"[..], 1), (b"\n.\r\n", 1)]),
        Some(Flaw::CrCrLfEnds) => ends.push((b"\r\n.\r\r\n", 2)),
        Some(Flaw::CrDotLfEnds) => ends.push((b"\r.\n", 0)),
        Some(Flaw::DotNulEnds) => ends.push((b"\r\n.\0", 2)),
        Some(Flaw::RepliesEndMessages) => ends.push((b"\r\n+OK", 2)),
        _ => {}
    }
    let from = from.saturating_sub(8);
    let found = ends.iter().filter_map(|(octets, own)| {
        let at = find(&wire[from..], octets)? + from;
        let (data, after) = (at + own, at + octets.len());
        Some(End { data, after })
    });
    let split = (flaw == Some(Flaw::SplitsAt8191))
        .then(|| split(wire))
        .flatten();
    found.chain(split).min_by_key(|end| end.data)
}

fn find(octets: &[u8], wanted: &[u8]) -> Option<usize> {
    octets
        .windows(wanted.len())
        .position(|window| window == wanted)
}

/// Finds a line whose rest after 8191 octets is a lone dot.
fn split(wire: &[u8]) -> Option<End> {
    const BUFFER: usize = 8191;
    let mut at = 0;
    for line in wire.split_inclusive(|&octet| octet == b'\n') {
        if line.get(BUFFER..) == Some(b".\r\n") {
            return Some(End {
                data: at + BUFFER,
                after: at + line.len(),
            });
        }
        at += line.len();
    }
    None
}

/// Decodes the message. `reads` are the offsets where reads began.
pub(super) fn decode(wire: &[u8], reads: &[usize], flaw: Option<Flaw>) -> Vec<u8> {
    let mut message = Vec::with_capacity(wire.len());
    let mut at = 0;
    while at < wire.len() {
        let begins = match flaw {
            Some(Flaw::LfEndsLines) => at == 0 || wire[at - 1] == b'\n',
            Some(Flaw::StartsMidLine) => wire[..at].ends_with(b"\r\n"),
            Some(Flaw::ReadsBeginLines) => {
                at == 0 || wire[..at].ends_with(b"\r\n") || reads.contains(&at)
            }
            _ => at == 0 || wire[..at].ends_with(b"\r\n"),
        };
        let dot = begins && wire[at] == b'.';
        let rest = &wire[at + 1..];
        match flaw {
            Some(Flaw::KeepsDots) => {}
            Some(Flaw::OnlyDoubledDots) if dot && !rest.starts_with(b".") => {}
            Some(Flaw::LosesOctetAfterDotCr) if dot && rest.starts_with(b"\r") => {
                message.push(b'\r');
                at += 3;
                continue;
            }
            _ if dot => {
                at += 1;
                continue;
            }
            _ => {}
        }
        message.push(wire[at]);
        at += 1;
        // A dot that was kept must not be checked again.
        if dot && at < wire.len() {
            message.push(wire[at]);
            at += 1;
        }
    }
    spoilt(message, flaw)
}

/// Changes that some clients make to the message afterwards.
fn spoilt(message: Vec<u8>, flaw: Option<Flaw>) -> Vec<u8> {
    let lines = || message.split_inclusive(|&octet| octet == b'\n');
    match flaw {
        Some(Flaw::StripsCr) => {
            let kept = (0..message.len())
                .filter(|&at| message[at] != b'\r' || message.get(at + 1) == Some(&b'\n'));
            kept.map(|at| message[at]).collect()
        }
        Some(Flaw::EmptyIsALine) if message.is_empty() => b"\r\n".to_vec(),
        Some(Flaw::NulEndsLines) => lines()
            .flat_map(|line| match line.iter().position(|&octet| octet == 0) {
                Some(nul) => [&line[..nul], b"\r\n"].concat(),
                None => line.to_vec(),
            })
            .collect(),
        Some(Flaw::OnlyUtf8) => String::from_utf8_lossy(&message).into_owned().into_bytes(),
        Some(Flaw::BreaksLongLines) => lines()
            .flat_map(|line| line.chunks(100_000).collect::<Vec<_>>().join(&b"\r\n"[..]))
            .collect(),
        _ => message,
    }
}
