//! Replays a trace against a client.

use std::time::{Duration, Instant};

use pop3_proto::{
    Command, MessageNumber, Profile, Secret,
    client::{Config, Response, SessionError, State, Transport},
};

use super::{Item, Side, Trace, TraceError, Unclaimed, error};
use crate::view::{Client, ClientEvent, ClientSession, Clients};

pub(super) fn replay(
    trace: &Trace,
    (profile, transport): (Profile, Transport),
    clients: Clients,
    read: usize,
) -> Result<(), TraceError> {
    let now = Instant::now();
    let mut replay = Replay {
        session: clients(Config::new(profile, transport), now),
        now,
        read,
        input: Vec::new(),
        data: Vec::new(),
        held: Vec::new(),
        challenged: false,
        over: None,
        left: Unclaimed::default(),
    };
    for (line, item) in &trace.items {
        replay.item(*line, item)?;
    }
    replay.feed()?;
    replay.left.nothing('C', 'E')
}

struct Replay {
    session: Box<dyn Client>,
    now: Instant,
    read: usize,
    /// Octets from the server that the client has not read yet.
    input: Vec<u8>,
    /// Octets of a message, collected until another event occurs.
    data: Vec<u8>,
    held: Vec<u32>,
    challenged: bool,
    over: Option<SessionError>,
    left: Unclaimed,
}

impl Replay {
    fn item(&mut self, line: usize, item: &Item) -> Result<(), TraceError> {
        if let Item::Octets(Side::Server, octets) = item {
            if self.input.is_empty() {
                self.left.nothing('C', 'E')?;
            }
            self.input.extend_from_slice(octets);
            self.left.line = line;
            return Ok(());
        }
        self.feed()?;
        match item {
            Item::Octets(Side::Client, octets) => {
                self.left.no_events('E')?;
                if self.left.sent.is_empty() {
                    let Some(text) = octets.strip_suffix(b"\r\n") else {
                        return error(line, "our client sends whole lines");
                    };
                    if let Err(why) = self.send(text) {
                        return error(line, format!("our client refuses it: {why}"));
                    }
                    self.flush();
                }
                self.left.sent(line, 'C', octets)?;
            }
            Item::Ask(text) => {
                if let Err(why) = self.send(text) {
                    return error(line, format!("our client refuses it: {why}"));
                }
                self.left.line = line;
                self.flush();
            }
            Item::Refused(text, why) => {
                let refused = self.send(text).err();
                self.flush();
                if !refused
                    .as_ref()
                    .is_some_and(|refused| refused.starts_with(why))
                {
                    return error(line, format!("it is refused by {refused:?}, not `{why}`"));
                }
            }
            Item::Event(Side::Client, event) => self.left.event(line, event)?,
            Item::Eof(Side::Server) => {
                self.left.line = line;
                let ended = self.session.handle_eof();
                let ended = ended.map(|()| self.left.events.push_back("closed".to_owned()));
                self.over(ended.err());
            }
            Item::Held(number) => self.held.push(*number),
            Item::State(expected) => {
                let state = self.state();
                if state != expected.trim_end() {
                    return error(line, format!("the state is `{state}`, not `{expected}`"));
                }
            }
            Item::Tls => {
                self.left.nothing('C', 'E')?;
                self.left.line = line;
                if let Err(why) = self.session.handle_tls(self.now) {
                    let refused = format!("no handshake: {why}");
                    self.left.events.push_back(refused);
                }
            }
            Item::Wait(seconds) => {
                self.left.line = line;
                self.now += Duration::from_secs(*seconds);
                let timed_out = self.session.handle_timeout(self.now).err();
                self.over(timed_out);
            }
            Item::Octets(Side::Server, _) | Item::Event(Side::Server, _) | Item::Eof(_) => {}
        }
        Ok(())
    }

    /// Sends a command, or the response to a challenge.
    fn send(&mut self, text: &[u8]) -> Result<(), String> {
        let shown = |error: &dyn std::fmt::Debug| format!("{error:?}");
        if self.challenged {
            let text = String::from_utf8_lossy(text);
            let response = match &text[..] {
                "*" => Response::Cancel,
                "" => Response::Empty,
                base64 => Response::Base64(Secret::new(base64).map_err(|error| shown(&error))?),
            };
            let sent = self.session.respond(self.now, response);
            self.challenged = sent.is_err();
            return sent.map_err(|error| shown(&error));
        }
        let command = Command::parse(text).map_err(|error| format!("{:?}", error.kind()))?;
        let sent = match command {
            Command::Dele(number) => match self.proof(number) {
                Some(proof) => self.session.enqueue_dele(self.now, proof),
                None => return Err("there is no proof".to_owned()),
            },
            _ => self.session.enqueue(self.now, &command),
        };
        sent.map_err(|error| shown(&error))
    }

    fn proof(&mut self, number: MessageNumber) -> Option<pop3_proto::client::DeleteProof> {
        match self.held.contains(&number.get()) {
            true => Some(ClientSession::held(number)),
            false => self.session.proof(number),
        }
    }

    fn feed(&mut self) -> Result<(), TraceError> {
        if self.input.is_empty() {
            return Ok(());
        }
        let input = std::mem::take(&mut self.input);
        'input: for chunk in input.chunks(self.read.min(input.len())) {
            let (mut rest, mut idle) = (chunk, 0);
            while !rest.is_empty() {
                let heard = self.session.handle_input(self.now, rest);
                rest = &rest[heard.consumed..];
                idle = match heard.consumed == 0 && heard.said.is_empty() {
                    true => idle + 1,
                    false => 0,
                };
                heard.said.into_iter().for_each(|said| self.said(said));
                if heard.error.is_some() {
                    self.over(heard.error);
                    break 'input;
                }
                if idle > 3 {
                    return error(self.left.line, "our client makes no progress");
                }
            }
        }
        self.said_data();
        self.flush();
        Ok(())
    }

    fn flush(&mut self) {
        let octets = self.session.transmit(self.now);
        self.left.sent.extend(octets);
    }

    fn said(&mut self, said: ClientEvent) {
        if let ClientEvent::Data(octets) = said {
            self.data.extend(octets);
            return;
        }
        self.said_data();
        self.challenged = matches!(said, ClientEvent::Challenge(_));
        self.left.events.push_back(said.to_string());
    }

    fn said_data(&mut self) {
        if !self.data.is_empty() {
            let data = ClientEvent::Data(std::mem::take(&mut self.data));
            self.left.events.push_back(data.to_string());
        }
    }

    fn over(&mut self, error: Option<SessionError>) {
        if error.is_none() || error == self.over {
            return;
        }
        self.said_data();
        self.over = error;
        let error = error.map(|error| format!("error {error:?}"));
        self.left.events.extend(error);
    }

    fn state(&mut self) -> String {
        let mut words = vec![self.session.state().to_string()];
        if self.session.is_under_tls() {
            words.push("tls".to_owned());
        }
        let capabilities = self.session.capabilities();
        if capabilities.is_known() {
            let word = if capabilities.is_stale() {
                "stale"
            } else {
                "capa"
            };
            words.push(word.to_owned());
        }
        if self.session.state() == State::Authorization && self.session.apop_timestamp().is_some() {
            words.push("apop".to_owned());
        }
        words.join(" ")
    }
}
