//! Our client joined with our server: the client's events and the final maildrop
//! must match the model.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::{Duration, Instant},
};

use pop3_proto::{
    Command, MessageNumber, Profile, Secret,
    client::{Config, DeleteProof, Delivered, Response, Retrieved, SessionError, State, Timer},
    server::{Closed, MIN_AUTOLOGOUT},
};

use crate::{
    generate::{Op, Script},
    joined::{Joined, Turn},
    oracle::{self, Answer, Ended, PLAIN, Setup},
    store::Store,
};

/// The messages that [`Op::Deliver`] delivers.
const NEW_MAIL: &[u8] = b".A: b\r\n..\n\n.\r\n.c";

/// The configuration of the server of [`Joined`].
const SETUP: Setup = Setup {
    offers_all: false,
    in_trouble: false,
    passwords_need_tls: false,
    no_stls: true,
    mechanisms: &["PLAIN"],
    refusal: oracle::account,
};

/// Runs the sessions of the script one after another with one maildrop.
pub fn duplex(script: &Script) {
    let store = Store::default();
    let mut postman = Postman::default();
    let messages = script.messages.iter();
    let delivered = messages.map(|message| postman.deliver(&store, &message.0));
    let mut held: Vec<_> = delivered.collect();
    let mut proofs = BTreeMap::new();
    let mut now = Instant::now();
    let mut dialogue: Option<Dialogue> = None;
    for &operation in &script.operations {
        if let Op::Deliver = operation {
            let mail = postman.deliver(&store, NEW_MAIL);
            if let Some(open) = &mut dialogue {
                open.mail_came(&mail);
            }
            held.push(mail);
            continue;
        }
        let open = dialogue.get_or_insert_with(|| Dialogue::new(script, &store, &held, now));
        open.go_on(operation, &mut proofs);
        if open.joined.is_over() {
            now = open.joined.now;
            held = open.finish(&store, &held);
            dialogue = None;
        }
    }
    if let Some(mut open) = dialogue {
        open.go_on(Op::Settle, &mut proofs);
        if !open.joined.is_over() {
            open.go_on(Op::HangUp(true), &mut proofs);
        }
        open.finish(&store, &held);
    }
}

/// Delivers mail, each message with its own unique-id.
#[derive(Default)]
struct Postman(u32);

impl Postman {
    fn deliver(&mut self, store: &Store, octets: &[u8]) -> (String, Vec<u8>) {
        self.0 += 1;
        store.deliver(&format!("<uid.{}", self.0), octets)
    }
}

/// A session and its model.
struct Dialogue {
    joined: Joined,
    model: oracle::Server,
    /// The lines without an answer so far, with the answer that the client must
    /// receive.
    expected: VecDeque<(Vec<u8>, Answer)>,
    /// The messages whose DELE has no reply yet.
    deleting: BTreeSet<u32>,
    /// The messages that the client has retrieved in this session.
    retrieved: BTreeSet<u32>,
    /// Whether the server announced PIPELINING since the login.
    announced: bool,
    /// Whether the last answer was a challenge.
    challenged: bool,
    greeted: bool,
    config: Config,
}

impl Dialogue {
    fn new(script: &Script, store: &Store, held: &[(String, Vec<u8>)], now: Instant) -> Self {
        Self {
            joined: Joined::new(script.config.clone(), store, script.cuts, script.seed, now),
            model: oracle::Server::new(SETUP, held.to_vec()),
            expected: VecDeque::from([(b"the greeting".to_vec(), Answer::Yes(None, None))]),
            deleting: BTreeSet::new(),
            retrieved: BTreeSet::new(),
            announced: false,
            challenged: false,
            greeted: false,
            config: script.config.clone(),
        }
    }

    fn go_on(&mut self, operation: Op, proofs: &mut BTreeMap<u32, Retrieved>) {
        match operation {
            Op::Send(command) => self.send(&command, None),
            Op::Dele(number) => {
                let proof = Delivered::in_an_earlier_session(number);
                self.send(&Command::Dele(number), Some(proof.into()));
            }
            Op::DeleRetrieved(number) => match proofs.get(&number.get()) {
                Some(&proof) => self.dele_retrieved(number, proof),
                None => self.send(&Command::Dele(number), None),
            },
            Op::Respond(right) => self.respond(right),
            Op::HangUp(lost) => {
                self.joined.hang_up(lost);
                self.compare();
            }
            Op::Wait(time) => self.wait(time),
            Op::Settle => self.settle(),
            Op::Step(moves) => {
                let _ = (0..moves).all(|_| self.joined.step());
                self.compare();
            }
            Op::Deliver => {}
        }
        proofs.extend(&self.joined.proofs);
    }

    /// A session that has locked the maildrop does not see new mail.
    fn mail_came(&mut self, mail: &(String, Vec<u8>)) {
        if !self.model.logged_in {
            self.model.marks.push(false);
            self.model.messages.push(mail.clone());
        }
    }

    /// When all replies have arrived, the model knows whether the client may send a
    /// command. The command must never name a message whose DELE has no reply yet.
    fn send(&mut self, command: &Command<'_>, proof: Option<DeleteProof>) {
        let joined = &mut self.joined;
        let is_idle = self.greeted && joined.ended.is_none() && joined.client.is_idle();
        let sent = match proof {
            Some(proof) => joined.client.enqueue_dele(joined.now, proof),
            None => joined.client.enqueue(joined.now, command),
        };
        if sent.is_ok() {
            joined.client_acted = joined.now;
        }
        if is_idle && joined.closed.is_none() {
            let is_dele = matches!(command, Command::Dele(_));
            let may = self.may_send(command) && (proof.is_some() || !is_dele);
            assert_eq!(sent.is_ok(), may, "{command:?}: {sent:?}");
        }
        if let Some(number) = named(command).filter(|_| sent.is_ok()) {
            assert!(!self.deleting.contains(&number.get()), "{command:?}");
            self.deleting.extend(proof.map(|_| number.get()));
        }
    }

    fn dele_retrieved(&mut self, number: MessageNumber, proof: Retrieved) {
        if self.joined.proofs.get(&number.get()) == Some(&proof) {
            return self.send(&Command::Dele(number), Some(proof.into()));
        }
        let sent = self.joined.client.enqueue_dele(self.joined.now, proof);
        assert!(sent.is_err(), "the proof of an earlier session");
    }

    fn may_send(&self, command: &Command<'_>) -> bool {
        let model = &self.model;
        let is_marked = |number: MessageNumber| model.marks.get(number.index()) == Some(&true);
        let is_outlook = self.config.profile != Profile::RFC1939;
        match *command {
            _ if model.ended.is_some() => false,
            Command::Pass(_) => model.named.is_some(),
            Command::Quit => true,
            _ if model.named.is_some() => false,
            Command::Capa => true,
            Command::User(_) | Command::Auth { .. } => !model.logged_in,
            _ if !model.logged_in => false,
            Command::Rset | Command::List(Some(_)) | Command::Uidl(Some(_)) if is_outlook => false,
            _ => !named(command).is_some_and(is_marked),
        }
    }

    fn respond(&mut self, right: bool) {
        let response = match right {
            true => Response::Base64(Secret::new(PLAIN).expect("base64")),
            false => Response::Cancel,
        };
        let joined = &mut self.joined;
        let is_due = self.challenged && joined.ended.is_none();
        let sent = joined.client.respond(joined.now, response);
        assert_eq!(sent.is_ok(), is_due, "{sent:?}");
        if is_due {
            joined.client_acted = joined.now;
            self.challenged = false;
        }
    }

    /// Requires that nothing is left to do: all lines are answered.
    fn settle(&mut self) {
        self.joined.settle();
        self.compare();
        if self.joined.ended.is_none() {
            assert!(self.expected.is_empty(), "not told: {:?}", self.expected);
            assert!(self.challenged || self.joined.client.is_idle());
            let is_in_transaction = self.joined.client.state() == State::Transaction;
            assert_eq!(is_in_transaction, self.model.logged_in);
        }
    }

    /// Requires that the timers have the right times, and that the first one to
    /// expire ends its session.
    fn wait(&mut self, time: Duration) {
        let (timer, due) = self.client_timer();
        let joined = &mut self.joined;
        let (client, server) = (joined.client.poll_timeout(), joined.autologout());
        let is_answered = matches!(joined.client.state(), State::Update | State::Closed);
        let due = Some(due).filter(|_| !is_answered);
        assert_eq!(client, due, "{timer}");
        match server {
            Some(server) => assert_eq!(server, joined.server_acted + MIN_AUTOLOGOUT),
            None => assert!(self.model.ended.is_some(), "the server waits for ever"),
        }
        let end = joined.now + time;
        joined.wait(time);
        let is_first = |one: Option<Instant>| one.is_some() && one <= Some(end);
        let client_is_first =
            is_first(client) && server.is_none_or(|server| client <= Some(server));
        let timeout = Some(Err(SessionError::Timeout(timer)));
        assert_eq!(joined.ended == timeout, client_is_first, "{timer}");
        let autologout = joined.closed == Some(Closed::Autologout);
        assert_eq!(autologout, is_first(server) && !client_is_first);
        if client_is_first {
            joined.hang_up(true);
        }
        self.settle();
    }

    fn client_timer(&self) -> (Timer, Instant) {
        let timer = match () {
            () if !self.greeted => Timer::Greeting,
            () if self.challenged || self.joined.client.is_idle() => Timer::Idle,
            () => Timer::Reply,
        };
        let time = match timer {
            Timer::Greeting => self.config.timeouts.greeting,
            Timer::Idle => self.config.timeouts.idle,
            _ => self.config.timeouts.reply,
        };
        (timer, self.joined.client_acted + time)
    }

    /// Requires that the client was told what the model says about the lines that
    /// the server has read.
    fn compare(&mut self) {
        for turn in std::mem::take(&mut self.joined.turns) {
            match turn {
                Turn::Read(line) => self.read(line),
                Turn::Told(answer) => {
                    let next = self.expected.pop_front();
                    let (line, expected) = next.expect("an answer to something");
                    assert_eq!(answer, expected, "{}", line.escape_ascii());
                    self.told(&line, &answer);
                }
            }
        }
        let proofs = self.joined.proofs.keys();
        assert!(proofs.eq(&self.retrieved), "proofs of {:?}", self.retrieved);
    }

    /// Records a line that the server has read. It must be the only one without an
    /// answer, unless the client may pipeline and the lines fit the window.
    fn read(&mut self, line: Vec<u8>) {
        assert!(
            self.model.ended.is_none(),
            "{} after QUIT",
            line.escape_ascii()
        );
        let answer = match self.model.answer(&line) {
            Answer::No(_) => Answer::No(None),
            answer => answer,
        };
        self.expected.push_back((line, answer));
        let window = match self.config.pipelining && self.announced {
            true => self.config.limits.window_octets,
            false => 0,
        };
        let octets: usize = self.expected.iter().map(|(line, _)| line.len() + 2).sum();
        let is_alone = self.expected.len() == 1;
        assert!(
            is_alone || octets <= window,
            "too early: {:?}",
            self.expected
        );
    }

    /// Records the answer that the client has received to a line.
    fn told(&mut self, line: &[u8], answer: &Answer) {
        let line = String::from_utf8_lossy(line);
        self.greeted = true;
        self.challenged = *answer == Answer::Challenge;
        match (line.split_once(' '), answer) {
            (Some(("RETR", number)), Answer::Yes(..)) => {
                self.retrieved.extend(number.parse::<u32>());
            }
            (Some(("DELE", number)), _) => {
                self.deleting
                    .retain(|deleting| deleting.to_string() != number);
            }
            (None, Answer::Yes(..)) if line == "CAPA" => self.announced = true,
            (Some(("PASS" | "AUTH", _)), _) => self.announced = false,
            // The line is the response to a challenge.
            _ if line == PLAIN => self.announced = false,
            _ => {}
        }
    }

    /// Requires that both ends know how the session ended, that the received part
    /// of a block is its beginning, and that the store contains what QUIT did not
    /// delete: the messages that the model leaves, and mail that arrived meanwhile.
    fn finish(&self, store: &Store, held: &[(String, Vec<u8>)]) -> Vec<(String, Vec<u8>)> {
        let Self { joined, model, .. } = self;
        let expected: &[Closed] = match model.ended {
            Some(Ended::Updated) => &[Closed::Updated],
            Some(_) => &[Closed::Quit],
            None => &[Closed::Eof, Closed::Autologout],
        };
        let closed = joined.closed;
        assert!(closed.is_some_and(|closed| expected.contains(&closed)));
        match joined.client.state() {
            State::Update => assert_eq!(model.ended, Some(Ended::Updated)),
            State::Closed => assert_eq!(model.ended, Some(Ended::Quit)),
            state => assert_eq!(state, State::Desync),
        }
        let is_desync = joined.client.state() == State::Desync;
        assert_eq!(joined.ended.is_some_and(|ended| ended.is_err()), is_desync);
        let cut_off = match self.expected.front() {
            Some((_, Answer::Yes(_, Some(block)))) => &block[..],
            _ => b"",
        };
        assert!(cut_off.starts_with(&joined.block), "{:?}", joined.block);
        let mut left = model.left();
        left.extend_from_slice(&held[model.messages.len()..]);
        assert_eq!(store.messages(), left);
        assert!(store.lock().is_some(), "the lock is given back");
        left
    }
}

/// Returns the message that a command names.
fn named(command: &Command<'_>) -> Option<MessageNumber> {
    match *command {
        Command::Retr(number) | Command::Top(number, _) | Command::Dele(number) => Some(number),
        Command::List(number) | Command::Uidl(number) => number,
        _ => None,
    }
}
