//! The hot loops. Everything else in the crate runs once per event.
//!
//! A block is mostly text in which nothing happens, so the speed of the codec is
//! the speed at which it finds that nothing happens. Four facts shape the searches
//! below:
//!
//! - Attachments have no dots, and `memchr` finds one octet several times as fast
//!   as `memmem` finds three, if they are in the cache. In prose, dots are close
//!   together, and `memmem` is faster. `DotSearch` tries `memchr` first, and more
//!   and more rarely where it does not pay.
//! - `memmem` reads almost at the speed of memory, but calling it costs as much as
//!   many short lines. In a block with many stuffed lines, each line would pay that.
//!   So the next few octets are searched word by word first, and `memmem` gets only
//!   the octets after them.
//! - The searcher of `memmem` has 288 octets, and a decoder should be a small struct
//!   with a `const` constructor. Building it costs as much as reading a kilobyte or
//!   more. So all decoders share one that is built once; without `std`, it is built
//!   at each call.
//! - An encoder that canonicalizes newlines, and a decoder that rejects bare ones,
//!   must check every CR and LF, which are everywhere. Checking a whole array at a time for "each CR precedes an LF, and
//!   no dot follows" needs no branch, so the compiler makes vector code for the
//!   target.

use core::ops::ControlFlow;

#[cfg(feature = "std")]
use {memchr::memmem::Finder, std::sync::OnceLock};

/// The longest run returned at once. It fits the first-level cache, so that copying
/// decoded text costs one pass over memory, not two.
pub(crate) const RUN: usize = 16 * 1024;

/// The octets searched word by word before `memmem` is called: those checked one by
/// one, and the full triples of sixteen words.
const NEAR: usize = 4 + 16 * 6;

const fn splat(octet: u8) -> u64 {
    u64::from_ne_bytes([octet; 8])
}

/// The search for CRLF-dot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DotSearch {
    /// The number of searches before the next that looks for dots first.
    wait: u8,
    /// The number of searches between two that look for dots first.
    interval: u8,
}

impl DotSearch {
    pub(crate) const fn new() -> Self {
        Self {
            wait: 0,
            interval: 0,
        }
    }

    /// The offset of the first CRLF-dot in `text`.
    #[inline(always)]
    pub(crate) fn crlf_dot(&mut self, text: &[u8]) -> Option<usize> {
        let mut at = 0;
        if self.wait > 0 {
            self.wait -= 1;
        } else {
            at = match self.by_dots(text) {
                ControlFlow::Break(found) => return found,
                ControlFlow::Continue(at) => at,
            };
        }
        Some(at + by_crlf_dot(&text[at..])?)
    }

    /// Does the same by a search for dots. If they are close together, it stops
    /// after one of them and returns that place.
    fn by_dots(&mut self, text: &[u8]) -> ControlFlow<Option<usize>, usize> {
        let mut at = 0;
        while let Some(found) = memchr::memchr(b'.', &text[at..]) {
            let dot = at + found;
            if text[..dot].ends_with(b"\r\n") {
                return ControlFlow::Break(Some(dot - 2));
            }
            at = dot + 1;
            if found < CLOSE {
                self.interval = (2 * self.interval + 1).min(MAX_INTERVAL);
                self.wait = self.interval;
                return ControlFlow::Continue(at);
            }
        }
        // The rest of a read is too short to say what follows.
        if text.len() > RUN / 4 {
            self.interval = 0;
        }
        ControlFlow::Break(None)
    }
}

/// Does it by a search for all three octets.
#[cfg(feature = "std")]
fn by_crlf_dot(text: &[u8]) -> Option<usize> {
    static FINDER: OnceLock<Finder<'static>> = OnceLock::new();
    FINDER.get_or_init(|| Finder::new(b"\r\n.")).find(text)
}

/// Does the same without `std`.
#[cfg(not(feature = "std"))]
fn by_crlf_dot(text: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, b"\r\n.")
}

/// The octets before a dot within which a search for the next one does not pay.
const CLOSE: usize = 512;

/// The most searches between two that look for dots first.
const MAX_INTERVAL: u8 = 31;

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
        let zero = zeros(miss);
        if zero != 0 {
            return Some(at + (zero.trailing_zeros() / 8) as usize + 2);
        }
        at += 6;
    }
    None
}

/// Returns the same if no CR or LF is before the CRLF of that line. This is not
/// inlined, because it would slow down the usual case beside it.
#[inline(never)]
pub(crate) fn near_strict_line(input: &[u8]) -> Option<usize> {
    match *input.first()? {
        b'\r' => None,
        _ => near_canonical_line(input),
    }
}

/// Returns the same if no CR or LF is before the CRLF of that line. The text must not
/// be the rest of a terminator.
#[inline(always)]
pub(crate) fn near_canonical_line(input: &[u8]) -> Option<usize> {
    // Written out, because a loop here is not unrolled.
    match *input.first_chunk::<6>()? {
        [b'\r', b'\n', b'.', ..] => return Some(2),
        [b'\r' | b'\n', ..] => return None,
        [_, b'\r', b'\n', b'.', ..] => return Some(3),
        [_, b'\r' | b'\n', ..] => return None,
        [_, _, b'\r', b'\n', b'.', _] => return Some(4),
        [_, _, b'\r' | b'\n', ..] => return None,
        [_, _, _, b'\r', b'\n', b'.'] => return Some(5),
        [_, _, _, b'\r' | b'\n', ..] => return None,
        [..] => {}
    }
    near_canonical_words(input)
}

/// Does the same, a word at a time.
fn near_canonical_words(input: &[u8]) -> Option<usize> {
    for at in (4..NEAR).step_by(8) {
        let word = u64::from_le_bytes(*input[at..].first_chunk()?);
        let either = zeros(word ^ splat(b'\r')) | zeros(word ^ splat(b'\n'));
        if either != 0 {
            let at = at + (either.trailing_zeros() / 8) as usize;
            return input[at..].starts_with(b"\r\n.").then_some(at + 2);
        }
    }
    None
}

/// Marks the octets that are zero, and perhaps some above the lowest of them.
const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(splat(1)) & !word & splat(0x80)
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

/// Returns the number of octets of `text` that pass where only CRLF is a newline. It
/// stops before a bare LF, after a bare CR, and after a CRLF followed by a dot.
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
    use super::{
        BLOCK, CLOSE, DotSearch, MAX_INTERVAL, NEAR, RUN, canonical_run, clean_blocks, is_clean,
        near_canonical_line, near_stuffed_line,
    };

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
    fn finds_a_canonical_stuffed_line_within_the_near_octets() {
        for at in 0..NEAR + 20 {
            let line = |piece| near_canonical_line(&text::<{ NEAR + 40 }>(at, piece));
            // The last word may extend beyond the near octets.
            let is_near = at < NEAR;
            assert_eq!(line(b"\r\n.").is_some(), is_near, "{at}");
            assert!(line(b"\r\n.").is_none_or(|found| found == at + 2), "{at}");
            for other in [&b"\r\nx"[..], b"\rx.", b"x\n.", b"\n\r\n.", b"\r\r\n."] {
                assert_eq!(line(other), None, "{at} {other:?}");
            }
        }
    }

    #[test]
    fn finds_the_first_crlf_dot_whether_dots_are_close_together_or_not() {
        const LEN: usize = 4 * CLOSE;
        for gap in [2, 60, CLOSE - 1, CLOSE, CLOSE + 1, LEN] {
            let mut search = DotSearch::new();
            for at in (0..LEN - 3).chain([LEN - 3; 40]) {
                let mut text = text::<LEN>(0, b"");
                text.iter_mut().step_by(gap).for_each(|octet| *octet = b'.');
                text[at..at + 3].copy_from_slice(b"\r\n.");
                assert_eq!(search.crlf_dot(&text), Some(at), "dots at every {gap}");
                text[at] = b'\n';
                assert_eq!(search.crlf_dot(&text), None, "dots at every {gap}");
            }
        }
    }

    #[test]
    fn looks_for_dots_first_more_rarely_while_they_are_close_together() {
        let (close, rare) = ([b'.'; CLOSE], [b'x'; RUN]);
        let mut search = DotSearch::new();
        for interval in [1, 3, 7, 15, MAX_INTERVAL, MAX_INTERVAL] {
            assert_eq!(search.crlf_dot(&close), None);
            for wait in (0..interval).rev() {
                assert_eq!(search.wait, wait + 1);
                assert_eq!(search.crlf_dot(&close), None);
            }
        }
        for _ in 0..=MAX_INTERVAL {
            assert_eq!(search.crlf_dot(&rare), None);
        }
        assert_eq!((search.wait, search.interval), (0, 0));

        let mut far = rare;
        far[CLOSE] = b'.';
        assert_eq!(search.crlf_dot(&far), None);
        assert_eq!((search.wait, search.interval), (0, 0));

        // A short text says nothing about the dots in longer ones.
        search.interval = 1;
        for (octets, interval) in [(RUN / 4, 1), (RUN / 4 + 1, 0)] {
            assert_eq!(search.crlf_dot(&rare[..octets]), None);
            assert_eq!(search.interval, interval);
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
