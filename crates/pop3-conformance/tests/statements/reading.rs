//! The client's side of a stream: what it makes of a reply.

use pop3_proto::{Command, ReplyError, ReplyKind, ReplyPart, ReplyRule, ResponseDecoder};

/// As RFC 1939 reads, and as Outlook does.
pub(crate) const RULES: [ReplyRule; 2] = [ReplyRule::RFC1939, ReplyRule::OUTLOOK];

/// A reply that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) positive: bool,
    pub(crate) text: Vec<u8>,
    pub(crate) block: Option<Vec<u8>>,
    /// What of the stream was left alone.
    pub(crate) rest: Vec<u8>,
}

impl Reply {
    /// The lines of the block, without CRLF.
    pub(crate) fn lines(&self) -> Vec<&[u8]> {
        let block = self.block.as_deref().expect("a multi-line reply");
        let text = block.strip_suffix(b"\r\n").unwrap_or(block);
        let mut lines = Vec::new();
        let mut from = 0;
        while let Some(length) = text[from..].windows(2).position(|two| two == b"\r\n") {
            lines.push(&text[from..from + length]);
            from += length + 2;
        }
        if !block.is_empty() {
            lines.push(&text[from..]);
        }
        lines
    }
}

/// Reads one reply, the stream in one piece and at 1 to 5 octets at a time:
/// always the same.
///
/// The error is what refused the stream, or, where the stream ends and the
/// reply is not over, what `finish` says.
pub(crate) fn read(rule: ReplyRule, kind: ReplyKind, stream: &[u8]) -> Result<Reply, ReplyError> {
    let whole = read_in(rule, kind, stream, stream.len().max(1));
    for octets in 1..=5 {
        let parts = read_in(rule, kind, stream, octets);
        assert_eq!(
            parts,
            whole,
            "{octets} octets at a time: {}",
            stream.escape_ascii()
        );
    }
    whole
}

/// Reads the answer to a command.
pub(crate) fn answer(
    rule: ReplyRule,
    command: Command<'_>,
    stream: &[u8],
) -> Result<Reply, ReplyError> {
    read(rule, kind_of(command), stream)
}

/// What a client waits for once it has sent the command.
fn kind_of(command: Command<'_>) -> ReplyKind {
    match command {
        _ if !command.is_multiline() => ReplyKind::Line,
        Command::Retr(_) | Command::Top(..) => ReplyKind::Message,
        _ => ReplyKind::Listing,
    }
}

fn read_in(
    rule: ReplyRule,
    kind: ReplyKind,
    stream: &[u8],
    octets: usize,
) -> Result<Reply, ReplyError> {
    let mut decoder = ResponseDecoder::new(rule);
    decoder.expect(kind);
    let mut reply = Reply {
        positive: false,
        text: Vec::new(),
        block: None,
        rest: Vec::new(),
    };
    let mut at = 0;
    while at < stream.len() && !decoder.is_idle() {
        let part = &stream[at..stream.len().min(at + octets)];
        let step = decoder.decode(part)?;
        assert!(
            step.consumed > 0 || step.event.is_some(),
            "no progress at octet {at} of {}",
            stream.escape_ascii()
        );
        at += step.consumed;
        match step.event {
            Some(ReplyPart::Status(status)) => {
                reply.positive = status.is_positive();
                reply.text = status.text().to_vec();
            }
            Some(ReplyPart::Data(data)) => {
                reply.block.get_or_insert_default().extend_from_slice(data);
            }
            Some(ReplyPart::End(complete)) => {
                let block = reply.block.get_or_insert_default();
                assert_eq!(complete.octets, block.len() as u64);
            }
            Some(ReplyPart::Challenge(_)) | None => {}
        }
    }
    decoder.finish()?;
    reply.rest = stream[at..].to_vec();
    Ok(reply)
}
