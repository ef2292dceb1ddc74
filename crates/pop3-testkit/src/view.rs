//! What is under test, one trait for each kind. Each way to use the crates is a view,
//! and so is each known bug.

mod client;
mod decode;
mod encode;
mod line;
mod server;
mod syntax;

use crate::oracle::{Fault, Lines, Newline, Refusal, Rules, Transcript};

pub use client::{Client, ClientEvent, ClientSession, ClientStep, Clients, client};
pub use decode::decoders;
pub use encode::encoders;
pub use line::{MAX_LINE, line_splitters};
pub use server::{MemoryMaildrop, Server, ServerSession, Servers, server};
pub use syntax::{Commands, REPLY_LINES, Replies, ReplyLines, commands, replies};

/// Something that decodes a multi-line block.
pub trait Decode: Sync {
    /// What it is.
    fn name(&self) -> &'static str;

    /// Whether it can be told these rules.
    fn follows(&self, _rules: &Rules) -> bool {
        true
    }

    /// Reads a block that comes in pieces, none of them beyond its end, into
    /// an empty transcript.
    fn decode(&self, rules: &Rules, chunks: &[&[u8]], transcript: &mut Transcript);
}

/// Something that encodes a message as a multi-line block.
pub trait Encode: Sync {
    /// What it is.
    fn name(&self) -> &'static str;

    /// The wire octets of a message that comes in pieces.
    ///
    /// # Errors
    ///
    /// The newline that was refused.
    fn encode(&self, newline: Newline, chunks: &[&[u8]]) -> Result<Vec<u8>, Refusal>;
}

/// Something that splits a stream into lines of at most [`MAX_LINE`] octets.
pub trait SplitLines: Sync {
    /// What it is.
    fn name(&self) -> &'static str;

    /// The lines of a stream that comes in pieces.
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
