//! The hot loops. Everything else in the crate runs once per event.
//!
//! A block is mostly text in which nothing happens, so the speed of the codec is
//! the speed at which it finds that nothing happens. Three facts shape the searches
//! below:
//!
//! - `memmem` reads almost at the speed of memory, but setting it up costs as much
//!   as reading a kilobyte. In a block with many stuffed lines, each line would pay
//!   that. So the next few octets are searched word by word first, and the searcher
//!   is set up only for the octets after them.
//! - The searcher is built at each call and not kept: it has 288 octets, and a
//!   decoder should be a small struct with a `const` constructor.
//! - The encoder that canonicalizes newlines must check every CR and LF, which are
//!   everywhere. Checking a whole array at a time for "each CR precedes an LF, and
//!   no dot follows" needs no branch, so the compiler makes vector code for the
//!   target.

/// The longest run returned at once. It fits the first-level cache, so that copying
/// decoded text costs one pass over memory, not two.
pub(crate) const RUN: usize = 16 * 1024;

/// The octets searched word by word before `memmem` is set up: those checked one by
/// one, and the full triples of sixteen words.
const NEAR: usize = 4 + 16 * 6;

const fn splat(octet: u8) -> u64 {
    u64::from_ne_bytes([octet; 8])
}

/// The offset of the first CRLF-dot in `text`.
pub(crate) fn crlf_dot(text: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, b"\r\n.")
}

/// Given the text after a dot that begins a line, returns the number of octets up
/// to the next dot that begins a line, if it is near. Also returns `None` if the
/// text may be the rest of a terminator.
#[inline(always)]
pub(crate) fn near_stuffed_line(input: &[u8]) -> Option<usize> {
    if *input.first()? == b'\r' {
        return None;
    }
    // If stuffed lines are short, branch prediction works, and this avoids the
    // arithmetic on words.
    let head = input.first_chunk::<6>()?;
    for at in 0..4 {
        if head[at] == b'\r' && head[at + 1] == b'\n' && head[at + 2] == b'.' {
            return Some(at + 2);
        }
    }
    near_words(input)
}

/// Does the same, a word at a time.
fn near_words(input: &[u8]) -> Option<usize> {
    let mut at = 4;
    while at < NEAR {
        let word = u64::from_le_bytes(*input[at..].first_chunk::<8>()?);
        // An octet of `miss` is zero where CR, LF and dot are adjacent. The last
        // two places have no full triple: the zeros shifted in do not match.
        let miss =
            (word ^ splat(b'\r')) | ((word >> 8) ^ splat(b'\n')) | ((word >> 16) ^ splat(b'.'));
        let zero = miss.wrapping_sub(splat(1)) & !miss & splat(0x80);
        if zero != 0 {
            return Some(at + (zero.trailing_zeros() / 8) as usize + 2);
        }
        at += 6;
    }
    None
}

/// The end of a piece of text, which matters for the next piece.
pub(crate) enum Tail {
    Crlf,
    Cr,
    Text,
}

pub(crate) const fn tail(text: &[u8]) -> Tail {
    match text {
        [.., b'\r', b'\n'] => Tail::Crlf,
        [.., b'\r'] => Tail::Cr,
        _ => Tail::Text,
    }
}

/// Returns the number of octets of `text` that an encoder that canonicalizes
/// newlines can pass unchanged. It stops before a bare LF, after a bare CR, and
/// after a CRLF followed by a dot.
pub(crate) fn canonical_run(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = cr_or_lf(&text[at..]) {
        at += found;
        if text[at] == b'\n' {
            return at;
        }
        match text[at + 1..] {
            [b'\n', b'.', ..] => return at + 2,
            [b'\n', ..] => at += 2,
            [..] => return at + 1,
        }
        // After one clean line, more are likely: check them block by block.
        at += clean_blocks(&text[at..]);
    }
    text.len()
}

/// The offset of the first CR or LF. Lines may be short.
fn cr_or_lf(text: &[u8]) -> Option<usize> {
    let is_either = |octet: &u8| matches!(octet, b'\r' | b'\n');
    let (near, far) = text.split_at(text.len().min(8));
    near.iter().position(is_either).or_else(|| {
        let found = memchr::memchr2(b'\r', b'\n', far)?;
        Some(near.len() + found)
    })
}

const BLOCK: usize = 256;

/// The length of the clean blocks at the front of `text`, which follows CRLF.
fn clean_blocks(text: &[u8]) -> usize {
    let mut at = 0;
    if text.first() == Some(&b'\n') {
        return at;
    }
    while text.get(at..).is_some_and(begins_with_clean_block) {
        at += BLOCK;
    }
    at
}

fn begins_with_clean_block(text: &[u8]) -> bool {
    let block = text.first_chunk::<BLOCK>();
    let next = text.get(1..).and_then(<[u8]>::first_chunk::<BLOCK>);
    block
        .zip(next)
        .is_some_and(|(block, next)| is_clean(block, next))
}

/// Whether each CR in `block` precedes an LF, each LF follows a CR, and no LF
/// precedes a dot. `next` is the same text, one octet later.
#[inline(never)]
fn is_clean(block: &[u8; BLOCK], next: &[u8; BLOCK]) -> bool {
    let mut dirty = false;
    for (&octet, &next) in block.iter().zip(next) {
        dirty |= (octet == b'\r') != (next == b'\n');
        dirty |= (octet == b'\n') & (next == b'.');
    }
    !dirty
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, NEAR, canonical_run, clean_blocks, is_clean, near_stuffed_line};

    /// Text with a piece in it.
    fn text<const LEN: usize>(at: usize, piece: &[u8]) -> [u8; LEN] {
        let mut text = [b'x'; LEN];
        text[at..at + piece.len()].copy_from_slice(piece);
        text
    }

    /// Lines of 14 octets.
    fn lines<const LEN: usize>() -> [u8; LEN] {
        core::array::from_fn(|at| b"some.text.\t \r\n"[at % 14])
    }

    #[test]
    fn finds_a_stuffed_line_within_the_near_octets() {
        for at in 0..NEAR + 20 {
            let near = near_stuffed_line(&text::<{ NEAR + 40 }>(at, b"\r\n."));
            // A CR at the front may belong to a terminator.
            let is_near = (1..NEAR).contains(&at);
            assert_eq!(near, is_near.then_some(at + 2), "{at}");
            for other in [
                &b"\r\nx"[..],
                b"\rx.",
                b"x\n.",
                b"\n\r.",
                b"\r\r.",
                b"\r\n\r",
            ] {
                let near = near_stuffed_line(&text::<{ NEAR + 40 }>(at, other));
                assert_eq!(near, None, "{at} {other:?}");
            }
        }
    }

    #[test]
    fn ends_a_canonical_run_only_where_the_encoder_must_act() {
        const LEN: usize = 3 * BLOCK;
        assert_eq!(canonical_run(&lines::<LEN>()), LEN);
        for at in 0..LEN - 3 {
            for (piece, done) in [
                (&b"\r\n."[..], 2),
                (b"\rx", 1),
                (b"\nx", 0),
                (b"\r\nx", LEN),
            ] {
                // After one line, whole blocks are checked.
                for line_before in [false, true] {
                    let mut text = text::<LEN>(at, piece);
                    if line_before && at > 2 {
                        text[..2].copy_from_slice(b"\r\n");
                    }
                    let run = canonical_run(&text);
                    // A block may end between CR and LF.
                    let between = line_before && piece[1] == b'\n' && run == at + 1;
                    assert!(between || run == LEN.min(at + done), "{piece:?} at {at}");
                }
            }
        }
    }

    #[test]
    fn passes_clean_blocks_completely() {
        // The check of a block includes the octet after it.
        assert_eq!(clean_blocks(&lines::<{ 2 * BLOCK + 1 }>()), 2 * BLOCK);
        assert_eq!(clean_blocks(&lines::<{ 2 * BLOCK }>()), BLOCK);
        assert_eq!(clean_blocks(&lines::<BLOCK>()), 0);
        assert_eq!(clean_blocks(&text::<{ 2 * BLOCK }>(0, b"\n")), 0);
        for at in 0..BLOCK - 1 {
            for (piece, clean) in [(&b"\r\n"[..], true), (b"\rx", false), (b"\nx", false)] {
                let text = text::<{ BLOCK + 1 }>(at, piece);
                let next = text.last_chunk().unwrap();
                // The previous block has already checked the first octet.
                let clean = clean || text.first() == Some(&b'\n');
                assert_eq!(
                    is_clean(text.first_chunk().unwrap(), next),
                    clean,
                    "{piece:?} at {at}"
                );
            }
            let dot = text::<{ BLOCK + 2 }>(at, b"\r\n.");
            let next = dot[1..].first_chunk().unwrap();
            assert!(!is_clean(dot.first_chunk().unwrap(), next), "{at}");
        }
    }
}
