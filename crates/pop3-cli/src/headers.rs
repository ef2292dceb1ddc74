//! The header fields of messages: TOP for each, and what a person reads of it.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
    time::Instant,
};

use mail_parser::{Address, MessageParser};
use pop3_proto::{
    Command, MessageNumber,
    client::{ClientError, Event, Exchange, Request, Session},
};
use pop3_tokio::client::{Client, Error, Redactor, RetrieveError};
use serde::Serialize;

/// The most octets of a header that are kept.
const MOST: usize = 64 * 1024;

/// Characters that a terminal may take for a change of direction or a new line.
const INVISIBLE: [std::ops::RangeInclusive<char>; 5] = [
    '\u{61c}'..='\u{61c}',
    '\u{200b}'..='\u{200f}',
    '\u{2028}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{feff}'..='\u{feff}',
];

/// Header fields, decoded (RFC 2047) and safe to print on a terminal.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Fields {
    from: Option<String>,
    subject: Option<String>,
    /// In the form of RFC 3339.
    date: Option<String>,
}

impl Fields {
    fn of(header: &[u8]) -> Self {
        let Some(message) = MessageParser::new().parse_headers(header) else {
            return Self::default();
        };
        let from = message.from().and_then(Address::first);
        Self {
            from: from.and_then(|from| match (from.name(), from.address()) {
                (Some(name), Some(address)) => Some(shown(&format!("{name} <{address}>"))),
                (name, address) => name.or(address).map(shown),
            }),
            subject: message.subject().map(shown),
            date: message.date().map(|date| shown(&date.to_rfc3339())),
        }
    }
}

impl Fields {
    /// The fields; a remark replaces one that repeats what was sent to log in.
    fn without_secrets(mut self, redactor: &Redactor) -> Self {
        for text in [&mut self.from, &mut self.subject].into_iter().flatten() {
            if redactor.repeats(text.as_bytes()) {
                *text = redactor.shown(text.as_bytes());
            }
        }
        self
    }
}

/// The text with everything escaped that a terminal would act on.
fn shown(text: &str) -> String {
    let mut shown = String::new();
    for char in text.trim().chars() {
        let is_invisible = INVISIBLE.iter().any(|range| range.contains(&char));
        let _ = match char.is_control() || is_invisible {
            true => write!(shown, "{}", char.escape_default()),
            false => shown.write_char(char),
        };
    }
    shown
}

impl fmt::Display for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [date, from, subject] =
            [&self.date, &self.from, &self.subject].map(|field| field.as_deref().unwrap_or("-"));
        write!(f, "{date}  {from}  {subject}")
    }
}

/// Returns the fields of each message whose header the server sends, by
/// message-number.
pub(crate) async fn headers(
    client: &mut Client,
    messages: Vec<MessageNumber>,
) -> Result<BTreeMap<u32, Fields>, Error> {
    let mut headers = Headers::new(messages, client.window(), client.redactor());
    match client.run(&mut headers).await {
        Ok(()) => Ok(headers.fields),
        Err(RetrieveError::Client(error)) => Err(error),
        Err(RetrieveError::Sink(error)) => Err(error.into()),
    }
}

/// Requests the header of each message, several at once where the server allows it.
struct Headers {
    todo: std::vec::IntoIter<MessageNumber>,
    window: usize,
    outstanding: usize,
    header: Vec<u8>,
    fields: BTreeMap<u32, Fields>,
    redactor: Redactor,
}

impl Headers {
    fn new(messages: Vec<MessageNumber>, window: usize, redactor: Redactor) -> Self {
        Self {
            todo: messages.into_iter(),
            window,
            outstanding: 0,
            header: Vec::new(),
            fields: BTreeMap::new(),
            redactor,
        }
    }
}

impl Exchange for Headers {
    type Output = ();
    type Error = ClientError;

    fn next(&mut self, session: &mut Session, now: Instant) -> Result<Option<()>, ClientError> {
        // Half a window at a time, so that one packet has many commands.
        if self.outstanding <= self.window / 2 {
            let room = self.window.saturating_sub(self.outstanding);
            for number in self.todo.by_ref().take(room) {
                session.enqueue(now, &Command::Top(number, 0))?;
                self.outstanding += 1;
            }
        }
        Ok((self.outstanding == 0).then_some(()))
    }

    fn event(&mut self, event: Event<'_>) -> Result<(), ClientError> {
        match event {
            Event::Status(reply) => {
                self.header.clear();
                if !reply.is_positive() {
                    self.outstanding = self.outstanding.saturating_sub(1);
                }
            }
            Event::Data(octets) => {
                let room = MOST - self.header.len();
                self.header.extend(octets.iter().take(room));
            }
            Event::End(end) => {
                self.outstanding = self.outstanding.saturating_sub(1);
                if let Request::Top(number, _) = end.request {
                    let fields = Fields::of(&self.header).without_secrets(&self.redactor);
                    self.fields.insert(number.get(), fields);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_words_of_rfc_2047() {
        let header = b"From: =?utf-8?Q?Zo=C3=AB?= <zoe@example.org>\r\n\
            Subject: =?iso-8859-1?Q?caf=E9?= =?utf-8?B?IOKCrA==?=\r\n\
            Date: Sat, 1 Feb 2025 10:00:00 +0100\r\n\r\n";
        let fields = Fields::of(header);
        assert_eq!(fields.from.as_deref(), Some("Zoë <zoe@example.org>"));
        assert_eq!(fields.subject.as_deref(), Some("café €"));
        assert_eq!(fields.date.as_deref(), Some("2025-02-01T10:00:00+01:00"));
        assert_eq!(Fields::of(b"\r\n"), Fields::default());
        assert_eq!(Fields::of(b""), Fields::default());
    }

    #[test]
    fn escapes_what_a_terminal_would_act_on() {
        let header =
            b"Subject: \x1b]0;title\x07 =?utf-8?Q?=1B[2J=0A=C2=9B1m_=E2=80=AEgpj.exe?=\r\n\r\n";
        let subject = Fields::of(header).subject.unwrap();
        assert!(!subject.chars().any(char::is_control), "{subject:?}");
        assert!(
            subject.contains("\\u{1b}") && subject.contains("\\u{202e}"),
            "{subject}"
        );
    }
}
