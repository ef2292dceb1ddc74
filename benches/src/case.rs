//! A payload as the subjects receive it: the input and the expected output.

use std::{cell::OnceCell, fmt};

use dot_stuffing_testkit::oracle::{self, Rules};

use crate::{payload::Payload, run::Direction};

/// Octets of one read, as from a socket.
const READ: usize = 16 * 1024;

/// Octets of one read by a driver with a large buffer.
const LONG_READ: usize = 64 * 1024;

/// How the octets of a payload arrive.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// All in one buffer.
    Whole,
    /// The same buffer, 16 KiB at a time.
    Reads,
    /// The first 16 KiB of it, again and again, so that they stay in the
    /// first-level cache.
    Cached,
    /// The same buffer, 64 KiB at a time.
    LongReads,
}

impl Form {
    /// The forms for decoding.
    pub(crate) const ALL: [Self; 3] = [Self::Whole, Self::Reads, Self::Cached];
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whole => "whole",
            Self::Reads => "reads",
            Self::Cached => "cached",
            Self::LongReads => "long-reads",
        })
    }
}

/// The input, read by read.
pub(crate) struct Case<'a> {
    pub(crate) reads: Vec<&'a [u8]>,
    payload: &'a Payload,
    direction: Direction,
    form: Form,
    output: OnceCell<Vec<u8>>,
}

impl<'a> Case<'a> {
    pub(crate) fn new(payload: &'a Payload, direction: Direction, form: Form) -> Self {
        let input = match direction {
            Direction::Decode | Direction::Reply => &payload.wire[..],
            Direction::Encode => &payload.message[..],
        };
        let reads = match form {
            Form::Whole => vec![input],
            Form::Reads => input.chunks(READ).collect(),
            Form::LongReads => input.chunks(LONG_READ).collect(),
            Form::Cached => vec![&input[..READ]; input.len() / READ],
        };
        Self {
            reads,
            payload,
            direction,
            form,
            output: OnceCell::new(),
        }
    }

    pub(crate) fn octets(&self) -> u64 {
        self.reads.iter().map(|read| read.len() as u64).sum()
    }

    /// A shorter case, for when the oracle would take long: a few repetitions
    /// of the same read test as much as thousands.
    pub(crate) fn to_check(&self) -> Self {
        let mut short = Self::new(self.payload, self.direction, self.form);
        if self.form == Form::Cached {
            short.reads.truncate(8);
        }
        short
    }

    /// The expected output.
    pub(crate) fn output(&self) -> &[u8] {
        match (self.direction, self.form) {
            (Direction::Encode, _) => &self.payload.wire,
            (Direction::Decode | Direction::Reply, Form::Cached) => self
                .output
                .get_or_init(|| oracle::decode(&Rules::RFC1939, &self.reads.concat()).data),
            (Direction::Decode | Direction::Reply, _) => &self.payload.message,
        }
    }
}
