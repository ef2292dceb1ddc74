//! A walk through sessions: commands in many orders, messages of every kind,
//! the maildrop full and empty, with and without QUIT. The check of a statement
//! judges each command.

use super::{Dialogue, MESSAGES, Subject, decimal, fields, is_positive, lines, octets, sent, word};
use crate::checking::{Flaw, Verdict};

/// The maildrop by RFC 1939, as this session should see it.
#[derive(Clone, Debug, Default)]
pub(super) struct Maildrop {
    messages: Vec<Arrival>,
    deleted: Vec<usize>,
}

impl Maildrop {
    /// The highest message-number.
    pub(super) fn last(&self) -> usize {
        self.messages.len()
    }

    pub(super) fn message(&self, number: usize) -> &'static str {
        self.messages[number - 1].1
    }

    /// The unique-id under which the message arrived.
    pub(super) fn unique_id(&self, number: usize) -> &'static str {
        self.messages[number - 1].0
    }

    /// The numbers of the messages that are not deleted.
    pub(super) fn live(&self) -> Vec<usize> {
        let numbers = 1..=self.messages.len();
        numbers
            .filter(|number| !self.deleted.contains(number))
            .collect()
    }

    pub(super) fn deleted(&self) -> &[usize] {
        &self.deleted
    }

    /// Applies a command and its reply.
    fn follow(&mut self, command: &str, reply: &str) {
        match (command, argument(command)) {
            ("RSET", _) if is_positive(reply) => self.deleted.clear(),
            (_, Some(number))
                if command.starts_with("DELE")
                    && is_positive(reply)
                    && self.live().contains(&number) =>
            {
                self.deleted.push(number);
            }
            _ => {}
        }
    }

    /// Applies QUIT: what the next session finds.
    fn update(&mut self) {
        let live = self.live().into_iter();
        self.messages = live.map(|number| self.messages[number - 1]).collect();
        self.deleted.clear();
    }

    /// Whether two of STAT, LIST and UIDL show exactly these messages. If not,
    /// another statement is broken, not one about a reply.
    fn is_seen(&self, dialogue: &mut Dialogue) -> Result<(), Seen> {
        let live: Vec<u64> = self.live().into_iter().map(|n| n as u64).collect();
        let count = stat(&dialogue.ask("STAT"));
        let [list, uidl] = ["LIST", "UIDL"].map(|command| numbers(&dialogue.ask(command)));
        let agree = [count == Some(live.len() as u64), list == live, uidl == live];
        match agree.into_iter().filter(|agree| *agree).count() {
            2.. => Ok(()),
            _ => Err(Seen {
                has_more: list.len() > live.len(),
                is_misnumbered: self.is_misnumbered(&list),
                is_in_order: list.iter().zip(1..).all(|(number, n)| *number == n),
                what: format!("STAT {count:?}, LIST {list:?}, UIDL {uidl:?}, not {live:?}"),
            }),
        }
    }

    /// Whether the server has these messages, judged by RETR of one of them or
    /// by the sizes in LIST.
    fn is_there(&self, dialogue: &mut Dialogue) -> bool {
        let live = self.live();
        let reply = dialogue.ask("LIST");
        let sizes = lines(&reply).into_iter().filter_map(fields);
        let sizes = sizes.map(|(_, size)| decimal(size));
        let exact = live.iter().map(|n| Some(octets(self.message(*n))));
        sizes.eq(exact)
            || live.iter().all(|n| {
                let reply = dialogue.ask(&format!("RETR {n}"));
                is_positive(&reply) && lines(&reply) == sent(self.message(*n))
            })
    }

    /// Whether the numbers are wrong, whichever messages exist.
    pub(super) fn is_misnumbered(&self, numbers: &[u64]) -> bool {
        let is_possible = |number: &u64| (1..=self.messages.len() as u64).contains(number);
        let live = self.live().len();
        let closes_up = numbers.len() == live
            && live < self.messages.len()
            && numbers.iter().zip(1..).all(|(number, n)| *number == n)
            && self.deleted.iter().any(|deleted| *deleted <= live);
        closes_up || !numbers.is_sorted() || !numbers.iter().all(is_possible)
    }
}

/// How a server sees a maildrop when it differs from the expected one.
struct Seen {
    has_more: bool,
    is_misnumbered: bool,
    /// Whether numbers run from 1 on without a gap.
    is_in_order: bool,
    what: String,
}

/// A moment of the walk.
pub(super) struct Moment<'a> {
    pub(super) maildrop: &'a Maildrop,
    /// The last command, which may be PASS, and its reply.
    pub(super) command: &'a str,
    pub(super) reply: &'a str,
}

impl Moment<'_> {
    /// The live messages, starting with that of the last command, or with the
    /// second.
    pub(super) fn numbers(&self) -> Vec<usize> {
        let mut live = self.maildrop.live();
        let about = argument(self.command).and_then(|n| live.iter().position(|live| *live == n));
        let second = usize::from(live.len() > 1);
        live.rotate_left(about.unwrap_or(second));
        live
    }
}

/// An arriving message: its unique-id and octets.
type Arrival = (&'static str, &'static str);

/// Messages that no server may change.
const ARRIVALS: &[Arrival] = &[
    ("id-4", ""),
    (
        "id-5",
        "\r\n\r\na body without a header\r\n\r\nand two blank lines\r\n",
    ),
    (
        "id-6",
        "Subject: gr\u{fc}n\r\nFolded: one\r\n two\r\n\tthree\r\n\r\nFrom me\r\n>From you\r\n\
         trailing blanks  \t\r\n\tTAB\r\nNUL \0 and b\u{fc}cher \u{20ac}\r\n \r\n\r\n\r\n",
    ),
    (
        "id-7",
        "Subject: lines\r\n\r\n1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7\r\n8\r\n9\r\n10\r\n11\r\n12\r\n13\r\n",
    ),
    ("id-8-copy-of-id-2", MESSAGES[2]),
    (
        "id-9",
        "Subject: dots\r\n\r\n.\r\n..\r\n...\r\n.a\r\n..\r\n",
    ),
    ("ie-0", "Subject: last but one\r\n\r\n10\r\n"),
    ("ie-1", LONG),
];

/// A line longer than a line should be (RFC 5322 §2.1.1), without a line end.
const LONG: &str = match str::from_utf8(&[b'x'; 1200]) {
    Ok(line) => line,
    Err(_) => "",
};

/// Marks the arrival of messages among the commands; the session does not see
/// it.
const ARRIVAL: &str = "(arrival)";

enum End {
    Quit,
    /// The connection breaks.
    Cut,
}

/// Sessions: the commands, the end, and what arrives after the last command.
const SESSIONS: &[(&[&str], End, &[Arrival])] = &[
    (
        &[
            "NOOP", "RETR 9", "RETR 2", "TOP 2 1", "LIST 2", "UIDL 2", "STAT", "LIST", "UIDL",
            "DELE 2", "NOOP", "DELE 2", "RETR 2", "XQZT", "CAPA", "DELE 4", "DELE 2", "QUIT 1",
            "TOP 3 0", "RSET", "RSET", "DELE 1", "RETR 9", "DELE 3", "DELE 9", "DELE 4", "DELE 2",
            "NOOP", "RSET", "DELE 2",
        ],
        End::Quit,
        ARRIVALS,
    ),
    (
        &[
            "DELE 10", "RETR 11", "DELE 1", "TOP 10 1", "RSET", "DELE 11", "DELE 2", "LIST 10",
        ],
        End::Cut,
        &[],
    ),
    (
        &[
            "RETR 11", "DELE 1", "DELE 3", "DELE 2", "DELE 4", "DELE 5", "DELE 6", "DELE 7",
            "DELE 8", "DELE 9", "DELE 10", "DELE 11", "NOOP",
        ],
        End::Quit,
        &[],
    ),
    (
        &["STAT", "NOOP", "RSET", "DELE 1", "CAPA"],
        End::Quit,
        &[("ie-2", "Subject: again\r\n\r\nanother\r\n")],
    ),
    (&["RETR 1"], End::Quit, &[]),
];

/// Judges after each command. A flaw counts only if the server sees the right
/// maildrop; otherwise another statement is broken.
pub(super) fn walk(
    subject: &mut dyn Subject,
    mut judge: impl FnMut(&mut Dialogue, &Moment<'_>) -> Verdict,
) -> Verdict {
    each_moment(subject, |dialogue, moment| {
        let Err(flaw) = judge(dialogue, moment) else {
            return Ok(true);
        };
        let maildrop = moment.maildrop;
        match maildrop.is_seen(dialogue).is_ok() && maildrop.is_there(dialogue) {
            true => Err(describe(flaw, moment)),
            false => Ok(false),
        }
    })
}

/// Commands of all kinds to try at this moment.
pub(super) fn commands(moment: &Moment<'_>) -> Vec<String> {
    let of_all = ["LIST", "UIDL", "CAPA", "STAT", "RETR 99", "XQZT"];
    let mut commands = of_all.map(str::to_owned).to_vec();
    for number in moment.numbers() {
        let keywords = ["RETR", "LIST", "UIDL"].into_iter();
        commands.extend(keywords.map(|keyword| format!("{keyword} {number}")));
        commands.extend([0, 9].map(|lines| format!("TOP {number} {lines}")));
    }
    commands
}

/// A wrong effect of a command, or a missing one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blame {
    /// Messages have other numbers.
    Number,
    /// A deleted message has come back.
    Mark,
    Noop,
    /// A command has another effect than it should.
    Command,
}

/// After each command the server has the right messages, unless the fault
/// belongs to another statement.
pub(super) fn holds_the_messages(subject: &mut dyn Subject, blame: Blame) -> Verdict {
    let mut is_first = true;
    each_moment(subject, |dialogue, moment| {
        let was_first = std::mem::replace(&mut is_first, false);
        let Err(seen) = moment.maildrop.is_seen(dialogue) else {
            return Ok(true);
        };
        let keyword = moment.command.split(' ').next().unwrap_or_default();
        let blamed = match keyword {
            // Other messages than expected, with correct numbers.
            "PASS" if seen.is_in_order => (!was_first).then_some(Blame::Command),
            _ if seen.is_misnumbered => Some(Blame::Number),
            _ if was_first => None,
            "NOOP" => Some(Blame::Noop),
            "RSET" | "PASS" => Some(Blame::Command),
            _ if seen.has_more => Some(Blame::Mark),
            _ => Some(Blame::Command),
        };
        let what = Flaw::Violation(seen.what);
        match blamed == Some(blame) {
            true => Err(describe(what, moment)),
            false => Ok(false),
        }
    })
}

/// Continues while `see` returns true.
fn each_moment(
    subject: &mut dyn Subject,
    mut see: impl FnMut(&mut Dialogue, &Moment<'_>) -> Result<bool, Flaw>,
) -> Verdict {
    let mut maildrop = Maildrop {
        messages: ["id-0", "id-1", "id-2", "id-3"]
            .into_iter()
            .zip(MESSAGES)
            .collect(),
        deleted: Vec::new(),
    };
    for (commands, end, arrivals) in SESSIONS {
        let mut dialogue = Dialogue::logged_in(subject)?;
        let commands = ["PASS"].iter().chain(*commands);
        for command in commands.chain(&[ARRIVAL]) {
            let reply = match *command {
                // Already sent by the login.
                "PASS" => String::new(),
                ARRIVAL => {
                    for (unique_id, message) in *arrivals {
                        subject.deliver(unique_id, message);
                    }
                    String::new()
                }
                command => dialogue.ask(command),
            };
            maildrop.follow(command, &reply);
            let moment = Moment {
                maildrop: &maildrop,
                command,
                reply: &reply,
            };
            if !see(&mut dialogue, &moment)? {
                return Ok(());
            }
        }
        match end {
            End::Quit => {
                dialogue.ask("QUIT");
                maildrop.update();
            }
            End::Cut => maildrop.deleted.clear(),
        }
        maildrop.messages.extend(*arrivals);
    }
    Ok(())
}

fn describe(flaw: Flaw, moment: &Moment<'_>) -> Flaw {
    let Moment { command, reply, .. } = moment;
    let deleted = moment.maildrop.deleted();
    match flaw {
        Flaw::Violation(what) => Flaw::Violation(format!(
            "after {command} ({reply:?}), with {deleted:?} deleted: {what}"
        )),
        unable => unable,
    }
}

/// The message-number in a command.
fn argument(command: &str) -> Option<usize> {
    command.split(' ').nth(1)?.parse().ok()
}

/// The number at the start of a line.
pub(super) fn number(listing: &str) -> Option<u64> {
    let listing = listing.trim_start();
    let end = listing.find(|char: char| !char.is_ascii_digit());
    listing[..end.unwrap_or(listing.len())].parse().ok()
}

/// The numbers of a listing, in order.
pub(super) fn numbers(reply: &str) -> Vec<u64> {
    let mut numbers: Vec<u64> = lines(reply).into_iter().filter_map(number).collect();
    numbers.dedup();
    numbers
}

/// The number of messages in a reply to STAT.
fn stat(reply: &str) -> Option<u64> {
    decimal(word(reply.strip_prefix("+OK")?)?.0)
}
