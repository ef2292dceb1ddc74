//! Traces: whole sessions as text, replayed against both sides.
//!
//! Each line has one of these forms. Blank lines and lines that begin with `#` are comments.
//!
//! | line | meaning |
//! |---|---|
//! | `replay: client PROFILE TRANSPORT` | replay it against our client: `rfc1939` or another name of a profile; `cleartext`, `stls` (required) or `tls` |
//! | `replay: server TLS [plaintext] [trouble] [utf8] [apop=STAMP] [sasl=NAME,NAME]` | replay it against our server: `none`, `offered` or `active`; with `plaintext`, it accepts passwords without TLS; with `trouble`, the maildrop is [in trouble](crate::view::MemoryMaildrop::in_trouble); with `utf8`, it offers UTF8, and serves messages beyond ASCII only to clients that ask for it |
//! | `mail: UID TEXT` | the server's next message |
//! | `login: WORD` | how the server's driver answers the next login: `accept` (the default when no word is left), `reject`, `in-use`, `login-delay`, `temporary`, `permanent`, `challenge BASE64` |
//! | `held: N` | the client has message N from an earlier session |
//! | `S: TEXT` | the server sends this, followed by CRLF |
//! | `C: TEXT` | the client sends this: our client's driver requests this command (DELE with the proof that it has), or answers the challenge with it, unless it has already sent that |
//! | `ask: TEXT` | our client's driver requests this command; `C:` lines contain what is sent |
//! | `refused: TEXT => WHY` | our client refuses this command, and sends nothing |
//! | `E: TEXT` | the next event of our client, or the error that ends the session |
//! | `V: TEXT` | the next event of our server |
//! | `state: TEXT` | the state of our client, `tls` if it is under TLS, `capa` or `stale` if capabilities are known, `apop` if that is offered |
//! | `tls` | the TLS handshake is done |
//! | `wait: N` | N seconds pass |
//! | `S-eof`, `C-eof` | the server or the client closes its side |
//!
//! TEXT of octets has the escapes `\r`, `\n`, `\t`, `\\`, `\xHH`, and `\{N O}`
//! for N times the octet O; a single `\` as the last octet removes the CRLF.
//! Consecutive lines of one side arrive in one read. The trace must contain
//! everything: each octet sent, and each event.
//!
//! Our client reads the `S:` lines and must send the `C:` lines; our server reads
//! the `C:` lines and must send the `S:` lines.

mod client;
mod parse;
mod server;

use std::{collections::VecDeque, fmt, fs};

use dot_stuffing_testkit::generate::shown;
use pop3_proto::{Profile, client::Transport};

use crate::{
    corpus, octets,
    view::{Clients, Servers},
};

/// A session as text, parsed.
#[derive(Clone, Debug)]
pub struct Trace {
    client: Option<(Profile, Transport)>,
    server: Option<ServerSetup>,
    mail: Vec<(String, Vec<u8>)>,
    logins: Vec<String>,
    items: Vec<(usize, Item)>,
}

#[derive(Clone, Debug, Default)]
struct ServerSetup {
    tls: String,
    plaintext: bool,
    in_trouble: bool,
    utf8: bool,
    apop: Option<String>,
    sasl: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Client,
    Server,
}

#[derive(Clone, Debug)]
enum Item {
    Octets(Side, Vec<u8>),
    Eof(Side),
    Event(Side, String),
    Ask(Vec<u8>),
    Refused(Vec<u8>, String),
    Held(u32),
    State(String),
    Tls,
    Wait(u64),
}

/// An error in a trace, or in a session that does not match it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceError {
    /// The line number, from 1.
    pub line: usize,
    /// The error.
    pub what: String,
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl std::error::Error for TraceError {}

fn error<T>(line: usize, what: impl Into<String>) -> Result<T, TraceError> {
    let what = what.into();
    Err(TraceError { line, what })
}

impl Trace {
    /// Parses a trace.
    ///
    /// # Errors
    ///
    /// If a line is invalid, the first such line; or if no line says what to replay
    /// the trace against.
    pub fn parse(text: &str) -> Result<Self, TraceError> {
        parse::trace(text)
    }

    /// Replays a trace against each of its sides, with reads of everything that has
    /// arrived, and with reads of one to five octets.
    ///
    /// # Errors
    ///
    /// The first line that does not match.
    pub fn replay(&self, clients: Clients, servers: Servers) -> Result<(), TraceError> {
        for read in [usize::MAX, 1, 2, 3, 4, 5] {
            let in_pieces = |mut error: TraceError| {
                if read < usize::MAX {
                    error.what += &format!(" (at {read} octets per read)");
                }
                error
            };
            if let Some(setup) = self.client {
                client::replay(self, setup, clients, read).map_err(in_pieces)?;
            }
            if let Some(setup) = &self.server {
                server::replay(self, setup, servers, read).map_err(in_pieces)?;
            }
        }
        Ok(())
    }

    /// Whether the trace is replayed against our client.
    #[must_use]
    pub const fn is_for_clients(&self) -> bool {
        self.client.is_some()
    }

    /// Whether the trace is replayed against our server.
    #[must_use]
    pub const fn is_for_servers(&self) -> bool {
        self.server.is_some()
    }
}

/// Returns the traces of the corpus, with their names.
///
/// # Errors
///
/// The name of the first file that is not a valid trace, and the reason.
///
/// # Panics
///
/// If the directory cannot be read.
pub fn all() -> Result<Vec<(String, Trace)>, String> {
    let directory = corpus::root().join("traces");
    let mut traces = Vec::new();
    for entry in fs::read_dir(directory).expect("the directory of traces can be listed") {
        let path = entry.expect("the directory of traces can be listed").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let Some(name) = name.strip_suffix(".trace") else {
            return Err(format!("{name}: not a trace by its name"));
        };
        let text = fs::read_to_string(&path).map_err(|error| format!("{name}: {error}"))?;
        let trace = Trace::parse(&text).map_err(|error| format!("{name}: {error}"))?;
        traces.push((name.to_owned(), trace));
    }
    traces.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(traces)
}

/// The octets and events of a session that no line has claimed yet.
#[derive(Default)]
struct Unclaimed {
    /// The line after which they occurred.
    line: usize,
    sent: Vec<u8>,
    events: VecDeque<String>,
}

impl Unclaimed {
    /// Claims the next octets that were sent.
    fn sent(&mut self, line: usize, side: char, octets: &[u8]) -> Result<(), TraceError> {
        let is_next = self.sent.starts_with(octets);
        if !is_next {
            let lacking = self.nothing_sent(side).err();
            let sent = lacking.map_or("nothing was sent".to_owned(), |lacking| lacking.what);
            return error(line, format!("`{}` was not sent: {sent}", shown(octets)));
        }
        self.sent.drain(..octets.len());
        self.line = line;
        Ok(())
    }

    /// Claims the next event.
    fn event(&mut self, line: usize, event: &str) -> Result<(), TraceError> {
        match self.events.pop_front() {
            Some(next) if next.trim_end() == event.trim_end() => {
                self.line = line;
                Ok(())
            }
            Some(next) => error(line, format!("the event is `{next}`, not `{event}`")),
            None => error(line, format!("there is no event, not `{event}`")),
        }
    }

    fn nothing_sent(&self, side: char) -> Result<(), TraceError> {
        let first = self.sent.split_inclusive(|&octet| octet == b'\n').next();
        match first {
            None => Ok(()),
            Some(octets) => {
                let text = octets::show(octets);
                error(self.line, format!("the trace lacks `{side}: {text}`"))
            }
        }
    }

    /// Requires that everything is claimed.
    fn nothing(&self, side: char, letter: char) -> Result<(), TraceError> {
        self.nothing_sent(side)?;
        self.no_events(letter)
    }

    fn no_events(&self, letter: char) -> Result<(), TraceError> {
        match self.events.front() {
            None => Ok(()),
            Some(event) => error(self.line, format!("the trace lacks `{letter}: {event}`")),
        }
    }
}
