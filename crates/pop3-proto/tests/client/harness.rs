//! A session with a clock that moves only if told to, and its events as lines of
//! text.

use std::time::{Duration, Instant};

use pop3_proto::client::{
    ClientError, Config, End, Event, Response, Session, SessionError, State, Transport,
};
use pop3_proto::{Argument, Command, MessageNumber, Profile, Secret};

pub(crate) struct Client {
    pub(crate) session: Session,
    pub(crate) now: Instant,
    /// Octets per read; 0 for everything at once.
    pub(crate) read: usize,
    pub(crate) sent: Vec<u8>,
    pub(crate) ends: Vec<End>,
}

pub(crate) fn config() -> Config {
    Config::new(Profile::RFC1939, Transport::Tls)
}

pub(crate) fn outlook() -> Config {
    Config::new(Profile::OUTLOOK_2024, Transport::Tls)
}

pub(crate) fn number(number: u32) -> MessageNumber {
    MessageNumber::new(number).unwrap()
}

pub(crate) fn user() -> Command<'static> {
    Command::User(Argument::new("mrose").unwrap())
}

pub(crate) fn pass() -> Command<'static> {
    Command::Pass(Secret::new("tanstaaf").unwrap())
}

impl Client {
    pub(crate) fn new(config: Config) -> Self {
        let now = Instant::now();
        Self {
            session: Session::new(config, now),
            now,
            read: 0,
            sent: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// A session after the greeting.
    pub(crate) fn greeted(config: Config) -> Self {
        let mut client = Self::new(config);
        assert_eq!(client.feed(b"+OK ready\r\n"), ["greeting + ready"]);
        client
    }

    /// A session after the login.
    pub(crate) fn in_transaction(config: Config) -> Self {
        let mut client = Self::greeted(config);
        assert_eq!(client.ask(&user(), b"+OK\r\n"), ["USER + "]);
        assert_eq!(client.ask(&pass(), b"+OK\r\n"), ["PASS + "]);
        assert_eq!(client.session.state(), State::Transaction);
        client.sent.clear();
        client
    }

    pub(crate) fn flush(&mut self) {
        while let Some(octets) = self.session.poll_transmit() {
            let octets = octets.to_vec();
            self.sent.extend_from_slice(&octets);
            self.session.handle_transmitted(self.now, octets.len());
        }
    }

    pub(crate) fn send(&mut self, command: &Command<'_>) -> Result<(), ClientError> {
        self.session.enqueue(self.now, command)?;
        self.flush();
        Ok(())
    }

    pub(crate) fn respond(&mut self, response: Response<'_>) {
        self.session.respond(self.now, response).unwrap();
        self.flush();
    }

    /// Sends a command and feeds the server's answer.
    pub(crate) fn ask(&mut self, command: &Command<'_>, answer: &[u8]) -> Vec<String> {
        self.send(command).unwrap();
        self.feed(answer)
    }

    /// Returns the events for these octets; the error comes last, if there is one.
    pub(crate) fn feed(&mut self, input: &[u8]) -> Vec<String> {
        let mut said: Vec<String> = Vec::new();
        let size = if self.read == 0 {
            input.len()
        } else {
            self.read
        };
        for read in input.chunks(size.max(1)) {
            let mut rest = read;
            let mut stuck = 0;
            while !rest.is_empty() {
                let step = match self.session.handle_input(self.now, rest) {
                    Ok(step) => step,
                    Err(error) => {
                        said.push(format!("error {error:?}"));
                        return said;
                    }
                };
                stuck = if step.consumed == 0 { stuck + 1 } else { 0 };
                assert!(stuck < 3, "no progress");
                rest = &rest[step.consumed..];
                if let Some(Event::End(end)) = step.event {
                    self.ends.push(end);
                }
                match (step.event.map(|event| show(&event)), said.last_mut()) {
                    (Some(data), Some(last))
                        if data.starts_with("data ") && last.starts_with("data ") =>
                    {
                        last.push_str(&data[5..]);
                    }
                    (Some(event), _) => said.push(event),
                    (None, _) => {}
                }
            }
        }
        // Flushes here and not between reads: which octets arrive before a command
        // is sent must not depend on the size of the reads.
        self.flush();
        said
    }

    pub(crate) fn eof(&mut self) -> Result<(), SessionError> {
        self.session.handle_eof()
    }

    pub(crate) fn wait(&mut self, seconds: u64) -> Result<(), SessionError> {
        self.now += Duration::from_secs(seconds);
        self.session.handle_timeout(self.now)
    }

    /// Asserts that the session is in Desync and stays there.
    pub(crate) fn assert_over(&mut self, error: SessionError) {
        assert_eq!(self.session.state(), State::Desync);
        assert!(self.session.poll_transmit().is_none());
        assert!(self.session.poll_timeout().is_none());
        assert_eq!(self.session.handle_input(self.now, b"+OK\r\n"), Err(error));
        assert_eq!(self.session.handle_timeout(self.now), Err(error));
        assert_eq!(self.session.handle_eof(), Err(error));
        for command in [Command::Quit, Command::Noop, Command::Capa, user()] {
            let refused = self.session.enqueue(self.now, &command);
            assert!(matches!(
                refused,
                Err(ClientError::WrongState {
                    state: State::Desync,
                    ..
                })
            ));
        }
    }
}

fn show(event: &Event<'_>) -> String {
    let sign = |positive| if positive { '+' } else { '-' };
    match event {
        Event::Greeting(status) => format!(
            "greeting {} {}",
            sign(status.is_positive()),
            status.text().escape_ascii()
        ),
        Event::Status(reply) => format!(
            "{} {} {}",
            reply.request.keyword(),
            sign(reply.is_positive()),
            reply.status.text().escape_ascii()
        ),
        Event::Challenge(octets) => format!("challenge {}", octets.escape_ascii()),
        Event::Data(octets) => format!("data {}", octets.escape_ascii()),
        Event::Scan(listing) => format!("{} {}", listing.number, listing.octets),
        Event::UniqueId(listing) => format!("{} {}", listing.number, listing.unique_id),
        Event::Capability(capability) => capability.to_string(),
        Event::Line(line) => format!("line {}", line.escape_ascii()),
        Event::Malformed(error) => format!("malformed {error}"),
        Event::End(end) => format!("end {}", end.complete.octets),
        _ => unreachable!(),
    }
}
