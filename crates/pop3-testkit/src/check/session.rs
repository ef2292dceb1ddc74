//! Sessions with a hostile peer: how its octets are cut changes nothing, an
//! error is final, and every call makes progress.

use std::{io, time::Instant};

use pop3_proto::{
    Argument, Command, MessageNumber, Profile, Secret, UniqueId,
    client::{self, Event, Transport},
    server::{self, Maildrop, Verdict},
};

use crate::chunk;

/// A client with a script, and any octets as the server's. The first octet
/// draws the profile and where in the script it goes on after login.
pub fn client_session(input: &[u8]) {
    let Some((&header, wire)) = input.split_first() else {
        return;
    };
    let now = Instant::now();
    let seed = chunk::seed(input);
    let whole = client_log(header, &[wire], now);
    for plan in [
        chunk::drawn_plan(wire, seed),
        chunk::drawn_plan(wire, !seed),
    ] {
        assert_eq!(client_log(header, &plan, now), whole, "{plan:?}");
    }
}

/// What a client made of it, a line an event; message octets joined.
fn client_log(header: u8, chunks: &[&[u8]], now: Instant) -> Vec<String> {
    let profile = Profile::ALL[usize::from(header & 15) % Profile::ALL.len()];
    let mut session = client::Session::new(client::Config::new(profile, Transport::Tls), now);
    let mut script = script(header >> 4);
    let mut log = Vec::new();
    let mut data = Vec::new();
    for &chunk in chunks {
        let mut input = chunk;
        let mut idle = 0;
        while !input.is_empty() {
            let step = match session.handle_input(now, input) {
                Ok(step) => step,
                Err(error) => {
                    assert_eq!(
                        session.handle_input(now, b"+OK\r\n").err(),
                        Some(error),
                        "final"
                    );
                    assert_eq!(session.handle_eof(), Err(error), "final");
                    log.push(format!("{} {error:?}", data.escape_ascii()));
                    return log;
                }
            };
            idle = if step.consumed == 0 && step.event.is_none() {
                idle + 1
            } else {
                0
            };
            assert!(idle < 3, "progress");
            let consumed = step.consumed;
            let is_over = match step.event {
                None => false,
                Some(Event::Data(octets)) => {
                    data.extend_from_slice(octets);
                    false
                }
                Some(event) => {
                    let shown = match &event {
                        // A proof is of its session, and no two are the same.
                        Event::End(end) => {
                            let proof = end.retrieved.is_some();
                            let counts = (end.entries, end.malformed, end.highest);
                            format!("{:?} {:?} {proof} {counts:?}", end.request, end.complete)
                        }
                        event => format!("{event:?}"),
                    };
                    log.push(format!("{} {shown}", data.escape_ascii()));
                    data.clear();
                    matches!(event, Event::Greeting(_) | Event::Status(_) | Event::End(_))
                }
            };
            input = &input[consumed..];
            if is_over && let Some(command) = script.next() {
                // Whether the session lets it through is its business.
                log.push(format!("{command:?} {:?}", session.enqueue(now, &command)));
            }
            while let Some(octets) = session.poll_transmit() {
                let octets = octets.len();
                session.transmitted(octets);
            }
        }
    }
    log.push(format!(
        "{} {:?}",
        data.escape_ascii(),
        session.handle_eof()
    ));
    log
}

fn script(start: u8) -> impl Iterator<Item = Command<'static>> {
    let first = MessageNumber::FIRST;
    let login = Argument::new("mrose").map(Command::User).into_iter();
    let login = login.chain(Secret::new("tanstaaf").map(Command::Pass));
    let mut commands = vec![
        Command::Stat,
        Command::List(None),
        Command::Uidl(None),
        Command::Retr(first),
        Command::Capa,
        Command::Top(first, 1),
        Command::Noop,
        Command::List(Some(first)),
        Command::Uidl(Some(first)),
        Command::Quit,
    ];
    let length = commands.len();
    commands.rotate_left(usize::from(start) % length);
    login.chain(commands)
}

/// A server with three messages, and any octets as the client's.
pub fn server_session(wire: &[u8]) {
    let now = Instant::now();
    let seed = chunk::seed(wire);
    let whole = server_log(&[wire], now);
    for plan in [
        chunk::drawn_plan(wire, seed),
        chunk::drawn_plan(wire, !seed),
    ] {
        assert_eq!(server_log(&plan, now), whole, "{plan:?}");
    }
}

/// What a server sends, and how it ends.
fn server_log(chunks: &[&[u8]], now: Instant) -> (String, Option<server::Closed>) {
    let config = server::Config::new().dangerous_plaintext_without_tls(true);
    let mut session = server::Session::new(config, now);
    let (mut sent, mut closed) = (Vec::new(), None);
    for chunk in chunks.iter().copied().chain([&b""[..]]) {
        let mut input = chunk;
        let mut idle = 0;
        loop {
            let before = (sent.len(), input.len());
            while let Some(octets) = session.poll_transmit() {
                sent.extend_from_slice(octets);
                let octets = octets.len();
                session.handle_transmitted(now, octets);
            }
            match session.poll_event() {
                Some(server::Event::Login(_)) => session.answer(now, Verdict::Accept(Three)),
                Some(server::Event::Closed(how)) => closed = Some(how),
                Some(_) | None if input.is_empty() => break,
                Some(_) | None => input = &input[session.handle_input(now, input)..],
            }
            idle = if before == (sent.len(), input.len()) {
                idle + 1
            } else {
                0
            };
            assert!(idle < 4, "progress");
        }
    }
    (sent.escape_ascii().to_string(), closed)
}

struct Three;

impl Maildrop for Three {
    type Message = &'static [u8];

    fn messages(&self) -> u32 {
        3
    }

    fn octets(&self, number: MessageNumber) -> u64 {
        u64::from(number.get()) * 10
    }

    fn unique_id(&self, _: MessageNumber) -> UniqueId<'_> {
        UniqueId::new(b"same").expect("a unique-id")
    }

    fn open(&mut self, number: MessageNumber) -> io::Result<&'static [u8]> {
        const MESSAGES: [&[u8]; 3] = [b".\r\n\r\n.\n", b"", b"a: b\r\n\r\n.c\r\nd\re"];
        Ok(MESSAGES[number.index()])
    }

    fn commit(self, _: &mut dyn Iterator<Item = MessageNumber>) -> io::Result<()> {
        Ok(())
    }
}
