//! What the machine can do with the same octets: an upper bound for any codec.

use memchr::memmem::Finder;

use crate::{
    case::Form,
    ours::emptied,
    subject::{Expected, Sink, Subject},
};

/// memchr for an octet that does not occur.
pub enum Memchr {}

impl Subject for Memchr {
    const NAME: &'static str = "memchr limit";
    const FORMS: &'static [Form] = &Form::ALL;
    type Work<'a> = &'a [&'a [u8]];

    fn prepare<'a>(reads: &'a [&'a [u8]], _: Option<Self::Work<'a>>) -> Self::Work<'a> {
        reads
    }

    fn run(reads: &mut Self::Work<'_>, sink: &mut impl Sink) {
        for read in *reads {
            sink.counted(memchr::memchr(0, read).unwrap_or(read.len()) as u64);
        }
    }

    fn expected<'a>(reads: &[&[u8]], _: &'a [u8]) -> Expected<'a> {
        Expected::Octets(reads.iter().map(|read| read.len() as u64).sum())
    }
}

/// memmem for CRLF-dot with a prebuilt finder: the search at the core of
/// decoding, without anything around it.
pub enum Memmem {}

impl Subject for Memmem {
    const NAME: &'static str = "memmem finder";
    const FORMS: &'static [Form] = &Form::ALL;
    type Work<'a> = (Finder<'static>, &'a [&'a [u8]]);

    fn prepare<'a>(reads: &'a [&'a [u8]], _: Option<Self::Work<'a>>) -> Self::Work<'a> {
        (Finder::new(b"\r\n."), reads)
    }

    fn run((finder, reads): &mut Self::Work<'_>, sink: &mut impl Sink) {
        for read in *reads {
            sink.counted(finder.find_iter(read).count() as u64);
        }
    }

    fn expected<'a>(reads: &[&[u8]], _: &'a [u8]) -> Expected<'a> {
        let found = |read: &&[u8]| read.windows(3).filter(|at| at == b"\r\n.").count();
        Expected::Octets(reads.iter().map(found).sum::<usize>() as u64)
    }
}

/// A copy into memory that has been written before.
pub enum Memcpy {}

impl Subject for Memcpy {
    const NAME: &'static str = "memcpy";
    type Work<'a> = (Vec<u8>, &'a [&'a [u8]]);

    fn prepare<'a>(reads: &'a [&'a [u8]], spent: Option<Self::Work<'a>>) -> Self::Work<'a> {
        (emptied(reads, spent.map(|(into, _)| into)), reads)
    }

    fn run((into, reads): &mut Self::Work<'_>, sink: &mut impl Sink) {
        for read in *reads {
            into.extend_from_slice(read);
        }
        sink.data(into);
    }

    fn expected<'a>(reads: &[&[u8]], _: &'a [u8]) -> Expected<'a> {
        Expected::Data(reads.concat().into())
    }
}
