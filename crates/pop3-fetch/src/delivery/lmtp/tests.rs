//! Transactions with a server that answers each command with a reply of any kind, or
//! closes the connection there.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::net::{UnixListener, UnixStream},
    path::Path,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use pop3_proto::MessageNumber;

use super::{connection::Limits, *};
use crate::{
    Committed, Direct, Group, Intake, Journal, Key, LineEnds, Place,
    delivery::{Delivery, finish_leftovers, spool::BLOCK},
    disk::System,
};

/// A server with a reply for each step; all others are positive.
#[derive(Default)]
struct Script {
    /// Replies that are given once. An empty one closes the connection instead.
    once: BTreeMap<String, String>,
    /// The connections that are served before these replies: one is made when the
    /// place is opened.
    skips: usize,
    /// The commands of each connection.
    heard: Vec<Vec<String>>,
    /// The octets between the reply to DATA and the final dot, and who accepted them.
    taken: Vec<(String, Vec<u8>)>,
}

#[derive(Clone)]
struct Scripted(Arc<Mutex<Script>>);

impl Scripted {
    fn start(socket: &Path, once: &[(&str, &str)]) -> Self {
        let once = once
            .iter()
            .map(|(step, reply)| ((*step).to_owned(), (*reply).to_owned()));
        let script = Script {
            once: once.collect(),
            ..Script::default()
        };
        let this = Self(Arc::new(Mutex::new(script)));
        let listener = UnixListener::bind(socket).unwrap();
        let server = this.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                // A connection ends when the client or the script ends it.
                let _ = server.serve(stream.unwrap());
            }
        });
        this
    }

    /// The reply to a step.
    fn reply(&self, step: &str, usual: &str) -> String {
        let mut script = self.0.lock().unwrap();
        let reply = match script.heard.len() > script.skips {
            true => script.once.remove(step),
            false => None,
        };
        reply.unwrap_or_else(|| usual.to_owned())
    }

    /// Answers a step. Fails if the connection ends there.
    fn answer(&self, to: &mut UnixStream, step: &str, usual: &str) -> std::io::Result<bool> {
        say(to, &self.reply(step, usual))
    }

    fn serve(&self, mut to: UnixStream) -> std::io::Result<()> {
        self.0.lock().unwrap().heard.push(Vec::new());
        let mut from = BufReader::new(to.try_clone()?);
        self.answer(&mut to, "greeting", "220 here")?;
        let mut recipients: Vec<String> = Vec::new();
        loop {
            let mut line = String::new();
            if from.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let line = line.strip_suffix("\r\n").expect("CRLF").to_owned();
            self.0
                .lock()
                .unwrap()
                .heard
                .last_mut()
                .unwrap()
                .push(line.clone());
            if let Some(recipient) = line.strip_prefix("RCPT TO:") {
                if self.answer(&mut to, &format!("RCPT {recipient}"), "250 fine")? {
                    recipients.push(recipient.to_owned());
                }
                continue;
            }
            let step = line.split(' ').next().unwrap_or_default();
            match step {
                "LHLO" => {
                    let usual = "250-here\r\n250-SIZE 100000000\r\n250 8BITMIME";
                    self.answer(&mut to, step, usual)?;
                }
                "DATA" => {
                    if self.answer(&mut to, step, "354 go on")? {
                        let message = until_dot(&mut from)?;
                        for recipient in recipients.drain(..) {
                            let reply = self.reply(&format!("end {recipient}"), "250 taken");
                            if reply.starts_with('2') {
                                let mut script = self.0.lock().unwrap();
                                script.taken.push((recipient, message.clone()));
                            }
                            say(&mut to, &reply)?;
                        }
                    }
                }
                "RSET" => {
                    recipients.clear();
                    self.answer(&mut to, step, "250 fine")?;
                }
                _ => {
                    let usual = self.reply(&line, "250 fine");
                    self.answer(&mut to, step, &usual)?;
                }
            }
        }
    }

    fn taken(&self) -> Vec<(String, Vec<u8>)> {
        self.0.lock().unwrap().taken.clone()
    }

    fn heard(&self) -> Vec<Vec<String>> {
        self.0.lock().unwrap().heard.clone()
    }
}

/// A positive reply that never arrives.
const LOST: &str = "250 lost";

/// Sends a reply, and says whether it is positive. Fails if the connection ends with
/// it.
fn say(to: &mut UnixStream, reply: &str) -> std::io::Result<bool> {
    let ends = || Err(std::io::ErrorKind::ConnectionAborted.into());
    if reply.is_empty() || reply == LOST {
        return ends();
    }
    to.write_all(format!("{reply}\r\n").as_bytes())?;
    match reply.starts_with("421") {
        true => ends(),
        false => Ok(reply.starts_with(['2', '3'])),
    }
}

/// The message up to the lone dot, without byte-stuffing: RFC 5321 §4.5.2.
fn until_dot(from: &mut impl std::io::BufRead) -> std::io::Result<Vec<u8>> {
    let mut message = Vec::new();
    loop {
        let mut line = Vec::new();
        if from.read_until(b'\n', &mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        assert!(line.ends_with(b"\r\n"), "{}", line.escape_ascii());
        if line == b".\r\n" {
            return Ok(message);
        }
        message.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}

const ME: &str = "me@a";
const YOU: &str = "you@a";

fn lmtp(socket: &Path, recipients: &[&str]) -> Lmtp {
    let recipients: Vec<Address> = recipients
        .iter()
        .map(|text| text.parse().unwrap())
        .collect();
    Lmtp::new(LmtpServer::Unix(socket.into())).between(None, &recipients)
}

type Outcome = (Result<Answer, Failure>, Vec<String>);

/// Gives messages to the server in one group, except to recipients that accepted
/// them earlier. Stops after a failure.
fn hand_over(lmtp: &Lmtp, messages: &[&[u8]], earlier: &[String]) -> Result<Vec<Outcome>, Failure> {
    let home = tempfile::tempdir().unwrap();
    let mut delivery = open(&System, lmtp, &home.path().join("spool"))?;
    for message in messages {
        delivery.begin(b"").unwrap();
        delivery.write(message).unwrap();
        delivery.end((0, 0)).unwrap();
    }
    let Sealed::Singly(mut group) = delivery.seal() else {
        panic!("a server takes messages one by one");
    };
    let mut outcomes = Vec::new();
    for index in 0..messages.len() {
        let mut accepted = Vec::new();
        let answer = group.hand_over(index, earlier, &mut accepted);
        let stops = answer.is_err();
        outcomes.push((answer, accepted));
        if stops {
            break;
        }
    }
    Ok(outcomes)
}

/// Two messages for one or two recipients, to a server with this script.
fn run(once: &[(&str, &str)], recipients: &[&str]) -> (Scripted, Result<Vec<Outcome>, Failure>) {
    let home = tempfile::tempdir().unwrap();
    let socket = home.path().join("lmtp");
    let server = Scripted::start(&socket, &[]);
    let lmtp = lmtp(&socket, recipients);
    let once = once
        .iter()
        .map(|(step, reply)| ((*step).to_owned(), (*reply).to_owned()));
    // Opening the place makes a connection of its own.
    server.0.lock().unwrap().once = once.collect();
    let outcomes = hand_over(&lmtp, &[b"one\r\n", b"two\r\n"], &[]);
    (server, outcomes)
}

#[test]
fn sends_messages_over_one_connection_as_they_are() {
    let home = tempfile::tempdir().unwrap();
    let socket = home.path().join("lmtp");
    let server = Scripted::start(&socket, &[]);
    // 8 bits in more than one piece.
    let long = [&vec![b'\xff'; 2 * BLOCK][..], b"\r\n"].concat();
    let messages = [
        &b"Subject: x\r\n\r\n.\r\n..\r\n.a\r\n"[..],
        b"",
        b"no line end",
        b"8 bits: \xff\x80\0\r\n",
        &long,
    ];
    let outcomes = hand_over(&lmtp(&socket, &[ME]), &messages, &[]).unwrap();
    for (answer, accepted) in outcomes {
        assert_eq!(answer.unwrap(), Answer::accepted());
        assert_eq!(accepted, [ME]);
    }
    let ended = |message: &[u8]| match message.is_empty() || message.ends_with(b"\r\n") {
        true => message.to_vec(),
        false => [message, b"\r\n"].concat(),
    };
    let taken: Vec<Vec<u8>> = server
        .taken()
        .into_iter()
        .map(|(_, message)| message)
        .collect();
    assert!(taken == messages.map(ended));
    let heard = server.heard();
    assert_eq!(heard[0], ["LHLO localhost", "QUIT"]);
    assert_eq!(
        heard[1][..5],
        [
            "LHLO localhost",
            "MAIL FROM:<> SIZE=25",
            "RCPT TO:<me@a>",
            "DATA",
            "MAIL FROM:<> SIZE=0",
        ]
    );
    assert_eq!(heard[1][10], "MAIL FROM:<> SIZE=13 BODY=8BITMIME");
    assert_eq!(heard[1][13], "MAIL FROM:<> SIZE=131074 BODY=8BITMIME");
    assert_eq!(heard[1].last().unwrap(), "QUIT");
    assert_eq!(heard.len(), 2);
}

/// A reader that ends lines at a bare LF would see the end of the message there.
#[test]
fn sends_no_bare_line_end() {
    let home = tempfile::tempdir().unwrap();
    let socket = home.path().join("lmtp");
    let server = Scripted::start(&socket, &[]);
    hand_over(&lmtp(&socket, &[ME]), &[b"a\n.\nb\r.\rc\r\n"], &[]).unwrap();
    assert_eq!(server.taken()[0].1, b"a\r\n.\r\nb\r\n.\r\nc\r\n");
}

#[test]
fn names_the_sender_and_announces_only_what_the_server_takes() {
    let home = tempfile::tempdir().unwrap();
    let socket = home.path().join("lmtp");
    let server = Scripted::start(&socket, &[]);
    server.0.lock().unwrap().once = [(String::from("LHLO"), String::from("250 plain"))].into();
    let recipients: Vec<Address> = vec![ME.parse().unwrap(), ME.parse().unwrap()];
    let lmtp = Lmtp::new(LmtpServer::Unix(socket)).between(YOU.parse().ok(), &recipients);
    assert_eq!(lmtp.recipients(), &recipients[..1]);
    // The first connection has taken the script's reply.
    hand_over(&lmtp, &[b"\xff\r\n"], &[]).unwrap();
    server.0.lock().unwrap().once = [(String::from("LHLO"), String::from("250 plain"))].into();
    let mut connection = lmtp.connect().unwrap();
    let file = tempfile::tempfile().unwrap();
    let message = connection::Message {
        spool: &file,
        octets: 0..0,
    };
    connection.mail(lmtp.sender.as_ref(), &message).unwrap();
    drop(connection);
    let heard = server.heard();
    assert_eq!(heard[1][1], "MAIL FROM:<you@a> SIZE=3 BODY=8BITMIME");
    assert_eq!(heard[1][2..4], ["RCPT TO:<me@a>", "DATA"]);
    assert_eq!(heard[2][1], "MAIL FROM:<you@a>");
}

/// The next message gets its turn after each refusal of one message, and after each
/// end of a connection.
#[test]
fn a_message_that_is_not_taken_stays_and_the_next_one_is_delivered() {
    for step in ["MAIL", "RCPT <me@a>", "DATA", "end <me@a>"] {
        for (reply, verdict, connections) in [
            ("450 4.2.0 later", Verdict::Deferred, 1),
            ("452-too\r\n452 much", Verdict::Deferred, 1),
            ("550 5.1.1 never", Verdict::Refused, 1),
            ("503", Verdict::Refused, 1),
            ("421 closing", Verdict::Deferred, 2),
            ("", Verdict::Deferred, 2),
        ] {
            let (server, outcomes) = run(&[(step, reply)], &[ME]);
            let outcomes = outcomes.unwrap();
            let what = format!("{step} {reply}: {outcomes:?}");
            let (first, accepted) = &outcomes[0];
            let first = first.as_ref().unwrap();
            assert_eq!(first.verdict, verdict, "{what}");
            let words = reply.split("\r\n").next().unwrap();
            assert_eq!(first.words, words.as_bytes(), "{what}");
            assert_eq!(*accepted, [""; 0], "{what}");
            assert_eq!(outcomes[1].0, Ok(Answer::accepted()), "{what}");
            assert_eq!(
                server.taken(),
                [(String::from("<me@a>"), b"two\r\n".to_vec())]
            );
            // One more connection was made when the place was opened.
            assert_eq!(server.heard().len(), 1 + connections, "{what}");
        }
    }
}

#[test]
fn a_failed_reset_costs_only_the_connection() {
    for reply in ["", "421 closing", "550 no", "junk"] {
        let (server, outcomes) = run(&[("RCPT <me@a>", "550 no"), ("RSET", reply)], &[ME]);
        let outcomes = outcomes.unwrap();
        assert_eq!(outcomes[0].0.as_ref().unwrap().verdict, Verdict::Refused);
        assert_eq!(outcomes[1].0, Ok(Answer::accepted()));
        assert_eq!(server.heard().len(), 3);
    }
}

#[test]
fn octets_that_are_no_reply_end_the_run() {
    for step in ["MAIL", "RCPT <me@a>", "DATA", "end <me@a>"] {
        let wrong = match step {
            "DATA" => "250 fine",
            _ => "354 go on",
        };
        for reply in [
            "junk",
            "250 a\n250 b",
            "250-a\r\n550 b",
            "250 a\r\n250 b",
            "250 a\r\n550 b",
            wrong,
        ] {
            // The reply to DATA is followed by octets of the message in any case.
            let two = reply.starts_with("250 a\r\n");
            let (_, outcomes) = run(&[(step, reply)], &[ME]);
            let outcomes = outcomes.unwrap();
            let what = format!("{step} {reply}: {outcomes:?}");
            let last = outcomes.last().unwrap();
            let failure = last.0.as_ref().unwrap_err();
            assert_eq!(failure.kind(), Kind::Protocol, "{what}");
            assert!(
                failure.to_string().contains("breaks the protocol"),
                "{what}"
            );
            // The message may be accepted before the second reply shows the error.
            let is_known = two && step == "end <me@a>";
            assert_eq!(outcomes.len(), 1 + usize::from(is_known), "{what}");
        }
    }
}

#[test]
fn a_server_that_lets_no_client_in_fails_before_any_message() {
    for (step, reply, kind) in [
        ("greeting", "421 busy", Kind::Temporary),
        ("greeting", "450 busy", Kind::Temporary),
        ("greeting", "554 no", Kind::Unavailable),
        ("greeting", "", Kind::Temporary),
        ("greeting", "+OK", Kind::Protocol),
        ("greeting", "* OK", Kind::Protocol),
        ("LHLO", "500 what?", Kind::Unavailable),
        ("LHLO", "421 busy", Kind::Temporary),
        ("LHLO", "450 busy", Kind::Temporary),
        ("LHLO", "", Kind::Temporary),
        ("LHLO", "junk", Kind::Protocol),
    ] {
        let home = tempfile::tempdir().unwrap();
        let socket = home.path().join("lmtp");
        let _server = Scripted::start(&socket, &[(step, reply)]);
        let failure = hand_over(&lmtp(&socket, &[ME]), &[b"one"], &[]).unwrap_err();
        assert_eq!(failure.kind(), kind, "{step} {reply}: {failure}");
        let said = failure.to_string();
        assert!(said.starts_with("lmtp:/"), "{said}");
    }
    let home = tempfile::tempdir().unwrap();
    let socket = home.path().join("nothing");
    let failure = hand_over(&lmtp(&socket, &[ME]), &[b"one"], &[]).unwrap_err();
    assert_eq!(failure.kind(), Kind::Unavailable);
    assert!(failure.to_string().contains("cannot connect"), "{failure}");
}

/// A message is delivered when all recipients have it; those that have it get it
/// only once.
#[test]
fn counts_the_reply_of_each_recipient() {
    for step in ["RCPT", "end"] {
        for (reply, verdict) in [
            ("450 full", Verdict::Deferred),
            ("550 unknown", Verdict::Refused),
        ] {
            for (declines, takes) in [(ME, YOU), (YOU, ME)] {
                let at = format!("{step} <{declines}>");
                let (server, outcomes) = run(&[(&at, reply)], &[ME, YOU]);
                let outcomes = outcomes.unwrap();
                let (first, accepted) = &outcomes[0];
                let first = first.as_ref().unwrap();
                assert_eq!(first.verdict, verdict);
                assert!(first.how.contains(declines) && !first.how.contains(takes));
                assert_eq!(*accepted, [takes]);
                assert_eq!(outcomes[1].0, Ok(Answer::accepted()));
                assert_eq!(outcomes[1].1, [ME, YOU]);
                assert_eq!(server.taken().len(), 3);
            }
        }
    }
    // One refusal for good is enough.
    let (_, outcomes) = run(
        &[("end <me@a>", "450 full"), ("end <you@a>", "550 no")],
        &[ME, YOU],
    );
    let outcomes = outcomes.unwrap();
    let first = outcomes[0].0.as_ref().unwrap();
    assert_eq!(first.verdict, Verdict::Refused);
    assert!(first.how.contains("2 of 2"), "{}", first.how);
}

#[test]
fn remembers_who_accepted_before_the_connection_ended() {
    let (server, outcomes) = run(&[("end <you@a>", "")], &[ME, YOU]);
    let outcomes = outcomes.unwrap();
    assert_eq!(outcomes[0].0.as_ref().unwrap().verdict, Verdict::Deferred);
    assert_eq!(outcomes[0].1, [ME]);
    assert_eq!(outcomes[1].1, [ME, YOU]);
    assert_eq!(server.taken().len(), 3);
}

#[test]
fn offers_a_message_only_to_those_that_lack_it() {
    let home = tempfile::tempdir().unwrap();
    let socket = home.path().join("lmtp");
    let server = Scripted::start(&socket, &[]);
    let lmtp = lmtp(&socket, &[ME, YOU]);
    let earlier = [String::from(ME)];
    let outcomes = hand_over(&lmtp, &[b"one\r\n"], &earlier).unwrap();
    assert_eq!(
        outcomes,
        [(Ok(Answer::accepted()), vec![String::from(YOU)])]
    );
    let earlier = [String::from(YOU), String::from(ME)];
    let outcomes = hand_over(&lmtp, &[b"one\r\n"], &earlier).unwrap();
    assert_eq!(outcomes, [(Ok(Answer::accepted()), vec![])]);
    assert_eq!(server.taken().len(), 1);
}

/// A connection to a server that sends only this, and then waits.
fn silent_after(octets: &'static [u8]) -> Broken {
    let home = tempfile::tempdir().unwrap();
    let socket = home.path().join("lmtp");
    let listener = UnixListener::bind(&socket).unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        // The client may close before it has read all of it.
        let _ = stream.write_all(octets);
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    let short = Limits {
        greeting: Duration::from_millis(100),
        command: Duration::from_millis(100),
        ..Limits::STANDARD
    };
    let opened = Connection::open(&LmtpServer::Unix(socket), short);
    let broken = opened.err().unwrap();
    server.join().unwrap();
    broken
}

#[test]
fn does_not_wait_for_ever_or_read_without_end() {
    for octets in [&b""[..], b"220 he", b"220-here\r\n", b"220 here\r\n"] {
        let broken = silent_after(octets);
        assert!(matches!(broken, Broken::TimedOut(_)), "{broken:?}");
        let lmtp = lmtp(Path::new("/lmtp"), &[ME]);
        assert_eq!(lmtp.failure(&broken).kind(), Kind::Temporary);
    }
    for octets in ["220-a\r\n".repeat(1000), "2".repeat(100_000)] {
        let broken = silent_after(octets.leak().as_bytes());
        assert!(matches!(broken, Broken::Malformed(_)), "{broken:?}");
    }
}

/// The server closes it before it has read all of a command.
#[test]
#[cfg(target_os = "linux")]
fn says_how_a_connection_ended() {
    let home = tempfile::tempdir().unwrap();
    let socket = home.path().join("lmtp");
    let listener = UnixListener::bind(&socket).unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"220 here\r\n").unwrap();
        std::io::Read::read_exact(&mut stream, &mut [0]).unwrap();
    });
    let opened = Connection::open(&LmtpServer::Unix(socket), Limits::STANDARD);
    let broken = opened.err().unwrap().to_string();
    server.join().unwrap();
    let reset = std::io::Error::from_raw_os_error(rustix::io::Errno::CONNRESET.raw_os_error());
    assert!(
        broken.ends_with(&format!(" after LHLO: {reset}")),
        "{broken}"
    );
    let closed = connection::Closed {
        after: "DATA",
        words: Vec::new(),
    };
    let broken = Broken::Closed(closed).to_string();
    assert!(broken.ends_with(" after DATA"), "{broken}");
}

#[test]
fn needs_a_recipient() {
    let failure = hand_over(&lmtp(Path::new("/lmtp"), &[]), &[], &[]).unwrap_err();
    assert!(failure.to_string().contains("no recipient"), "{failure}");
}

/// A fetch of messages with the unique-ids id0, id1 and so on.
fn fetch(home: &Path, lmtp: &Lmtp, messages: &[&[u8]]) -> (Committed, Vec<Vec<u8>>) {
    let messages: Vec<_> = messages.iter().copied().enumerate().collect();
    fetch_those(home, lmtp, &messages)
}

/// A fetch of messages with these numbers in their unique-ids. Returns what was
/// committed, and the unique-ids in the journal.
fn fetch_those(home: &Path, lmtp: &Lmtp, messages: &[(usize, &[u8])]) -> (Committed, Vec<Vec<u8>>) {
    let open = || Journal::open(&home.join("journal"), "me@host:110").unwrap();
    let place = Place::Lmtp(lmtp.clone());
    let group = Group::open(&System, open(), &place, Form::Raw, |_, _| {}).unwrap();
    let mut intake = Direct::new(group, LineEnds::Received);
    for (index, message) in messages {
        intake.begin(MessageNumber::FIRST).unwrap();
        intake.write(message).unwrap();
        let key = Key {
            unique_id: format!("id{index}").into_bytes(),
            copy: 0,
        };
        intake.keep(key, 0, message.len() as u64).unwrap();
    }
    intake.confirm().unwrap();
    let mut committed = intake.finish();
    if let Ok(journal) = &mut committed.journal {
        assert!(journal.leftovers().unwrap().is_empty());
    }
    let journal = std::mem::replace(&mut committed.journal, Err(Failure::ReaderGone));
    let failure = journal.map(drop);
    let mut journal = open();
    finish_leftovers(&System, &mut journal).unwrap();
    let records = journal.records().unwrap();
    let recorded = (0..).map_while(|index| records.get(index));
    let recorded = recorded.map(|row| row.unique_id.to_vec()).collect();
    committed.journal = failure.map(|()| journal);
    (committed, recorded)
}

#[test]
fn the_journal_knows_who_has_a_message_until_all_have_it() {
    let home = tempfile::tempdir().unwrap();
    let socket = home.path().join("lmtp");
    let server = Scripted::start(&socket, &[]);
    let both = lmtp(&socket, &[ME, YOU]);
    for (step, verdict) in [
        ("end <you@a>", Verdict::Deferred),
        ("RCPT <you@a>", Verdict::Deferred),
        ("DATA", Verdict::Deferred),
    ] {
        let reply = (String::from(step), String::from("450 later"));
        server.0.lock().unwrap().once = [reply].into();
        let (committed, recorded) = fetch(home.path(), &both, &[b"one\r\n"]);
        assert_eq!((committed.messages, committed.octets), (0, 0));
        let [(key, answer)] = committed.answers.try_into().unwrap();
        assert_eq!((&*key.unique_id, answer.verdict), (&b"id0"[..], verdict));
        assert!(recorded.is_empty());
        assert_eq!(
            server.taken(),
            [(String::from("<me@a>"), b"one\r\n".to_vec())]
        );
    }
    let (committed, recorded) = fetch(home.path(), &both, &[b"one\r\n"]);
    assert_eq!(committed.messages, 1);
    assert!(committed.answers.is_empty());
    assert_eq!(recorded, [b"id0"]);
    let taken = server.taken();
    let recipients: Vec<&str> = taken.iter().map(|(recipient, _)| &**recipient).collect();
    assert_eq!(recipients, ["<me@a>", "<you@a>"]);
    // Once all have it, only the journal's entry of the message is left.
    let journal = committed.journal.unwrap();
    let key = Key {
        unique_id: b"id0".to_vec(),
        copy: 0,
    };
    let place = Place::Lmtp(both).to_string();
    assert_eq!(journal.accepted(&key, &place).unwrap(), [""; 0]);
}

/// After a failure that ends the run, what was accepted is recorded.
#[test]
fn records_each_message_at_once() {
    let home = tempfile::tempdir().unwrap();
    let socket = home.path().join("lmtp");
    let server = Scripted::start(&socket, &[]);
    let lmtp = lmtp(&socket, &[ME]);
    let messages = [&b"one\r\n"[..], b"four\r\n", b"three\r\n"];
    // The SIZE of the second message is its own.
    let reply = (String::from("MAIL FROM:<> SIZE=6"), String::from("junk"));
    server.0.lock().unwrap().once = [reply].into();
    let (committed, recorded) = fetch(home.path(), &lmtp, &messages);
    assert_eq!(committed.messages, 1);
    assert_eq!(committed.journal.unwrap_err().kind(), Kind::Protocol);
    assert_eq!(recorded, [b"id0"]);
    let (committed, recorded) = fetch(home.path(), &lmtp, &messages);
    assert_eq!((committed.messages, recorded.len()), (3, 3));
    assert_eq!(committed.octets, 5 + 6 + 7);
}

/// Each fault in one run, and then a run without faults. Nothing is lost; a message
/// comes twice only to a recipient whose acceptance did not arrive.
#[test]
fn one_fault_anywhere_loses_nothing_and_doubles_only_what_was_not_answered() {
    let steps = [
        "LHLO",
        "MAIL",
        "RCPT <me@a>",
        "RCPT <you@a>",
        "DATA",
        "end <me@a>",
        "end <you@a>",
        "QUIT",
    ];
    let messages = [&b"one\r\n"[..], b"two\r\n", b"three\r\n"];
    for step in steps {
        for reply in ["450 no", "550 no", "421 no", "", "junk", "354 no", LOST] {
            let home = tempfile::tempdir().unwrap();
            let socket = home.path().join("lmtp");
            let server = Scripted::start(&socket, &[]);
            let lmtp = lmtp(&socket, &[ME, YOU]);
            let script = (String::from(step), String::from(reply));
            server.0.lock().unwrap().skips = 1;
            server.0.lock().unwrap().once = [script].into();
            let (committed, recorded) = fetch(home.path(), &lmtp, &messages);
            let what = format!("{step} {reply}: {committed:?}");
            // It holds the lock of the account.
            drop(committed);
            for (index, message) in messages.iter().enumerate() {
                if recorded.contains(&format!("id{index}").into_bytes()) {
                    for recipient in ["<me@a>", "<you@a>"] {
                        let one = (recipient.to_owned(), message.to_vec());
                        assert!(server.taken().contains(&one), "{what}");
                    }
                }
            }
            server.0.lock().unwrap().once.clear();
            let is_left = |index: &usize| !recorded.contains(&format!("id{index}").into_bytes());
            let left = (0..messages.len()).filter(is_left);
            let left: Vec<(usize, &[u8])> = left.map(|index| (index, messages[index])).collect();
            let (committed, recorded) = fetch_those(home.path(), &lmtp, &left);
            assert!(committed.answers.is_empty(), "{what}");
            assert_eq!(recorded.len(), messages.len(), "{what}");
            let mut taken = server.taken();
            taken.sort();
            let all = taken.len();
            taken.dedup();
            assert_eq!(taken.len(), 2 * messages.len(), "{what}");
            // After a reply that makes no sense, the reply for the other is not read.
            let is_unread = step == "end <me@a>" && ["junk", "354 no"].contains(&reply);
            let is_lost = step.starts_with("end") && reply == LOST;
            assert_eq!(
                all - taken.len(),
                usize::from(is_unread || is_lost),
                "{what}"
            );
        }
    }
}
