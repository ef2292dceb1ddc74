//! A server in memory, and the home of its user.

use std::{cell::RefCell, collections::VecDeque, fs, path::Path, time::Duration};

use pop3_proto::{
    Argument, Escaped, Profile, Secret,
    client::{Config, Transport},
};

use super::super::*;
use crate::{Direct, Fetch, Form, Group, LineEnds, Next, Place, Seen, Spelling, System};

pub(super) struct World {
    /// The messages in the maildrop, and the unique-id of each.
    pub(super) there: Vec<u8>,
    /// Replies that differ from the usual ones, each for one command.
    pub(super) odd: Vec<(&'static str, String)>,
    window: usize,
    /// The messages that a command declines, each with its status; without any, mail
    /// is stored in an mbox.
    pub(super) declines: Vec<(u8, u8)>,
    /// The time between two replies.
    pub(super) delay: Duration,
    home: tempfile::TempDir,
    warnings: RefCell<Vec<String>>,
}

impl World {
    pub(super) fn new(messages: u8, window: usize) -> Self {
        Self {
            there: (1..=messages).collect(),
            odd: Vec::new(),
            window,
            declines: Vec::new(),
            delay: Duration::ZERO,
            home: tempfile::tempdir().unwrap(),
            warnings: RefCell::default(),
        }
    }

    pub(super) fn odd(mut self, odd: &[(&'static str, &str)]) -> Self {
        self.odd = odd
            .iter()
            .map(|&(line, reply)| (line, reply.to_owned()))
            .collect();
        self
    }

    /// Records messages of unknown size as seen.
    pub(super) fn see(&self, unique_ids: &[&str], spelling: Spelling) {
        let seen = unique_ids.iter().map(|unique_id| Seen {
            key: Key {
                unique_id: unique_id.as_bytes().to_vec(),
                copy: 0,
            },
            octets: None,
            since: 0,
        });
        let mut journal = Journal::open(&self.home.path().join("journal"), "me").unwrap();
        let seen: Vec<Seen> = seen.collect();
        assert_eq!(journal.see(&seen, spelling), Ok(unique_ids.len()));
    }

    /// Runs a fetch. `sent`: its commands, by first letter and message-number, with a
    /// dot for each reply and a slash between visits. `said`: parts of its warnings
    /// and of its error. `counts`: the counts of its summary that are not 0. Returns
    /// the octets that it delivered.
    #[track_caller]
    pub(super) fn fetch(&mut self, orders: Orders, sent: &str, said: &[&str], counts: &str) -> u64 {
        let mut fetch = Fetch::new(orders);
        let mut lines = String::new();
        let error = loop {
            match self.visit(&mut fetch, &mut lines) {
                Ok(Next::Again) => lines.push_str(" /"),
                Ok(Next::Done) => break None,
                Err(failure) => break Some(failure.to_string()),
            }
        };
        let mut all = self.warnings.take();
        all.extend(error);
        assert_eq!(
            lines.trim_start(),
            sent,
            "{all:?} {}",
            counted(fetch.summary())
        );
        assert_eq!(all.len(), said.len(), "{all:?}");
        for (all, said) in all.iter().zip(said) {
            assert!(all.contains(said), "{all}");
        }
        assert_eq!(counted(fetch.summary()), counts);
        fetch.summary().octets
    }

    fn visit(&mut self, fetch: &mut Fetch, sent: &mut String) -> Result<Next, Failure> {
        let warnings = self.warnings.take();
        let report = Warnings(RefCell::new(warnings));
        let (file, mail) = (
            self.home.path().join("journal"),
            self.home.path().join("mail"),
        );
        let reading = || {
            let journal = Journal::open(&file, "me")?;
            let records = journal.records()?;
            Ok((journal, records))
        };
        let place = match self.declines.as_slice() {
            [] => Place::Mbox(mail),
            declines => command(self.home.path(), declines),
        };
        let opening = |journal| {
            let group = Group::open(&System, journal, &place, Form::Raw, |_, _| {})?;
            Ok(Direct::new(group, LineEnds::Received))
        };
        let mut visit = fetch.visit(&report, self.window, Box::new(reading), Box::new(opening));
        let result = self.session(&mut visit, sent);
        let next = fetch.end(visit, result, &report);
        self.warnings = report.0;
        next
    }

    fn session(
        &mut self,
        visit: &mut Visit<'_, Direct, Careful>,
        sent: &mut String,
    ) -> Result<(), Failure> {
        let mut now = Instant::now();
        let mut session = logged_in(now);
        let mut commands = VecDeque::new();
        let there = self.there.clone();
        let mut reply = String::new();
        loop {
            if visit.next(&mut session, now)?.is_some() {
                return Ok(());
            }
            for line in transmitted(&mut session, now).lines() {
                let number = line.split_once(' ').map_or("", |(_, number)| number);
                sent.push_str(&format!(" {}{number}", &line[..1]));
                commands.push_back(line.to_owned());
            }
            if reply.is_empty() {
                let Some(command) = commands.pop_front() else {
                    return Err(Failure::new(Kind::Temporary, "the server is silent"));
                };
                sent.push('.');
                now += self.delay;
                reply = self.reply(&there, &command);
            }
            let line = reply.find('\n').map_or(0, |lf| lf + 1);
            let mut rest: &[u8] = &reply.drain(..line).collect::<String>().into_bytes();
            while !rest.is_empty() {
                let step = session.handle_input(now, rest);
                let step = step.map_err(|error| Failure::new(Kind::Protocol, error))?;
                rest = &rest[step.consumed..];
                if let Some(event) = step.event {
                    visit.event(event)?;
                }
            }
        }
    }

    fn reply(&mut self, there: &[u8], line: &str) -> String {
        if let Some(at) = self.odd.iter().position(|(odd, _)| *odd == line) {
            return self.odd.remove(at).1;
        }
        let rows = |row: &dyn Fn(u8) -> String| {
            let rows = there.iter().enumerate();
            let rows = rows.map(|(at, &message)| format!("{} {}\r\n", at + 1, row(message)));
            format!("+OK\r\n{}.\r\n", rows.collect::<String>())
        };
        let (keyword, number) = line.split_once(' ').unwrap_or((line, "1"));
        let message = there.get(number.parse::<usize>().unwrap() - 1).copied();
        match keyword {
            "UIDL" => rows(&|message| format!("id{message}")),
            "LIST" => rows(&|message| text(message).len().to_string()),
            "STAT" => format!("+OK {} 1000\r\n", there.len()),
            "RETR" => {
                let text = text(message.unwrap());
                format!("+OK {} octets\r\n{text}.\r\n", text.len())
            }
            "DELE" => {
                self.there.retain(|&other| Some(other) != message);
                String::from("+OK\r\n")
            }
            _ => String::from("+OK\r\n"),
        }
    }

    /// The messages that are stored, in order.
    pub(super) fn stored(&self) -> Vec<u8> {
        let mbox = fs::read_to_string(self.home.path().join("mail")).unwrap_or_default();
        let subjects = mbox
            .lines()
            .filter_map(|line| line.strip_prefix("Subject: "));
        subjects.map(|subject| subject.parse().unwrap()).collect()
    }
}

/// A command that appends messages to `mail`, except those that it declines.
fn command(home: &Path, declines: &[(u8, u8)]) -> Place {
    let cases = declines.iter().map(|(message, status)| {
        format!("grep -q 'Subject: {message}' part && echo no {message} && exit {status}; ")
    });
    let cases: String = cases.collect();
    let home = home.display();
    Place::Command(format!(
        "cd {home} && cat > part && {{ {cases} cat part >> mail; }}"
    ))
}

/// A message; each has a size of its own.
pub(super) fn text(message: u8) -> String {
    let line = "x".repeat(10 * usize::from(message));
    format!("Subject: {message}\r\n\r\n{line}\r\n")
}

fn counted(summary: &Summary) -> String {
    let counts = [
        ("delivered", summary.delivered),
        ("deleted", summary.deleted),
        ("caught up", summary.caught_up),
        ("held", summary.held),
        ("too large", summary.too_large),
        ("over the limit", summary.over_limit),
        ("nameless", summary.nameless),
        ("changed", summary.changed),
        ("refused", summary.refused),
        ("declined", summary.declined),
        ("in doubt", summary.doubtful),
    ];
    let counts = counts.iter().filter(|(_, count)| *count > 0);
    let counts: Vec<_> = counts
        .map(|(what, count)| format!("{count} {what}"))
        .collect();
    counts.join(", ")
}

fn transmitted(session: &mut Session, now: Instant) -> String {
    let mut sent = Vec::new();
    while let Some(octets) = session.poll_transmit() {
        sent.extend_from_slice(octets);
        let octets = octets.len();
        session.handle_transmitted(now, octets);
    }
    String::from_utf8(sent).unwrap()
}

fn logged_in(now: Instant) -> Session {
    let mut session = Session::new(Config::new(Profile::RFC1939, Transport::Tls), now);
    let capabilities = "+OK\r\nPIPELINING\r\nUIDL\r\n.\r\n";
    for (command, reply) in [
        (None, "+OK\r\n"),
        (Some(Command::User(Argument::new("me").unwrap())), "+OK\r\n"),
        (
            Some(Command::Pass(Secret::new("secret").unwrap())),
            "+OK\r\n",
        ),
        (Some(Command::Capa), capabilities),
    ] {
        if let Some(command) = command {
            session.enqueue(now, &command).unwrap();
        }
        transmitted(&mut session, now);
        let mut rest = reply.as_bytes();
        while !rest.is_empty() {
            rest = &rest[session.handle_input(now, rest).unwrap().consumed..];
        }
    }
    session
}

struct Warnings(RefCell<Vec<String>>);

impl Report for Warnings {
    fn begins(&self, _: u64) {}
    fn received(&self, _: u64) {}
    fn ends(&self) {}
    fn warn(&self, what: &str) {
        self.0.borrow_mut().push(what.to_owned());
    }
    fn shown(&self, text: &[u8]) -> String {
        Escaped(text).to_string()
    }
    fn plan(&self, _: &Plan) {}
}
