//! The statements that bind clients and need a whole synchronization to check.

use base64::Engine as _;
use pop3_conformance::{Id, Release, statement};
use pop3_proto::{EqualUniqueIds, Profile};

use crate::checking::{Check, Fault, Flaw, Verdict};

/// A client that synchronizes a maildrop.
pub(crate) trait Fetches {
    /// Synchronizes once more as this profile, with the usual login.
    fn fetch(&mut self, profile: &Profile) -> Transcript {
        self.fetch_as(profile, &MROSE)
    }

    /// Synchronizes once more with another login.
    fn fetch_as(&mut self, profile: &Profile, login: &LogIn) -> Transcript;

    /// Starts over with these messages in the maildrop (unique-ids and octets).
    fn begin(&mut self, maildrop: &[(&str, &str)]);
}

/// A login, and whether the server accepts it.
#[derive(Clone, Copy)]
pub(crate) struct LogIn {
    pub(crate) user: &'static str,
    /// By NTLM instead of USER and PASS.
    pub(crate) ntlm: bool,
    pub(crate) is_right: bool,
}

pub(crate) const MROSE: LogIn = LogIn {
    user: "mrose",
    ntlm: false,
    is_right: true,
};

/// The result of a synchronization.
#[derive(Debug)]
pub(crate) struct Transcript {
    pub(crate) is_success: bool,
    /// The lines of each TCP connection.
    pub(crate) connections: Vec<Vec<String>>,
    /// Messages in the maildrop.
    pub(crate) left: Vec<String>,
    /// Messages that the client has stored, in order.
    pub(crate) stored: Vec<String>,
}

/// A fault of a client: the profile that it follows, the line that it sends
/// instead, and how many extra connections it makes.
#[derive(Clone, Copy)]
pub(crate) struct Spoilt {
    pub(crate) profile: fn(&'static str) -> &'static str,
    pub(crate) line: fn(&str) -> String,
    pub(crate) more_connections: usize,
}

pub(crate) const SOUND: Spoilt = Spoilt {
    profile: |name| name,
    line: str::to_owned,
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
    ntlm1_the_exchange_begins_with_auth_ntlm_alone,
    ntlm2_each_message_is_a_line_of_base64,
    ntlm3_negotiate_comes_first_and_authenticate_last,
    ntlm4_a_refused_exchange_is_over,
    deleg_names_of_delegates_go_as_they_are,
);

const fn row(id: &'static str, what: &'static str, fault: Spoilt) -> Fault<Spoilt> {
    Fault {
        id,
        what,
        fault,
        also: &[],
    }
}

const fn line(line: fn(&str) -> String) -> Spoilt {
    Spoilt { line, ..SOUND }
}

const fn profile(profile: fn(&'static str) -> &'static str) -> Spoilt {
    Spoilt { profile, ..SOUND }
}

/// Replaces the line with `other` if it begins with `start`.
fn or(line: &str, start: &str, other: &str) -> String {
    if line.starts_with(start) { other } else { line }.to_owned()
}

pub(crate) const FAULTS: &[Fault<Spoilt>] = &[
    Fault {
        also: &[
            ("C0007", "the second says nothing"),
            ("C0008", "the second proves nothing"),
        ],
        ..row(
            "C0001",
            "makes two connections",
            Spoilt {
                more_connections: 1,
                ..SOUND
            },
        )
    },
    Fault {
        also: &[("C0008", "without a name there is no login")],
        ..row(
            "C0007",
            "does not say who it is",
            line(|line| or(line, "USER mrose", "NOOP")),
        )
    },
    row(
        "C0008",
        "does not prove who it is",
        line(|line| or(line, "PASS", "NOOP")),
    ),
    row(
        "C0041",
        "never has more than one of two copies",
        profile(|name| match name {
            "rfc1939" | "outlook-new" => "outlook-2024",
            name => name,
        }),
    ),
    row(
        "C0041",
        "tells copies apart as Outlook 2024",
        profile(|name| match name {
            "outlook-2024" => "rfc1939",
            name => name,
        }),
    ),
    row(
        "C0048",
        "keeps mail as Outlook 2016",
        profile(|name| match name {
            "outlook-2016" => "outlook-2019",
            name => name,
        }),
    ),
    row(
        "C0048",
        "deletes mail as Outlook 2019",
        profile(|name| match name {
            "outlook-2019" => "outlook-2016",
            name => name,
        }),
    ),
    row(
        "NTLM1",
        "sends an initial response",
        line(|line| or(line, "AUTH NTLM", "AUTH NTLM TlRMTVNTUAAB")),
    ),
    row(
        "NTLM2",
        "leaves out the first digit",
        line(|line| {
            let rest = line
                .strip_prefix('T')
                .filter(|rest| rest.starts_with("lRM"));
            rest.unwrap_or(line).to_owned()
        }),
    ),
    row(
        "NTLM3",
        "begins with AUTHENTICATE",
        line(|line| or(line, "TlRMTVNTUAAB", "TlRMTVNTUAADAAAA")),
    ),
    row(
        "NTLM4",
        "sends AUTHENTICATE again",
        line(|line| match line.starts_with("TlRMTVNTUAAD") {
            true => format!("{line}\r\n{line}"),
            false => line.to_owned(),
        }),
    ),
    row(
        "DELEG",
        "leaves the principal out",
        line(|line| match line.rsplit_once('/') {
            Some((delegate, _)) if line.starts_with("USER") => delegate.to_owned(),
            _ => line.to_owned(),
        }),
    ),
];

/// The lines of an NTLM login, from AUTH on.
fn ntlm(client: &mut dyn Fetches, is_right: bool) -> Result<Vec<String>, Flaw> {
    let login = LogIn {
        ntlm: true,
        is_right,
        ..MROSE
    };
    client.begin(&[("a", ONE)]);
    let mut transcript = client.fetch_as(&Profile::OUTLOOK_2016, &login);
    let lines = transcript
        .connections
        .first_mut()
        .map(std::mem::take)
        .unwrap_or_default();
    let start = lines.iter().position(|line| line.starts_with("AUTH"));
    let start = start.ok_or_else(|| Flaw::Unable(format!("no AUTH: {lines:?}")))?;
    Ok(lines[start..].to_vec())
}

/// The type of an NTLM message that is encoded in base64 (MS-NLMP §2.2.1).
fn message_type(line: &str) -> Option<u8> {
    let octets = base64::engine::general_purpose::STANDARD
        .decode(line)
        .ok()?;
    octets
        .strip_prefix(b"NTLMSSP\0")
        .and_then(|rest| rest.first().copied())
}

fn ntlm1_the_exchange_begins_with_auth_ntlm_alone(client: &mut dyn Fetches) -> Verdict {
    let lines = ntlm(client, true)?;
    ensure!(lines[0] == "AUTH NTLM", "{lines:?}");
    Ok(())
}

fn ntlm2_each_message_is_a_line_of_base64(client: &mut dyn Fetches) -> Verdict {
    let lines = ntlm(client, true)?;
    let are_messages = lines
        .iter()
        .skip(1)
        .take(2)
        .all(|line| message_type(line).is_some());
    ensure!(are_messages && lines.len() > 2, "{lines:?}");
    Ok(())
}

fn ntlm3_negotiate_comes_first_and_authenticate_last(client: &mut dyn Fetches) -> Verdict {
    let lines = ntlm(client, true)?;
    let types: Vec<u8> = lines.iter().filter_map(|line| message_type(line)).collect();
    ensure!(
        types.len() < 2 || types.starts_with(&[1, 3]),
        "{types:?}: {lines:?}"
    );
    Ok(())
}

fn ntlm4_a_refused_exchange_is_over(client: &mut dyn Fetches) -> Verdict {
    let lines = ntlm(client, false)?;
    let messages = lines.iter().filter(|line| line.starts_with("TlRM")).count();
    let logs_in = lines
        .iter()
        .any(|line| matches!(&**line, "STAT" | "LIST" | "UIDL"));
    ensure!(messages <= 2 && !logs_in, "{lines:?}");
    Ok(())
}

/// The four forms of MS-OXPOP3 §2.2.2.
pub(crate) const DELEGATES: [&str; 4] = [
    "contoso/assistant/boss",
    "contoso/assistant/boss@contoso.example",
    "assistant@contoso.example/boss",
    "assistant@contoso.example/boss@contoso.example",
];

fn deleg_names_of_delegates_go_as_they_are(client: &mut dyn Fetches) -> Verdict {
    for user in DELEGATES {
        client.begin(&[("a", ONE)]);
        let login = LogIn { user, ..MROSE };
        let transcript = client.fetch_as(&Profile::OUTLOOK_2016, &login);
        let mut lines = transcript.connections.iter().flatten();
        let is_there = lines.any(|line| line.strip_prefix("USER ") == Some(user));
        ensure!(is_there, "{user}: {transcript:?}");
    }
    Ok(())
}

/// Profiles that behave differently.
const SOME: [Profile; 3] = [
    Profile::RFC1939,
    Profile::OUTLOOK_2016,
    Profile::OUTLOOK_NEW,
];

/// How often a maildrop is synchronized: twice for the profiles in [`SOME`].
fn times(profile: &Profile) -> usize {
    1 + usize::from(SOME.contains(profile))
}

/// A synchronization of two messages.
fn synchronized(client: &mut dyn Fetches, profile: &Profile) -> Transcript {
    client.begin(&[("a", ONE), ("b", TWO)]);
    client.fetch(profile)
}

fn c0001_one_tcp_connection_carries_the_session(client: &mut dyn Fetches) -> Verdict {
    for profile in SOME {
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
    for profile in SOME {
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
    for profile in SOME {
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
        // For Outlook either copy will do; for RFC 1939 they are two messages.
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
        for time in 1..=times(&profile) {
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
        for time in 1..=times(&profile) {
            let transcript = whole(client.fetch(&profile))?;
            let is_right = transcript.left == left && transcript.stored == [ONE, TWO];
            ensure!(is_right, "{} time {time}: {transcript:?}", profile.name);
        }
    }
    Ok(())
}

/// If the synchronization failed, there is nothing to judge.
fn whole(transcript: Transcript) -> Result<Transcript, Flaw> {
    match transcript.is_success {
        true => Ok(transcript),
        false => Err(Flaw::Unable(format!("{transcript:?}"))),
    }
}
