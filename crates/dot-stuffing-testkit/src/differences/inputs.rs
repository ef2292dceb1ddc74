//! Inputs of a search that are neither short strings nor drawn.

use crate::{chunk::BUFFERS, view::MAX_LINE};

/// Each octet value where software may take it for another: alone, beside a dot, and
/// in a line of its own.
pub(super) fn octets() -> impl Iterator<Item = Vec<u8>> {
    (0..=u8::MAX).flat_map(|octet| {
        [
            vec![octet],
            vec![b'.', octet, b'\r', b'\n', b'.', b'\r', b'\n'],
            vec![octet, b'.', b'\r', b'\n', b'.', b'\r', b'\n'],
            vec![
                b'x', b'\r', b'\n', b'.', octet, b'\r', b'\n', b'.', b'\r', b'\n',
            ],
            vec![
                b'x', octet, b'\r', b'\n', octet, b'\r', b'\n', b'.', b'\r', b'\n',
            ],
        ]
    })
}

/// Lines whose ends, and what follows them, lie at the end of a buffer.
pub(super) fn around_buffers() -> impl Iterator<Item = Vec<u8>> {
    const TAILS: [&[u8]; 2] = [b"\r\n.\r\n+OK\r\n", b"\r\n..a\n.a\r\n.\r\n"];
    BUFFERS.into_iter().flat_map(|buffer| {
        let line = move |back| vec![b'x'; buffer - back];
        (0..=5).flat_map(move |back| TAILS.map(|tail| [&line(back), tail].concat()))
    })
}

/// Lines about as long as the limit of a line splitter, before each of `ends`.
pub(super) fn around_the_limit(
    ends: impl Iterator<Item = Vec<u8>>,
) -> impl Iterator<Item = Vec<u8>> {
    ends.flat_map(|end| {
        (MAX_LINE - 4..=MAX_LINE + 1).map(move |line| [&vec![b'x'; line], &end[..]].concat())
    })
}
