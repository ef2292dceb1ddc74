//! From the wire to a client's view of a reply.

use benches::{ClientSession, CodecAlone, Direction, Index, LineEnds, Responses, row, run};

fn main() {
    let subjects = [
        row::<ClientSession>(),
        row::<Responses>(),
        row::<Index>(),
        row::<CodecAlone>(),
        row::<LineEnds>(),
    ];
    run(Direction::Reply, &subjects);
}
