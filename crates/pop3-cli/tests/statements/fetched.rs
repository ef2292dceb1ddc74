//! `pop3 fetch` as the client under test, connected to our own server.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Instant,
};

use pop3_proto::{
    Mechanism, Profile,
    server::{Config, Event, Login, Session, Tls, Verdict},
};
use pop3_testkit::store::{Locked, Store};

use crate::{
    checking::{compare, found, passes},
    fetch::{CHECKS, FAULTS, Fetches, LogIn, SOUND, Spoilt, Transcript},
};

#[test]
fn pop3_fetch_complies() {
    for check in CHECKS {
        passes((check.run)(&mut Fetch::new(SOUND)));
    }
}

#[test]
fn each_fault_fails_the_checks_of_its_statement_and_no_other() {
    for fault in FAULTS {
        let found = found(CHECKS.iter(), |check| {
            (check.run)(&mut Fetch::new(fault.fault))
        });
        assert_eq!(compare(fault, &found), Ok(()));
    }
}

/// Unique-id and octets.
type Message = (String, String);

/// A CHALLENGE_MESSAGE (that of MS-NLMP §4.2.4.3 with another target name).
const CHALLENGE: &str = "TlRMTVNTUAACAAAAAAAAAAAAAAAzgoriAQIDBAUGBwgAAAAAAAAAAAQABAAwAAAAAAAAAA==";

/// The first line of the last connection.
const END: &str = "END\r\n";

/// A connection that tests whether a slow server expects TLS. It is not a session,
/// and only occurs on a busy machine.
const PROBE: &str = "a TLS handshake";

/// The first octets of such a connection.
const HANDSHAKE: u8 = 0x16;

struct Fetch {
    fault: Spoilt,
    maildrop: Vec<Message>,
    /// The same for all synchronizations, because the port is part of the
    /// account.
    listener: TcpListener,
    home: tempfile::TempDir,
}

impl Fetch {
    fn new(fault: Spoilt) -> Self {
        Self {
            fault,
            maildrop: Vec::new(),
            listener: TcpListener::bind("127.0.0.1:0").unwrap(),
            home: home(),
        }
    }
}

/// On a file system in memory if there is one, because a run often waits for
/// the disk.
fn home() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let home = match memory.is_dir() {
        true => tempfile::tempdir_in(memory),
        false => tempfile::tempdir(),
    };
    home.unwrap()
}

impl Fetches for Fetch {
    fn begin(&mut self, maildrop: &[(&str, &str)]) {
        let owned = |(unique_id, message): &(&str, &str)| ((*unique_id).into(), (*message).into());
        self.maildrop = maildrop.iter().map(owned).collect();
        self.home = home();
    }

    fn fetch_as(&mut self, profile: &Profile, login: &LogIn) -> Transcript {
        let login = *login;
        let listener = self.listener.try_clone().unwrap();
        let address = listener.local_addr().unwrap();
        let (maildrop, fault) = (std::mem::take(&mut self.maildrop), self.fault);
        let server = thread::spawn(move || serve(&listener, &maildrop, fault, login));
        let maildir = self.home.path().join("mail");
        pop3_peers::limit_children(crate::CHILD_LIMIT);
        let status = Command::new(env!("CARGO_BIN_EXE_pop3"))
            .arg("fetch")
            .arg(format!(
                "pop3://{}@{address}",
                login.user.replace('/', "%2F")
            ))
            .args(if login.ntlm {
                &["--auth", "NTLM"][..]
            } else {
                &[]
            })
            .args(["--line-ends", "received", "--profile"])
            .arg((self.fault.profile)(profile.name))
            .arg("--to")
            .arg(format!("maildir:{}", maildir.display()))
            .arg("--journal")
            .arg(self.home.path().join("journal.sqlite"))
            .env("POP3_PASSWORD", "tanstaaf")
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        for _ in 0..self.fault.more_connections {
            drop(TcpStream::connect(address));
        }
        let mut last = TcpStream::connect(address).unwrap();
        last.write_all(END.as_bytes()).unwrap();
        // Closing with unread octets could keep END from reaching the server.
        let _ = last.read_to_end(&mut Vec::new());
        let (connections, left) = server.join().unwrap();
        let mut stored: Vec<String> = fs::read_dir(maildir.join("new"))
            .into_iter()
            .flatten()
            .map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap())
            .collect();
        stored.sort();
        let messages = left.iter().map(|(_, message)| message.clone());
        let transcript = Transcript {
            is_success: status.success(),
            connections,
            left: messages.collect(),
            stored,
        };
        self.maildrop = left;
        transcript
    }
}

/// Serves the maildrop to one connection after another. Returns the lines of
/// each connection and the remaining messages.
fn serve(
    listener: &TcpListener,
    maildrop: &[Message],
    fault: Spoilt,
    login: LogIn,
) -> (Vec<Vec<String>>, Vec<Message>) {
    let store = Store::default();
    for (unique_id, message) in maildrop {
        store.deliver(unique_id, message.as_bytes());
    }
    let mut connections = Vec::new();
    while let Some(lines) = connection(&listener.accept().unwrap().0, &store, fault, login) {
        if lines != [PROBE] {
            connections.push(lines);
        }
    }
    let left = store.messages().into_iter();
    let left = left.map(|(unique_id, message)| (unique_id, String::from_utf8(message).unwrap()));
    (connections, left.collect())
}

/// The lines of a connection; `None` if it is the last.
fn connection(
    mut stream: &TcpStream,
    store: &Store,
    fault: Spoilt,
    login: LogIn,
) -> Option<Vec<String>> {
    let now = Instant::now();
    let config = Config::new()
        .tls(Tls::Unavailable)
        .dangerous_plaintext_without_tls(true);
    let ntlm = Mechanism::new("NTLM").unwrap();
    let mechanisms = if login.ntlm { &[ntlm][..] } else { &[] };
    let config = config.mechanisms(mechanisms).unwrap();
    let mut challenges = ["", CHALLENGE].into_iter();
    let mut session: Session<Locked> = Session::new(config, now);
    let mut reader = BufReader::new(stream);
    let (mut lines, mut input) = (Vec::new(), String::new());
    loop {
        while let Some(octets) = session.poll_transmit() {
            let sent = octets.len();
            // A client that has closed gets no further replies.
            let _ = stream.write_all(octets);
            session.handle_transmitted(now, sent);
        }
        match session.poll_event() {
            Some(Event::Closed(_)) => return Some(lines),
            Some(Event::Login(Login::Password { .. })) => {
                let verdict = store.lock().map_or(Verdict::InUse, Verdict::Accept);
                session.answer(now, verdict);
            }
            Some(Event::Login(_) | Event::SaslResponse(_)) => match challenges.next() {
                Some(challenge) => session.challenge(now, challenge).unwrap(),
                None if login.is_right => {
                    let verdict = store.lock().map_or(Verdict::InUse, Verdict::Accept);
                    session.answer(now, verdict);
                }
                None => session.answer(now, Verdict::Reject),
            },
            Some(_) => {}
            None if input.is_empty() => {
                let first = reader.fill_buf().ok().and_then(|octets| octets.first());
                if first == Some(&HANDSHAKE) {
                    return Some(vec![PROBE.to_owned()]);
                }
                let read = reader.read_line(&mut input).unwrap_or(0);
                if input == END {
                    return None;
                }
                if read == 0 {
                    return Some(lines);
                }
                let line = (fault.line)(input.trim_end());
                lines.extend(line.lines().map(str::to_owned));
                input = format!("{line}\r\n");
            }
            None => {
                let consumed = session.handle_input(now, input.as_bytes());
                input.drain(..consumed);
            }
        }
    }
}
