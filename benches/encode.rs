//! From the message to the wire.

use benches::{
    Canonicalize, Direction, EncodeByLine, EncodeByteLoop, Memchr, Memcpy, Verbatim, row, run,
};

fn main() {
    let subjects = [
        row::<Verbatim>(),
        row::<Memchr>(),
        row::<Canonicalize>(),
        row::<EncodeByLine>(),
        row::<EncodeByteLoop>(),
        row::<Memcpy>(),
    ];
    run(Direction::Encode, &subjects);
}
