//! The only hot loops. Everything else in the crate runs once an event.
//!
//! A block is mostly text in which nothing happens, so the speed of the codec
//! is the speed at which it can say "nothing happens here". Three facts shape
//! the searches below:
//!
//! - `memmem` reads near the speed of memory, but setting it up costs as much
//!   as reading a kilobyte. A block in which every line is stuffed would pay
//!   that for each line. So the next few octets are looked at word by word
//!   first, and the searcher is set up only for what lies beyond.
//! - The searcher is built at each call rather than kept: it is 288 octets
//!   large, and a decoder should be one small struct with a `const` constructor.
//! - The encoder that mends bare newlines cares for every CR and LF, and those
//!   are everywhere. Asking "is each CR before an LF, and no dot after" of a
//!   whole array at a time needs no branch, so the compiler turns it into
//!   vector code for the target at hand.

/// The longest run handed out at once. What the caller does with a slice finds
/// it in the first-level cache; copying decoded text out costs one pass over
/// memory, not two.
pub(crate) const RUN: usize = 16 * 1024;

/// How far the word-by-word search looks before `memmem` is set up.
const NEAR: usize = 96;

const fn splat(octet: u8) -> u64 {
    u64::from_ne_bytes([octet; 8])
}

/// The offset of the first CRLF-dot in `text`.
pub(crate) fn crlf_dot(text: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, b"\r\n.")
}

/// For text that follows a dot which began a line: how many octets there are up
/// to the next dot that begins one, if it is near. `None` also where the text
/// might go on as a terminator does.
#[inline(always)]
pub(crate) fn near_stuffed_line(input: &[u8]) -> Option<usize> {
    if *input.first()? == b'\r' {
        return None;
    }
    // Where stuffed lines are short, the branch predictor knows them, and
    // nothing waits for the arithmetic that the words need.
    let head = input.first_chunk::<6>()?;
    for at in 0..4 {
        if head[at] == b'\r' && head[at + 1] == b'\n' && head[at + 2] == b'.' {
            return Some(at + 2);
        }
    }
    near_words(input)
}

/// The same, a word at a time.
fn near_words(input: &[u8]) -> Option<usize> {
    let mut at = 4;
    while at < NEAR {
        let word = u64::from_le_bytes(*input[at..].first_chunk::<8>()?);
        // An octet of `miss` is zero where CR, LF and dot stand in a row. The
        // last two places have no full triple: the zeros shifted in miss.
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

/// What a piece of text ends with, for whoever reads the next one.
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

/// How many octets of `text` an encoder that mends newlines can pass on as
/// they are. It stops before a bare LF, after a bare CR and after a CRLF that
/// a dot follows.
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
        // One clean line promises more: take them block by block.
        at += clean_blocks(&text[at..]);
    }
    text.len()
}

/// The offset of the first CR or LF; lines may be short.
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
    while let Some(next) = text.get(at + 1..)
        && let Some(next) = next.first_chunk::<BLOCK>()
        && let Some(block) = text[at..].first_chunk::<BLOCK>()
        && is_clean(block, next)
    {
        at += BLOCK;
    }
    at
}

/// Whether each CR of `block` stands before an LF of `next`, which is the same
/// text one octet on, each LF after a CR, and no LF before a dot.
#[inline(never)]
fn is_clean(block: &[u8; BLOCK], next: &[u8; BLOCK]) -> bool {
    let mut dirty = false;
    for (&octet, &next) in block.iter().zip(next) {
        dirty |= (octet == b'\r') != (next == b'\n');
        dirty |= (octet == b'\n') & (next == b'.');
    }
    !dirty
}
