//! The statements that bind clients, checked on a client's session.

use std::time::Instant;

use pop3_proto::{
    Argument, Command, MessageNumber, Profile, Secret,
    client::{Config, SessionError, State, Transport},
};
use pop3_testkit::view::{self, ClientEvent, ClientSession};

use crate::{checking::Check, faults::client::SOUND};

pub(crate) mod arguments;
mod histories;
pub(crate) mod login;
pub(crate) mod reading;
pub(crate) mod states;

/// Starts sessions of the client under test.
pub(crate) trait Sessions {
    fn begin(&self, config: Config, now: Instant) -> Box<dyn view::Client>;
}

/// All states of a session.
pub(crate) const STATES: [State; 7] = [
    State::Greeting,
    State::Authorization,
    State::Handshake,
    State::Transaction,
    State::Update,
    State::Closed,
    State::Desync,
];

const TIMESTAMP: &str = "<1896.697170952@dbc.mtview.ca.us>";

/// A session whose clock does not advance.
pub(crate) struct Talk {
    session: Box<dyn view::Client>,
    now: Instant,
    pub(crate) error: Option<SessionError>,
}

impl Talk {
    fn connected(sessions: &dyn Sessions, profile: Profile, transport: Transport) -> Self {
        let now = Instant::now();
        Self {
            session: sessions.begin(Config::new(profile, transport), now),
            now,
            error: None,
        }
    }

    /// A session after the greeting and before TLS.
    fn without_tls(sessions: &dyn Sessions, profile: Profile) -> Self {
        let mut talk = Self::connected(sessions, profile, Transport::StlsRequired);
        talk.receive("+OK ready\r\n");
        talk
    }

    pub(crate) fn greeted(sessions: &dyn Sessions, profile: Profile) -> Self {
        let mut talk = Self::connected(sessions, profile, Transport::Tls);
        talk.receive(&format!("+OK ready {TIMESTAMP}\r\n"));
        talk
    }

    pub(crate) fn logged_in(sessions: &dyn Sessions, profile: Profile) -> Self {
        let mut talk = Self::greeted(sessions, profile);
        talk.ask(&user(), "+OK\r\n");
        talk.ask(&pass(), "+OK\r\n");
        talk
    }

    /// A session in that state.
    pub(crate) fn in_state(sessions: &dyn Sessions, profile: Profile, state: State) -> Self {
        let mut talk = match state {
            State::Greeting => Self::connected(sessions, profile, Transport::Tls),
            State::Handshake => {
                let mut talk = Self::without_tls(sessions, profile);
                talk.ask(&Command::Stls, "+OK\r\n");
                talk
            }
            State::Transaction | State::Update => Self::logged_in(sessions, profile),
            _ => Self::greeted(sessions, profile),
        };
        match state {
            State::Update | State::Closed => drop(talk.ask(&Command::Quit, "+OK\r\n")),
            State::Desync => drop(talk.receive("+OK nobody asked\r\n")),
            _ => {}
        }
        talk
    }

    pub(crate) fn state(&mut self) -> State {
        self.session.state()
    }

    /// The octets that the client sends for a command, or why it refuses.
    pub(crate) fn send(&mut self, command: &Command<'_>) -> Result<String, String> {
        let sent = match command {
            Command::Dele(number) => {
                let proof = self.session.proof(*number);
                let proof = proof.unwrap_or_else(|| ClientSession::held(*number));
                self.session.enqueue_dele(self.now, proof)
            }
            _ => self.session.enqueue(self.now, command),
        };
        sent.map_err(|error| error.to_string())?;
        let octets = self.session.transmit(self.now);
        Ok(octets.iter().map(|&octet| char::from(octet)).collect())
    }

    /// The client's events for what the server sends.
    pub(crate) fn receive(&mut self, octets: &str) -> Vec<ClientEvent> {
        let (mut said, mut rest) = (Vec::new(), octets.as_bytes());
        while !rest.is_empty() && self.error.is_none() {
            let heard = self.session.handle_input(self.now, rest);
            rest = &rest[heard.consumed..];
            said.extend(heard.said);
            self.error = heard.error;
        }
        said
    }

    /// The client's events for the reply to a command; none if it does not send
    /// the command.
    pub(crate) fn ask(&mut self, command: &Command<'_>, reply: &str) -> Vec<ClientEvent> {
        match self.send(command) {
            Ok(_) => self.receive(reply),
            Err(_) => Vec::new(),
        }
    }
}

/// The checks of all files.
pub(crate) fn checks() -> impl Iterator<Item = &'static Check<dyn Sessions>> {
    let files = [
        arguments::CHECKS,
        login::CHECKS,
        reading::CHECKS,
        states::CHECKS,
    ];
    files.into_iter().flatten()
}

/// The profiles of Outlook's releases.
pub(crate) fn outlook() -> impl Iterator<Item = Profile> {
    Profile::ALL
        .into_iter()
        .filter(|profile| *profile != Profile::RFC1939)
}

pub(crate) fn number(number: u32) -> MessageNumber {
    MessageNumber::new(number).expect("1 or more")
}

pub(crate) fn user() -> Command<'static> {
    Command::User(Argument::new("mrose").expect("a name"))
}

pub(crate) fn pass() -> Command<'static> {
    Command::Pass(Secret::new("tanstaaf").expect("a password"))
}

pub(crate) fn apop() -> Command<'static> {
    Command::Apop {
        name: Argument::new("mrose").expect("a name"),
        digest: Secret::new("c4c9334bac560ecc979e58001b3e22fb").expect("a digest"),
    }
}

#[test]
fn sessions_reach_each_state() {
    for profile in Profile::ALL {
        for state in STATES {
            let mut talk = Talk::in_state(&SOUND, profile, state);
            assert_eq!(talk.state(), state, "{}", profile.name);
        }
    }
}
