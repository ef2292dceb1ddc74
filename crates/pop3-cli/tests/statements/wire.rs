//! Servers that break a statement in how they use TCP: `pop3 serve` behind a
//! faulty proxy.

use std::{
    io::{self, BufRead as _, BufReader, ErrorKind, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

use pop3_conformance::check::Connection;

use crate::{
    checking::{Fault, compare, found, passes},
    faults::server::Served,
    server::{Subject, basics, is_multi_line},
};

/// What is passed on for a reply: pieces of octets, each in its own segment.
/// `None` ends the connection.
type Reply = fn(&Command<'_>, &str) -> Option<Vec<String>>;

/// A command that came. The greeting counts as the reply to a command before
/// the first.
struct Command<'a> {
    /// How many commands came before.
    number: usize,
    line: &'a str,
    /// How many connections came before.
    connection: usize,
}

const SOUND: &[Reply] = &[
    // One octet in each segment; for a whole message that would take long.
    |_, reply| {
        let pieces = reply.chars().map(String::from);
        Some(match reply.len() {
            0..64 => pieces.collect(),
            _ => vec![reply.to_owned()],
        })
    },
    // CR and LF in separate segments.
    |_, reply| Some(reply.split_inclusive('\r').map(Into::into).collect()),
];

const FAULTS: &[Fault<Reply>] = &[
    row("C0002", "does not greet", |command, reply| {
        on(command.number == 0, reply, |_| String::new())
    }),
    row(
        "C0002",
        "greets the first connection alone",
        |command, reply| {
            let is_late = command.number == 0 && command.connection > 0;
            on(is_late, reply, |_| String::new())
        },
    ),
    row("C0005", "keeps the LF back", |command, reply| {
        on(command.line == "NOOP", reply, |reply| {
            reply.replace('\n', "")
        })
    }),
    row("C0006", "keeps the end of UIDL back", |command, reply| {
        on(command.line == "UIDL", reply, |reply| {
            reply.replace("\r\n.\r\n", "\r\n.")
        })
    }),
    row(
        "C0014",
        "says nothing to an empty line",
        |command, reply| {
            on(command.line.is_empty() && command.number > 0, reply, |_| {
                String::new()
            })
        },
    ),
    row(
        "C0014",
        "closes at what it does not know",
        |command, reply| match command.line.starts_with("XQZT") {
            true => None,
            false => Some(vec![reply.to_owned()]),
        },
    ),
];

const fn row(id: &'static str, what: &'static str, fault: Reply) -> Fault<Reply> {
    Fault {
        id,
        what,
        fault,
        also: &[],
    }
}

fn on(is_here: bool, reply: &str, change: impl Fn(&str) -> String) -> Option<Vec<String>> {
    Some(vec![match is_here {
        true => change(reply),
        false => reply.to_owned(),
    }])
}

#[test]
fn ignores_how_replies_are_split() {
    for reply in SOUND {
        for check in basics::CHECKS {
            passes((check.run)(&mut Between::new(*reply)));
        }
    }
}

#[test]
fn each_fault_fails_the_checks_of_its_statement_and_no_other() {
    let wrong: Vec<String> = FAULTS
        .iter()
        .filter_map(|fault| {
            let found = found(basics::CHECKS.iter(), |check| {
                (check.run)(&mut Between::new(fault.fault))
            });
            compare(fault, &found).err()
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Listens in place of `pop3 serve`.
struct Between {
    served: Served,
    reply: Reply,
    connections: usize,
}

impl Between {
    fn new(reply: Reply) -> Self {
        Self {
            served: Served::new(),
            reply,
            connections: 0,
        }
    }
}

impl Subject for Between {
    fn connect(&mut self) -> io::Result<Box<dyn Connection>> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let client = TcpStream::connect(listener.local_addr()?)?;
        let (stream, _) = listener.accept()?;
        let server = TcpStream::connect(&self.served.process.address)?;
        for stream in [&client, &stream, &server] {
            stream.set_nodelay(true)?;
        }
        let answered = Arc::new(AtomicUsize::new(0));
        let (reply, connection) = (self.reply, self.connections);
        self.connections += 1;
        let counter = Arc::clone(&answered);
        thread::spawn(move || pass_on(&stream, &server, reply, connection, &counter));
        Ok(Box::new(Client {
            stream: client,
            asked: 1,
            answered,
        }))
    }

    fn deliver(&mut self, unique_id: &str, message: &str) {
        self.served.deliver(unique_id, message);
    }

    fn wait(&mut self) -> bool {
        self.served.wait()
    }
}

/// Passes on each command and its reply, and counts the replies.
fn pass_on(
    mut client: &TcpStream,
    mut server: &TcpStream,
    reply: Reply,
    connection: usize,
    answered: &AtomicUsize,
) -> Option<()> {
    let (mut commands, mut replies) = (BufReader::new(client), BufReader::new(server));
    let mut line = Vec::new();
    for number in 0.. {
        let text: String = line.iter().map(|&octet| char::from(octet)).collect();
        let command = Command {
            number,
            line: text.trim_end_matches(['\r', '\n']),
            connection,
        };
        let octets = read(&mut replies, command.line).filter(|octets| !octets.is_empty())?;
        for piece in reply(&command, &octets)? {
            let octets: Vec<u8> = piece.chars().map(|char| char as u8).collect();
            client.write_all(&octets).ok()?;
        }
        answered.fetch_add(1, SeqCst);
        line.clear();
        commands
            .read_until(b'\n', &mut line)
            .ok()
            .filter(|read| *read > 0)?;
        server.write_all(&line).ok()?;
    }
    None
}

/// The reply to a command, with one character for each octet.
fn read(replies: &mut BufReader<&TcpStream>, command: &str) -> Option<String> {
    let mut reply = Vec::new();
    loop {
        replies.read_until(b'\n', &mut reply).ok()?;
        let is_block = is_multi_line(command) && reply.starts_with(b"+");
        let is_ended = !is_block || reply.ends_with(b"\r\n.\r\n");
        if is_ended || reply.is_empty() {
            return Some(reply.into_iter().map(char::from).collect());
        }
    }
}

struct Client {
    stream: TcpStream,
    /// Expected replies, including the greeting.
    asked: usize,
    answered: Arc<AtomicUsize>,
}

/// How long sent octets may take to arrive.
const UNDER_WAY: Duration = Duration::from_millis(50);

/// How often a client checks whether more will come.
const LOOK: Duration = Duration::from_millis(5);

impl Connection for Client {
    fn send(&mut self, octets: &[u8], _: Duration) -> io::Result<()> {
        self.asked += octets.iter().filter(|octet| **octet == b'\n').count();
        self.stream.write_all(octets)
    }

    /// Waits at most until every command is answered.
    fn receive(&mut self, into: &mut [u8], within: Duration) -> io::Result<usize> {
        if within.is_zero() {
            self.stream.set_nonblocking(true)?;
            let read = self.stream.read(into);
            self.stream.set_nonblocking(false)?;
            return read;
        }
        let mut waited = Duration::ZERO;
        loop {
            let is_all = self.answered.load(SeqCst) >= self.asked;
            let time = if is_all { UNDER_WAY } else { LOOK };
            self.stream.set_read_timeout(Some(time))?;
            match self.stream.read(into) {
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
                        && !is_all
                        && waited < within =>
                {
                    waited += time;
                }
                result => return result,
            }
        }
    }

    fn start_tls(&mut self, _: Duration) -> io::Result<()> {
        Err(ErrorKind::Unsupported.into())
    }
}
