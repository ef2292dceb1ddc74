//! Opens sessions with the server as they are needed, and records their incidents.

use std::{io, rc::Rc, time::Instant};

use pop3_proto::{Capability, ReplyKind};

use super::{
    Account, Limits, Protection, Unable,
    connection::Network,
    dialogue::{Answer, Dialogue, Trouble, TroubleKind},
    evidence::Secrets,
};

mod login;

/// Opens sessions, and keeps what is known about the server.
pub(super) struct Prober<'n> {
    network: &'n mut dyn Network,
    account: &'n Account<'n>,
    pub(super) limits: Limits,
    pub(super) secrets: Secrets,
    end: Instant,
    dialogue: Option<Dialogue>,
    /// Why no further session is possible.
    hopeless: Option<Trouble>,
    connections: u32,
    capa_fails: bool,
    has_logged_in: bool,
    /// Whether this connection is in the TRANSACTION state.
    has_session: bool,
    /// Whether the last command was refused, after which a server may close.
    was_refused: bool,
    pub(super) is_tls: bool,
    is_local: bool,
    /// The lines of the last answer to CAPA.
    pub(super) capabilities: Vec<Vec<u8>>,
    pub(super) incidents: Vec<Incident>,
    /// STLS in a session: whether it worked, and the dialogue.
    pub(super) stls: Option<(bool, String)>,
    /// The login that succeeded, without the password.
    pub(super) login: Option<String>,
}

/// A fault in a reply.
#[derive(Clone, Debug)]
pub(super) struct Incident {
    pub(super) kind: IncidentKind,
    pub(super) shown: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IncidentKind {
    Trouble(TroubleKind),
    /// The first line begins with neither `+OK` nor `-ERR`.
    Inexact,
    /// Unsolicited octets arrived.
    Unasked,
}

impl<'n> Prober<'n> {
    pub(super) fn new(
        network: &'n mut dyn Network,
        account: &'n Account<'n>,
        limits: Limits,
    ) -> Self {
        let end = network.now() + limits.run;
        Self {
            network,
            account,
            limits,
            secrets: Secrets(Rc::clone(&account.repeats)),
            end,
            dialogue: None,
            hopeless: None,
            connections: 0,
            capa_fails: false,
            has_logged_in: false,
            has_session: false,
            was_refused: false,
            is_tls: false,
            is_local: false,
            capabilities: Vec::new(),
            incidents: Vec::new(),
            stls: None,
            login: None,
        }
    }

    /// Connects, and reads the greeting.
    pub(super) fn connect(&mut self) -> Result<Answer, Unable> {
        self.drop_connection();
        if let Some(trouble) = &self.hopeless {
            return Ok(Err(trouble.clone()));
        }
        let left = self.end.saturating_duration_since(self.network.now());
        if self.connections >= self.limits.connections || left.is_zero() {
            let kind = TroubleKind::OutOfTime;
            let shown = "(no more connections in this run)".to_owned();
            self.hopeless = Some(Trouble { kind, shown });
            return Ok(Err(Trouble::none()));
        }
        self.connections += 1;
        self.was_refused = false;
        let connected = self.network.connect(left.min(self.limits.connect));
        let connection = match connected.map_err(|error| self.secrets.error(error)) {
            Ok(connection) => connection,
            Err(error) if self.connections == 1 => return Err(Unable::Connect(error)),
            Err(error) => {
                let shown = format!("(no connection: {error})");
                let kind = TroubleKind::NoSession;
                self.hopeless = Some(Trouble { kind, shown });
                return Ok(Err(Trouble::none()));
            }
        };
        self.is_tls = self.account.protection == Protection::Implicit;
        self.is_local = connection.is_local();
        let secrets = self.secrets.clone();
        let dialogue = Dialogue::new(connection, self.limits, secrets, self.end);
        let greeting = self
            .dialogue
            .insert(dialogue)
            .reply(self.network, ReplyKind::Line);
        self.note(&greeting, true);
        // Another try would not be better, and each wait is long.
        self.hopeless = match &greeting {
            Err(trouble) => Some(trouble.clone()),
            Ok(reply) if !reply.is_reply() => Some(Trouble {
                kind: TroubleKind::NoSession,
                shown: format!("{}\n(this is not POP3)", reply.shown),
            }),
            Ok(_) => None,
        };
        if self.hopeless.is_some() {
            self.drop_connection();
        }
        Ok(greeting)
    }

    /// Sends a command on the current connection, whatever its state.
    pub(super) fn ask_here(&mut self, command: &str, kind: ReplyKind) -> Answer {
        let answer = self.exchange(command, kind);
        self.note(&answer, true);
        answer
    }

    /// Sends a command whose argument is secret.
    pub(super) fn tell_here(&mut self, keyword: &str, secret: &str) -> Answer {
        let shown = format!("C: {keyword} ***");
        let command = format!("{keyword} {secret}");
        let answer = self.exchange_shown(&command, &shown, ReplyKind::Line);
        self.note(&answer, true);
        answer
    }

    /// Sends a command that no client sends; the row that sent it judges a missing
    /// answer.
    pub(super) fn probe_here(&mut self, command: &str, kind: ReplyKind) -> Answer {
        let answer = self.exchange(command, kind);
        self.note(&answer, false);
        answer
    }

    /// Sends a command in the TRANSACTION state, in a new session if the last one
    /// has ended.
    pub(super) fn ask(&mut self, command: &str, kind: ReplyKind) -> Answer {
        let answer = self.exchange_in_session(command, kind)?;
        self.note(&answer, true);
        answer
    }

    /// See [`probe_here`](Self::probe_here).
    pub(super) fn probe(&mut self, command: &str, kind: ReplyKind) -> Answer {
        let answer = self.exchange_in_session(command, kind)?;
        self.note(&answer, false);
        answer
    }

    /// Sends a command, if there is a session. If the server closed after the
    /// previous command, that is not an answer to this one.
    fn exchange_in_session(&mut self, command: &str, kind: ReplyKind) -> Result<Answer, Trouble> {
        self.enter_if_needed()?;
        let answer = self.exchange(command, kind);
        if !self.ended_after_refusal(&answer) {
            return Ok(answer);
        }
        self.enter_if_needed()?;
        Ok(self.exchange(command, kind))
    }

    fn ended_after_refusal(&self, answer: &Answer) -> bool {
        let is_close = matches!(answer, Err(trouble) if trouble.kind.is_close());
        is_close && self.was_refused
    }

    /// Sends several commands together, and returns their answers in order.
    pub(super) fn pipeline(&mut self, commands: &[(&str, ReplyKind)]) -> Vec<Answer> {
        let answers = self.pipeline_once(commands);
        match answers.first() {
            Some(first) if self.ended_after_refusal(first) => self.pipeline_once(commands),
            _ => answers,
        }
    }

    fn pipeline_once(&mut self, commands: &[(&str, ReplyKind)]) -> Vec<Answer> {
        if let Err(trouble) = self.enter_if_needed() {
            return vec![Err(trouble)];
        }
        let Some(dialogue) = &mut self.dialogue else {
            return Vec::new();
        };
        let lines: String = commands
            .iter()
            .map(|(command, _)| format!("{command}\r\n"))
            .collect();
        if let Err(trouble) = dialogue.send(self.network, lines.as_bytes()) {
            return vec![Err(trouble)];
        }
        let mut answers = Vec::new();
        for (_, kind) in commands {
            let answer = dialogue.reply(self.network, *kind);
            let is_last = answer.is_err();
            answers.push(answer);
            if is_last {
                break;
            }
        }
        answers
    }

    /// Returns what else arrives within a short time.
    pub(super) fn linger(&mut self) -> Option<String> {
        self.dialogue.as_mut()?.linger(self.network)
    }

    /// Whether the server closes the connection now, if there is time to see it.
    pub(super) fn ends(&mut self) -> Option<bool> {
        self.notice_unasked();
        let network = &*self.network;
        let ends = self
            .dialogue
            .as_mut()
            .and_then(|dialogue| dialogue.ends(network));
        self.drop_connection();
        ends
    }

    /// Closes the connection without QUIT.
    pub(super) fn drop_connection(&mut self) {
        self.dialogue = None;
        self.has_session = false;
        self.is_tls = false;
    }

    /// Whether there is a connection that is in step.
    pub(super) fn is_open(&self) -> bool {
        self.dialogue
            .as_ref()
            .is_some_and(|dialogue| !dialogue.broken)
    }

    /// Why there can be no more sessions, if that is so.
    pub(super) fn hopeless(&self) -> Option<String> {
        let trouble = self.hopeless.as_ref()?;
        Some(trouble.shown.clone())
    }

    /// Asks for the capabilities of this connection, and keeps them if there are
    /// any.
    pub(super) fn capa(&mut self) -> Option<Answer> {
        if self.capa_fails {
            return None;
        }
        let answer = self.ask_here("CAPA", ReplyKind::Listing);
        match &answer {
            Ok(reply) if reply.positive => self.capabilities = lines(&reply.block),
            _ => self.capa_fails = true,
        }
        Some(answer)
    }

    /// Whether a capability was announced.
    pub(super) fn announces(&self, is: impl Fn(&Capability<'_>) -> bool) -> bool {
        let mut lines = self.capabilities.iter();
        lines.any(|line| Capability::parse(line).is_ok_and(|capability| is(&capability)))
    }

    /// Does the TLS handshake. Returns what was received before it.
    pub(super) fn start_tls(&mut self) -> io::Result<String> {
        let Some(dialogue) = &mut self.dialogue else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        let done = dialogue.start_tls(self.network);
        self.is_tls = done.is_ok();
        done
    }

    /// Sends commands, and reads no answer yet.
    pub(super) fn send_here(&mut self, octets: &[u8]) -> Result<(), Trouble> {
        match &mut self.dialogue {
            Some(dialogue) => dialogue.send(self.network, octets),
            None => Err(Trouble::none()),
        }
    }

    /// Reads an answer.
    pub(super) fn read_here(&mut self, kind: ReplyKind) -> Answer {
        match &mut self.dialogue {
            Some(dialogue) => dialogue.reply(self.network, kind),
            None => Err(Trouble::none()),
        }
    }

    /// Ends the session if unsolicited octets follow a reply, because they might be
    /// read as the next reply.
    fn notice_unasked(&mut self) {
        if let Some(shown) = self.dialogue.as_mut().and_then(Dialogue::unasked) {
            let kind = IncidentKind::Unasked;
            self.incidents.push(Incident { kind, shown });
        }
    }

    fn exchange(&mut self, command: &str, kind: ReplyKind) -> Answer {
        self.exchange_shown(command, &Secrets::sent(command.as_bytes()), kind)
    }

    fn exchange_shown(&mut self, command: &str, shown: &str, kind: ReplyKind) -> Answer {
        self.notice_unasked();
        let Some(dialogue) = &mut self.dialogue else {
            return Err(Trouble::none());
        };
        let command = format!("{command}\r\n");
        let answer = dialogue.ask(self.network, (command.as_bytes(), shown), kind);
        if let Ok(reply) = &answer {
            self.was_refused = !reply.positive;
        }
        answer
    }

    /// Records silence after [`probe_here`](Self::probe_here): the server may
    /// close, but must not keep the client waiting.
    pub(super) fn note_silence(&mut self, answer: &Answer) {
        if matches!(answer, Err(trouble) if trouble.kind == TroubleKind::Silent) {
            self.note(answer, true);
        }
    }

    fn note(&mut self, answer: &Answer, counts: bool) {
        let kind = match answer {
            Ok(reply) if !reply.exact => IncidentKind::Inexact,
            Ok(_) => return,
            Err(trouble) if !counts && trouble.kind.is_unanswered() => return,
            Err(_) if self.ended_after_refusal(answer) => return,
            Err(trouble) => IncidentKind::Trouble(trouble.kind),
        };
        let shown = match answer {
            Ok(reply) => reply.shown.clone(),
            Err(trouble) => trouble.shown.clone(),
        };
        self.incidents.push(Incident { kind, shown });
    }
}

/// The lines of a block, without their CRLF.
pub(super) fn lines(block: &[u8]) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    let mut rest = block;
    while !rest.is_empty() {
        let end = rest.windows(2).position(|pair| pair == b"\r\n");
        let (line, next) = match end {
            Some(end) => (&rest[..end], &rest[end + 2..]),
            None => (rest, &rest[rest.len()..]),
        };
        lines.push(line.to_vec());
        rest = next;
    }
    lines
}
