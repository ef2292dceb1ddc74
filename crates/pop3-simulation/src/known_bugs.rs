//! Known bugs: fetches with one wrong decision each. A scenario must distinguish
//! each of them from a sound fetch.

use pop3_fetch::{
    Careful, Committed, Decisions, Direct, Gone, Intake, Key, Received, Reckoning, Sizes, Total,
};
use pop3_proto::{
    IndicatorRule, MessageNumber, StatusLine,
    client::{Event, Request},
};
use rusqlite::Connection;

use crate::{Client, Forgets, Scenario, Sound, check};

/// A fetch with a known bug.
#[derive(Clone, Copy)]
pub struct KnownBug {
    /// What the fetch does wrong.
    pub name: &'static str,
    /// The software that has this bug, or the damage that the bug would do.
    pub source: &'static str,
    wrong: Wrong,
}

/// Where the bug is: exactly one field is set.
#[derive(Clone, Copy, Default)]
struct Wrong {
    fits: Option<fn(Option<u64>, &Received) -> bool>,
    is_witness: Option<fn(&Total, &Total) -> bool>,
    alone: Option<fn(Option<u64>, &Received) -> bool>,
    records_at_once: bool,
    deletes_upwards: bool,
    trusts_dele: bool,
    forgives: bool,
    intake: Option<Spoils>,
    believes: Option<fn(Request) -> bool>,
    forgets: Option<Forgets>,
    looks_in_one_maildir: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Spoils {
    /// Stores messages that are discarded.
    Discard,
    /// Records the part that was kept when the connection breaks.
    End,
    /// Stores a part of a message when the connection breaks.
    Part,
    /// Stores a message under the key of the one before.
    Key,
    /// Records only the first message.
    Confirm,
}

const NONE: Wrong = Wrong {
    fits: None,
    is_witness: None,
    alone: None,
    records_at_once: false,
    deletes_upwards: false,
    trusts_dele: false,
    forgives: false,
    intake: None,
    believes: None,
    forgets: None,
    looks_in_one_maildir: false,
};

/// All known bugs.
pub const ALL: [KnownBug; 31] = [
    KnownBug {
        name: "records-before-the-witness",
        source: "pop3 fetch 0.1 with Dovecot: an empty file is recorded, the message deleted",
        wrong: Wrong {
            records_at_once: true,
            fits: Some(|_, _| true),
            ..NONE
        },
    },
    KnownBug {
        name: "any-size-fits",
        source: "fetchmail, getmail6, mpop: sizes are not compared",
        wrong: Wrong {
            fits: Some(|_, _| true),
            ..NONE
        },
    },
    KnownBug {
        name: "half-to-twice-the-size-fits",
        source: "pop3 fetch 0.1 with WildDuck: the next +OK is stored with the message",
        wrong: Wrong {
            fits: Some(|listed, message| {
                listed.is_some_and(|listed| {
                    listed / 2 <= message.octets && message.octets <= 2 * listed + 4096
                })
            }),
            ..NONE
        },
    },
    KnownBug {
        name: "more-than-the-size-fits",
        source: "a scanner may add lines, but so may the next reply",
        wrong: Wrong {
            fits: Some(|listed, message| listed.is_some_and(|listed| message.octets >= listed)),
            ..NONE
        },
    },
    KnownBug {
        name: "what-list-leaves-out-fits",
        source: "a message that LIST does not name, in a window",
        wrong: Wrong {
            fits: Some(|listed, message| listed.is_none_or(|listed| listed == message.octets)),
            ..NONE
        },
    },
    KnownBug {
        name: "every-count-is-believed",
        source: "explained by a count that this server does not use",
        wrong: Wrong {
            fits: Some(|listed, message| {
                listed == Some(message.octets)
                    || listed.is_some_and(|listed| listed + 16 > message.octets)
            }),
            ..NONE
        },
    },
    KnownBug {
        name: "any-answer-is-a-witness",
        source: "a line of a message answers STAT",
        wrong: Wrong {
            is_witness: Some(|_, _| true),
            fits: Some(|_, _| true),
            ..NONE
        },
    },
    KnownBug {
        name: "any-answer-is-a-witness-for-what-fits",
        source: "in step at the message, not after it",
        wrong: Wrong {
            is_witness: Some(|_, _| true),
            ..NONE
        },
    },
    KnownBug {
        name: "alone-what-list-leaves-out-is-believed",
        source: "no size, and so no way to see that a dot is missing",
        wrong: Wrong {
            alone: Some(|listed, _| listed.is_none()),
            ..NONE
        },
    },
    KnownBug {
        name: "alone-all-is-believed",
        source: "pop3 fetch 0.1 without pipelining: no size is asked after",
        wrong: Wrong {
            alone: Some(|_, _| true),
            ..NONE
        },
    },
    KnownBug {
        name: "alone-a-shorter-message-is-believed",
        source: "curl 7.88.1, poplib: a part is taken for the whole",
        wrong: Wrong {
            alone: Some(|listed, message| {
                listed.is_some_and(|listed| 0 < message.octets && message.octets < listed)
            }),
            ..NONE
        },
    },
    KnownBug {
        name: "alone-a-longer-message-is-believed",
        source: "servers that number anew while a session lasts give another one",
        wrong: Wrong {
            alone: Some(|listed, message| listed.is_some_and(|listed| message.octets > listed)),
            ..NONE
        },
    },
    KnownBug {
        name: "deletes-from-the-lowest-number",
        source: "servers that number anew at each DELE delete others then",
        wrong: Wrong {
            deletes_upwards: true,
            ..NONE
        },
    },
    KnownBug {
        name: "dele-is-the-end-of-a-message",
        source: "recorded as deleted before QUIT: what stays comes twice",
        wrong: Wrong {
            trusts_dele: true,
            ..NONE
        },
    },
    KnownBug {
        name: "what-is-left-is-a-success",
        source: "getmail6: a message that is refused ends in status 0",
        wrong: Wrong {
            forgives: true,
            ..NONE
        },
    },
    KnownBug {
        name: "stores-what-does-not-fit",
        source: "pop3 fetch 0.1 with WildDuck: stored, and fetched again",
        wrong: Wrong {
            intake: Some(Spoils::Discard),
            ..NONE
        },
    },
    KnownBug {
        name: "records-what-came-before-the-break",
        source: "pop3 fetch 0.1: whole messages are kept when the connection breaks",
        wrong: Wrong {
            intake: Some(Spoils::End),
            fits: Some(|_, _| true),
            ..NONE
        },
    },
    KnownBug {
        name: "stores-a-part-at-the-break",
        source: "curl 7.88.1, mpop 1.4.18: the end of the connection ends the message",
        wrong: Wrong {
            intake: Some(Spoils::Part),
            ..NONE
        },
    },
    KnownBug {
        name: "records-under-the-id-before",
        source: "pop3 fetch 0.1 after a swallowed reply",
        wrong: Wrong {
            intake: Some(Spoils::Key),
            ..NONE
        },
    },
    KnownBug {
        name: "records-the-first-message-only",
        source: "a witness that counts once",
        wrong: Wrong {
            intake: Some(Spoils::Confirm),
            ..NONE
        },
    },
    KnownBug {
        name: "a-refused-quit-is-the-update",
        source: "what is not deleted is recorded as deleted, and comes twice",
        wrong: Wrong {
            believes: Some(|request| matches!(request, Request::Quit)),
            ..NONE
        },
    },
    KnownBug {
        name: "does-not-sync-the-file-system",
        source: "a message is deleted before it is on the disk",
        wrong: Wrong {
            forgets: Some(Forgets::FileSystem),
            ..NONE
        },
    },
    KnownBug {
        name: "does-not-sync-messages",
        source: "fetchmail, mpop: no fsync by default",
        wrong: Wrong {
            forgets: Some(Forgets::FilesIn("tmp")),
            ..NONE
        },
    },
    KnownBug {
        name: "does-not-sync-tmp",
        source: "a file that was removed, or renamed, is there again",
        wrong: Wrong {
            forgets: Some(Forgets::Directory("tmp")),
            ..NONE
        },
    },
    KnownBug {
        name: "does-not-sync-new",
        source: "a message that is delivered has no name",
        wrong: Wrong {
            forgets: Some(Forgets::Directory("new")),
            ..NONE
        },
    },
    KnownBug {
        name: "does-not-sync-the-maildir",
        source: "tmp, new and cur were made, and are gone",
        wrong: Wrong {
            forgets: Some(Forgets::Directory("mail")),
            ..NONE
        },
    },
    KnownBug {
        name: "does-not-sync-the-directory-of-the-mbox",
        source: "the mbox was made, and is gone",
        wrong: Wrong {
            forgets: Some(Forgets::Directory("")),
            ..NONE
        },
    },
    KnownBug {
        name: "does-not-sync-the-mbox",
        source: "NULs in place of messages that are deleted",
        wrong: Wrong {
            forgets: Some(Forgets::File("mbox")),
            ..NONE
        },
    },
    KnownBug {
        name: "does-not-sync-the-spool",
        source: "nothing to write again after a loss of power",
        wrong: Wrong {
            forgets: Some(Forgets::File("journal.1.spool")),
            ..NONE
        },
    },
    KnownBug {
        name: "does-not-sync-the-maildir-of-a-rule",
        source: "a group counts as secured when its first Maildir is",
        wrong: Wrong {
            forgets: Some(Forgets::Below("lists")),
            ..NONE
        },
    },
    KnownBug {
        name: "looks-for-pending-messages-in-one-maildir",
        source: "a message that waits in the Maildir of a rule is never published",
        wrong: Wrong {
            looks_in_one_maildir: true,
            ..NONE
        },
    },
];

/// Checks a scenario with the known bug that the variable `POP3_KNOWN_BUG` names, or
/// with the sound fetch.
///
/// # Panics
///
/// If the oracle finds anything wrong.
pub fn check_subject(scenario: &Scenario) {
    match std::env::var("POP3_KNOWN_BUG") {
        Ok(name) => match ALL.iter().find(|bug| bug.name == name) {
            Some(bug) => check(bug, scenario),
            None => panic!("POP3_KNOWN_BUG: there is no fetch `{name}`"),
        },
        Err(_) => check(&Sound, scenario),
    }
}

impl KnownBug {
    /// Whether the bug only shows after a mishap of the client's machine.
    #[must_use]
    pub const fn needs_a_mishap(&self) -> bool {
        self.wrong.forgets.is_some() || self.wrong.looks_in_one_maildir
    }
}

impl Client for KnownBug {
    type Decisions = Self;
    type Intake = Spoilt;

    fn decisions(&self) -> Self {
        *self
    }

    fn intake(&self, direct: Direct) -> Spoilt {
        Spoilt {
            direct,
            spoils: self.wrong.intake,
            octets: 0,
            number: None,
            key: None,
            confirmed: false,
        }
    }

    fn forgets(&self) -> Option<Forgets> {
        self.wrong.forgets
    }

    fn recovers(&self, journal: &Connection) {
        if self.wrong.looks_in_one_maildir {
            // Before the first run there is no such table.
            let _ = journal.execute("UPDATE pending SET place = 'maildir:/mail'", []);
        }
    }

    fn event<'e>(&self, event: Event<'e>) -> Event<'e> {
        match event {
            Event::Status(mut reply) if self.wrong.believes.is_some_and(|is| is(reply.request)) => {
                if let Ok(yes) = StatusLine::parse(b"+OK", IndicatorRule::Exact) {
                    reply.status = yes;
                }
                Event::Status(reply)
            }
            event => event,
        }
    }
}

impl Decisions for KnownBug {
    fn fits(&self, message: &Received, sizes: &Sizes<'_>, any_size: bool) -> bool {
        match self.wrong.fits {
            Some(fits) => fits(sizes.listed, message),
            None => Careful.fits(message, sizes, any_size),
        }
    }

    fn is_witness(&self, before: &Total, now: &Total) -> bool {
        match self.wrong.is_witness {
            Some(is_witness) => is_witness(before, now),
            None => Careful.is_witness(before, now),
        }
    }

    fn waits_for_witness(&self) -> bool {
        !self.wrong.records_at_once
    }

    fn alone(&self, message: &Received, sizes: &Sizes<'_>) -> Option<Reckoning> {
        match self.wrong.alone {
            Some(alone) if alone(sizes.listed, message) => Some(Reckoning::Lf),
            _ => Careful.alone(message, sizes),
        }
    }

    fn order_deletions(&self, numbers: &mut [MessageNumber]) {
        Careful.order_deletions(numbers);
        if self.wrong.deletes_upwards {
            numbers.reverse();
        }
    }

    fn trusts_dele(&self) -> bool {
        self.wrong.trusts_dele
    }

    fn forgives(&self) -> bool {
        self.wrong.forgives
    }
}

/// An intake with one defect.
pub struct Spoilt {
    direct: Direct,
    spoils: Option<Spoils>,
    octets: u64,
    /// The message that is being received.
    number: Option<MessageNumber>,
    /// The key of the previous message.
    key: Option<Key>,
    confirmed: bool,
}

impl Spoilt {
    /// Stores the octets received so far, under a key of their own.
    fn store(&mut self, number: MessageNumber) -> Result<(), Gone> {
        let key = Key {
            unique_id: format!("part of {number}").into_bytes(),
            copy: 0,
        };
        self.direct.keep(key, self.octets, self.octets)
    }
}

impl Intake for Spoilt {
    fn begin(&mut self, number: MessageNumber) -> Result<(), Gone> {
        self.number = Some(number);
        self.octets = 0;
        self.direct.begin(number)
    }

    fn write(&mut self, octets: &[u8]) -> Result<(), Gone> {
        self.octets += octets.len() as u64;
        self.direct.write(octets)
    }

    fn lines(&self) -> u64 {
        self.direct.lines()
    }

    fn keep(&mut self, key: Key, listed: u64, received: u64) -> Result<(), Gone> {
        self.number = None;
        let before = self.key.replace(key.clone());
        match (self.spoils, before) {
            (Some(Spoils::Key), Some(before)) => self.direct.keep(before, listed, received),
            _ => self.direct.keep(key, listed, received),
        }
    }

    fn discard(&mut self) -> Result<(), Gone> {
        match (self.spoils, self.number.take()) {
            (Some(Spoils::Discard), Some(number)) => self.store(number),
            _ => self.direct.discard(),
        }
    }

    fn confirm(&mut self) -> Result<(), Gone> {
        let confirmed = std::mem::replace(&mut self.confirmed, true);
        match confirmed && self.spoils == Some(Spoils::Confirm) {
            true => Ok(()),
            false => self.direct.confirm(),
        }
    }

    fn reject(&mut self) -> Result<(), Gone> {
        self.direct.reject()
    }

    fn finish(mut self) -> Committed {
        if self.spoils == Some(Spoils::Part)
            && let Some(number) = self.number.take()
        {
            let _ = self.store(number);
            let _ = self.direct.confirm();
        }
        if self.spoils == Some(Spoils::End) && self.number.is_none() {
            let _ = self.direct.confirm();
        }
        self.direct.finish()
    }
}
