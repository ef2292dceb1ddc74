//! The checks for octets that an inspector has nothing to report about.
//!
//! Without a dot, only a NUL can be reported, and `memchr` finds both at almost the
//! speed of memory: attachments have none for megabytes. Text with dots is checked
//! block by block, without branches, so that the compiler makes vector code for the
//! target.

use crate::scan::RUN;

/// The octets that [`quiet_octets`] checks at once.
pub(crate) const QUIET_BLOCK: usize = 256;

/// The number of octets after the first two of `text` among which an inspector has
/// nothing to report, and a block does not end; at most a run.
pub(crate) fn quiet_octets(text: &[u8]) -> usize {
    let text = &text[..text.len().min(RUN + 2)];
    let dotless = dotless_octets(text);
    if dotless > 0 {
        return dotless;
    }
    let mut at = 0;
    while let Some(block) = text[at..].first_chunk() {
        if !is_quiet(block) {
            return at;
        }
        at += QUIET_BLOCK;
    }
    // The last block may overlap the one before it.
    match (&text[at..], text.last_chunk()) {
        ([_, _, _, ..], Some(block)) if is_quiet(block) => text.len() - 2,
        _ => at,
    }
}

/// The number of octets after the first two that have no dot among or before them, and
/// no NUL; 0 if they are fewer than a block.
fn dotless_octets(text: &[u8]) -> usize {
    let end = memchr::memchr2(b'.', 0, text).unwrap_or(text.len());
    match end.checked_sub(2) {
        Some(octets) if octets >= QUIET_BLOCK => octets,
        _ => 0,
    }
}

/// Whether there is nothing to report about the octets after the first two.
fn is_quiet(block: &[u8; QUIET_BLOCK + 2]) -> bool {
    is_plain(block) || is_quiet_with_dots(block)
}

/// Whether the octets are lines that do not begin with a dot, and no NUL: the usual
/// block, for which fewer comparisons are enough.
#[inline(never)]
fn is_plain(block: &[u8; QUIET_BLOCK + 2]) -> bool {
    let [_, before @ .., _] = block;
    let [_, _, octets @ ..] = block;
    let mut loud = false;
    for (&before, &octet) in before.iter().zip(octets) {
        loud |= octet == 0;
        loud |= (before == b'\r') != (octet == b'\n');
        loud |= (before == b'\n') & (octet == b'.');
    }
    !loud && !block.starts_with(b"\n.")
}

/// Checks each octet of a block, together with the two octets before it.
#[inline(never)]
fn is_quiet_with_dots(block: &[u8; QUIET_BLOCK + 2]) -> bool {
    let mut loud = false;
    for at in 0..QUIET_BLOCK {
        let [second, first, octet] = [block[at], block[at + 1], block[at + 2]];
        // A NUL.
        loud |= octet == 0;
        // A bare CR or a bare LF beside a dot.
        loud |= (first == b'\r') & (octet != b'\n') & ((second == b'.') | (octet == b'.'));
        loud |= (first == b'.') & (octet == b'\n');
        loud |= (second != b'\r') & (first == b'\n') & (octet == b'.');
        // One dot at the start of a line: the terminator or an unstuffed dot.
        loud |= (second == b'\n') & (first == b'.') & (octet != b'.');
    }
    !loud
}

#[cfg(test)]
mod tests {
    use super::{QUIET_BLOCK, quiet_octets};
    use crate::scan::RUN;

    #[test]
    fn stops_before_a_block_with_something_to_report() {
        const LEN: usize = 2 + 3 * QUIET_BLOCK + 100;
        for at in 2..LEN - 10 {
            // The octet at which it is known, if there is something to report.
            for (piece, known) in [
                (&b"\r\n..\r\n"[..], None),
                (b".\r\nx.x\n\n\r\r", None),
                (b"\0", Some(at)),
                (b".\n", Some(at + 1)),
                (b"\n..", Some(at + 1)),
                (b".\rx", Some(at + 2)),
                (b"x\r.", Some(at + 2)),
                (b"\r\n.x", Some(at + 3)),
                (b"\r\n.\r\n", Some(at + 3)),
            ] {
                let mut text = [b'x'; LEN];
                text[0] = b'.';
                text[at..at + piece.len()].copy_from_slice(piece);
                let quiet = known.map_or(LEN - 2, |known| (known - 2) / QUIET_BLOCK * QUIET_BLOCK);
                assert_eq!(quiet_octets(&text), quiet, "{piece:?} at {at}");
            }
        }
    }

    #[test]
    fn passes_all_octets_before_the_first_dot_or_nul() {
        const LEN: usize = 2 + 3 * QUIET_BLOCK + 100;
        for at in 2..LEN - 4 {
            for piece in [&b"\r\n"[..], b"\0", b"\r.x", b"x\n.\r"] {
                let mut text = [b'x'; LEN];
                text[at..at + piece.len()].copy_from_slice(piece);
                let end = piece.iter().position(|octet| b"\0.".contains(octet));
                let quiet = end.map_or(LEN, |end| at + end) - 2;
                if quiet >= QUIET_BLOCK {
                    assert_eq!(quiet_octets(&text), quiet, "{piece:?} at {at}");
                }
            }
        }
    }

    #[test]
    fn passes_at_most_a_run() {
        assert_eq!(quiet_octets(&[b'x'; 2 * RUN]), RUN);
        assert_eq!(quiet_octets(&[b'x'; QUIET_BLOCK + 2]), QUIET_BLOCK);
        assert_eq!(quiet_octets(&[b'x'; QUIET_BLOCK + 1]), 0);
    }

    #[test]
    fn passes_no_block_of_octets_to_report() {
        const LEN: usize = QUIET_BLOCK + 2;
        assert_eq!(quiet_octets(&[b'\0'; LEN]), 0);
        let mut text = [b'\n'; LEN];
        text[1..3].copy_from_slice(b"\r.");
        assert_eq!(quiet_octets(&text), 0);
    }
}
