//! A POP3 server with a maildrop that tests set: each crash state has its own
//! maildrop.

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

/// A message: its unique-id, and its octets with LF at line ends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) unique_id: String,
    pub(crate) octets: Vec<u8>,
}

/// The messages of an account.
#[derive(Clone, Debug, Default)]
pub(crate) struct Maildrop(pub(crate) Vec<Arc<Message>>);

impl Maildrop {
    pub(crate) fn delete(&mut self, unique_ids: &[String]) {
        self.0
            .retain(|message| !unique_ids.contains(&message.unique_id));
    }
}

/// Receives the unique-ids of the messages that a QUIT deletes.
type OnDeleted = dyn Fn(&[String]) + Send + Sync;

/// A server on a loopback address.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    maildrop: Arc<Mutex<Maildrop>>,
}

impl Server {
    pub(crate) fn start(
        on_deleted: impl Fn(&[String]) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let maildrop = Arc::new(Mutex::new(Maildrop::default()));
        let shared = Arc::clone(&maildrop);
        let on_deleted: Arc<OnDeleted> = Arc::new(on_deleted);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (maildrop, on_deleted) = (Arc::clone(&shared), Arc::clone(&on_deleted));
                // It does not matter if a client closes the connection.
                thread::spawn(move || drop(serve(&stream, &maildrop, &*on_deleted)));
            }
        });
        Ok(Self { address, maildrop })
    }

    pub(crate) fn set(&self, maildrop: Maildrop) {
        *lock(&self.maildrop) = maildrop;
    }

    pub(crate) fn maildrop(&self) -> Maildrop {
        lock(&self.maildrop).clone()
    }
}

fn lock(maildrop: &Mutex<Maildrop>) -> MutexGuard<'_, Maildrop> {
    maildrop.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(stream: &TcpStream, shared: &Mutex<Maildrop>, on_deleted: &OnDeleted) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let maildrop = lock(shared).clone();
    let encoded: Vec<Vec<u8>> = maildrop.0.iter().map(|it| encode(&it.octets)).collect();
    let size = |at: usize| {
        let message = &maildrop.0[at].octets;
        message.len() + message.iter().filter(|&&octet| octet == b'\n').count()
    };
    let mut deleted = vec![false; maildrop.0.len()];
    let (mut input, mut output) = (BufReader::new(stream), stream);
    output.write_all(b"+OK\r\n")?;
    let mut line = String::new();
    loop {
        line.clear();
        if input.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut words = line.split_whitespace();
        let command = words.next().unwrap_or_default().to_ascii_uppercase();
        let number = words.next().and_then(|word| word.parse::<usize>().ok());
        let at = number
            .and_then(|number| number.checked_sub(1))
            .filter(|&at| deleted.get(at) == Some(&false));
        let there = || (0..deleted.len()).filter(|&at| !deleted[at]);
        let mut reply = Vec::new();
        match (command.as_str(), at) {
            ("CAPA", _) => reply.extend(b"+OK\r\nUSER\r\nUIDL\r\nTOP\r\nPIPELINING\r\n.\r\n"),
            ("USER" | "PASS" | "NOOP", _) => reply.extend(b"+OK\r\n"),
            ("STAT", _) => {
                let octets: usize = there().map(size).sum();
                write!(reply, "+OK {} {octets}\r\n", there().count())?;
            }
            ("LIST", None) if number.is_none() => {
                reply.extend(b"+OK\r\n");
                for at in there() {
                    write!(reply, "{} {}\r\n", at + 1, size(at))?;
                }
                reply.extend(b".\r\n");
            }
            ("UIDL", None) if number.is_none() => {
                reply.extend(b"+OK\r\n");
                for at in there() {
                    write!(reply, "{} {}\r\n", at + 1, maildrop.0[at].unique_id)?;
                }
                reply.extend(b".\r\n");
            }
            ("LIST", Some(at)) => write!(reply, "+OK {} {}\r\n", at + 1, size(at))?,
            ("UIDL", Some(at)) => {
                write!(reply, "+OK {} {}\r\n", at + 1, maildrop.0[at].unique_id)?;
            }
            ("RETR", Some(at)) => {
                reply.extend(b"+OK\r\n");
                reply.extend(&encoded[at]);
            }
            ("DELE", Some(at)) => {
                deleted[at] = true;
                reply.extend(b"+OK\r\n");
            }
            ("QUIT", _) => {
                let gone = maildrop.0.iter().zip(&deleted).filter(|(_, is)| **is);
                let gone: Vec<_> = gone.map(|(it, _)| it.unique_id.clone()).collect();
                lock(shared).delete(&gone);
                on_deleted(&gone);
                output.write_all(b"+OK\r\n")?;
                return Ok(());
            }
            _ => reply.extend(b"-ERR\r\n"),
        }
        output.write_all(&reply)?;
    }
}

/// Returns a message as a multi-line block.
fn encode(message: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(message.len() + message.len() / 32);
    for line in message.split_inclusive(|&octet| octet == b'\n') {
        if line.first() == Some(&b'.') {
            encoded.push(b'.');
        }
        encoded.extend_from_slice(line.strip_suffix(b"\n").unwrap_or(line));
        encoded.extend_from_slice(b"\r\n");
    }
    encoded.extend_from_slice(b".\r\n");
    encoded
}
