//! Codecs, parsers and sessions, each with a bug that other mail software has. They
//! show that the checks work: a rule is tested only if some test fails when the
//! rule is broken.

mod clients;
mod servers;
mod syntax;

use std::sync::OnceLock;

use dot_stuffing_testkit::{
    generate::Octets,
    known_bugs as codecs,
    view::{self as codec, Decode, Encode, SplitLines},
};

use crate::{
    check,
    view::{self, Clients, Commands, Replies, ReplyLines, Servers},
};

/// Faulty code.
pub struct KnownBug {
    /// What the code does wrong.
    pub name: &'static str,
    /// The software that has, or had, this bug.
    pub source: &'static str,
    /// The faulty code, by what it replaces.
    pub role: Role,
}

/// The kind of code that a known bug replaces, and so the check that must catch it.
pub enum Role {
    /// A part of the codec: a known bug of dot-stuffing-testkit.
    Codec(&'static codecs::KnownBug),
    /// A parser of lines of replies.
    ReplyLines(ReplyLines),
    /// A parser of commands.
    Commands(Commands),
    /// A reader of replies.
    Replies(Replies),
    /// A client's session.
    Client(Clients),
    /// A server's session.
    Server(Servers),
}

/// All known bugs.
#[must_use]
pub fn all() -> &'static [KnownBug] {
    static ALL: OnceLock<Vec<KnownBug>> = OnceLock::new();
    ALL.get_or_init(|| {
        let codecs = codecs::all().iter();
        let mut bugs: Vec<_> = codecs.map(KnownBug::of_a_codec).collect();
        bugs.extend(syntax::all());
        bugs.extend(clients::all());
        bugs.extend(servers::all());
        bugs
    })
}

impl KnownBug {
    const fn of_a_codec(bug: &'static codecs::KnownBug) -> Self {
        Self {
            name: bug.name,
            source: bug.source,
            role: Role::Codec(bug),
        }
    }

    /// Returns the fuzz target whose check must catch the bug.
    #[must_use]
    pub fn target(&self) -> &'static str {
        match self.role {
            Role::Codec(bug) => match bug.role {
                codecs::Role::Decoder(_) => "multiline_decode",
                codecs::Role::Encoder(_) => "multiline_roundtrip",
                codecs::Role::LineSplitter(_) => "line",
            },
            Role::ReplyLines(_) => "reply",
            Role::Commands(_) => "command",
            Role::Replies(_) => "response",
            Role::Client(_) => "client_session",
            Role::Server(_) => "server_session",
        }
    }

    /// Returns the faulty session and our session for the other side; `None` if the
    /// bug is not in a session.
    #[must_use]
    pub fn sides(&self) -> Option<(Clients, Servers)> {
        match self.role {
            Role::Client(bug) => Some((bug, view::server)),
            Role::Server(bug) => Some((view::client, bug)),
            _ => None,
        }
    }

    /// Runs that check on the known bug; a panic means that the bug is caught. The
    /// octets are fuzz input of that target.
    pub fn check(&self, input: &[u8]) {
        let octets = || Octets::expand(input).0;
        match &self.role {
            Role::Codec(bug) => bug.check(&octets()),
            Role::ReplyLines(bug) => check::reply(bug, input),
            Role::Commands(bug) => check::command(*bug, input),
            Role::Replies(bug) => check::response(*bug, &octets()),
            Role::Client(bug) => check::client_session(*bug, &octets()),
            Role::Server(bug) => check::server_session(*bug, &octets()),
        }
    }
}

/// Returns the code on which a fuzz target runs its check: all views, or only the
/// known bug that the variable `POP3_KNOWN_BUG` names.
pub fn subjects() -> &'static Subjects {
    static SUBJECTS: OnceLock<Subjects> = OnceLock::new();
    SUBJECTS.get_or_init(|| match std::env::var("POP3_KNOWN_BUG") {
        Ok(name) => Subjects::only(&name),
        Err(_) => Subjects {
            decoders: codec::decoders().to_vec(),
            encoders: codec::encoders().to_vec(),
            line_splitters: codec::line_splitters().to_vec(),
            ..Subjects::default()
        },
    })
}

/// The code on which the checks of the fuzz targets run.
pub struct Subjects {
    /// For `multiline_decode`.
    pub decoders: Vec<&'static dyn Decode>,
    /// For `multiline_roundtrip`.
    pub encoders: Vec<&'static dyn Encode>,
    /// For `line`.
    pub line_splitters: Vec<&'static dyn SplitLines>,
    /// For `reply`.
    pub reply_lines: ReplyLines,
    /// For `command`.
    pub commands: Commands,
    /// For `response`.
    pub replies: Replies,
    /// For `client_session`.
    pub clients: Clients,
    /// For `server_session`.
    pub servers: Servers,
}

impl Default for Subjects {
    /// Returns no codecs, and the parsers and sessions of pop3-proto.
    fn default() -> Self {
        Self {
            decoders: Vec::new(),
            encoders: Vec::new(),
            line_splitters: Vec::new(),
            reply_lines: view::REPLY_LINES,
            commands: view::commands,
            replies: view::replies,
            clients: view::client,
            servers: view::server,
        }
    }
}

impl Subjects {
    fn only(name: &str) -> Self {
        let bug = all().iter().find(|bug| bug.name == name);
        let mut only = Self::default();
        match bug.map(|bug| &bug.role) {
            Some(Role::Codec(bug)) => match &bug.role {
                codecs::Role::Decoder(bug) => only.decoders.push(&**bug),
                codecs::Role::Encoder(bug) => only.encoders.push(&**bug),
                codecs::Role::LineSplitter(bug) => only.line_splitters.push(&**bug),
            },
            Some(Role::ReplyLines(bug)) => only.reply_lines = *bug,
            Some(Role::Commands(bug)) => only.commands = *bug,
            Some(Role::Replies(bug)) => only.replies = *bug,
            Some(Role::Client(bug)) => only.clients = *bug,
            Some(Role::Server(bug)) => only.servers = *bug,
            None => panic!("POP3_KNOWN_BUG: there is no known bug `{name}`"),
        }
        only
    }
}
