//! Other libraries, used as their authors intend, with buffers reused from run
//! to run where possible.

use bytes::BytesMut;
use pop3_codec::parse::response_retr;
use smtp_proto::request::receiver::DataReceiver;
use tokio_util::codec::{Decoder, LinesCodec};

use crate::{
    case::Form,
    ours::{emptied, joined},
    subject::{Expected, Sink, Subject},
};

/// The receiver of SMTP DATA that Stalwart uses.
pub enum SmtpProto {}

impl Subject for SmtpProto {
    const NAME: &'static str = "smtp-proto";
    type Work<'a> = (Vec<u8>, &'a [&'a [u8]]);

    fn prepare<'a>(reads: &'a [&'a [u8]], spent: Option<Self::Work<'a>>) -> Self::Work<'a> {
        (emptied(reads, spent.map(|(into, _)| into)), reads)
    }

    fn run((into, reads): &mut Self::Work<'_>, sink: &mut impl Sink) {
        let mut receiver = DataReceiver::new();
        for read in *reads {
            if receiver.ingest(&mut read.iter(), into) {
                break;
            }
        }
        sink.data(into);
    }

    fn expected<'a>(reads: &[&[u8]], output: &'a [u8]) -> Expected<'a> {
        Expected::Data(match reads[0].starts_with(b".") {
            true => [b".", output].concat().into(),
            false => output.into(),
        })
    }
}

/// The parser of pop3-codec for whole RETR responses.
pub enum Pop3Codec {}

impl Subject for Pop3Codec {
    const NAME: &'static str = "pop3-codec";
    const FORMS: &'static [Form] = &[Form::Whole];
    type Work<'a> = Vec<u8>;

    fn prepare<'a>(reads: &'a [&'a [u8]], spent: Option<Self::Work<'a>>) -> Self::Work<'a> {
        spent.unwrap_or_else(|| [b"+OK\r\n", reads[0]].concat())
    }

    fn run(response: &mut Self::Work<'_>, sink: &mut impl Sink) {
        let (_, response) = response_retr(response).expect("a good response");
        for line in &response.unwrap().body {
            sink.data(line.as_bytes());
        }
    }

    fn expected<'a>(reads: &[&[u8]], _: &'a [u8]) -> Expected<'a> {
        let mut lines = without_line_ends(reads);
        // The parser does not count the terminator's dot as a line.
        lines.pop();
        Expected::Data(lines.into())
    }
}

/// tokio-util's line codec, without a limit on the line.
pub enum Lines {}

impl Subject for Lines {
    const NAME: &'static str = "LinesCodec";
    type Work<'a> = (BytesMut, &'a [&'a [u8]]);

    fn prepare<'a>(reads: &'a [&'a [u8]], spent: Option<Self::Work<'a>>) -> Self::Work<'a> {
        (joined(reads, spent.map(|(buffer, _)| buffer)), reads)
    }

    fn run((wire, reads): &mut Self::Work<'_>, sink: &mut impl Sink) {
        let mut codec = LinesCodec::new();
        let mut buffer = BytesMut::new();
        for read in *reads {
            // The halves are adjacent, so joining them again copies nothing.
            buffer.unsplit(wire.split_to(read.len()));
            while let Some(line) = codec.decode(&mut buffer).expect("text") {
                sink.data(line.as_bytes());
            }
        }
    }

    fn expected<'a>(reads: &[&[u8]], _: &'a [u8]) -> Expected<'a> {
        Expected::Data(without_line_ends(reads).into())
    }
}

/// In the payloads, CR and LF occur only in line ends.
fn without_line_ends(reads: &[&[u8]]) -> Vec<u8> {
    let mut text = reads.concat();
    text.retain(|octet| !matches!(octet, b'\r' | b'\n'));
    text
}
