//! The statements that bind clients and take a whole synchronization to see.

use pop3_conformance::{Id, Release, statement};
use pop3_proto::{EqualUniqueIds, Profile};

use crate::checking::{Check, Fault, Flaw, Verdict};

/// A client that synchronizes a maildrop.
pub(crate) trait Fetches {
    /// Does so once more, as that profile has it and with no other wish.
    fn fetch(&mut self, profile: &Profile) -> Transcript;

    /// Begins anew, with these messages in the maildrop: unique-ids and octets.
    fn begin(&mut self, maildrop: &[(&str, &str)]);
}

/// What came of a synchronization.
#[derive(Debug)]
pub(crate) struct Transcript {
    pub(crate) is_success: bool,
    /// The lines of each TCP connection.
    pub(crate) connections: Vec<Vec<String>>,
    /// Messages that are in the maildrop.
    pub(crate) left: Vec<String>,
    /// Messages that the client has, in order.
    pub(crate) stored: Vec<String>,
}

/// How a client errs: as which profile it behaves, what it sends for a line, how
/// many connections it makes besides.
#[derive(Clone, Copy)]
pub(crate) struct Spoilt {
    pub(crate) profile: fn(&'static str) -> &'static str,
    pub(crate) line: fn(&str) -> &str,
    pub(crate) more_connections: usize,
}

pub(crate) const SOUND: Spoilt = Spoilt {
    profile: |name| name,
    line: |line| line,
    more_connections: 0,
};

const ONE: &str = "Subject: 1\r\n\r\none\r\n";
const TWO: &str = "Subject: 2\r\n\r\ntwo two\r\n";

macro_rules! list {
    ($($name:ident),+ $(,)?) => {
        pub(crate) const CHECKS: &[Check<dyn Fetches>] = &[$(
            Check { name: stringify!($name), file: file!(), run: |client| $name(client) },
        )+];
    };
}

list!(
    c0001_one_tcp_connection_carries_the_session,
    c0007_the_client_says_who_it_is,
    c0008_the_client_proves_who_it_is_before_anything_else,
    c0041_two_copies_under_one_unique_id_are_no_trouble,
    c0048_mail_is_deleted_up_to_2016_and_kept_from_2019,
);

pub(crate) const FAULTS: &[Fault<Spoilt>] = &[
    Fault {
        id: "C0001",
        what: "makes two connections",
        fault: Spoilt {
            more_connections: 1,
            ..SOUND
        },
        also: &[
            ("C0007", "the second says nothing"),
            ("C0008", "the second proves nothing"),
        ],
    },
    Fault {
        id: "C0007",
        what: "does not say who it is",
        fault: Spoilt {
            line: |line| {
                if line.starts_with("USER") {
                    "NOOP"
                } else {
                    line
                }
            },
            ..SOUND
        },
        also: &[("C0008", "without a name there is no login")],
    },
    Fault {
        id: "C0008",
        what: "does not prove who it is",
        fault: Spoilt {
            line: |line| {
                if line.starts_with("PASS") {
                    "NOOP"
                } else {
                    line
                }
            },
            ..SOUND
        },
        also: &[],
    },
    Fault {
        id: "C0041",
        what: "never has more than one of two copies",
        fault: Spoilt {
            profile: |name| {
                if matches!(name, "rfc1939" | "outlook-new") {
                    "outlook-2024"
                } else {
                    name
                }
            },
            ..SOUND
        },
        also: &[],
    },
    Fault {
        id: "C0048",
        what: "keeps mail as Outlook 2016",
        fault: Spoilt {
            profile: |name| {
                if name == "outlook-2016" {
                    "outlook-2019"
                } else {
                    name
                }
            },
            ..SOUND
        },
        also: &[],
    },
    Fault {
        id: "C0048",
        what: "deletes mail as Outlook 2019",
        fault: Spoilt {
            profile: |name| {
                if name == "outlook-2019" {
                    "outlook-2016"
                } else {
                    name
                }
            },
            ..SOUND
        },
        also: &[],
    },
];

/// A synchronization of two messages.
fn synchronized(client: &mut dyn Fetches, profile: &Profile) -> Transcript {
    client.begin(&[("a", ONE), ("b", TWO)]);
    client.fetch(profile)
}

fn c0001_one_tcp_connection_carries_the_session(client: &mut dyn Fetches) -> Verdict {
    for profile in Profile::ALL {
        let transcript = synchronized(client, &profile);
        ensure!(
            transcript.connections.len() == 1,
            "{}: {transcript:?}",
            profile.name
        );
    }
    Ok(())
}

fn c0007_the_client_says_who_it_is(client: &mut dyn Fetches) -> Verdict {
    for profile in Profile::ALL {
        let transcript = synchronized(client, &profile);
        for lines in &transcript.connections {
            let mut lines = lines.iter();
            let is_named = lines.any(|line| line == "USER mrose");
            ensure!(is_named, "{}: {transcript:?}", profile.name);
        }
    }
    Ok(())
}

fn c0008_the_client_proves_who_it_is_before_anything_else(client: &mut dyn Fetches) -> Verdict {
    for profile in Profile::ALL {
        let transcript = synchronized(client, &profile);
        for lines in &transcript.connections {
            let early = |line: &&String| {
                let keyword = line.split(' ').next().unwrap_or_default();
                matches!(keyword, "CAPA" | "STLS" | "USER" | "AUTH" | "NOOP")
            };
            let first = lines.iter().find(|line| !early(line));
            let is_proof = first.is_some_and(|line| line == "PASS tanstaaf");
            ensure!(is_proof, "{}: {transcript:?}", profile.name);
        }
    }
    Ok(())
}

fn c0041_two_copies_under_one_unique_id_are_no_trouble(client: &mut dyn Fetches) -> Verdict {
    for profile in Profile::ALL {
        client.begin(&[("x", ONE), ("x", ONE), ("y", TWO)]);
        // Outlook may act on either copy, RFC 1939 knows two messages.
        let copies = match profile.equal_unique_ids {
            EqualUniqueIds::Apart => 2,
            EqualUniqueIds::Interchangeable => 1,
        };
        let is_named = statement(Id::C(41)).is_some_and(|row| {
            Release::of(&profile).is_some_and(|release| row.for_release(release).is_some())
        });
        ensure!(
            is_named == (copies == 1),
            "{}: {copies} copies",
            profile.name
        );
        for time in 1..=2 {
            let transcript = whole(client.fetch(&profile))?;
            let of = |message: &str| {
                transcript
                    .stored
                    .iter()
                    .filter(|stored| *stored == message)
                    .count()
            };
            let is_right = of(ONE) == copies && of(TWO) == 1;
            ensure!(is_right, "{} time {time}: {transcript:?}", profile.name);
        }
    }
    Ok(())
}

fn c0048_mail_is_deleted_up_to_2016_and_kept_from_2019(client: &mut dyn Fetches) -> Verdict {
    for profile in Profile::ALL {
        let clause =
            Release::of(&profile).and_then(|release| statement(Id::C(48))?.for_release(release));
        let left: &[&str] = match clause.is_some_and(|clause| clause.contains("deletes")) {
            true => &[],
            false => &[ONE, TWO],
        };
        client.begin(&[("a", ONE), ("b", TWO)]);
        for time in 1..=2 {
            let transcript = whole(client.fetch(&profile))?;
            let is_right = transcript.left == left && transcript.stored == [ONE, TWO];
            ensure!(is_right, "{} time {time}: {transcript:?}", profile.name);
        }
    }
    Ok(())
}

/// Where the synchronization failed there is nothing to judge.
fn whole(transcript: Transcript) -> Result<Transcript, Flaw> {
    match transcript.is_success {
        true => Ok(transcript),
        false => Err(Flaw::Unable(format!("{transcript:?}"))),
    }
}
