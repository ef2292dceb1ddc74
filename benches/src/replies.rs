//! Replies: the views of `pop3-proto`, and the code that they are compared
//! with.

use std::time::Instant;

use dot_stuffing::MultilineDecoder;
use pop3_proto::client::{Config, Event, MaildropIndex, Session, Transport};
use pop3_proto::{
    Argument, Command, MessageNumber, Profile, ReplyKind, ReplyPart, ReplyRule, ResponseDecoder,
    Secret,
};

use crate::{
    case::Form,
    subject::{Expected, Sink, Subject},
};

const FORMS: &[Form] = &[Form::LongReads];

/// `client::Session`, which also parses the first line.
pub enum ClientSession {}

impl Subject for ClientSession {
    const NAME: &'static str = "client::Session";
    const FORMS: &'static [Form] = FORMS;
    type Work<'a> = (Session, &'a [&'a [u8]]);

    fn prepare<'a>(reads: &'a [&'a [u8]], _: Option<Self::Work<'a>>) -> Self::Work<'a> {
        (asked(&command(reads)), reads)
    }

    fn run((session, reads): &mut Self::Work<'_>, sink: &mut impl Sink) {
        answer(session, reads, |event| match event {
            Event::Data(octets) => sink.data(octets),
            Event::Scan(listing) => sink.counted(listing.octets),
            Event::UniqueId(listing) => sink.data(listing.unique_id.as_bytes()),
            _ => {}
        });
    }

    fn expected<'a>(reads: &[&[u8]], output: &'a [u8]) -> Expected<'a> {
        let lines = output
            .split(|octet| *octet == b'\n')
            .map(<[u8]>::trim_ascii);
        let fields = lines.filter_map(|line| line.split(|octet| *octet == b' ').nth(1));
        match command(reads) {
            Command::List(_) => Expected::Octets(fields.map(number).sum()),
            Command::Uidl(_) => Expected::Data(fields.flatten().copied().collect()),
            _ => Expected::Data(output.into()),
        }
    }
}

/// `client::Session` with a `MaildropIndex`.
pub enum Index {}

impl Subject for Index {
    const NAME: &'static str = "MaildropIndex";
    const FORMS: &'static [Form] = FORMS;
    const PAYLOADS: &'static [&'static str] = &["LIST", "UIDL"];
    type Work<'a> = (Session, &'a [&'a [u8]]);

    fn prepare<'a>(reads: &'a [&'a [u8]], _: Option<Self::Work<'a>>) -> Self::Work<'a> {
        ClientSession::prepare(reads, None)
    }

    fn run((session, reads): &mut Self::Work<'_>, sink: &mut impl Sink) {
        let mut index = MaildropIndex::new();
        answer(session, reads, |event| index.handle(&event));
        sink.counted(index.len() as u64);
    }

    fn expected<'a>(_: &[&[u8]], output: &'a [u8]) -> Expected<'a> {
        Expected::Octets(output.iter().filter(|octet| **octet == b'\n').count() as u64)
    }
}

/// `ResponseDecoder`.
pub enum Responses {}

impl Subject for Responses {
    const NAME: &'static str = "ResponseDecoder";
    const FORMS: &'static [Form] = FORMS;
    const PAYLOADS: &'static [&'static str] = &["RETR"];
    type Work<'a> = &'a [&'a [u8]];

    fn prepare<'a>(reads: &'a [&'a [u8]], _: Option<Self::Work<'a>>) -> Self::Work<'a> {
        reads
    }

    fn run(reads: &mut Self::Work<'_>, sink: &mut impl Sink) {
        let mut replies = ResponseDecoder::new(ReplyRule::RFC1939);
        replies.expect(ReplyKind::Message);
        for read in *reads {
            let mut rest = *read;
            while !rest.is_empty() {
                let step = replies.decode(rest).expect("a reply");
                rest = &rest[step.consumed..];
                if let Some(ReplyPart::Data(octets)) = step.event {
                    sink.data(octets);
                }
            }
        }
    }
}

/// `MultilineDecoder::feed` on the block of the reply.
pub enum CodecAlone {}

impl Subject for CodecAlone {
    const NAME: &'static str = "codec alone";
    const FORMS: &'static [Form] = FORMS;
    const PAYLOADS: &'static [&'static str] = &["RETR"];
    type Work<'a> = &'a [&'a [u8]];

    fn prepare<'a>(reads: &'a [&'a [u8]], _: Option<Self::Work<'a>>) -> Self::Work<'a> {
        reads
    }

    fn run(reads: &mut Self::Work<'_>, sink: &mut impl Sink) {
        let mut decoder = MultilineDecoder::new();
        let mut first_line = FIRST_LINE;
        for read in *reads {
            for octets in decoder.feed(&mut &read[first_line..]) {
                sink.data(octets.expect("a block"));
            }
            first_line = 0;
        }
    }
}

/// memchr from line end to line end.
pub enum LineEnds {}

impl Subject for LineEnds {
    const NAME: &'static str = "memchr line ends";
    const FORMS: &'static [Form] = FORMS;
    type Work<'a> = &'a [&'a [u8]];

    fn prepare<'a>(reads: &'a [&'a [u8]], _: Option<Self::Work<'a>>) -> Self::Work<'a> {
        reads
    }

    fn run(reads: &mut Self::Work<'_>, sink: &mut impl Sink) {
        for read in *reads {
            let mut rest = *read;
            while let Some(end) = memchr::memchr(b'\n', rest) {
                sink.counted(end as u64 + 1);
                rest = &rest[end + 1..];
            }
            sink.counted(rest.len() as u64);
        }
    }

    fn expected<'a>(reads: &[&[u8]], _: &'a [u8]) -> Expected<'a> {
        Expected::Octets(reads.iter().map(|read| read.len() as u64).sum())
    }
}

/// Octets of the first line of each payload, such as `+OK RETR`.
const FIRST_LINE: usize = 10;

fn command(reads: &[&[u8]]) -> Command<'static> {
    match reads[0].get(4..8) {
        Some(b"LIST") => Command::List(None),
        Some(b"UIDL") => Command::Uidl(None),
        _ => Command::Retr(MessageNumber::FIRST),
    }
}

/// A session that expects the reply to a command.
fn asked(command: &Command<'_>) -> Session {
    let now = Instant::now();
    let config = Config::new(Profile::RFC1939, Transport::Tls);
    let mut session = Session::new(config, now);
    let user = Command::User(Argument::new("mrose").expect("a name"));
    let pass = Command::Pass(Secret::new("tanstaaf").expect("a password"));
    for command in [&user, &pass, command] {
        let answered = session.handle_input(now, b"+OK\r\n").map(drop);
        answered.expect("an answer");
        session.enqueue(now, command).expect("it may be sent");
        let sent = session.poll_transmit().map_or(0, <[u8]>::len);
        session.handle_transmitted(now, sent);
    }
    session
}

#[inline(always)]
fn answer(session: &mut Session, reads: &[&[u8]], mut with: impl FnMut(Event<'_>)) {
    for read in reads {
        let now = Instant::now();
        let mut rest = *read;
        while !rest.is_empty() {
            let step = session.handle_input(now, rest).expect("an answer");
            rest = &rest[step.consumed..];
            if let Some(event) = step.event {
                with(event);
            }
        }
    }
}

fn number(digits: &[u8]) -> u64 {
    let digits = str::from_utf8(digits).ok();
    digits
        .and_then(|digits| digits.parse().ok())
        .expect("a number")
}
