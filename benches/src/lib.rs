//! The parts of the benchmarks: payloads, subjects, and the code that runs the
//! subjects on the payloads. The bench targets `decode`, `encode` and `reply`
//! are tables of subjects.
//!
//! Every subject's output is compared with the oracle of `dot-stuffing-testkit` before
//! its clock starts. `cargo xtask bench` runs all benchmarks and prints the
//! ratios.

mod case;
mod limits;
mod loops;
mod ours;
mod payload;
mod peers;
mod replies;
mod run;
mod subject;

pub use limits::{Memchr, Memcpy, Memmem};
pub use loops::{ByteLoop, EncodeByLine, EncodeByteLoop, MemchrByLine};
pub use ours::{BufReads, Canonicalize, Frames, Inspection, IntoVec, Slices, Verbatim};
pub use peers::{Lines, Pop3Codec, SmtpProto};
pub use replies::{ClientSession, CodecAlone, Index, LineEnds, Responses};
pub use run::{Direction, run};
pub use subject::{Row, row};
