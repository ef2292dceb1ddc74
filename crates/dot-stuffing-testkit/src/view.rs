//! Views: one trait for each kind of code under test. Each way to use a codec is a
//! view, and so is each known bug. The views of this crate are those of dot-stuffing.

mod decode;
mod encode;
mod line;

use crate::oracle::{Fault, Lines, Newline, Refusal, Rules, Transcript};

pub use decode::decoders;
pub use encode::encoders;
pub use line::{MAX_LINE, line_splitters};

/// A decoder of multi-line blocks.
pub trait Decode: Sync {
    /// Returns the name of the view.
    fn name(&self) -> &'static str;

    /// Whether the view can be configured with these rules. Most decoders have no
    /// settings, and follow only [`Rules::RFC1939`] or [`Rules::SMTP`].
    fn follows(&self, _rules: &Rules) -> bool {
        true
    }

    /// Reads a block in pieces into an empty transcript: adds the data to it, and says
    /// how the block ended. What follows the terminator, in the same piece or in
    /// further ones, is not part of the block. After the last piece the input ends.
    ///
    /// Give the decoder each piece by itself: pieces that are joined before show nothing
    /// about cuts. There may be no piece, and a piece may be empty; a `BufRead` must
    /// skip that, because there it would be the end of file. `consumed` counts the
    /// octets that the decoder took from its source. To test its reset, keep one decoder
    /// for all calls, in a `Mutex`.
    ///
    /// The model refuses as soon as an octet shows the fault: a bare LF at once, a bare
    /// CR at the octet after it. A decoder that waits longer differs where the input
    /// ends first.
    ///
    /// A view of a decoder that may loop limits the number of its calls, and leaves
    /// the outcome [`Hung`](crate::oracle::Outcome::Hung) that the transcript has.
    fn decode(&self, rules: &Rules, chunks: &[&[u8]], transcript: &mut Transcript);
}

/// An encoder of messages as multi-line blocks.
///
/// ```
/// use dot_stuffing_testkit::{
///     differences,
///     oracle::{Newline, Refusal},
///     view::Encode,
/// };
///
/// /// An encoder that does not stuff a dot at the start of the message, and gets it whole.
/// struct Naive;
///
/// impl Encode for Naive {
///     fn name(&self) -> &'static str {
///         "naive"
///     }
///
///     /// It never changes newlines.
///     fn follows(&self, newline: Newline) -> bool {
///         newline == Newline::Verbatim
///     }
///
///     fn encode(&self, _: Newline, chunks: &[&[u8]]) -> Result<Vec<u8>, Refusal> {
///         let mut wire = Vec::new();
///         for octet in chunks.concat() {
///             if octet == b'.' && wire.ends_with(b"\r\n") {
///                 wire.push(b'.');
///             }
///             wire.push(octet);
///         }
///         if !wire.is_empty() && !wire.ends_with(b"\r\n") {
///             wire.extend(b"\r\n");
///         }
///         wire.extend(b".\r\n");
///         Ok(wire)
///     }
/// }
///
/// let found = differences::encode(&Naive);
/// assert_eq!(found[0].what, "ends the block before the end of the message");
/// assert_eq!(found[0].input, b".");
/// ```
pub trait Encode: Sync {
    /// Returns the name of the view.
    fn name(&self) -> &'static str;

    /// Whether the view can be configured to treat bare CR and LF like this.
    fn follows(&self, _newline: Newline) -> bool {
        true
    }

    /// Returns the wire octets of a message. Give the encoder each of the pieces by
    /// itself: pieces that are joined before show nothing about cuts.
    ///
    /// # Errors
    ///
    /// The newline that was refused.
    fn encode(&self, newline: Newline, chunks: &[&[u8]]) -> Result<Vec<u8>, Refusal>;
}

/// A splitter of a stream into lines of at most [`MAX_LINE`] octets, including the line
/// end. A line that is refused is skipped.
///
/// ```
/// use dot_stuffing_testkit::{
///     differences,
///     oracle::{LineEvent, Lines, Rules},
///     view::SplitLines,
/// };
///
/// /// A splitter that ends lines with LF, has no maximum length, and gets the stream whole.
/// struct Naive;
///
/// impl SplitLines for Naive {
///     fn name(&self) -> &'static str {
///         "naive"
///     }
///
///     /// It has no settings.
///     fn follows(&self, rules: &Rules) -> bool {
///         *rules == Rules::RFC1939
///     }
///
///     fn lines(&self, _: &Rules, chunks: &[&[u8]]) -> Lines {
///         let mut stream = &chunks.concat()[..];
///         let mut events = Vec::new();
///         while let Some(lf) = stream.iter().position(|&octet| octet == b'\n') {
///             let line = &stream[..lf];
///             events.push(LineEvent::Line(line.strip_suffix(b"\r").unwrap_or(line).to_vec()));
///             stream = &stream[lf + 1..];
///         }
///         Lines { events, whole: stream.is_empty() }
///     }
/// }
///
/// let found = differences::split_lines(&Naive);
/// assert_eq!(found[0].what, "ends a line where the rules see no line end");
/// assert_eq!(found[0].input, b"\n");
/// assert!(found.iter().any(|found| found.what == "returns a line that the rules refuse"));
/// ```
pub trait SplitLines: Sync {
    /// Returns the name of the view.
    fn name(&self) -> &'static str;

    /// Whether the view can be configured with these rules.
    fn follows(&self, _rules: &Rules) -> bool {
        true
    }

    /// Returns the lines of a stream. Give the splitter each of the pieces by itself:
    /// pieces that are joined before show nothing about cuts.
    fn lines(&self, rules: &Rules, chunks: &[&[u8]]) -> Lines;
}

fn line_endings(rules: &Rules) -> dot_stuffing::LineEndings {
    dot_stuffing::LineEndings::new()
        .bare_cr(policy(rules.reject_bare_cr))
        .bare_lf(policy(rules.reject_bare_lf))
        .dangerous_lf_terminates(rules.lf_terminates)
}

fn policy(reject: bool) -> dot_stuffing::Policy {
    match reject {
        true => dot_stuffing::Policy::Reject,
        false => dot_stuffing::Policy::Accept,
    }
}

fn fault(kind: dot_stuffing::ErrorKind) -> Fault {
    match kind {
        dot_stuffing::ErrorKind::BareCr => Fault::BareCr,
        dot_stuffing::ErrorKind::BareLf => Fault::BareLf,
        dot_stuffing::ErrorKind::LineTooLong => Fault::LineTooLong,
        dot_stuffing::ErrorKind::TooLong => Fault::TooLong,
        dot_stuffing::ErrorKind::UnstuffedDot => Fault::UnstuffedDot,
        other => panic!("{other:?} is no fault of the input"),
    }
}
