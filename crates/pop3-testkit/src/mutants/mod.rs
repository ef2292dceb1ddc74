//! Faulty codecs, parsers and sessions, each a bug that some mail software has, in our terms. They
//! show that the checks bite: what no test can tell from a mutant, no test
//! protects.

mod clients;
mod decoders;
mod encoders;
mod line_splitters;
mod servers;
mod syntax;

use std::sync::OnceLock;

use crate::{
    check,
    generate::Octets,
    view::{self, Clients, Commands, Decode, Encode, Replies, ReplyLines, Servers, SplitLines},
};

/// Something faulty.
pub struct Mutant {
    /// What it does wrong.
    pub name: &'static str,
    /// Who does it, or did.
    pub source: &'static str,
    /// What it stands in for.
    pub role: Role,
}

/// What a mutant stands in for, and so which check must catch it.
pub enum Role {
    /// A decoder of blocks.
    Decoder(Box<dyn Decode + Send>),
    /// An encoder of messages.
    Encoder(Box<dyn Encode + Send>),
    /// A splitter of lines.
    LineSplitter(Box<dyn SplitLines + Send>),
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

/// All mutants.
#[must_use]
pub fn all() -> &'static [Mutant] {
    static ALL: OnceLock<Vec<Mutant>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut mutants = decoders::all();
        mutants.extend(encoders::all());
        mutants.extend(line_splitters::all());
        mutants.extend(syntax::all());
        mutants.extend(clients::all());
        mutants.extend(servers::all());
        mutants
    })
}

impl Mutant {
    /// The fuzz target whose check must catch it.
    #[must_use]
    pub fn target(&self) -> &'static str {
        match self.role {
            Role::Decoder(_) => "multiline_decode",
            Role::Encoder(_) => "multiline_roundtrip",
            Role::LineSplitter(_) => "line",
            Role::ReplyLines(_) => "reply",
            Role::Commands(_) => "command",
            Role::Replies(_) => "response",
            Role::Client(_) => "client_session",
            Role::Server(_) => "server_session",
        }
    }

    /// The session that it stands in for, spoilt, and the other side sound;
    /// `None` if it is no session.
    #[must_use]
    pub fn sides(&self) -> Option<(Clients, Servers)> {
        match self.role {
            Role::Client(mutant) => Some((mutant, view::server)),
            Role::Server(mutant) => Some((view::client, mutant)),
            _ => None,
        }
    }

    /// Runs that check on the mutant; a panic is a catch. The octets are fuzz
    /// input of that target.
    pub fn check(&self, input: &[u8]) {
        let octets = || Octets::expand(input).0;
        match &self.role {
            Role::Decoder(mutant) => check::multiline_decode(&[&**mutant], &octets()),
            Role::Encoder(mutant) => check::multiline_roundtrip(&[&**mutant], &octets()),
            Role::LineSplitter(mutant) => check::line(&[&**mutant], &octets()),
            Role::ReplyLines(mutant) => check::reply(mutant, input),
            Role::Commands(mutant) => check::command(*mutant, input),
            Role::Replies(mutant) => check::response(*mutant, &octets()),
            Role::Client(mutant) => check::client_session(*mutant, &octets()),
            Role::Server(mutant) => check::server_session(*mutant, &octets()),
        }
    }
}

/// What a fuzz target runs its check on: all views, or the one mutant that the
/// variable `POP3_MUTANT` names.
pub fn under_fuzz() -> &'static UnderFuzz {
    static UNDER_FUZZ: OnceLock<UnderFuzz> = OnceLock::new();
    UNDER_FUZZ.get_or_init(|| match std::env::var("POP3_MUTANT") {
        Ok(name) => UnderFuzz::only(&name),
        Err(_) => UnderFuzz {
            decoders: view::decoders().to_vec(),
            encoders: view::encoders().to_vec(),
            line_splitters: view::line_splitters().to_vec(),
            ..UnderFuzz::default()
        },
    })
}

/// What the checks of the fuzz targets are run on.
pub struct UnderFuzz {
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

impl Default for UnderFuzz {
    /// No codecs, and the parsers and sessions of pop3-proto.
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

impl UnderFuzz {
    fn only(name: &str) -> Self {
        let mutant = all().iter().find(|mutant| mutant.name == name);
        let mut only = Self::default();
        match mutant.map(|mutant| &mutant.role) {
            Some(Role::Decoder(mutant)) => only.decoders.push(&**mutant),
            Some(Role::Encoder(mutant)) => only.encoders.push(&**mutant),
            Some(Role::LineSplitter(mutant)) => only.line_splitters.push(&**mutant),
            Some(Role::ReplyLines(mutant)) => only.reply_lines = *mutant,
            Some(Role::Commands(mutant)) => only.commands = *mutant,
            Some(Role::Replies(mutant)) => only.replies = *mutant,
            Some(Role::Client(mutant)) => only.clients = *mutant,
            Some(Role::Server(mutant)) => only.servers = *mutant,
            None => panic!("POP3_MUTANT: there is no mutant `{name}`"),
        }
        only
    }
}
