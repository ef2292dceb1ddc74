//! From the wire to the message.

use benches::{
    BufReads, ByteLoop, Direction, Frames, Inspection, IntoVec, Lines, Memchr, MemchrByLine,
    Memcpy, Memmem, Pop3Codec, Slices, SmtpProto, row, run,
};

fn main() {
    let subjects = [
        row::<Slices>(),
        row::<Memchr>(),
        row::<Memmem>(),
        row::<Frames>(),
        row::<BufReads>(),
        row::<Inspection>(),
        row::<Memcpy>(),
        row::<IntoVec>(),
        row::<ByteLoop>(),
        row::<MemchrByLine>(),
        row::<SmtpProto>(),
        row::<Lines>(),
        row::<Pop3Codec>(),
    ];
    run(Direction::Decode, &subjects);
}
