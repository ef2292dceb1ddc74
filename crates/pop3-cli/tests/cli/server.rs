//! A POP3 server in memory that can go silent after a number of octets.

use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    process::{Child, ExitStatus},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread,
};

/// Unique-id and message, the latter with CRLF.
pub(crate) type Message = (String, Vec<u8>);

#[derive(Default)]
pub(crate) struct State {
    pub(crate) maildrop: Vec<Message>,
    /// The number of answered RETRs.
    pub(crate) retrieved: u32,
    /// Whether QUIT is refused, so that nothing is deleted.
    pub(crate) refuses_quit: bool,
    pub(crate) has_no_uidl: bool,
    /// Commands, by first word, with the answers that replace the usual ones.
    pub(crate) answers: Vec<(&'static str, String)>,
    /// Whether a command came before the answer to the previous one.
    pub(crate) is_pipelined: bool,
    /// The argument of PASS.
    pub(crate) passwords: Vec<String>,
    /// The index of a message whose terminator is left out once.
    pub(crate) unterminated: Option<usize>,
}

pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) state: Arc<Mutex<State>>,
    /// How many octets may still be sent.
    left: Arc<AtomicU64>,
    /// Signals that no octets are left.
    dead: Receiver<()>,
}

impl Server {
    pub(crate) fn new(maildrop: Vec<Message>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("pop3://me@{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State {
            maildrop,
            ..State::default()
        }));
        let left = Arc::new(AtomicU64::new(u64::MAX));
        let (tell, dead) = channel();
        let of_thread = (Arc::clone(&state), Arc::clone(&left));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (state, left) = of_thread.clone();
                let tell = tell.clone();
                thread::spawn(move || serve(stream.unwrap(), &state, &left, &tell));
            }
        });
        Self {
            url,
            state,
            left,
            dead,
        }
    }

    /// Sends `octets` more octets and then nothing; the connection stays open.
    pub(crate) fn stop_after(&self, octets: u64) {
        self.left.store(octets, Ordering::SeqCst);
    }

    pub(crate) fn go_on(&self) {
        self.stop_after(u64::MAX);
        while self.dead.try_recv().is_ok() {}
    }

    /// Waits until those octets are sent.
    pub(crate) fn wait_until_dead(&self) {
        self.dead.recv().unwrap();
    }

    /// Kills a client once those octets are sent. A client that is not cut off ends
    /// by itself.
    pub(crate) fn end_or_kill(&self, client: &mut Child) -> ExitStatus {
        loop {
            if self.dead.try_recv().is_ok() {
                client.kill().unwrap();
                return client.wait().unwrap();
            }
            if let Some(status) = client.try_wait().unwrap() {
                return status;
            }
            thread::yield_now();
        }
    }
}

fn serve(stream: TcpStream, state: &Mutex<State>, left: &AtomicU64, tell: &Sender<()>) {
    let mut to = stream.try_clone().unwrap();
    let mut send = |octets: &[u8]| {
        let may = left.load(Ordering::SeqCst);
        let now = octets.len().min(usize::try_from(may).unwrap_or(usize::MAX));
        if may != u64::MAX {
            left.store(may - now as u64, Ordering::SeqCst);
        }
        let sent = to.write_all(&octets[..now]).is_ok();
        if now < octets.len() {
            let _ = tell.send(());
        }
        sent && now == octets.len()
    };
    if !send(b"+OK ready\r\n") {
        return hold(&stream);
    }
    let mut deleted = BTreeSet::new();
    let maildrop = state.lock().unwrap().maildrop.clone();
    let mut commands = BufReader::new(&stream);
    let mut line = String::new();
    loop {
        line.clear();
        if !commands.read_line(&mut line).is_ok_and(|octets| octets > 0) {
            return;
        }
        state.lock().unwrap().is_pipelined |= !commands.buffer().is_empty();
        let line = line.trim_end();
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let number: usize = rest.split(' ').next().unwrap().parse().unwrap_or(0);
        let there = || {
            let there = maildrop.iter().enumerate();
            there.filter(|(index, _)| !deleted.contains(index))
        };
        let mut reply = Vec::new();
        let scripted = {
            let answers = &state.lock().unwrap().answers;
            let of_word = answers.iter().find(|(scripted, _)| *scripted == word);
            of_word.map(|(_, answer)| answer.clone())
        };
        match word {
            _ if scripted.is_some() => reply.extend(scripted.unwrap_or_default().into_bytes()),
            "CAPA" => reply.extend(b"+OK\r\nUSER\r\nUIDL\r\nPIPELINING\r\nRESP-CODES\r\n.\r\n"),
            "PASS" => {
                state.lock().unwrap().passwords.push(rest.to_owned());
                reply.extend(b"+OK\r\n");
            }
            "STAT" => {
                let octets: usize = there().map(|(_, (_, message))| message.len()).sum();
                reply.extend(format!("+OK {} {octets}\r\n", there().count()).into_bytes());
            }
            "UIDL" if state.lock().unwrap().has_no_uidl => reply.extend(b"-ERR what?\r\n"),
            "UIDL" => {
                reply.extend(b"+OK\r\n");
                for (index, (id, _)) in there() {
                    reply.extend(format!("{} {id}\r\n", index + 1).into_bytes());
                }
                reply.extend(b".\r\n");
            }
            "LIST" => {
                reply.extend(b"+OK\r\n");
                for (index, (_, message)) in there() {
                    reply.extend(format!("{} {}\r\n", index + 1, message.len()).into_bytes());
                }
                reply.extend(b".\r\n");
            }
            "RETR" | "DELE" if number == 0 || number > maildrop.len() => {
                reply.extend(b"-ERR no such message\r\n");
            }
            "RETR" => {
                reply.extend(b"+OK\r\n");
                for line in maildrop[number - 1]
                    .1
                    .split_inclusive(|octet| *octet == b'\n')
                {
                    if line.starts_with(b".") {
                        reply.push(b'.');
                    }
                    reply.extend(line);
                }
                let mut state = state.lock().unwrap();
                if state
                    .unterminated
                    .take_if(|index| *index == number - 1)
                    .is_none()
                {
                    reply.extend(b".\r\n");
                }
                state.retrieved += 1;
            }
            "DELE" => {
                deleted.insert(number - 1);
                reply.extend(b"+OK\r\n");
            }
            "QUIT" if state.lock().unwrap().refuses_quit => reply.extend(b"-ERR no\r\n"),
            "QUIT" => {
                // The deletion comes before the reply (RFC 1939 §6).
                let gone: BTreeSet<&str> = deleted
                    .iter()
                    .map(|&index| maildrop[index].0.as_str())
                    .collect();
                let mut state = state.lock().unwrap();
                state.maildrop.retain(|(id, _)| !gone.contains(id.as_str()));
                reply.extend(b"+OK\r\n");
            }
            "USER" | "NOOP" | "RSET" => reply.extend(b"+OK\r\n"),
            _ => reply.extend(b"-ERR what?\r\n"),
        }
        if !send(&reply) {
            return hold(&stream);
        }
        if word == "QUIT" {
            return;
        }
    }
}

/// Keeps the connection open until the other side closes it.
fn hold(stream: &TcpStream) {
    let mut lines = BufReader::new(stream).lines();
    while let Some(Ok(_)) = lines.next() {}
}
